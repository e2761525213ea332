import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rmdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, cliError } from './context.js'
import type { MessageKey } from './messages.js'

/** Largest file that the command line reads whole, in bytes. A genesis of a thousand accounts has about 200 kB. */
const MAX_INPUT_BYTES = 32 * 1024 * 1024

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/** @throws CLI_FILE naming what the file is for and its path */
export async function readTextFile(context: CliContext, what: MessageKey, path: string): Promise<string> {
  return (await readBytesFile(context, what, path)).toString('utf8')
}

/** @throws CLI_FILE naming what the file is for and its path */
export async function readBytesFile(context: CliContext, what: MessageKey, path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > MAX_INPUT_BYTES) {
      throw cliError(context, 'CLI_FILE', ['fileTooBig', { what: context.t(what), path, max: MAX_INPUT_BYTES }])
    }
    return await readFile(path)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    const key = reasonOf(error) === 'ENOENT' ? 'fileMissing' : 'fileUnreadable'
    throw cliError(context, 'CLI_FILE', [key, { what: context.t(what), path, reason: reasonOf(error) }, error])
  }
}

/** Whether a `CLI_FILE` says that there is no such file, or no such folder for it. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && ['ENOENT', 'ENOTDIR'].includes(reasonOf(error.cause))
}

/** @throws CLI_FILE, CLI_JSON naming the path */
export async function readJsonFile(context: CliContext, what: MessageKey, path: string): Promise<unknown> {
  const text = await readTextFile(context, what, path)
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 160)
    throw cliError(context, 'CLI_JSON', ['jsonInvalid', { what: context.t(what), path, reason }, error])
  }
}

/** Puts the file's path in front of what is wrong in it. */
export function namingFile<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    throw new CodedError(error.code, `${path}: ${error.message}`, { details: error.details, cause: error })
  }
}

interface NewFile {
  what: MessageKey
  path: string
  text: string
  mode?: number
}

/** Writes durably, and never over a file that exists. @throws CLI_FILE_EXISTS, CLI_FILE */
export async function writeNewFile(context: CliContext, { what, path, text, mode = 0o644 }: NewFile): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(path, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (reasonOf(error) === 'EEXIST')
      throw cliError(context, 'CLI_FILE_EXISTS', ['fileExists', { what: context.t(what), path }])
    throw cliError(context, 'CLI_FILE', [
      'fileUnwritable',
      { what: context.t(what), path, reason: reasonOf(error) },
      error,
    ])
  }
}

/** Replaces a file in one step: readers see the old text or the new. */
export async function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** @returns whether nothing is at `path` but at most an empty folder */
export async function isVacant(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return true
    if (reasonOf(error) === 'ENOTDIR') return false
    throw error
  }
}

/**
 * Makes a folder whole or not at all: filled beside its place, then moved there.
 * @throws CLI_FILE naming the folder when the disk refuses
 */
export async function createFolder(
  context: CliContext,
  path: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path)
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.new`)
  try {
    await mkdir(temporary, { recursive: true, mode: 0o700 })
    await fill(temporary)
    if (
      await stat(target).then(
        () => true,
        () => false,
      )
    )
      await rmdir(target)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw cliError(context, 'CLI_FILE', [
      'fileUnwritable',
      { what: context.t('dataFolder'), path, reason: reasonOf(error) },
      error,
    ])
  }
}
