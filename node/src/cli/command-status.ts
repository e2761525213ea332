import type { Command } from 'commander'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, cliError, note, print } from './context.js'
import { exampleText, urlFlag } from './flags.js'
import { type RpcCall, createRpcCall } from './json-rpc.js'
import { readAddresses } from './node-addresses.js'
import type { MessageKey } from './messages.js'
import { type AdminStatus, type NodeStatus, readAdminStatus, readStatus } from './node-status.js'
import { type ApiKeyFlags, addApiKeyFlag, readApiKey } from './rpc-flags.js'
import { formatFields, formatTable } from './table.js'
import { titledFault } from './titles/error-text.js'

const TEXTS = {
  status: { en: 'ask a running node how it is', zh: '查询运行中的节点状态' },
  rpc: { en: 'its JSON-RPC address', zh: '节点 JSON-RPC 地址' },
  admin: { en: 'its admin address, for peers and rounds', zh: '节点管理地址，用于对等节点与轮次' },
  data: { en: 'data folder, to take the addresses from', zh: '数据目录，从中取得地址' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const

interface Flags extends ApiKeyFlags {
  rpc?: string
  admin?: string
  data?: string
  json?: boolean
}

export function addStatusCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const command = program
    .command('status')
    .description(say('status'))
    .option('--rpc <url>', say('rpc'), urlFlag(context, '--rpc'))
    .option('--admin <url>', say('admin'), urlFlag(context, '--admin'))
    .option('--data <folder>', say('data'))
    .option('--json', say('json'))
  addApiKeyFlag(command, context)
    .action(async (flags: Flags) => {
      const { rpc, admin, isDefault } = await addressesOf(context, flags)
      const ask = admin === undefined ? undefined : createRpcCall(context, admin)
      const apiKey = await readApiKey(context, flags, rpc)
      const isAsked = ask !== undefined && (!isDefault || (await answers(ask)))
      const status = await readStatus(createRpcCall(context, rpc, { apiKey }), isAsked ? ask : undefined).catch((error: unknown) => withoutChain(context, ask, error))
      if ('unread' in status) note(context, `${status.unread.code}: ${status.unread.message}`)
      print(context, flags.json ? JSON.stringify(status) : 'unread' in status ? formatAdminStatus(context, status) : formatStatus(context, status))
    })
    .addHelpText(
      'after',
      exampleText(context, [
        ['songhua status', { en: 'the node at http://127.0.0.1:8545', zh: '位于 http://127.0.0.1:8545 的节点' }],
        [
          'songhua status --data .songhua/devnet/harbin --json',
          { en: 'the node of this data folder, for scripts', zh: '该数据目录的节点，供脚本使用' },
        ],
      ]),
    )
}

/** At the default admin address there need be no node: the RPC alone was named. */
async function answers(ask: RpcCall): Promise<boolean> {
  return ask('admin_nodeInfo').then(() => true, (error: unknown) => {
    if (isCodedError(error, 'RPC_UNREACHABLE')) return false
    throw error
  })
}

/** Who may not read the chain is still told of the node itself, when its admin port answers. */
async function withoutChain(context: CliContext, ask: RpcCall | undefined, error: unknown): Promise<AdminStatus> {
  if (ask === undefined || !isCodedError(error, 'PERMISSION_READ')) return explainSilence(context, ask, error)
  return readAdminStatus(ask, error).catch(() => {
    throw error
  })
}

/** A node that waits for room on its disk answers at its admin port alone. */
async function explainSilence(context: CliContext, ask: RpcCall | undefined, error: unknown): Promise<never> {
  if (ask === undefined || !isCodedError(error, 'RPC_UNREACHABLE')) throw error
  const info = await ask<{ paused?: { code: string; message: string } }>('admin_nodeInfo').catch((second: unknown) => {
    if (isCodedError(second, 'RPC_UNREACHABLE')) return {}
    throw second
  })
  throw 'paused' in info && info.paused !== undefined ? cliError(context, 'NODE_UNWELL', ['statusPaused', titledFault(context, info.paused)]) : error
}

interface Addresses {
  readonly rpc: string
  readonly admin: string | undefined
  /** Whether nobody named the admin address, neither by itself nor by a data folder. */
  readonly isDefault: boolean
}

async function addressesOf(context: CliContext, flags: Flags): Promise<Addresses> {
  const isDefault = flags.data === undefined && flags.admin === undefined
  if (flags.data === undefined && flags.rpc !== undefined) return { rpc: flags.rpc, admin: flags.admin, isDefault }
  const { rpc, admin } = await readAddresses(context, flags.data)
  return { rpc: flags.rpc ?? rpc, admin: flags.admin ?? admin, isDefault }
}

function formatAdminStatus(context: CliContext, { node, peers }: AdminStatus): string {
  const { t } = context
  const { name, address, software, chainId, head } = node
  const known = (key: MessageKey, value: string | number | undefined): [string, string][] => (value === undefined ? [] : [[t(key), String(value)]])
  return formatFields([
    ...known('columnName', name),
    ...known('address', address),
    ...known('statusVersion', software),
    ...known('statusChain', chainId),
    ...known('statusHeight', head?.number),
    ...known('statusHash', head?.hash),
    ...known('statusTime', head?.blockTimeMs === undefined ? undefined : new Date(Number(head.blockTimeMs)).toISOString()),
    ...known('statusPeers', peers),
    ...consensusFields(context, { node }),
    ...gatewayFields(context, { node }),
  ])
}

function formatStatus(context: CliContext, status: NodeStatus): string {
  const { t } = context
  const { syncing } = status
  const fields = formatFields([
    [t('statusVersion'), status.version],
    [t('statusChain'), String(status.chainId)],
    [t('statusHeight'), String(status.height)],
    [t('statusHash'), status.hash],
    [t('statusTime'), status.time],
    [t('statusPeers'), String(status.peers)],
    ...consensusFields(context, status),
    ...gatewayFields(context, status),
    [t('statusSyncing'), syncing === false ? t('statusNot') : `${syncing.currentBlock} / ${syncing.highestBlock}`],
  ])
  const validators = formatTable(
    [t('statusValidators'), t('statusProposed'), t('statusLast')],
    status.validators.map(({ address, proposed, lastBlock }) => [
      address,
      String(proposed),
      lastBlock === undefined ? '–' : String(lastBlock),
    ]),
  )
  return `${fields}\n\n${validators}`
}

function gatewayFields({ t }: CliContext, { node }: Pick<NodeStatus, 'node'>): [string, string][] {
  if (node?.gateway === undefined) return []
  return [[t('columnGateway'), node.gatewayUp === true ? node.gateway : t('statusGatewayDown', { url: node.gateway })]]
}

/** Nothing when the admin address was not asked. */
function consensusFields({ t }: CliContext, { node }: Pick<NodeStatus, 'node'>): [string, string][] {
  if (node?.consensus === undefined) return []
  const { height, round, isVoter, isSilent, isStopped } = node.consensus
  const state = isStopped ? 'statusStopped' : isSilent ? 'statusSilent' : isVoter ? 'statusVotes' : 'statusFollows'
  return [[t('statusConsensus'), t('statusRound', { height, round, state: t(state) })]]
}
