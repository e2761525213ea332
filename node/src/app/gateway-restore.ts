import { copyFile, mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { systemClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { checkBackup, checkPair, readState } from '../gateway/check-backup.js'
import { type Restored, restoreGateway, restoreOverKeys } from '../gateway/restore.js'
import { backupSource } from '../storage/backup-file.js'
import { syncFolder, writeDurably } from '../storage/durable-file.js'
import { type KeyRingFile, openKeyRing } from '../storage/key-ring-file.js'
import { openLevelTable } from '../storage/level-table.js'
import { keepOwner } from '../storage/owner.js'
import { type BackupManifest, KEYS_FILE, STATE_FILE, readManifest } from './backup-manifest.js'
import { GATEWAY_RECORDS, type GatewayFiles, gatewayFiles } from './gateway-files.js'
import { beginRestore } from './restore-target.js'

/** Folders of a backup. */
export interface BackupOrigin {
  readonly records: string
  readonly keys: string
}

export interface RestoreTarget {
  readonly gatewayDir: string
  readonly keysDir: string
  /** Of the chain that the node follows. */
  readonly genesisHash: Hash
  readonly logger: Logger
}

export type GatewayRestoreErrorCode = 'RESTORE_OTHER_CHAIN' | 'RESTORE_OTHER_KEYS' | 'RESTORE_NO_KEYS'

export interface BackupFacts {
  readonly created: string
  readonly keysCreated: string
  readonly chainId: number
  readonly genesisHash: string
  readonly records: number
  readonly keys: number
  /** Keys that could not be read when they were backed up. */
  readonly damagedSlots: number
}

/**
 * Reads a backup to its last byte, and changes nothing.
 * @throws CodedError with a `ManifestErrorCode`, `GatewayRestoreErrorCode`, or of `checkBackup`
 */
export async function checkBackupFolders(from: BackupOrigin, genesisHash?: Hash): Promise<BackupFacts> {
  const { facts } = await checkFolders(from, genesisHash)
  return facts
}

async function checkFolders(
  from: BackupOrigin,
  genesisHash: Hash | undefined,
): Promise<{ facts: BackupFacts; manifest: BackupManifest }> {
  const records = await readManifest(from.records, 'records')
  const keys = await readManifest(from.keys, 'keys')
  if (records.genesisHash !== keys.genesisHash || records.chainId !== keys.chainId)
    fail('RESTORE_OTHER_KEYS', 'records and keys are of different chains; name the keys that were saved with the records')
  if (genesisHash !== undefined) checkChain(records, genesisHash)
  const found = await checkBackup({ state: stateOf(from.records), keys: keysOf(from.keys) })
  checkChain(records, found.genesisHash)
  const { created, chainId } = records
  const facts: BackupFacts = {
    created,
    keysCreated: keys.created,
    chainId,
    genesisHash: records.genesisHash,
    records: found.records,
    keys: found.slots,
    damagedSlots: found.lost,
  }
  return { facts, manifest: records }
}

function checkChain({ chainId, genesisHash: found }: BackupManifest, genesisHash: Hash): void {
  if (found === genesisHash) return
  const is = `the backup is of the chain ${chainId} with genesis ${found}`
  fail('RESTORE_OTHER_CHAIN', `${is}, not of the one with ${genesisHash}; name a backup or a data folder of the same`)
}

/**
 * Puts a backup where a node finds it, while no node runs there. It is checked whole before anything is made.
 * @throws CodedError of `checkBackupFolders`, `beginRestore` and `restoreGateway`
 */
export async function restoreFolders(from: BackupOrigin, target: RestoreTarget): Promise<Restored> {
  const { manifest } = await checkFolders(from, target.genesisHash)
  const files = gatewayFiles(target)
  const finish = await beginRestore([target.gatewayDir, target.keysDir], files.store)
  const figures = await withOpen(files, target.logger, async (targets) => {
    const sources = { state: stateOf(from.records), keys: keysOf(from.keys) }
    const { secret, ...restored } = await restoreGateway(sources, targets)
    await writeDurably(files.secret, secret)
    return restored
  })
  await copyRest(manifest, from.records, target.gatewayDir)
  await finish()
  return figures
}

/**
 * Puts the records of a backup over keys of payloads that have survived.
 * @throws CodedError as `restoreFolders`; `RESTORE_NO_KEYS`
 */
export async function restoreRecords(records: string, target: RestoreTarget): Promise<Restored> {
  const manifest = await readManifest(records, 'records')
  checkChain(manifest, target.genesisHash)
  const files = gatewayFiles(target)
  const secret = await readSecret(files.secret)
  const ring = await openSurvivor(files.keyRing)
  try {
    checkPair(await readState(stateOf(records)), { secret, slots: ring.size })
  } finally {
    await ring.close()
  }
  // No marker in the folder of keys: what bears one is thrown away by the next restore.
  const finish = await beginRestore([target.gatewayDir], files.store)
  const figures = await withOpen(files, target.logger, (targets) =>
    restoreOverKeys(stateOf(records), { ...targets, secret }),
  )
  await copyRest(manifest, records, target.gatewayDir)
  await finish()
  return figures
}

async function readSecret(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    return noKeys(path, cause)
  }
}

async function openSurvivor(path: string): Promise<KeyRingFile> {
  // To open one that is not there would make it.
  await (await open(path, 'r').catch((cause: unknown) => noKeys(path, cause))).close()
  return openKeyRing(path)
}

function noKeys(path: string, cause: unknown): never {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  const message = `${path}: cannot be read (${reason}), so there are no keys to keep; restore them with --keys-from`
  throw new CodedError<GatewayRestoreErrorCode>('RESTORE_NO_KEYS', message, { details: { path }, cause })
}

type Opened = Parameters<typeof restoreGateway>[1]

async function withOpen<T>(files: GatewayFiles, logger: Logger, run: (targets: Opened) => Promise<T>): Promise<T> {
  const table = await openLevelTable(files.store, GATEWAY_RECORDS)
  try {
    const keyRing = await openKeyRing(files.keyRing)
    try {
      return await run({ table, keyRing, clock: systemClock, logger })
    } finally {
      await keyRing.close()
    }
  } finally {
    await table.close()
  }
}

/** API keys and schemas: what the manifest names, and nothing else. */
async function copyRest({ files }: BackupManifest, from: string, gatewayDir: string): Promise<void> {
  for (const { name } of files) {
    if (name === STATE_FILE) continue
    const path = join(gatewayDir, name)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await keepOwner(dirname(path), gatewayDir)
    await copyFile(join(from, name), path)
    await keepOwner(path, gatewayDir)
    await syncFile(path)
    await syncFolder(dirname(path))
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

const stateOf = (folder: string): ReturnType<typeof backupSource> => backupSource(join(folder, STATE_FILE))
const keysOf = (folder: string): ReturnType<typeof backupSource> => backupSource(join(folder, KEYS_FILE))

function fail(code: GatewayRestoreErrorCode, message: string): never {
  throw new CodedError(code, message)
}
