import { join } from 'node:path'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { type OptionValues, dataPaths, resolveOptions } from '../app/options.js'
import { openConsensusLog } from '../storage/consensus-log.js'
import { type CliContext, cliError } from './context.js'
import { createFolder, isVacant, replaceFile } from './files.js'

export interface DataFolderContents {
  /** What songhua.json is to say, besides the defaults. */
  options: Partial<OptionValues>
  genesisText?: string
  /** Encrypted key, or a plain one on a devnet; the consensus log is bound to its address. */
  keyFile?: { name: string; text: string; address: Address }
}

/**
 * Makes the data folder of a node, whole or not at all. It gets an empty consensus log: a node that finds none has lost
 * its memory of what it signed and keeps silent, so only a new folder may start with one.
 * @throws CLI_DATA_FOLDER when something is there already
 */
export async function createDataFolder(
  context: CliContext,
  dataDir: string,
  contents: DataFolderContents,
): Promise<void> {
  if (!(await isVacant(dataDir))) throw cliError(context, 'CLI_DATA_FOLDER', ['folderNotEmpty', { path: dataDir }])
  await createFolder(context, dataDir, (folder) => fillDataFolder(folder, contents))
}

export async function fillDataFolder(
  folder: string,
  { options, genesisText, keyFile }: DataFolderContents,
): Promise<void> {
  const { configFile, genesisFile, consensusLogFile } = dataPaths(folder)
  if (keyFile !== undefined) await replaceFile(join(folder, keyFile.name), keyFile.text, 0o600)
  if (genesisText !== undefined) await replaceFile(genesisFile, genesisText)
  const log = await openConsensusLog(consensusLogFile, { create: true, ...(keyFile && { owner: keyFile.address }) })
  await log.close()
  await replaceFile(configFile, optionsToText(options))
}

/** @returns the text of songhua.json: only what differs from the defaults */
export function optionsToText(options: Partial<OptionValues>): string {
  const all = resolveOptions(options) as unknown as Record<string, unknown>
  const nested: Record<string, unknown> = {}
  for (const key of Object.keys(options)) {
    const [section = '', name] = key.split('.')
    if (name === undefined) nested[section] = all[section]
    else {
      const values = all[section] as Record<string, unknown>
      nested[section] = { ...(nested[section] as object | undefined), [name]: values[name] }
    }
  }
  return `${JSON.stringify(nested, undefined, 2)}\n`
}
