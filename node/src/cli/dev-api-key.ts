import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { dataPaths } from '../app/options.js'
import { createApiKey } from '../gateway/api-keys.js'
import { SCOPES } from '../gateway/model.js'
import { changeApiKeys } from './api-keys-file.js'
import type { CliContext } from './context.js'
import type { DevnetNode } from './devnet-folder.js'
import { isMissingFile, readTextFile, replaceFile } from './files.js'

/** In the folder of a devnet; a plain file, for it guards nothing. */
const FILE = 'api-key'
/** A fictitious office; its code has a right check character (GB 32100-2015). */
export const DEV_ISSUER = 'uscc:11230100MB10000107'

/** The key with all scopes that every gateway of a devnet knows; made when the folder has none. */
export async function openDevApiKey(context: CliContext, dir: string, nodes: readonly DevnetNode[]): Promise<string> {
  const path = join(dir, FILE)
  const kept = await readTextFile(context, 'apiKeysFile', path).catch((error: unknown) => {
    if (isMissingFile(error)) return undefined
    throw error
  })
  if (kept !== undefined) return kept.trim()
  const seed = [randomBytes(32), randomBytes(10)]
  const wanted = { name: 'devnet', issuer: DEV_ISSUER, scopes: SCOPES }
  const tokens = nodes.map(async (node) => {
    const parts = [...seed]
    // The same key everywhere, so that a program may turn to any of the nodes.
    const sources = { nowMs: () => Date.now(), randomBytes: () => parts.shift()! }
    return (await changeApiKeys(context, dataPaths(node.dir).apiKeysFile, (file) => createApiKey(file, wanted, sources))).token
  })
  const [token = ''] = await Promise.all(tokens)
  await replaceFile(path, `${token}\n`, 0o600)
  return token
}
