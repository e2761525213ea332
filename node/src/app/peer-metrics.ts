import type { Metric } from '../rpc/admin-ports.js'
import type { Peers } from './peers.js'

/** Figures of the network that go up and down; all others only grow. */
const GAUGES: ReadonlySet<string> = new Set(['peers', 'connections', 'banned', 'queued_bytes'])

/** Counters of one family, told apart by a label: the rest of the name is its value. */
const FAMILIES = [
  { pattern: /^(refused)_(.+)$/, label: 'code', help: 'connections refused before the handshake, by code' },
  { pattern: /^(ended_by_peer)_(.+)$/, label: 'code', help: 'connections that the peer ended, by code' },
  { pattern: /^(ended)_(.+)$/, label: 'code', help: 'connections that this node ended or lost, by code' },
  { pattern: /^(penalties)_(.+)$/, label: 'code', help: 'penalties of peers, by code' },
  { pattern: /^(frames_delayed)_(.+)$/, label: 'channel', help: 'times that a peer was held to its rate, by channel' },
  { pattern: /^(frames_in)_(.+)$/, label: 'channel', help: 'frames received, by channel' },
] as const

/** Sums of a family; adding them beside their parts would count twice. */
const SUMS: ReadonlySet<string> = new Set(['penalties', 'frames_delayed'])

/** What other nodes did to this one: `songhua_network_`, `songhua_relay_` and `songhua_sync_`. */
export function peerMetrics({ network, relay, sync }: Pick<Peers, 'network' | 'relay' | 'sync'>): Metric[] {
  return [
    ...Object.entries(network.metrics()).filter(([name]) => !SUMS.has(name)).map(networkMetric),
    ...Object.entries(relay.metrics()).map(([name, value]) => counter(`relay_${name.replace(/^relay_/, '')}`, value)),
    ...Object.entries(sync.metrics()).map(([name, value]) => counter(`sync_${name}`, value)),
  ]
}

function networkMetric([name, value]: [string, number]): Metric {
  if (GAUGES.has(name)) return { name: `songhua_network_${name}`, help: `network ${wordsOf(name)}`, kind: 'gauge', value }
  for (const { pattern, label, help } of FAMILIES) {
    const [, family, rest] = pattern.exec(name) ?? []
    if (family === undefined || rest === undefined) continue
    const labels = { [label]: label === 'code' ? rest.toUpperCase() : rest }
    return { name: `songhua_network_${family}_total`, help, kind: 'counter', value, labels }
  }
  return counter(`network_${name}`, value)
}

const counter = (name: string, value: number): Metric =>
  ({ name: `songhua_${name}_total`, help: wordsOf(name), kind: 'counter', value })

const wordsOf = (name: string): string => name.replace(/_/g, ' ')
