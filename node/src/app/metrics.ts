import type { RefusalCount } from '../base/refusals.js'
import type { Metric } from '../rpc/admin-ports.js'
import type { RpcServer } from '../rpc/rpc-server.js'
import type { CallService } from '../services/call-worker-pool.js'
import type { Gateway, GatewayStats } from './gateway-process.js'
import type { GovernanceMetrics } from './governance-metrics.js'
import type { Ledger } from './ledger.js'
import { peerMetrics } from './peer-metrics.js'
import type { Peers } from './peers.js'

/** Who has figures to tell. */
export interface MetricSources {
  readonly ledger: Ledger
  readonly peers: Peers
  readonly governance: Pick<GovernanceMetrics, 'read'>
  readonly rpc: Pick<RpcServer, 'stats'>
  readonly calls: Pick<CallService, 'stats'>
  readonly gateway: Pick<Gateway, 'stats'> | undefined
  /** Free room and reserve. */
  readonly disk: () => Record<string, number>
  /** Figures of the consensus driver; empty for a node that does not take part. */
  readonly consensus: () => Record<string, number>
}

/** All figures of a node, read at the moment of the scrape. */
export async function collectMetrics(sources: MetricSources): Promise<Metric[]> {
  const { ledger, peers, rpc, calls, gateway, consensus } = sources
  const head = ledger.chain.head()
  const own = {
    head_block_number: head.header.number,
    head_block_time_ms: head.blockTimeMs,
    head_gas_used: Number(head.header.gasUsed),
    validators: head.validators.length,
    store_memory_bytes: ledger.store.memoryBytes(),
    peers: peers.network.peers().length,
    sync_highest_block_number: peers.sync.highestBlock(),
  }
  return [
    ...toMetrics('', own),
    ...toMetrics('', sources.disk()),
    ...sources.governance.read(head.header.timestamp),
    ...toMetrics('', ledger.pool.metrics()),
    ...peerMetrics(peers),
    ...toMetrics('consensus_', consensus()),
    ...toMetrics('rpc_', flatten(rpc.stats())),
    ...refusalMetrics('rpc', rpc.stats().refusals),
    ...toMetrics('call_', flatten(calls.stats())),
    ...(gateway === undefined ? [] : gatewayMetrics(await gateway.stats())),
  ]
}

function gatewayMetrics({ figures, refusals }: GatewayStats): Metric[] {
  return [...toMetrics('gateway_', flatten(figures)), ...refusalMetrics('gateway', refusals)]
}

/** One counter for each code and limit, so that an operator sees which limit is met, and how often. */
function refusalMetrics(part: 'rpc' | 'gateway', refusals: readonly RefusalCount[]): Metric[] {
  return refusals.map(({ code, limit = '', count }) => ({
    name: `songhua_${part}_refusals_total`,
    help: `refusals of the ${part} by code and named limit`,
    kind: 'counter',
    value: count,
    labels: { code, limit },
  }))
}

function flatten(stats: object): Record<string, number> {
  const numbers = Object.entries(stats).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return Object.fromEntries(numbers.map(([name, value]) => [snakeCase(name), value]))
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function toMetrics(prefix: string, values: Record<string, number>): Metric[] {
  return Object.entries(values).map(([name, value]) => ({
    name: `songhua_${prefix}${snakeCase(name).replace(/[^a-z0-9_]/g, '_')}`,
    help: `${prefix}${name}`.replace(/_/g, ' '),
    kind: name.endsWith('_total') ? 'counter' : 'gauge',
    value,
  }))
}
