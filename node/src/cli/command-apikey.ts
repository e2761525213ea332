import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import { dataPaths } from '../app/options.js'
import { type ApiKey, createApiKey, revokeApiKey } from '../gateway/api-keys.js'
import { SCOPES } from '../gateway/model.js'
import { changeApiKeys, readApiKeys } from './api-keys-file.js'
import { readConfigFile } from './config-file.js'
import { type CliContext, note, print } from './context.js'
import { exampleText } from './flags.js'
import { formatFields, formatTable } from './table.js'

const TEXTS = {
  apikey: {
    en: 'create, list and revoke API keys of the gateway and of JSON-RPC; a running node heeds changes within a second',
    zh: '创建、列出、吊销网关与 JSON-RPC 的 API 密钥；运行中的节点一秒内生效',
  },
  create: { en: 'make a key and print it; it is shown only this once', zh: '创建密钥并显示，仅此一次' },
  list: { en: 'list keys, without their secrets', zh: '列出密钥，不含密钥本身' },
  revoke: { en: 'revoke a key; what it wrote stays attributed to it', zh: '吊销密钥；其写入的记录仍归属于它' },
  data: { en: 'data folder of the node', zh: '节点数据目录' },
  issuer: { en: 'URI of the organisation that it writes for: uscc:…, did:…', zh: '密钥所代表机构的 URI：uscc:…、did:…' },
  name: { en: 'what it is used by', zh: '用途名称' },
  scopes: {
    en: `what it may do, commas between (${SCOPES.join(', ')})`,
    zh: `权限，以逗号分隔（${SCOPES.join('、')}）`,
  },
  account: {
    en: 'account on the chain that it stands for: what is for members or for listed accounts is then read by its rights',
    zh: '密钥所代表的链上账户；读取仅限成员或名单账户的内容时，以该账户的权限为准',
  },
  json: { en: 'print JSON', zh: '输出 JSON' },
  badIssuer: {
    en: '--issuer: {uscc} is no unified social credit code: 18 characters whose check characters hold (GB 32100)',
    zh: '--issuer：{uscc} 不是有效的统一社会信用代码：应为 18 位且校验码正确（GB 32100）',
  },
} as const
const DEFAULT_SCOPES = 'records:write,records:read,payload:read'

interface Flags {
  data: string
  issuer: string
  name: string
  scopes: string
  account?: string
  json?: boolean
}

export function addApiKeyCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const apikey = program.command('apikey').description(say('apikey'))
  apikey
    .command('create')
    .description(say('create'))
    .requiredOption('--data <folder>', say('data'))
    .requiredOption('--issuer <uri>', say('issuer'))
    .requiredOption('--name <text>', say('name'))
    .option('--scopes <list>', say('scopes'), DEFAULT_SCOPES)
    .option('--account <address>', say('account'))
    .option('--json', say('json'))
    .action((flags: Flags) => create(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua apikey create --data /var/lib/songhua --issuer uscc:11230100MB10000107 --name licences',
          { en: 'prints shk_…, which the department puts into its SDK', zh: '输出 shk_…，由部门填入 SDK' },
        ],
      ]),
    )
  apikey
    .command('list')
    .description(say('list'))
    .requiredOption('--data <folder>', say('data'))
    .option('--json', say('json'))
    .action((flags: Flags) => list(context, flags))
  apikey
    .command('revoke <id>')
    .description(say('revoke'))
    .requiredOption('--data <folder>', say('data'))
    .action((id: string, flags: Flags) => revoke(context, id, flags))
}

async function create(context: CliContext, { data, issuer, name, scopes, account, json }: Flags): Promise<void> {
  checkIssuer(context, issuer)
  await readConfigFile(context, data)
  const wanted = { name, issuer, account, scopes: scopes.split(',').map((scope) => scope.trim()) }
  const { key, token } = await changeApiKeys(context, dataPaths(data).apiKeysFile, (file) =>
    createApiKey(file, wanted, { nowMs: () => Date.now(), randomBytes }),
  )
  if (json) return print(context, JSON.stringify({ ...shown(key), key: token }))
  note(context, context.t('apiKeyCreated', { id: key.id }))
  print(context, token)
}

/** A mistyped code would be the issuer of every record that the key writes. */
function checkIssuer({ language }: CliContext, issuer: string): void {
  const [, uscc] = /^uscc:(.*)$/is.exec(issuer) ?? []
  if (uscc === undefined || (isUscc(uscc) && issuer.startsWith('uscc:'))) return
  throw new CodedError('API_KEY_ISSUER', TEXTS.badIssuer[language].replace('{uscc}', () => JSON.stringify(uscc.slice(0, 80))))
}

async function list(context: CliContext, { data, json }: Flags): Promise<void> {
  await readConfigFile(context, data)
  const { keys } = await readApiKeys(context, dataPaths(data).apiKeysFile)
  if (json) return print(context, JSON.stringify(keys.map(shown)))
  if (keys.length === 0) return note(context, context.t('apiKeysNone', { path: data }))
  const { t } = context
  const headings = ['id', t('apiKeyName'), t('apiKeyIssuer'), t('apiKeyScopes'), t('apiKeyAccount'), t('apiKeyCreatedAt'), t('apiKeyRevokedAt')]
  print(
    context,
    formatTable(
      headings,
      keys.map(({ id, name, issuer, scopes, account = '–', createdAt, revokedAt }) => [
        id, name, issuer, scopes.join(' '), account, time(createdAt), time(revokedAt),
      ]),
    ),
  )
}

async function revoke(context: CliContext, id: string, { data }: Flags): Promise<void> {
  await readConfigFile(context, data)
  await changeApiKeys(context, dataPaths(data).apiKeysFile, (file) => ({ file: revokeApiKey(file, id, Date.now()) }))
  print(context, formatFields([[context.t('apiKeyRevoked'), id]]))
}

const time = (ms: number | undefined): string => (ms === undefined ? '–' : new Date(ms).toISOString())

/** Without the hash: it is of no use to anyone. */
function shown({ secretHash: _hash, createdAt, revokedAt, ...key }: ApiKey): object {
  return { ...key, createdAt: time(createdAt), ...(revokedAt === undefined ? {} : { revokedAt: time(revokedAt) }) }
}
