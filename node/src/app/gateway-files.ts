import { join } from 'node:path'

export const API_KEYS_FILE = 'api-keys.json'
export const SCHEMAS_DIR = 'schemas'

/** What the database is, in errors. */
export const GATEWAY_RECORDS = {
  name: 'the database of records',
  remedy: 'bring back the last backup (songhua restore --help), into an empty folder or, where the keys of payloads are '
    + 'whole, with --keep-keys; to go on without what was lost, delete DAMAGED.txt in this folder, if it is there',
}

/** What lies where in the two folders of a gateway. */
export function gatewayFiles({ gatewayDir, keysDir }: { gatewayDir: string; keysDir: string }): {
  store: string
  apiKeys: string
  schemas: string
  keyRing: string
  secret: string
} {
  return {
    store: join(gatewayDir, 'store'),
    apiKeys: join(gatewayDir, API_KEYS_FILE),
    schemas: join(gatewayDir, SCHEMAS_DIR),
    keyRing: join(keysDir, 'ring'),
    secret: join(keysDir, 'secret'),
  }
}
