import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crashPoint } from '../base/crash-points.js'
import { modeFor, takeOwner } from './owner.js'

/** What `writeAt` needs of a file. */
export interface WritableFile {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>
}

/** Writes all of `bytes` at `position`; a single `write` may write less. */
export async function writeAt(file: WritableFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/**
 * Puts a file with these bytes at `path`, whole or not at all: written aside, synced, renamed, and the folder synced.
 * When that fails nothing is left of it. Owner and rights of a file that was there stay. The answer is open for reading
 * and writing.
 */
export async function replaceDurably(path: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<FileHandle> {
  const aside = `${path}.new`
  const file = await open(aside, 'w+', 0o600)
  try {
    await takeOwner(file, path)
    await file.chmod(await modeFor(path, 0o600))
    let position = 0
    for await (const part of parts) {
      await writeAt(file, part, position)
      position += part.length
    }
    await file.sync()
    crashPoint('file.before-rename')
    await rename(aside, path)
    crashPoint('file.renamed')
    await syncFolder(dirname(path))
    return file
  } catch (error) {
    await file.close()
    await rm(aside, { force: true })
    throw error
  }
}

/** As `replaceDurably`, for whoever wants nothing more of the file. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const file = await replaceDurably(path, [Buffer.from(content)])
  await file.close()
}

/** A new or renamed file is safe only when its folder is. Windows opens no folders, and journals renames itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
