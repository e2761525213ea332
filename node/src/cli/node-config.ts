import { isAbsolute, join, resolve } from 'node:path'
import { NODE_OPTIONS } from '../app/option-table.js'
import {
  type NodeOptions,
  type OptionValues,
  dataPaths,
  jsonToOptions,
  resolveOptions,
} from '../app/options.js'
import { type CliContext, cliError } from './context.js'
import { readConfigFile } from './config-file.js'
import { readTextFile } from './files.js'
import { openKeystore } from './command-keys.js'
import { textToPrivateKey } from './keystore.js'

/** The province's chain: Heilongjiang's division code. */
export const PROVINCE_CHAIN_ID = 230_000
/** The chain id of a devnet; its accounts and plain keys are refused on every other chain. */
export const DEVNET_CHAIN_ID = 230_099

/**
 * Flags over the folder's songhua.json over the defaults. Paths in flags are relative to the working
 * folder, in the file to the data folder.
 * @throws CLI_DATA_FOLDER when the folder is not initialised; CLI_FILE, CLI_JSON, CONFIG_…
 */
export async function loadOptions(
  context: CliContext,
  dataDir: string,
  flags: Partial<OptionValues>,
): Promise<NodeOptions> {
  const { configFile, genesisFile, keystoreFile } = dataPaths(dataDir)
  const file = await readConfigFile(context, dataDir)
  const placed = { genesisFile, 'nodeKey.keystoreFile': keystoreFile }
  return resolveOptions(placed, placePaths(jsonToOptions(file, configFile), dataDir), placePaths(flags, '.'))
}

/** @returns the values with every path made absolute from `base`; empty ones left to the layer below */
function placePaths(values: Partial<OptionValues>, base: string): Partial<OptionValues> {
  const types = new Map<string, string>(NODE_OPTIONS.map(({ key, type }) => [key, type]))
  const placed = Object.entries(values).flatMap(([key, value]) => {
    if (types.get(key) !== 'path') return [[key, value] as const]
    const path = String(value)
    return path === '' ? [] : [[key, isAbsolute(path) ? path : resolve(join(base, path))] as const]
  })
  return Object.fromEntries(placed)
}

/**
 * @param chainId of the genesis: a plain key is taken on a devnet only
 * @returns 32 bytes
 * @throws CLI_FILE, CLI_KEY, CLI_USAGE, KEYSTORE_FIELD, KEYSTORE_PASSWORD
 */
export async function loadNodeKey(context: CliContext, options: NodeOptions, chainId: number): Promise<Uint8Array> {
  const { devFile, keystoreFile, passwordFile } = options.nodeKey
  if (devFile === '') return openKeystore(context, keystoreFile, passwordFile)
  if (chainId !== DEVNET_CHAIN_ID) throw cliError(context, 'CLI_USAGE', ['devKeyOnly', { chainId }])
  return textToPrivateKey(context, await readTextFile(context, 'keyFile', devFile), devFile)
}
