import { type NodeStatusName, readNodeStatus } from '@songhua/contracts/membership/state-nodes'
import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import type { Network, PeerInfo } from '../network/network.js'
import type { Refusal } from '../network/refusals.js'
import type { ConsensusStatus, Contradiction } from '../services/consensus-ports.js'
import type { SyncProgress, SyncTrouble } from '../services/sync.js'
import type { NodeConfig } from './config.js'
import { policyStateOf } from '../permission/policy.js'
import type { Fault } from './fault.js'
import type { Ledger } from './ledger.js'
import type { Peers } from './peers.js'
import type { ProtocolStatus, ProtocolWatch } from './protocol-watch.js'
import type { SyncTimes } from './sync-times.js'
import type { TwinTrace } from './twin-watch.js'
import type { LogWatch, Validator } from './validator.js'

/** What a running node knows of itself and its peers: the answer of `admin_diagnosis`, JSON values only. */
export interface Diagnosis {
  readonly name: string
  readonly address: Address
  readonly follow: boolean
  /** Of this node on the register, by its own head; undefined for one that never applied. */
  readonly standing?: NodeStatusName | undefined
  /** By the node's clock, milliseconds since 1970. */
  readonly nowMs: number
  readonly startedMs: number
  readonly head: { readonly number: number; readonly blockTimeMs: number; readonly validators: readonly Address[] }
  /** Of the genesis. */
  readonly heartbeatMs: number
  readonly roundTimeoutMs: number
  readonly roundTimeoutCapMs: number
  readonly protocol: ProtocolStatus
  readonly consensus: ConsensusStatus
  readonly heardRounds: readonly { readonly address: Address; readonly round: number }[]
  /** Undefined for a node that does not take part. */
  readonly log: DiagnosedLog | undefined
  /** Validators that have signed two things for one place, since the start. */
  readonly contradictions: readonly ({ readonly address: Address } & Contradiction)[]
  /** Another node that runs with this one's key. */
  readonly twin: TwinTrace | undefined
  readonly syncing: SyncProgress | false
  readonly trouble: SyncTrouble | undefined
  readonly peers: readonly DiagnosedPeer[]
  readonly refusals: readonly Refusal[]
  readonly displacedBootnodes: ReturnType<Network['displacedBootnodes']>
  readonly pool: { readonly pending: number; readonly queued: number }
  /** Undefined for a node without one. */
  readonly gateway: DiagnosedGateway | undefined
}

export interface DiagnosedGateway {
  readonly isUp: boolean
  /** Why it ended, or could not be started, the last time. */
  readonly error: Fault | undefined
  readonly restarts: number
}

export interface DiagnosedLog extends Omit<LogWatch, 'syncTimes'> {
  readonly sync: SyncTimes
}

export type DiagnosedPeer = Pick<PeerInfo, 'id' | 'address' | 'follower' | 'rttMs' | 'clockAheadMs'> & { readonly head: number }

export interface DiagnosisSources {
  readonly name: string
  readonly address: Address
  readonly ledger: Ledger
  readonly peers: Peers
  readonly validator: Validator
  readonly protocol: Pick<ProtocolWatch, 'status'>
  readonly clock: Clock
  readonly gateway: () => DiagnosedGateway | undefined
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
      standing: readNodeStatus(policyStateOf(ledger.store.state), address),
      nowMs: clock.now(),
      startedMs,
      head: { number: header.number, blockTimeMs, validators },
      heartbeatMs: qbft.emptyBlockPeriodS * 1000,
      roundTimeoutMs: qbft.roundTimeoutMs,
      roundTimeoutCapMs: qbft.roundTimeoutCapMs,
      protocol: sources.protocol.status(),
      ...consensusPart(sources.validator),
      ...peersPart(sources.peers),
      pool: ledger.pool.status(),
      gateway: sources.gateway(),
    }
  }
}

function consensusPart({ consensus, log, ...validator }: Validator): Pick<Diagnosis, 'consensus' | 'heardRounds' | 'contradictions' | 'log' | 'twin'> {
  return {
    consensus: consensus.status(),
    heardRounds: [...consensus.heardRounds()].map(([address, round]) => ({ address, round })),
    contradictions: [...consensus.contradictions()].map(([address, one]) => ({ address, ...one })),
    log: log && { status: log.status, silence: log.silence, owner: log.owner, halves: log.halves, sync: log.syncTimes() },
    twin: validator.twin(),
  }
}

function peersPart({ network, sync }: Peers): Pick<Diagnosis, 'syncing' | 'trouble' | 'peers' | 'refusals' | 'displacedBootnodes'> {
  const peers = network.peers().map(({ id, address, follower, rttMs, clockAheadMs, head }) => {
    return { id, address, follower, rttMs, clockAheadMs, head: head.number }
  })
  return { syncing: sync.isSyncing(), trouble: sync.trouble(), peers, refusals: network.refusals(), displacedBootnodes: network.displacedBootnodes() }
}
