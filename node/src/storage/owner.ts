import { type FileHandle, chown, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/*
 * Started as root, by mistake or for a repair, songhua must leave nothing behind that the user of the service cannot
 * read and write: what it makes gets the owner of what it replaces, or of the folder in which it comes to lie.
 */

const isRoot = (): boolean => process.geteuid?.() === 0

interface Owner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The rights of a file that is being replaced; for a new one those of `mode`. */
export async function modeFor(path: string, mode: number): Promise<number> {
  const before = await ownerOf(path)
  return before === undefined ? mode : before.mode & 0o777
}

/** Of an open file that will come to lie at `path`. */
export async function takeOwner(file: FileHandle, path: string): Promise<void> {
  if (!isRoot()) return
  const owner = (await ownerOf(path)) ?? (await ownerOf(dirname(path)))
  if (owner !== undefined) await file.chown(owner.uid, owner.gid)
}

/** Gives `path` the owner of `model`. */
export async function keepOwner(path: string, model: string): Promise<void> {
  if (!isRoot()) return
  const owner = await ownerOf(model)
  if (owner === undefined) return
  // LevelDB, open in another thread, may have done with a file meanwhile.
  await chown(path, owner.uid, owner.gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Gives the files of a folder, flat as LevelDB's are, the folder's owner. */
export async function keepFolderOwner(folder: string): Promise<void> {
  if (!isRoot()) return
  for (const name of await readdir(folder)) await keepOwner(join(folder, name), folder)
}
