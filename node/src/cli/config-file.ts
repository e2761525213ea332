import { readdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { CodedError } from '@songhua/sdk/protocol/errors'
import { dataPaths } from '../app/options.js'
import { type CliContext, cliError } from './context.js'
import { isMissingFile, readJsonFile } from './files.js'

/**
 * The JSON of a data folder's songhua.json.
 * @throws CLI_DATA_FOLDER for a folder that is none of a node, or has lost the file; CLI_FILE, CLI_JSON
 */
export async function readConfigFile(context: CliContext, dataDir: string): Promise<unknown> {
  const { configFile } = dataPaths(dataDir)
  try {
    return await readJsonFile(context, 'configFile', configFile)
  } catch (error) {
    if (isMissingFile(error)) throw await withoutConfig(context, dataDir, error)
    throw error
  }
}

/** What only the folder of a node holds. */
const OWN_NAMES = /^(node-key\.(json|hex)|chain|consensus\.log|transactions\.journal)$/

/** `init` would make another key, and refuses this folder: whoever has a key or a chain is not sent there. */
async function withoutConfig(context: CliContext, path: string, cause: unknown): Promise<CodedError> {
  const names = await namesOf(path)
  const file = 'songhua.json'
  if (names === undefined) return cliError(context, 'CLI_DATA_FOLDER', ['dataIsFile', { path }, cause])
  if (names.some((name) => OWN_NAMES.test(name))) return cliError(context, 'CLI_DATA_FOLDER', ['configLost', { path, file }, cause])
  const parent = dirname(resolve(path))
  const isPart = names.length > 0 && (await namesOf(parent))?.includes(file) === true
  if (isPart) return cliError(context, 'CLI_DATA_FOLDER', ['folderIsPart', { path, parent }, cause])
  return cliError(context, 'CLI_DATA_FOLDER', ['notInitialised', { path, file }, cause])
}

/** None where there is no folder; undefined for a file. */
async function namesOf(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') return undefined
    throw error
  }
}
