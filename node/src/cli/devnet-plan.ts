import { createServer } from 'node:net'
import { join } from 'node:path'
import type { OptionValues } from '../app/options.js'
import { cityOfNode } from './cities.js'
import { type CliContext, cliError } from './context.js'
import type { MessageKey } from './messages.js'

/** Each node of a devnet has ten ports from the base port on, and uses the first four. */
const PORTS_PER_NODE = 10
const PORT_USES = ['rpc', 'admin', 'p2p', 'gateway'] as const
export const DEV_KEY_FILE = 'node-key.hex'
export const NODE_LOG_FILE = 'node.log'

export type DevnetRole = 'super' | 'backbone' | 'follower'

export const ROLE_NAMES: Record<DevnetRole, MessageKey> = {
  super: 'superNode',
  backbone: 'backboneNode',
  follower: 'followerNode',
}

/** One node: where it lives and listens. All on 127.0.0.1. */
export interface DevnetNodePlan {
  name: string
  nameZh: string
  cityCode: string
  role: DevnetRole
  hasGateway: boolean
  /** Its data folder. */
  dir: string
  ports: Record<(typeof PORT_USES)[number], number>
}

export interface DevnetShape {
  dir: string
  basePort: number
  validators: number
  followers: number
  gateways: number
}

/**
 * Names, folders and ports: node i of a devnet has basePort + 10·i for JSON-RPC, +1 for admin, +2 for peers, +3 for the gateway. Validators
 * come first; the very first is the super node. The first nodes have the gateways.
 * @throws CLI_USAGE when the ports do not fit
 */
export function planDevnet(
  context: CliContext,
  { dir, basePort, validators, followers, gateways }: DevnetShape,
): DevnetNodePlan[] {
  const count = validators + followers
  const last = basePort + PORTS_PER_NODE * (count - 1) + PORT_USES.length - 1
  if (last > 65_535) throw cliError(context, 'CLI_USAGE', ['portRange', { count, last }])
  return Array.from({ length: count }, (_, index) => {
    const city = cityOfNode(index)
    const first = basePort + PORTS_PER_NODE * index
    return {
      name: city.en,
      nameZh: city.zh,
      cityCode: city.code,
      role: index >= validators ? 'follower' : index === 0 ? 'super' : 'backbone',
      hasGateway: index < gateways,
      dir: join(dir, city.slug),
      ports: { rpc: first, admin: first + 1, p2p: first + 2, gateway: first + 3 },
    }
  })
}

/** @throws PORT_IN_USE naming the port, its use and its node, before anything was started */
export async function checkPorts(context: CliContext, nodes: readonly DevnetNodePlan[]): Promise<void> {
  const wanted = nodes.flatMap((node) => PORT_USES.map((use) => ({ node: node.name, use, port: node.ports[use] })))
  const free = await Promise.all(wanted.map(({ port }) => isPortFree(port)))
  const taken = wanted.find((_, index) => free[index] !== true)
  if (taken !== undefined) throw cliError(context, 'PORT_IN_USE', ['portInUse', taken])
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** What the songhua.json of a node says, so that `songhua start --data` alone brings it back. */
export function nodeOptions(
  node: DevnetNodePlan,
  { bootnodes, logLevel }: { bootnodes: readonly string[]; logLevel: OptionValues['log.level'] },
): Partial<OptionValues> {
  return {
    name: node.name,
    genesisFile: '../genesis.json',
    'nodeKey.devFile': DEV_KEY_FILE,
    follow: node.role === 'follower',
    'p2p.listen': [`127.0.0.1:${node.ports.p2p}`],
    'p2p.bootnodes': bootnodes,
    'rpc.port': node.ports.rpc,
    'rpc.corsOrigins': ['*'],
    'admin.port': node.ports.admin,
    'gateway.enabled': node.hasGateway,
    'gateway.port': node.ports.gateway,
    'gateway.corsOrigins': ['*'],
    'gateway.webhookHosts': ['127.0.0.1', 'localhost'],
    'log.level': logLevel,
  }
}
