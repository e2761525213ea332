import { peerMetrics } from '@songhua/node/app/peer-metrics'
import { describe, expect, it } from 'vitest'

type Sources = Parameters<typeof peerMetrics>[0]

const metricsOf = (network: Record<string, number>) =>
  peerMetrics({
    network: { metrics: () => network },
    relay: { metrics: () => ({ relay_transactions_invalid: 3 }) },
    sync: { metrics: () => ({ stalled: 1 }) },
  } as unknown as Sources).map(({ name, kind, labels, value }) => ({ name, kind, labels, value }))

describe('figures of other nodes', () => {
  it('name the code of each refusal, ending and penalty as a label', () => {
    const network = { refused_host_rate: 2, ended_mux_flood: 1, ended_by_peer_stopping: 4, penalties_sync_stalled: 5, penalties: 5 }
    expect(metricsOf(network).slice(0, -2)).toEqual([
      { name: 'songhua_network_refused_total', kind: 'counter', labels: { code: 'HOST_RATE' }, value: 2 },
      { name: 'songhua_network_ended_total', kind: 'counter', labels: { code: 'MUX_FLOOD' }, value: 1 },
      { name: 'songhua_network_ended_by_peer_total', kind: 'counter', labels: { code: 'STOPPING' }, value: 4 },
      { name: 'songhua_network_penalties_total', kind: 'counter', labels: { code: 'SYNC_STALLED' }, value: 5 },
    ])
  })

  it('tell what only grows from what goes up and down, and where peers were held to their rate', () => {
    expect(metricsOf({ banned: 1, dials: 7, frames_delayed: 9, frames_delayed_control: 9 })).toEqual([
      { name: 'songhua_network_banned', kind: 'gauge', labels: undefined, value: 1 },
      { name: 'songhua_network_dials_total', kind: 'counter', labels: undefined, value: 7 },
      { name: 'songhua_network_frames_delayed_total', kind: 'counter', labels: { channel: 'control' }, value: 9 },
      { name: 'songhua_relay_transactions_invalid_total', kind: 'counter', labels: undefined, value: 3 },
      { name: 'songhua_sync_stalled_total', kind: 'counter', labels: undefined, value: 1 },
    ])
  })
})
