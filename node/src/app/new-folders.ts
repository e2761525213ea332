import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { syncFolder } from '../storage/durable-file.js'
import { keepOwner } from '../storage/owner.js'
import { RESTORING_FILE } from './gateway-files.js'

/** What a file system keeps at the top of each volume, or a marker that was never whole, does not fill a folder. */
const NOTHING = ['lost+found', `${RESTORING_FILE}.new`]

export interface NewFolders {
  /** What was made, and what has come into it since. */
  remove(): Promise<void>
}

/**
 * Makes folders that are not there; those that are must be empty.
 * @throws CodedError `code`, and then nothing was made
 */
export async function makeEmptyFolders(folders: readonly string[], code: string): Promise<NewFolders> {
  const removals: (() => Promise<void>)[] = []
  const remove = async (): Promise<void> => {
    for (const removal of removals.toReversed()) await removal()
  }
  try {
    for (const folder of folders) removals.push(await makeEmptyFolder(folder, code))
  } catch (error) {
    await remove()
    throw error
  }
  return { remove }
}

/** @returns how to undo it */
async function makeEmptyFolder(folder: string, code: string): Promise<() => Promise<void>> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) {
      await keepOwner(made, dirname(made))
      await keepOwner(folder, made)
      await syncFolder(dirname(made))
      return () => rm(made, { recursive: true, force: true })
    }
    if ((await contentsOf(folder)).length === 0) return () => emptyFolder(folder)
    throw new CodedError(code, `${folder}: is not empty; name another folder, or move this one away`, { details: { folder } })
  } catch (cause) {
    if (isCodedError(cause)) throw cause
    const message = `${folder}: cannot be made (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`
    throw new CodedError(code, message, { details: { folder }, cause })
  }
}

/** Names in it; none when it is absent. */
export async function contentsOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => !NOTHING.includes(name))
}

export async function emptyFolder(folder: string, except?: string): Promise<void> {
  for (const name of await contentsOf(folder))
    if (name !== except) await rm(join(folder, name), { recursive: true, force: true })
}
