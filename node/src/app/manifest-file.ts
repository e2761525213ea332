import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { ioError } from '../storage/backup-file.js'

/** Of a folder with a backup: written when all that it names is on disk. A folder without it is no whole backup. */
export const MANIFEST_FILE = 'backup.json'

export type ManifestFileErrorCode = 'BACKUP_INCOMPLETE' | 'BACKUP_FOREIGN' | 'BACKUP_NEWER' | 'BACKUP_DAMAGED'

/** One kind of manifest: `format` and `version` stand in the file, `content` is all of it. */
export interface ManifestFormat<T> {
  readonly format: string
  readonly version: number
  readonly content: z.ZodType<T>
}

/** @throws CodedError with a `ManifestFileErrorCode`, `BACKUP_IO` */
export async function readManifestFile<T>(folder: string, format: ManifestFormat<T>): Promise<T> {
  const path = join(folder, MANIFEST_FILE)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return refuseBackup('BACKUP_INCOMPLETE', `${folder}: has no ${MANIFEST_FILE}, so it is no whole backup; name another folder`)
    }
    throw ioError(path, error)
  })
  return parseManifest(path, text, format)
}

function parseManifest<T>(path: string, text: string, { format, version, content }: ManifestFormat<T>): T {
  const json = parseJson(path, text)
  const head = z.looseObject({ format: z.unknown(), version: z.unknown() }).catch({ format: '', version: 0 }).parse(json)
  if (head.format !== format) refuseBackup('BACKUP_FOREIGN', `${path}: is no manifest of a ${format}; name another folder`)
  if (typeof head.version === 'number' && head.version > version)
    refuseBackup('BACKUP_NEWER', `${path}: has version ${head.version}, this songhua reads ${version}: use the newer one`)
  const parsed = content.safeParse(json)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') ?? ''
  return refuseBackup('BACKUP_DAMAGED', `${path}: ${where} is not what it must be; take another copy of it`)
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return refuseBackup('BACKUP_DAMAGED', `${path}: is not JSON; take another copy of it`)
  }
}

export function refuseBackup(code: string, message: string): never {
  throw new CodedError(code, message)
}
