import { copyFile, cp, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { systemClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { BackupTargets } from '../gateway/backup.js'
import { type Restored, restoreGateway } from '../gateway/restore.js'
import { backupSink, backupSource } from '../storage/backup-file.js'
import { replaceDurably } from '../storage/durable-file.js'
import { openKeyRing } from '../storage/key-ring-file.js'
import { openLevelTable } from '../storage/level-table.js'
import { API_KEYS_FILE, GATEWAY_RECORDS, SCHEMAS_DIR, gatewayFiles } from './gateway-files.js'

/** Where the parts of a backup lie: records and keys in folders of their own. */
export interface BackupFolders {
  readonly to: string
  readonly keysTo: string
}

export type GatewayBackupErrorCode = 'BACKUP_FOLDER_NOT_EMPTY' | 'BACKUP_FOLDERS_SAME' | 'RESTORE_FOLDER_NOT_EMPTY'

const STATE_FILE = 'records.backup'
const KEYS_FILE = 'keys.backup'

/**
 * Everything of a gateway that works: its state, API keys and schemas to one folder, the keys of payloads to another.
 * @returns bytes of the two
 * @throws CodedError with a `GatewayBackupErrorCode`
 */
export async function backUpGateway(
  { gatewayDir, backup }: { gatewayDir: string; backup: (targets: BackupTargets) => Promise<void> },
  { to, keysTo }: BackupFolders,
): Promise<{ recordsBytes: number; keysBytes: number }> {
  checkApart(to, keysTo)
  for (const folder of [to, keysTo]) await makeEmptyFolder(folder, 'BACKUP_FOLDER_NOT_EMPTY')
  const [state, keys] = [join(to, STATE_FILE), join(keysTo, KEYS_FILE)]
  await backup({ state: backupSink(state), keys: backupSink(keys) })
  await copyFile(join(gatewayDir, API_KEYS_FILE), join(to, API_KEYS_FILE)).catch(ignoreMissing)
  await cp(join(gatewayDir, SCHEMAS_DIR), join(to, SCHEMAS_DIR), { recursive: true })
  return { recordsBytes: (await stat(state)).size, keysBytes: (await stat(keys)).size }
}

/**
 * Puts a backup where a node finds it, while no node runs there.
 * @throws CodedError with a `GatewayBackupErrorCode`, or of `restoreGateway`
 */
export async function restoreFolders(
  from: { readonly records: string; readonly keys: string },
  target: { readonly gatewayDir: string; readonly keysDir: string; readonly logger: Logger },
): Promise<Omit<Restored, 'secret'>> {
  const { gatewayDir, keysDir, logger } = target
  for (const folder of [gatewayDir, keysDir]) await makeEmptyFolder(folder, 'RESTORE_FOLDER_NOT_EMPTY')
  const files = gatewayFiles(target)
  const table = await openLevelTable(files.store, GATEWAY_RECORDS)
  const keyRing = await openKeyRing(files.keyRing)
  try {
    const sources = {
      state: backupSource(join(from.records, STATE_FILE)),
      keys: backupSource(join(from.keys, KEYS_FILE)),
    }
    const { secret, ...figures } = await restoreGateway(sources, { table, keyRing, clock: systemClock, logger })
    await (await replaceDurably(files.secret, [secret])).close()
    await copyFile(join(from.records, API_KEYS_FILE), files.apiKeys).catch(ignoreMissing)
    await cp(join(from.records, SCHEMAS_DIR), files.schemas, { recursive: true })
    return figures
  } finally {
    await keyRing.close()
    await table.close()
  }
}

/** A gateway without API keys has no file of them. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

function checkApart(to: string, keysTo: string): void {
  if (resolve(to) !== resolve(keysTo) && dirname(resolve(to)) !== resolve(keysTo)) return
  const message = `${keysTo}: the keys of payloads go apart from the records; name a folder that does not hold them`
  throw new CodedError<GatewayBackupErrorCode>('BACKUP_FOLDERS_SAME', message, { details: { to, keysTo } })
}

async function makeEmptyFolder(folder: string, code: GatewayBackupErrorCode): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if ((await readdir(folder)).length === 0) return
    throw new CodedError(code, `${folder}: is not empty; name another folder, or move this one away`, { details: { folder } })
  } catch (cause) {
    if (isCodedError(cause)) throw cause
    const message = `${folder}: cannot be made (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`
    throw new CodedError(code, message, { details: { folder }, cause })
  }
}
