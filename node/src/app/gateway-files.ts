import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '@songhua/sdk/protocol/errors'

export const API_KEYS_FILE = 'api-keys.json'
export const SCHEMAS_DIR = 'schemas'
/** Stands in a folder as long as what a restore puts there is not whole. */
export const RESTORING_FILE = 'RESTORING'

/** What the database is, in errors. */
export const GATEWAY_RECORDS = {
  name: 'the database of records',
  remedy: 'bring back the last backup (songhua restore --help), into an empty folder or, where the keys of payloads are '
    + 'whole, with --keep-keys; to go on without what was lost, delete DAMAGED.txt in this folder, if it is there',
}

export interface GatewayFiles {
  readonly store: string
  readonly apiKeys: string
  readonly schemas: string
  readonly keyRing: string
  readonly secret: string
  /** Markers of a restore that is not finished. */
  readonly restoring: readonly string[]
}

/** What lies where in the two folders of a gateway. */
export function gatewayFiles({ gatewayDir, keysDir }: { gatewayDir: string; keysDir: string }): GatewayFiles {
  return {
    store: join(gatewayDir, 'store'),
    apiKeys: join(gatewayDir, API_KEYS_FILE),
    schemas: join(gatewayDir, SCHEMAS_DIR),
    keyRing: join(keysDir, 'ring'),
    secret: join(keysDir, 'secret'),
    restoring: [gatewayDir, keysDir].map((folder) => join(folder, RESTORING_FILE)),
  }
}

/** What the markers hold. Both say it before the first of them is removed. */
export const RESTORE_DONE = 'done: the restore is whole; whoever meets this file may remove it\n'
export const RESTORE_UNDERWAY = 'a restore is under way or broke off; run songhua restore again\n'

/**
 * A restore that broke off leaves nothing that starts; one that died when all was done is finished here.
 * @throws CodedError `GATEWAY_RESTORE_UNFINISHED`
 */
export async function checkNotRestoring(files: Pick<GatewayFiles, 'restoring'>): Promise<void> {
  for (const { path, text } of await refuseUnfinished(files)) if (text !== undefined) await rm(path)
}

/** @returns the markers, of which none is of a restore that is not whole @throws CodedError `GATEWAY_RESTORE_UNFINISHED` */
export async function refuseUnfinished({ restoring }: Pick<GatewayFiles, 'restoring'>): Promise<{ path: string; text: string | undefined }[]> {
  const marks = await Promise.all(restoring.map(async (path) => ({ path, text: await readMark(path) })))
  const unfinished = marks.find(({ text }) => text !== undefined && text !== RESTORE_DONE)
  if (unfinished !== undefined) {
    const { path } = unfinished
    const message = `${path}: a restore into this folder is under way or broke off; run songhua restore again`
    throw new CodedError('GATEWAY_RESTORE_UNFINISHED', message, { details: { path } })
  }
  return marks
}

async function readMark(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
