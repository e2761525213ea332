import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EMPTY_API_KEY_FILE, apiKeyFileToText, createApiKey, revokeApiKey } from '@songhua/node/gateway/api-keys'

/** A node's file of API keys on disk, changed as `songhua apikey` changes it. */
export interface KeyFile {
  make(of: { readonly issuer: string; readonly account?: string }): { readonly token: string; readonly id: string }
  revoke(id: string): void
  damage(): void
  mend(): void
}

export function createKeyFile(path: string): KeyFile {
  let file = EMPTY_API_KEY_FILE
  mkdirSync(dirname(path), { recursive: true })
  const write = (): void => writeFileSync(path, apiKeyFileToText(file))
  return {
    make(of) {
      const made = createApiKey(file, { name: 'test', scopes: ['records:read'], ...of }, { nowMs: () => Date.now(), randomBytes })
      file = made.file
      write()
      return { token: made.token, id: made.key.id }
    },
    revoke(id) {
      file = revokeApiKey(file, id, Date.now())
      write()
    },
    damage: () => writeFileSync(path, '{'),
    mend: write,
  }
}
