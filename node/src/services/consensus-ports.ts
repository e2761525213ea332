import type { Block } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { CodedError } from '@songhua/sdk/protocol/errors'
import type { Rotation } from '@songhua/sdk/protocol/proposer'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Domain, Intent, Message } from '../consensus/messages.js'
import type { Timing } from '../consensus/rounds.js'
import type { SafetyRecord } from '../consensus/safety-record.js'

export interface ConsensusHead {
  readonly header: { readonly number: number }
  /** The set that sealed it. */
  readonly sealers: readonly Address[]
  readonly validators: readonly Address[]
  readonly blockTimeMs: number
  readonly rotation: Rotation
}

/** The chain that is being prolonged; `services/chain` is one. */
export interface ConsensusChain {
  head(): ConsensusHead
  /** Each new head, once it is durable, whoever brought it. */
  onBlock(listener: (event: { head: ConsensusHead }) => void): () => void
  build(request: { coinbase: Address; round: number; blockTimeMs: number; deadlineMs: number }): Promise<Block>
  /** Everything about a proposed block but seals, turn and clock; a digest checked before is not executed again. */
  check(block: Block): Promise<void>
  importSealed(block: Block): Promise<unknown>
}

/** What there is to put into blocks. */
export interface ConsensusWork {
  /** Since when, by the clock, an executable transaction has been here and sent to all; undefined: there is none. */
  executableSince(height: number): number | undefined
  /** A transaction has come, or what was kept back is to be had again. */
  onAdded(listener: () => void): () => void
  /** Sends what is pending to the other validators again. */
  resendPending(): void
  /** A transaction met before, whose sender need not be recovered again. */
  get(hash: Hash): Transaction | undefined
}

export interface ConsensusListener {
  /** `from` is the peer that handed it over, not its author. */
  onMessage(from: Address, bytes: Uint8Array): void
  /** A peer has connected (or was connected already) and named its head. */
  onPeerUp(peer: Address, head: number): void
}

/** The validators that are connected, by the addresses of their keys. */
export interface ConsensusTransport {
  subscribe(listener: ConsensusListener): () => void
  /** To all but those in `except`. `kind` tells messages apart when a queue is full. */
  broadcast(bytes: Uint8Array, options: { except: readonly Address[]; kind: number }): void
  send(to: Address, bytes: Uint8Array, options: { kind: number }): void
  /** Sends the sealed block of a height that is over. */
  sendBlock(to: Address, height: number): void
  penalise(peer: Address, error: CodedError): void
}

/** The validator's key, which signs what is in the consensus log and nothing else; `signer/signer` is one. */
export interface ConsensusSigner {
  readonly address: Address
  readonly recovery: { readonly silence: string | undefined; readonly record: SafetyRecord | undefined }
  startHeight(height: number, options: { isSilent: boolean }): Promise<void>
  persist(record: SafetyRecord): Promise<void>
  sign(intent: Intent, domain: Domain): Message
}

export interface ConsensusPorts {
  readonly chain: ConsensusChain
  readonly work: ConsensusWork
  readonly transport: ConsensusTransport
  /** Undefined for a node that only follows. */
  readonly signer: ConsensusSigner | undefined
  readonly clock: Clock
}

export interface ConsensusOptions {
  readonly genesisHash: Hash
  readonly timing: Timing
  protocolVersionAt(height: number): number
  /** The highest protocol version that this program knows; consensus stands aside below a height that needs a higher one. */
  readonly protocolVersionMax: number
  readonly logger: Logger
  /** The driver has stopped: a broken invariant, or a failed disk. */
  onFatal(error: unknown): void
}

export interface ConsensusStatus {
  /** The height being decided. */
  readonly height: number
  readonly round: number
  readonly isVoter: boolean
  readonly isSilent: boolean
  readonly isStopped: boolean
}

/** A validator that has signed two things of which only one may be: its key runs in two places, or it is hostile. */
export interface Contradiction {
  readonly kind: Message['kind']
  readonly height: number
  readonly round: number
  readonly atMs: number
}

export interface ConsensusDriver {
  start(): void
  /** Resolves when the event in hand is done; nothing is signed or sent afterwards. */
  stop(): Promise<void>
  status(): ConsensusStatus
  /** The newest round of this height in which each other validator was heard; none of those in an earlier round. */
  heardRounds(): ReadonlyMap<Address, number>
  /** The last contradiction of each validator since the start. */
  contradictions(): ReadonlyMap<Address, Contradiction>
  /** Counters since the start, and the gauges. */
  metrics(): ConsensusMetrics
  /** What each buffer holds now. */
  gauges(): ConsensusGauges
}

/** What each buffer holds now, messages unless it says bytes; everything else among the metrics only grows. */
export const CONSENSUS_GAUGES = [
  'waiting', 'waitingBytes', 'waitingOfOnePeer', 'future', 'futureBytes', 'futureOfOnePeer', 'urgent', 'heldVotes',
  'heldLaterVotes', 'heldRoundChanges', 'heldRelays', 'heldOwn', 'heldEquivocators', 'answeredPeers',
  'timers',
] as const

export type ConsensusGauge = (typeof CONSENSUS_GAUGES)[number]

export type ConsensusGauges = Record<ConsensusGauge, number>

export type ConsensusMetrics = ConsensusGauges & Record<string, number>
