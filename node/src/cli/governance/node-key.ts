import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { openKeystore } from '../command-keys.js'
import type { CliContext } from '../context.js'
import { isMissingFile, readTextFile } from '../files.js'
import { readGenesis } from '../genesis-file.js'
import { textToPrivateKey } from '../keystore.js'
import { DEVNET_CHAIN_ID, loadOptions } from '../node-config.js'
import type { ReadKey } from './signer-flags.js'
import { createTeller } from './texts.js'

/** Where a node's key is: in its data folder, in a keystore, or plain on a devnet. */
export interface NodeKeyFlags {
  data?: string
  nodeKeyFile?: string
  nodeDevKeyFile?: string
  nodeKeyPasswordFile?: string
}

interface PasswordSource {
  readonly file: string | undefined
  /** As the command calls it. */
  readonly flag: string
}

/** A node's key, and the chain of its data folder when that has a genesis. */
export interface NodeKey extends ReadKey {
  readonly chainId: number | undefined
}

const TEXTS = {
  needNodeKey: { en: '--data: is missing; name the node’s data folder, or its key with --node-key-file', zh: '--data：缺失；请指定节点数据目录，或用 --node-key-file 指定其私钥' },
} as const
const tell = createTeller(TEXTS)

/** @param flag of the password file, as the command calls it @throws CLI_USAGE when no key is named; CLI_FILE, CLI_DATA_FOLDER, KEYSTORE_… */
export async function readNodeKey(context: CliContext, flags: NodeKeyFlags, flag = 'node-key-password-file'): Promise<NodeKey> {
  const { data, nodeKeyFile, nodeDevKeyFile, nodeKeyPasswordFile: file } = flags
  if (data !== undefined) return readFolderKey(context, data, { file, flag })
  if (nodeDevKeyFile !== undefined) return { ...(await readPlainKey(context, nodeDevKeyFile)), chainId: undefined }
  if (nodeKeyFile === undefined) throw new CodedError('CLI_USAGE', tell(context, 'needNodeKey'))
  return { ...keyOf(await openKeystore(context, nodeKeyFile, file, flag), false), chainId: undefined }
}

const keyOf = (privateKey: Uint8Array, isPlain: boolean): ReadKey => ({ privateKey, address: privateKeyToAddress(privateKey), isPlain })

async function readPlainKey(context: CliContext, path: string): Promise<ReadKey> {
  return keyOf(textToPrivateKey(context, await readTextFile(context, 'keyFile', path), path), true)
}

async function readFolderKey(context: CliContext, data: string, { file, flag }: PasswordSource): Promise<NodeKey> {
  const flags = file === undefined ? {} : { 'nodeKey.passwordFile': file }
  const { genesisFile, nodeKey } = await loadOptions(context, data, flags)
  const chainId = await chainOfGenesis(context, genesisFile)
  if (nodeKey.devFile === '') return { ...keyOf(await openKeystore(context, nodeKey.keystoreFile, nodeKey.passwordFile, flag), false), chainId }
  return { ...(await readPlainKey(context, nodeKey.devFile)), chainId: chainId ?? DEVNET_CHAIN_ID }
}

/** A node that applies may have no genesis yet. */
async function chainOfGenesis(context: CliContext, path: string): Promise<number | undefined> {
  try {
    return (await readGenesis(context, path)).chainId
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw error
  }
}
