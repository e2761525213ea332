import { type Command, Option } from 'commander'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { isConfidential } from '../base/host-names.js'
import { READ_MISSING_TEXTS, type ReadMissing } from '../permission/reads.js'
import type { CliContext } from './context.js'
import { readTextFile } from './files.js'
import { urlFlag } from './flags.js'
import { createTeller } from './governance/texts.js'

const TEXTS = {
  rpc: { en: 'JSON-RPC address of any node of the chain', zh: '链上任一节点的 JSON-RPC 地址' },
  apiKeyFile: {
    en: 'file with an API key of that node, for what not everybody may read (default: variable SONGHUA_API_KEY)',
    zh: '该节点签发的 API 密钥文件，用于读取并非人人可读的内容（默认取环境变量 SONGHUA_API_KEY）',
  },
  badApiKey: { en: '{from}: holds no API key; one is made on the node with songhua apikey create', zh: '{from}：其中没有 API 密钥；请在节点上用 songhua apikey create 创建' },
  exposedApiKey: {
    en: 'SONGHUA_API_KEY is not sent to {to}: it is another machine, and over http everybody between could read the key. Use https, or name a file with --api-key-file to send that key all the same.',
    zh: '不会把 SONGHUA_API_KEY 发往 {to}：该地址不在本机，且经 http 传输时途中任何人都能读到密钥。请改用 https；如仍要发送，请用 --api-key-file 指定密钥文件。',
  },
  unreadable: {
    en: 'Not everybody may read this: {why}. Give an API key of that node, of an organisation or account that may, in a file with --api-key-file or in the variable SONGHUA_API_KEY; its operator makes one with songhua apikey create.',
    zh: '此内容并非人人可读：{why}。请用 --api-key-file 或环境变量 SONGHUA_API_KEY 给出该节点签发、且其机构或账户有读取权限的 API 密钥；密钥由该节点运营方用 songhua apikey create 创建。',
  },
} as const
const tell = createTeller(TEXTS)

/** A secret on the command line could be read by every user of the machine. */
export const API_KEY_VARIABLE = 'SONGHUA_API_KEY'
/** What a header can carry; whether it is a key, the node knows. */
const API_KEY = /^[\x21-\x7e]{1,256}$/
export const DEFAULT_RPC = 'http://127.0.0.1:8545'
/** A node that is starting is waited for; a wrong address is not. */
const RETRY_MS = 3_000

export interface ApiKeyFlags {
  apiKeyFile?: string
}

/** Of every command that asks a node. */
export interface RpcFlags extends ApiKeyFlags {
  rpc: string
  json?: boolean
}

/** @param how.text what the address is, when it is more than any node of the chain; `isOptional`: no node at the default address */
export function addRpcFlag(command: Command, context: CliContext, how: { isOptional?: boolean; text?: string } = {}): Command {
  const option = new Option('--rpc <url>', how.text ?? tell(context, 'rpc')).argParser(urlFlag(context, '--rpc'))
  return addApiKeyFlag(command.addOption(how.isOptional === true ? option : option.default(DEFAULT_RPC)), context)
}

export function addApiKeyFlag(command: Command, context: CliContext): Command {
  return command.option('--api-key-file <file>', tell(context, 'apiKeyFile'))
}

/**
 * The environment is set once for all commands, so a key from there goes nowhere where others could read it on its way.
 * @param to address to which the key is sent
 * @returns undefined when neither a file nor the environment has one
 * @throws CLI_FILE; CLI_USAGE naming where there is no key, or where the key of the environment would be exposed
 */
export async function readApiKey(context: CliContext, { apiKeyFile }: ApiKeyFlags, to: string): Promise<string | undefined> {
  if (apiKeyFile !== undefined) return parseApiKey(context, `--api-key-file ${apiKeyFile}`, await readTextFile(context, 'apiKeyFile', apiKeyFile))
  const text = context.environment[API_KEY_VARIABLE] ?? ''
  if (text === '') return undefined
  if (!isConfidential(to)) throw new CodedError('CLI_USAGE', tell(context, 'exposedApiKey', { to }))
  return parseApiKey(context, API_KEY_VARIABLE, text)
}

function parseApiKey(context: CliContext, from: string, text: string): string {
  const key = text.replace(/^\ufeff/, '').trim()
  if (API_KEY.test(key)) return key
  throw new CodedError('CLI_USAGE', tell(context, 'badApiKey', { from }))
}

/** How the SDK reaches the node of the flags. */
export interface NodeAccess {
  readonly rpc: string
  readonly apiKey?: string
  readonly retry: { readonly timeoutMs: number }
}

export async function readNodeAccess(context: CliContext, { rpc, ...key }: { rpc: string } & ApiKeyFlags): Promise<NodeAccess> {
  const apiKey = await readApiKey(context, key, rpc)
  return { rpc, retry: { timeoutMs: RETRY_MS }, ...(apiKey === undefined ? {} : { apiKey }) }
}

/**
 * A refusal to read, with what helps against it here; any other error as it is.
 * @param error with the node's own code as the `reason` among its details
 * @param told what the node said beside; when left out it is the error's `data`, as the SDK keeps it
 */
export function explainUnreadable({ language }: Pick<CliContext, 'language'>, error: unknown, told?: object | null): unknown {
  if (!isCodedError(error) || error.details.reason !== 'PERMISSION_READ') return error
  const data = told ?? error.details.data
  const missing = typeof data === 'object' && data !== null && 'missing' in data ? String(data.missing) : ''
  const why = Object.hasOwn(READ_MISSING_TEXTS, missing) ? READ_MISSING_TEXTS[missing as ReadMissing][language] : error.message
  return new CodedError('PERMISSION_READ', tell({ language }, 'unreadable', { why }), { details: error.details, cause: error })
}

/** @throws what `work` throws, explained */
export const readingNode = <T>(context: CliContext, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw explainUnreadable(context, error)
  })
