import type { Address } from '@songhua/sdk/protocol/bytes'
import { protocolVersionAt } from '@songhua/sdk/protocol/genesis'
import type { Clock } from '../base/clock.js'
import type { PeerInfo } from '../network/network.js'
import type { Refusal } from '../network/refusals.js'
import type { ConsensusStatus } from '../services/consensus-ports.js'
import type { SyncProgress, SyncTrouble } from '../services/sync.js'
import type { ConsensusLogStatus } from '../storage/consensus-log.js'
import type { NodeConfig } from './config.js'
import type { Ledger } from './ledger.js'
import type { Peers } from './peers.js'
import type { SyncTimes } from './sync-times.js'
import type { Validator } from './validator.js'
import { PROTOCOL_VERSIONS } from './version.js'

/** What a running node knows of itself and its peers: the answer of `admin_diagnosis`, JSON values only. */
export interface Diagnosis {
  readonly name: string
  readonly address: Address
  readonly follow: boolean
  /** By the node's clock, milliseconds since 1970. */
  readonly nowMs: number
  readonly startedMs: number
  readonly head: { readonly number: number; readonly blockTimeMs: number; readonly validators: readonly Address[] }
  /** Of the genesis. */
  readonly heartbeatMs: number
  readonly roundTimeoutMs: number
  readonly roundTimeoutCapMs: number
  /** Needed for the next block, and the highest that this program knows. */
  readonly protocol: { readonly needed: number; readonly max: number }
  readonly consensus: ConsensusStatus
  readonly heardRounds: readonly { readonly address: Address; readonly round: number }[]
  /** Undefined for a node that does not take part. */
  readonly log: { readonly status: ConsensusLogStatus; readonly silence: string | undefined; readonly sync: SyncTimes } | undefined
  readonly syncing: SyncProgress | false
  readonly trouble: SyncTrouble | undefined
  readonly peers: readonly DiagnosedPeer[]
  readonly refusals: readonly Refusal[]
  readonly pool: { readonly pending: number; readonly queued: number }
}

export type DiagnosedPeer = Pick<PeerInfo, 'id' | 'address' | 'follower' | 'rttMs' | 'clockAheadMs'> & { readonly head: number }

export interface DiagnosisSources {
  readonly name: string
  readonly address: Address
  readonly ledger: Ledger
  readonly peers: Peers
  readonly validator: Validator
  readonly clock: Clock
}

/** @returns to be called at each question */
export function createDiagnosis({ follow }: Pick<NodeConfig, 'follow'>, sources: DiagnosisSources): () => Diagnosis {
  const { name, address, ledger, clock } = sources
  const startedMs = clock.now()
  const { qbft } = ledger.genesis
  return () => {
    const { header, blockTimeMs, validators } = ledger.chain.head()
    return {
      name,
      address,
      follow,
      nowMs: clock.now(),
      startedMs,
      head: { number: header.number, blockTimeMs, validators },
      heartbeatMs: qbft.emptyBlockPeriodS * 1000,
      roundTimeoutMs: qbft.roundTimeoutMs,
      roundTimeoutCapMs: qbft.roundTimeoutCapMs,
      protocol: { needed: protocolVersionAt(ledger.genesis, header.number + 1), max: PROTOCOL_VERSIONS.max },
      ...consensusPart(sources.validator),
      ...peersPart(sources.peers),
      pool: ledger.pool.status(),
    }
  }
}

function consensusPart({ consensus, log }: Validator): Pick<Diagnosis, 'consensus' | 'heardRounds' | 'log'> {
  return {
    consensus: consensus.status(),
    heardRounds: [...consensus.heardRounds()].map(([address, round]) => ({ address, round })),
    log: log && { status: log.status, silence: log.silence, sync: log.syncTimes() },
  }
}

function peersPart({ network, sync }: Peers): Pick<Diagnosis, 'syncing' | 'trouble' | 'peers' | 'refusals'> {
  const peers = network.peers().map(({ id, address, follower, rttMs, clockAheadMs, head }) => {
    return { id, address, follower, rttMs, clockAheadMs, head: head.number }
  })
  return { syncing: sync.isSyncing(), trouble: sync.trouble(), peers, refusals: network.refusals() }
}
