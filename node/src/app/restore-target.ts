import { readFile, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { syncFolder, writeDurably } from '../storage/durable-file.js'
import { openLevelTable } from '../storage/level-table.js'
import { GATEWAY_RECORDS, RESTORE_DONE, RESTORE_UNDERWAY, RESTORING_FILE } from './gateway-files.js'
import { contentsOf, emptyFolder, makeEmptyFolders } from './new-folders.js'

/**
 * Marks folders as those of a restore that is not finished, before anything else is in them. They are new or empty, or
 * what a restore that broke off has left: that is thrown away.
 * @returns to be called when all that was restored is on disk
 * @throws CodedError `RESTORE_FOLDER_NOT_EMPTY`, `STORE_IN_USE` while another restore works there
 */
export async function beginRestore(folders: readonly string[], storeFolder: string): Promise<() => Promise<void>> {
  const left = await Promise.all(folders.map(isLeftByRestore))
  if (left.some(Boolean)) await checkUnused(storeFolder)
  const fresh = folders.filter((_, at) => !left[at])
  for (const folder of fresh) await clearWithoutData(folder, storeFolder)
  const made = await makeEmptyFolders(fresh, 'RESTORE_FOLDER_NOT_EMPTY')
  try {
    for (const folder of folders) await mark(folder, RESTORE_UNDERWAY)
  } catch (error) {
    await made.remove()
    throw error
  }
  for (const folder of folders) await emptyFolder(folder, RESTORING_FILE)
  return () => finishRestore(folders)
}

/** A gateway that could not start has made its folders and an empty store: they hold nothing that was ever accepted. */
async function clearWithoutData(folder: string, storeFolder: string): Promise<void> {
  if ((await contentsOf(folder)).length === 0 || (await holdsData(folder))) return
  await checkUnused(storeFolder)
  await emptyFolder(folder)
}

/** LevelDB's own books, of a database in which nothing was written. */
const BOOKS = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+)$/

async function holdsData(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (entry.isDirectory() || BOOKS.test(entry.name)) continue
    const isEmptyLog = entry.isFile() && entry.name.endsWith('.log') && (await stat(join(entry.parentPath, entry.name))).size === 0
    if (!isEmptyLog) return true
  }
  return false
}

async function isLeftByRestore(folder: string): Promise<boolean> {
  if (!(await contentsOf(folder)).includes(RESTORING_FILE)) return false
  return (await readFile(join(folder, RESTORING_FILE), 'utf8')) !== RESTORE_DONE
}

/** A store that is damaged is thrown away; one that is open in another process is not. */
async function checkUnused(storeFolder: string): Promise<void> {
  try {
    await (await openLevelTable(storeFolder, GATEWAY_RECORDS)).close()
  } catch (error) {
    if (!isCodedError(error) || error.code === 'STORE_IN_USE') throw error
  }
}

/** All markers say so before one is removed: a start in between finds whole folders, or refuses. */
async function finishRestore(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await mark(folder, RESTORE_DONE)
  for (const folder of folders) {
    await rm(join(folder, RESTORING_FILE))
    await syncFolder(folder)
  }
}

const mark = (folder: string, text: string): Promise<void> => writeDurably(join(folder, RESTORING_FILE), text)
