import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type ApiKeyFile, EMPTY_API_KEY_FILE, apiKeyFileToText, parseApiKeyFile } from '../gateway/api-keys.js'
import { type CliContext, cliError } from './context.js'
import { isMissingFile, namingFile, readTextFile, replaceFile } from './files.js'

/** No file is an empty one. @throws CLI_FILE, API_KEYS_FORMAT */
export async function readApiKeys(context: CliContext, path: string): Promise<ApiKeyFile> {
  const text = await readTextFile(context, 'apiKeysFile', path).catch((error: unknown) => {
    if (isMissingFile(error)) return undefined
    throw error
  })
  return text === undefined ? EMPTY_API_KEY_FILE : namingFile(path, () => parseApiKeyFile(text))
}

/** A change takes a few milliseconds; a lock that stands for longer was left by a program that was killed. */
const LOCK_MS_MAX = 2_000
const LOCK_RETRY_MS = 50

async function takeLock(path: string, untilMs: number): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || Date.now() >= untilMs) throw error
    await setTimeout(LOCK_RETRY_MS)
    return takeLock(path, untilMs)
  }
}

/**
 * Changes the file in one step, while a gateway may be reading it; two changes at a time would lose one of them, so the
 * second waits for the first.
 * @throws CLI_FILE, API_KEYS_FORMAT, and what `change` throws
 */
export async function changeApiKeys<T extends { file: ApiKeyFile }>(
  context: CliContext,
  path: string,
  change: (file: ApiKeyFile) => T,
): Promise<T> {
  const lock = `${path}.lock`
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const held = await takeLock(lock, Date.now() + LOCK_MS_MAX).catch((error: unknown) => {
    throw cliError(context, 'CLI_FILE', ['apiKeysLocked', { path, lock }, error])
  })
  try {
    const changed = change(await readApiKeys(context, path))
    await replaceFile(path, apiKeyFileToText(changed.file), 0o600)
    return changed
  } finally {
    await held.close()
    await rm(lock)
  }
}
