import type { RunningNode } from '../app/node.js'
import type { OptionValues } from '../app/options.js'
import { type CliContext, cliError, note, print } from './context.js'
import { type DevAccount, devAccounts } from './dev-accounts.js'
import { runDemo } from './demo.js'
import { waitForBlockOne } from './devnet-agreement.js'
import { openDevApiKey } from './dev-api-key.js'
import { type DevnetChild, startChild, whenDied } from './devnet-children.js'
import {
  type DevnetCounts,
  DEFAULT_BASE_PORT,
  type DevnetNode,
  MAX_DEVNET_NODES,
  configureDevnet,
  createDevnet,
  identifyDevnet,
  readDevnet,
} from './devnet-folder.js'
import { type DevnetNodePlan, NODE_LOG_FILE, ROLE_NAMES, checkPorts, planDevnet } from './devnet-plan.js'
import { refuseRunning } from './devnet-running.js'
import { DEVNET_CHAIN_ID } from './node-config.js'
import { createProgress } from './progress.js'
import { createStopSignal } from './stop-signal.js'
import { formatTable } from './table.js'

export interface DevnetFlags {
  data: string
  basePort?: number
  logLevel: OptionValues['log.level']
  validators?: number
  followers?: number
  gateways: number
  json?: boolean
  demo?: boolean
}

const DEFAULT_COUNTS: DevnetCounts = { validators: 4, followers: 0 }

type NodeInfo = RunningNode['info']
interface Up {
  child: DevnetChild
  info: NodeInfo
}

/** Runs a devnet until it is asked to stop. When this returns or throws, every node has ended. */
export async function runDevnet(context: CliContext, flags: DevnetFlags): Promise<void> {
  const children: DevnetChild[] = []
  let isStopping = false
  const stop = createStopSignal(context, { beforeForce: () => children.forEach((child) => child.kill()) }).then(
    () => 'stopped' as const,
  )
  const accounts = devAccounts()
  try {
    const nodes = await prepare(context, flags, accounts)
    const apiKey = await openDevApiKey(context, flags.data, nodes)
    for (const node of nodes) children.push(await startChild(context, node))
    const died = children.map((child) => whenDied(context, child))
    const failed = Promise.race(died).then((error) => Promise.reject(error))
    const up = await Promise.race([bringUp(context, children), failed, stop])
    if (up === 'stopped') return
    announce(context, flags, { ...up, accounts, apiKey })
    reportDeaths(context, children, { died, isStopping: () => isStopping })
    const allDied = Promise.all(died).then((errors) => Promise.reject(errors[0] as Error))
    const shown = flags.demo ? demo(context, flags, { ...up, accounts, apiKey }) : undefined
    if ((await Promise.race([shown, allDied, stop])) === 'stopped') return
    note(context, `\n${context.t('devnetStay', { path: `${flags.data}/*/${NODE_LOG_FILE}` })}`)
    await Promise.race([stop, allDied])
  } finally {
    isStopping = true
    await Promise.all(children.map((child) => child.stop()))
  }
}

/** Folder, keys, genesis and configuration; nothing is started, and ports in use are found here. */
async function prepare(
  context: CliContext,
  flags: DevnetFlags,
  accounts: readonly DevAccount[],
): Promise<DevnetNode[]> {
  const stored = await readDevnet(context, flags.data)
  const counts = reconcileCounts(context, flags, stored)
  const lastPort = stored?.basePort ?? DEFAULT_BASE_PORT
  const planFrom = (basePort: number): DevnetNodePlan[] => planDevnet(context, { dir: flags.data, basePort, ...counts, gateways: flags.gateways })
  const plan = planFrom(flags.basePort ?? lastPort)
  if (stored !== undefined) {
    await refuseRunning(context, flags.data, await identifyDevnet(context, planFrom(lastPort)))
  }
  await checkPorts(context, plan)
  if (stored === undefined) await createDevnet(context, { dir: flags.data, plan, accounts })
  const [key, count] =
    stored === undefined ? (['devnetNew', counts.validators] as const) : (['devnetResumes', 0] as const)
  note(context, context.t(key, { path: flags.data, count }))
  const nodes = await identifyDevnet(context, plan)
  await configureDevnet(flags.data, nodes, flags.logLevel)
  return nodes
}

function reconcileCounts(context: CliContext, flags: DevnetFlags, stored: DevnetCounts | undefined): DevnetCounts {
  const has = stored ?? DEFAULT_COUNTS
  const counts = { validators: flags.validators ?? has.validators, followers: flags.followers ?? has.followers }
  for (const flag of ['validators', 'followers'] as const) {
    if (stored !== undefined && counts[flag] !== stored[flag]) {
      const values = { flag, path: flags.data, stored: stored[flag], asked: counts[flag] }
      throw cliError(context, 'CLI_USAGE', ['devnetCountDiffers', values])
    }
  }
  const total = counts.validators + counts.followers
  if (total <= MAX_DEVNET_NODES) return counts
  throw cliError(context, 'CLI_USAGE', [
    'badInteger',
    { flag: '--followers', min: 0, max: MAX_DEVNET_NODES - counts.validators, value: counts.followers },
  ])
}

async function bringUp(context: CliContext, children: readonly DevnetChild[]): Promise<{ up: Up[]; blockOne: string }> {
  const progress = createProgress(context, context.t('devnetWaiting'))
  try {
    progress.show(0, children.length)
    const up = await Promise.all(children.map(async (child) => ({ child, info: await child.ready })))
    const endpoints = up.map(({ child, info }) => ({ name: child.node.name, rpc: info.rpc }))
    const blockOne = await waitForBlockOne(context, endpoints, (agreed) => progress.show(agreed, children.length))
    return { up, blockOne }
  } finally {
    progress.end()
  }
}

interface Ready {
  up: readonly Up[]
  blockOne: string
  accounts: readonly DevAccount[]
  /** Of the gateways. */
  apiKey: string
}

function announce(context: CliContext, flags: DevnetFlags, { up, blockOne, accounts, apiKey }: Ready): void {
  if (flags.json) {
    const nodes = up.map(({ child, info }) => ({
      name: child.node.name,
      pid: child.pid,
      rpc: info.rpc,
      admin: info.admin,
      p2p: info.p2p[0] ?? '',
      gateway: info.gateway,
      address: info.address,
    }))
    return print(context, JSON.stringify({ event: 'ready', chainId: DEVNET_CHAIN_ID, nodes, accounts, apiKey }))
  }
  const { t } = context
  print(context, `\n${t('devnetReady', { chainId: DEVNET_CHAIN_ID, count: up.length, hash: blockOne })}\n`)
  print(
    context,
    formatTable(
      [t('columnName'), t('columnRole'), 'JSON-RPC, WebSocket', 'admin', t('columnGateway'), 'p2p', t('address'), 'pid'],
      up.map(({ child: { node, pid }, info }) => [
        `${node.name} ${node.nameZh}`,
        t(ROLE_NAMES[node.role]),
        info.rpc,
        info.admin,
        info.gateway ?? '–',
        `127.0.0.1:${node.ports.p2p}`,
        info.address,
        String(pid),
      ]),
    ),
  )
  print(context, `\n${t('devnetAccounts')}\n`)
  print(
    context,
    formatTable(
      ['#', t('address'), t('columnAccount')],
      accounts.map(({ address, privateKey }, index) => [String(index), address, privateKey]),
    ),
  )
  if (up.some(({ info }) => info.gateway !== undefined)) print(context, `\n${t('devnetApiKey', { key: apiKey })}`)
}

/** A chain goes on without a few of its nodes, so a death is told and not followed. */
function reportDeaths(
  context: CliContext,
  children: readonly DevnetChild[],
  { died, isStopping }: { died: readonly Promise<Error>[]; isStopping: () => boolean },
): void {
  children.forEach(({ node }, index) => {
    void died[index]?.then((error) => {
      if (!isStopping()) note(context, `${error.message}\n${context.t('devnetRestart', { path: node.dir })}`)
    })
  })
}

async function demo(context: CliContext, flags: DevnetFlags, { up, apiKey }: Ready): Promise<void> {
  const [first] = up
  if (first?.info.gateway === undefined) throw cliError(context, 'CLI_USAGE', ['demoNeedsGateway'])
  const { gateway, admin } = first.info
  await runDemo(context, { gateway, apiKey, admin, data: first.child.node.dir, dir: flags.data, isJson: flags.json === true })
}
