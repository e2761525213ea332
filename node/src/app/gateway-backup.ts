import { copyFile, mkdir, readdir, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { BackedUp, BackupTargets } from '../gateway/backup.js'
import { backupSink, ioError } from '../storage/backup-file.js'
import { KEYS_FILE, STATE_FILE, writeManifest } from './backup-manifest.js'
import { API_KEYS_FILE, SCHEMAS_DIR } from './gateway-files.js'
import { makeEmptyFolders } from './new-folders.js'

/** Where the parts of a backup lie: records and keys in folders of their own. */
export interface BackupFolders {
  readonly to: string
  readonly keysTo: string
}

export type GatewayBackupErrorCode = 'BACKUP_FOLDER_NOT_EMPTY' | 'BACKUP_FOLDERS_SAME'

export interface BackupSubject {
  readonly gatewayDir: string
  readonly chainId: number
  readonly genesisHash: Hash
  readonly backup: (targets: BackupTargets) => Promise<BackedUp>
}

/**
 * Everything of a gateway that works: its state, API keys and schemas to one folder, the keys of payloads to another.
 * A backup that fails leaves nothing.
 * @returns bytes and numbers of the two, and how many slots of the key ring are damaged: their payloads are lost, the
 *   backup is whole all the same
 * @throws CodedError with a `GatewayBackupErrorCode`, `BACKUP_IO`
 */
export async function backUpGateway(subject: BackupSubject, folders: BackupFolders): Promise<Record<string, number>> {
  const { to, keysTo } = folders
  checkApart(to, keysTo)
  const made = await makeEmptyFolders([to, keysTo], 'BACKUP_FOLDER_NOT_EMPTY')
  try {
    return await fillFolders(subject, folders)
  } catch (error) {
    await made.remove()
    throw ioError(to, error)
  }
}

async function fillFolders(
  { gatewayDir, chainId, genesisHash, backup }: BackupSubject,
  { to, keysTo }: BackupFolders,
): Promise<Record<string, number>> {
  const [state, keys] = [join(to, STATE_FILE), join(keysTo, KEYS_FILE)]
  const created = new Date().toISOString()
  const { damaged, ...figures } = await backup({ state: backupSink(state), keys: backupSink(keys) })
  await copyFile(join(gatewayDir, API_KEYS_FILE), join(to, API_KEYS_FILE)).catch(ignoreMissing)
  await copySchemas(join(gatewayDir, SCHEMAS_DIR), join(to, SCHEMAS_DIR))
  const facts = { created, chainId, genesisHash, ...figures, damaged: [...damaged] }
  await writeManifest(to, 'records', facts)
  await writeManifest(keysTo, 'keys', facts)
  return { recordsBytes: (await stat(state)).size, keysBytes: (await stat(keys)).size, ...figures }
}

/** A gateway without API keys has no file of them. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

async function copySchemas(from: string, to: string): Promise<void> {
  const files = (await readdir(from, { withFileTypes: true })).filter((entry) => entry.isFile())
  if (files.length > 0) await mkdir(to, { mode: 0o700 })
  for (const { name } of files) await copyFile(join(from, name), join(to, name))
}

/** @throws CodedError `BACKUP_FOLDERS_SAME` */
export function checkApart(to: string, keysTo: string): void {
  if (!isWithin(to, keysTo) && !isWithin(keysTo, to)) return
  const message = `${keysTo}: the keys of payloads go apart from the records; name two folders, neither within the other`
  throw new CodedError<GatewayBackupErrorCode>('BACKUP_FOLDERS_SAME', message, { details: { to, keysTo } })
}

/** Or the same. */
export function isWithin(folder: string, other: string): boolean {
  const way = relative(resolve(other), resolve(folder))
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
