import type { AccountRights, Governance } from '@songhua/sdk/governance'
import type { Quota } from '@songhua/sdk/governance/model'
import { bindingSigner, signBinding } from '@songhua/sdk/governance/signatures'
import type { Done } from '@songhua/sdk/governance/transactions'
import { NO_LIMIT, type Role } from '@songhua/sdk/governance/codes'
import type { Address, Hex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { gatewayAccountKey } from '../../app/gateway-settings.js'
import { type CliContext, note, print } from '../context.js'
import { readJsonFile, writeNewFile } from '../files.js'
import { formatFields } from '../table.js'
import { CHAIN_ID } from './application-file.js'
import { beijingDay } from './beijing-time.js'
import { ACCOUNT, QUOTA, ROLES, SIGNATURE, USCC, choice, integer } from './field-types.js'
import { type FieldsOf, fileSource, flagSource, readForm } from './fields.js'
import { ORGANISATION_STATES, organisationName, quotaName, toJson, wordNames } from './names.js'
import { readNodeKey } from './node-key.js'
import { DEFAULT_RPC, type RpcFlags } from '../rpc-flags.js'
import { type ReadKey, type SignerFlags, checkKeyForChain, connectChain, needSignerKey, openActor } from './signer-flags.js'
import { createTeller } from './texts.js'

export type ShowFlags = RpcFlags
export type AccountFlags = RpcFlags & SignerFlags
export type ConsentFlags = AccountFlags & { uscc?: string; gateway?: string; nonce?: number; chainId?: number; out?: string }
export type ChangeFlags = AccountFlags & { roles?: string; gasPerDay?: string; bytesPerDay?: string }
export type BindFlags = ChangeFlags & { consent: string }

const TEXTS = {
  both: { en: '--nonce and --chain-id: give both to sign offline, or none of them', zh: '--nonce 与 --chain-id：离线签署时须同时给出，否则都不给' },
  oneKey: { en: '--gateway: the account of the gateway signs; leave --key-file and --dev-key-file out', zh: '--gateway：由网关账户签署，请勿再给 --key-file 或 --dev-key-file' },
  consentWritten: {
    en: 'Consent written: {path}. Give it to the administrator of organisation {uscc}, who chooses the roles and names the file of the own key in the place of ADMINISTRATOR.json: songhua account bind --consent {path} --roles anchor,read --key-file ADMINISTRATOR.json{rpc}',
    zh: '同意书已写入：{path}。请交机构 {uscc} 的管理员，由其选定权限，并将 ADMINISTRATOR.json 换为自己的私钥文件：songhua account bind --consent {path} --roles anchor,read --key-file ADMINISTRATOR.json{rpc}',
  },
  badConsent: { en: '{file}: the signature is not account {account}’s over what the file says; ask its owner for another: songhua account consent', zh: '{file}：签名不是账户 {account} 对文件内容所签；请其所有人重新签署：songhua account consent' },
  otherChain: { en: '{file}: the consent is for chain {expected}; the node asked is of chain {actual}', zh: '{file}：同意书所属链为 {expected}，而所连节点属于链 {actual}' },
  notBound: { en: '<address>: account {account} is bound to no organisation', zh: '<address>：账户 {account} 未绑定任何机构' },
  nothing: { en: 'give at least one of --roles, --gas-per-day and --bytes-per-day', zh: '请至少给出 --roles、--gas-per-day、--bytes-per-day 之一' },
  bound: { en: 'Account {account} is bound to {organisation}, in block {block}.', zh: '账户 {account} 已绑定 {organisation}（区块 {block}）。' },
  changed: { en: 'Account {account}: roles {roles}, {gas} gas and {bytes} bytes a day, from block {block} on.', zh: '账户 {account}：权限 {roles}，每日 gas {gas}、字节 {bytes}，自区块 {block} 起。' },
  released: { en: 'Account {account} is released, in block {block}.', zh: '账户 {account} 已解除绑定（区块 {block}）。' },
  revoked: { en: 'Every consent that account {account} has given is void, from block {block} on.', zh: '账户 {account} 此前签署的同意书均已失效（自区块 {block} 起）。' },
  account: { en: 'account', zh: '账户' },
  organisation: { en: 'organisation', zh: '机构' },
  newcomer: { en: 'none: a newcomer', zh: '无（新账户）' },
  administers: { en: 'administers it', zh: '为其管理员' },
  roles: { en: 'roles', zh: '权限' },
  none: { en: 'none', zh: '无' },
  gas: { en: 'gas today', zh: '今日 gas' },
  bytes: { en: 'bytes today', zh: '今日字节' },
  transactions: { en: 'transactions today', zh: '今日交易数' },
  groupGas: { en: 'gas today, organisation', zh: '机构今日 gas' },
  groupBytes: { en: 'bytes today, organisation', zh: '机构今日字节' },
  newcomersGas: { en: 'gas today, all newcomers', zh: '全体新账户今日 gas' },
  newcomersBytes: { en: 'bytes today, all newcomers', zh: '全体新账户今日字节' },
  of: { en: '{used} of {quota}', zh: '{used} / {quota}' },
  day: { en: 'day (Beijing)', zh: '日期（北京时间）' },
} as const
const tell = createTeller(TEXTS)

export const CONSENT_VERSION = 'songhua.consent/1'

interface Consent {
  readonly version: typeof CONSENT_VERSION
  readonly chainId: number
  readonly uscc: string
  readonly account: Address
  readonly nonce: number
  readonly signature: Hex
}

const CONSENT_FIELDS: FieldsOf<Consent> = {
  version: { type: choice([CONSENT_VERSION], '') },
  chainId: { type: CHAIN_ID },
  uscc: { type: USCC },
  account: { type: ACCOUNT },
  nonce: { type: integer(0, Number.MAX_SAFE_INTEGER) },
  signature: { type: SIGNATURE },
}

/** Both quotas hold, the account's and its organisation's: without one of its own an account has the organisation's. */
const BIND_FIELDS: FieldsOf<AccountRights> = {
  roles: { type: ROLES }, gasPerDay: { type: QUOTA, preset: NO_LIMIT }, bytesPerDay: { type: QUOTA, preset: NO_LIMIT },
}
const CHANGE_FIELDS: FieldsOf<Partial<AccountRights>> = {
  roles: { type: ROLES, isOptional: true }, gasPerDay: { type: QUOTA, isOptional: true }, bytesPerDay: { type: QUOTA, isOptional: true },
}

const resultOf = ({ hash, blockNumber }: Done): object => ({ transactionHash: hash, blockNumber })

function readAddress(context: CliContext, text: string): Address {
  return readForm<{ account: string }>(context, { account: { type: ACCOUNT } }, [{ values: { account: text }, pathOf: () => '<address>' }]).account as Address
}

export async function consent(context: CliContext, flags: ConsentFlags): Promise<void> {
  const { uscc } = readForm<{ uscc: string }>(context, { uscc: { type: USCC } }, [flagSource({ ...flags }, ['uscc'])])
  if ((flags.nonce === undefined) !== (flags.chainId === undefined)) throw new CodedError('CLI_USAGE', tell(context, 'both'))
  const key = flags.gateway === undefined ? await needSignerKey(context, flags) : await gatewayKey(context, flags.gateway, flags)
  const { nonce = 0, chainId = 0 } = flags.nonce === undefined ? await askNonce(context, flags, key.address) : flags
  checkKeyForChain(context, key, chainId)
  const signature = signBinding({ uscc, account: key.address, nonce: BigInt(nonce) }, key.privateKey, chainId)
  const signed: Consent = { version: CONSENT_VERSION, chainId, uscc, account: key.address, nonce, signature }
  const text = JSON.stringify(signed, undefined, 2)
  if (flags.out === undefined) return print(context, text)
  await writeNewFile(context, { what: 'consentFile', path: flags.out, text: `${text}\n` })
  note(context, tell(context, 'consentWritten', { path: flags.out, uscc, rpc: flags.rpc === DEFAULT_RPC ? '' : ` --rpc ${flags.rpc}` }))
  if (flags.json) print(context, JSON.stringify(signed))
}

/** The key by which a node's gateway anchors, which follows from the node's. */
async function gatewayKey(context: CliContext, data: string, flags: ConsentFlags): Promise<ReadKey> {
  if ((flags.keyFile ?? flags.devKeyFile) !== undefined) throw new CodedError('CLI_USAGE', tell(context, 'oneKey'))
  const node = await readNodeKey(context, { data, ...(flags.keyPasswordFile === undefined ? {} : { nodeKeyPasswordFile: flags.keyPasswordFile }) }, 'key-password-file')
  const privateKey = gatewayAccountKey(node.privateKey)
  return { privateKey, address: privateKeyToAddress(privateKey), isPlain: node.isPlain }
}

async function askNonce(context: CliContext, flags: RpcFlags, account: Address): Promise<{ nonce: number; chainId: number }> {
  const governance = await connectChain(context, flags)
  return { nonce: Number(await governance.bindingNonce(account)), chainId: governance.chainId }
}

export async function revoke(context: CliContext, flags: AccountFlags): Promise<void> {
  const { governance, key } = await openActor(context, flags)
  const done = await governance.revokeConsents()
  if (flags.json) return print(context, toJson({ account: key.address, ...resultOf(done) }))
  print(context, tell(context, 'revoked', { account: key.address, block: done.blockNumber }))
}

export async function bind(context: CliContext, flags: BindFlags): Promise<void> {
  const file = flags.consent
  const given = readForm(context, CONSENT_FIELDS, [fileSource(context, { json: await readJsonFile(context, 'consentFile', file), file })])
  const { account, uscc, nonce, chainId, signature } = given
  const rights = readForm(context, BIND_FIELDS, [flagSource({ ...flags }, Object.keys(BIND_FIELDS))])
  if (bindingSigner({ uscc, account, nonce: BigInt(nonce) }, chainId, signature) !== account) {
    throw new CodedError('APPLICATION_INVALID', tell(context, 'badConsent', { file, account }))
  }
  const { governance } = await openActor(context, flags)
  if (chainId !== governance.chainId) {
    throw new CodedError('APPLICATION_INVALID', tell(context, 'otherChain', { file, expected: chainId, actual: governance.chainId }))
  }
  const done = await governance.bindAccount(account, rights, signature)
  if (flags.json) return print(context, toJson({ account, uscc, ...rights, ...resultOf(done) }))
  print(context, tell(context, 'bound', { account, organisation: await nameOf(context, governance, uscc), block: done.blockNumber }))
}

async function nameOf(context: CliContext, governance: Governance, uscc: string): Promise<string> {
  const organisation = await governance.organisation(uscc)
  return organisation === undefined ? uscc : `${organisationName(organisation, context.language)} (${uscc})`
}

export async function change(context: CliContext, text: string, flags: ChangeFlags): Promise<void> {
  const account = readAddress(context, text)
  const given = readForm<Partial<AccountRights>>(context, CHANGE_FIELDS, [flagSource({ ...flags }, Object.keys(CHANGE_FIELDS))])
  if (Object.keys(given).length === 0) throw new CodedError('CLI_USAGE', tell(context, 'nothing'))
  const { governance } = await openActor(context, flags)
  const present = await governance.account(account)
  if (present === undefined) throw new CodedError('CLI_USAGE', tell(context, 'notBound', { account }))
  const { roles, gasPerDay, bytesPerDay } = { ...present, ...given }
  const done = await governance.changeAccount(account, { roles, gasPerDay, bytesPerDay })
  if (flags.json) return print(context, toJson({ account, roles, gasPerDay, bytesPerDay, ...resultOf(done) }))
  const { language } = context
  const shown = { roles: wordNames(roles, language) || tell(context, 'none'), gas: quotaName(gasPerDay, language), bytes: quotaName(bytesPerDay, language) }
  print(context, tell(context, 'changed', { account, ...shown, block: done.blockNumber }))
}

export async function release(context: CliContext, text: string, flags: AccountFlags): Promise<void> {
  const account = readAddress(context, text)
  const { governance } = await openActor(context, flags)
  const done = await governance.releaseAccount(account)
  if (flags.json) return print(context, toJson({ account, ...resultOf(done) }))
  print(context, tell(context, 'released', { account, block: done.blockNumber }))
}

export async function show(context: CliContext, text: string, flags: ShowFlags): Promise<void> {
  const account = readAddress(context, text)
  const governance = await connectChain(context, flags)
  const [bound, quota] = await Promise.all([governance.account(account), governance.quota(account)])
  const organisation = bound === undefined ? undefined : await governance.organisation(bound.uscc)
  // What counts is what both the account and its organisation have.
  const roles: readonly Role[] =
    bound === undefined ? (await governance.policy()).newcomers.roles : bound.roles.filter((role) => organisation?.roles.includes(role) === true)
  if (flags.json) return print(context, toJson({ account, organisation: organisation ?? null, roles, quota }))
  const { language } = context
  const administers = organisation?.administrator === account ? [tell(context, 'administers')] : []
  const owner =
    organisation === undefined
      ? tell(context, 'newcomer')
      : [`${organisationName(organisation, language)} (${organisation.uscc})`, ORGANISATION_STATES[organisation.status][language], ...administers].join(', ')
  print(context, formatFields([
    [tell(context, 'account'), account],
    [tell(context, 'organisation'), owner],
    [tell(context, 'roles'), wordNames(roles, language) || tell(context, 'none')],
    ...quotaFields(context, quota),
  ]))
}

function quotaFields(context: CliContext, { account, group }: Quota): [string, string][] {
  const of = (used: bigint, quota: bigint): string =>
    tell(context, 'of', { used: used.toLocaleString('en-US'), quota: quotaName(quota, context.language) })
  const [gas, bytes] = group.uscc === undefined ? (['newcomersGas', 'newcomersBytes'] as const) : (['groupGas', 'groupBytes'] as const)
  const day: [string, string][] = account.used.day === 0 ? [] : [[tell(context, 'day'), beijingDay(account.used.day)]]
  return [
    [tell(context, 'gas'), of(account.used.gas, account.gasPerDay)],
    [tell(context, 'bytes'), of(account.used.bytes, account.bytesPerDay)],
    [tell(context, 'transactions'), String(account.used.transactions)],
    [tell(context, gas), of(group.used.gas, group.gasPerDay)],
    [tell(context, bytes), of(group.used.bytes, group.bytesPerDay)],
    ...day,
  ]
}
