import { type Command, Option } from 'commander'
import { keySigner } from '@songhua/sdk'
import type { Governance } from '@songhua/sdk/governance'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { openKeystore } from '../command-keys.js'
import type { CliContext } from '../context.js'
import { readTextFile } from '../files.js'
import { textToPrivateKey } from '../keystore.js'
import { DEVNET_CHAIN_ID } from '../node-config.js'
import { type ApiKeyFlags, type RpcFlags, readNodeAccess, readingNode } from '../rpc-flags.js'
import { explainRefusals } from './refusals.js'
import { createTeller } from './texts.js'

const TEXTS = {
  keyFile: { en: 'encrypted key of the account that acts', zh: '执行账户的加密私钥文件' },
  password: { en: 'file whose first line is its password (default: ask)', zh: '口令文件，取第一行（默认询问）' },
  devKeyFile: { en: 'plain key, for a devnet', zh: '明文私钥文件（仅限开发网）' },
  json: { en: 'print JSON', zh: '输出 JSON' },
  needSigner: { en: '--key-file: is missing; name the key of the account that acts (on a devnet --dev-key-file)', zh: '--key-file：缺失；请指定执行账户的私钥文件（开发网可用 --dev-key-file）' },
  devOnly: {
    en: '--dev-key-file: a plain key is for a devnet, chain {devnet}; this chain is {chainId}. Use an encrypted key: songhua keys import',
    zh: '--dev-key-file：明文私钥仅限开发网（链 {devnet}）；本链为 {chainId}。请使用加密私钥：songhua keys import',
  },
} as const
const tell = createTeller(TEXTS)

export interface SignerFlags {
  keyFile?: string
  keyPasswordFile?: string
  devKeyFile?: string
}

export function addJsonFlag(command: Command, context: CliContext): Command {
  return command.option('--json', tell(context, 'json'))
}

export function addSignerFlags(command: Command, context: CliContext): Command {
  return command
    .option('--key-file <file>', tell(context, 'keyFile'))
    .option('--key-password-file <file>', tell(context, 'password'))
    .addOption(new Option('--dev-key-file <file>', tell(context, 'devKeyFile')).conflicts('keyFile'))
}

/** A key that was read, not yet held against a chain. */
export interface ReadKey {
  readonly privateKey: Uint8Array
  readonly address: Address
  readonly isPlain: boolean
}

/** @returns undefined when no key is named */
export async function readSignerKey(context: CliContext, flags: SignerFlags): Promise<ReadKey | undefined> {
  const { keyFile, keyPasswordFile, devKeyFile } = flags
  if ((keyFile ?? devKeyFile) === undefined) return undefined
  const privateKey =
    devKeyFile === undefined
      ? await openKeystore(context, keyFile ?? '', keyPasswordFile)
      : textToPrivateKey(context, await readTextFile(context, 'keyFile', devKeyFile), devKeyFile)
  return { privateKey, address: privateKeyToAddress(privateKey), isPlain: devKeyFile !== undefined }
}

/** @throws CLI_USAGE when no key is named */
export async function needSignerKey(context: CliContext, flags: SignerFlags): Promise<ReadKey> {
  const key = await readSignerKey(context, flags)
  if (key === undefined) throw new CodedError('CLI_USAGE', tell(context, 'needSigner'))
  return key
}

/** @throws CLI_USAGE for a plain key on a chain that is no devnet */
export function checkKeyForChain(context: CliContext, { isPlain }: ReadKey, chainId: number): void {
  if (!isPlain || chainId === DEVNET_CHAIN_ID) return
  throw new CodedError('CLI_USAGE', tell(context, 'devOnly', { devnet: DEVNET_CHAIN_ID, chainId }))
}

/** The chain, to be read alone unless a key is given. @throws RPC_UNREACHABLE */
export async function connectChain(context: CliContext, node: { rpc: string } & ApiKeyFlags, key?: ReadKey): Promise<Governance> {
  // Loaded when asked for: ethers takes a third of a second, and every command would wait for it.
  const { connectGovernance } = await import('@songhua/sdk/governance')
  const signer = key === undefined ? {} : { signer: keySigner(key.privateKey) }
  const governance = await readingNode(context, connectGovernance({ ...(await readNodeAccess(context, node)), ...signer }))
  if (key !== undefined) checkKeyForChain(context, key, governance.chainId)
  return explainRefusals(context, governance)
}

/** Who acts, and on which chain. */
export interface Actor {
  readonly governance: Governance
  readonly key: ReadKey
}

export async function openActor(context: CliContext, flags: RpcFlags & SignerFlags): Promise<Actor> {
  const key = await needSignerKey(context, flags)
  return { key, governance: await connectChain(context, flags, key) }
}
