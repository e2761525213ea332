import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ioError } from '../storage/backup-file.js'
import { syncFolder, writeDurably } from '../storage/durable-file.js'
import { API_KEYS_FILE, SCHEMAS_DIR } from './gateway-files.js'
import { MANIFEST_FILE, type ManifestFileErrorCode, readManifestFile, refuseBackup as fail } from './manifest-file.js'

export const STATE_FILE = 'records.backup'
export const KEYS_FILE = 'keys.backup'

const FORMAT = 'songhua.gateway-backup'
const VERSION = 1
/** A name is never a way out of the folder. */
const FILE_NAME = new RegExp(`^(${[STATE_FILE, KEYS_FILE, API_KEYS_FILE].join('|')}|${SCHEMAS_DIR}/[^/\\\\]+)$`)
const MAIN_FILES = { records: STATE_FILE, keys: KEYS_FILE } as const

export type BackupKind = keyof typeof MAIN_FILES

export type ManifestErrorCode = ManifestFileErrorCode | 'BACKUP_FOLDERS_SWAPPED'

const hash32 = z.string().regex(/^0x[0-9a-f]{64}$/)
const count = z.int().nonnegative()

const MANIFEST = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  kind: z.enum(['records', 'keys']),
  /** ISO 8601, UTC. */
  created: z.iso.datetime(),
  chainId: count,
  genesisHash: hash32,
  records: count,
  slots: count,
  damagedSlots: count,
  damaged: z.array(z.object({ slot: count, recordId: z.string().optional() })),
  files: z.array(z.object({ name: z.string().regex(FILE_NAME), bytes: count, sha256: hash32 })),
})

export type BackupManifest = z.infer<typeof MANIFEST>
export type ManifestFile = BackupManifest['files'][number]
export type ManifestFacts = Omit<BackupManifest, 'format' | 'version' | 'kind' | 'files'>

/** Brings all files of a backup's folder to disk, and then the manifest. */
export async function writeManifest(folder: string, kind: BackupKind, facts: ManifestFacts): Promise<void> {
  const files: ManifestFile[] = []
  for (const name of await listFiles(folder)) {
    files.push({ name, ...(await withFile(join(folder, name), async (file) => {
      await file.sync()
      return digestOf(file)
    })) })
  }
  if (files.some(({ name }) => name.startsWith(`${SCHEMAS_DIR}/`))) await syncFolder(join(folder, SCHEMAS_DIR))
  const manifest: BackupManifest = { format: FORMAT, version: VERSION, kind, ...facts, files }
  await writeDurably(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`)
}

async function listFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.map((name) => name.replaceAll('\\', '/')).filter((name) => FILE_NAME.test(name)).sort()
}

/**
 * Of a folder in which a backup of this kind is whole.
 * @throws CodedError with a `ManifestErrorCode`, `BACKUP_IO`
 */
export async function readManifest(folder: string, kind: BackupKind): Promise<BackupManifest> {
  const path = join(folder, MANIFEST_FILE)
  const manifest = await readManifestFile(folder, { format: FORMAT, version: VERSION, content: MANIFEST })
  if (manifest.kind !== kind) {
    const is = `${folder}: is the folder of ${manifest.kind}, not of ${kind}`
    fail('BACKUP_FOLDERS_SWAPPED', `${is}; name the folder of records with --from, that of keys with --keys-from`)
  }
  if (!manifest.files.some(({ name }) => name === MAIN_FILES[kind]))
    fail('BACKUP_DAMAGED', `${path}: does not name ${MAIN_FILES[kind]}; take another copy of it`)
  for (const file of manifest.files) await checkFile(folder, file)
  return manifest
}

async function checkFile(folder: string, { name, bytes, sha256 }: ManifestFile): Promise<void> {
  const path = join(folder, name)
  const found = await withFile(path, digestOf)
  if (found.bytes !== bytes)
    fail('BACKUP_DAMAGED', `${path}: has ${found.bytes} bytes, not ${bytes}; take another copy of it`)
  if (found.sha256 !== sha256)
    fail('BACKUP_DAMAGED', `${path}: has SHA-256 ${found.sha256}, not ${sha256}; take another copy of it`)
}

async function digestOf(file: FileHandle): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of file.createReadStream({ autoClose: false, start: 0 })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { bytes, sha256: `0x${hash.digest('hex')}` }
}

async function withFile<T>(path: string, run: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, 'r')
    try {
      return await run(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      fail('BACKUP_INCOMPLETE', `${path}: is missing, so the backup is not whole; take another copy of it`)
    throw ioError(path, error)
  }
}
