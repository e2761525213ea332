import type { Block } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { ConsensusError } from './errors.js'
import type {
  Commit,
  Intent,
  Justification,
  Message,
  MessageKind,
  Prepare,
  PreparedCertificate,
  Proposal,
  ProposedBlock,
  RoundChange,
} from './messages.js'
import type { Electorate } from './quorum.js'
import type { Timing } from './rounds.js'
import type { SafetyRecord } from './safety-record.js'

/** What is fixed while a height lasts. */
export interface HeightFacts extends Electorate {
  readonly height: number
  /** Proposers of rounds 0, 1, 2 … */
  readonly proposers: readonly Address[]
  /** Block time of the parent, milliseconds since 1970. */
  readonly parentMs: number
  readonly timing: Timing
  /** Undefined for a node without a validator key. */
  readonly self: Address | undefined
  /** Follows, decides and imports, but signs nothing: its consensus log is lost (DESIGN, Amnesia). */
  readonly isSilent: boolean
}

/** A proposed block that is being checked before it is accepted. */
export interface Candidate {
  readonly round: number
  readonly author: Address
  readonly block: ProposedBlock
}

/** Our own proposal in the making: a block is being built, or the prepared one checked. */
export interface Draft {
  readonly round: number
  readonly justification: Justification
  /** Undefined: a fresh block is being built. */
  readonly block: ProposedBlock | undefined
  readonly isEmptyAllowed: boolean
}

/** The newest votes of one validator for a round that we have not reached. */
export interface LaterVotes {
  readonly prepare?: Prepare
  readonly commit?: Commit
}

/** A message of another validator, to be passed on once. */
export interface Relay {
  readonly message: Message
  /** The peer that brought it. */
  readonly from: Address
  readonly dueMs: number
}

/**
 * `round`: the round is over. `pace`: round 0 has something to do (build, or start its timer). `resend`: say again what
 * we said in this round. `relay`: pass on what the others said.
 */
export const TIMERS = ['round', 'pace', 'resend', 'relay'] as const
export type TimerName = (typeof TIMERS)[number]

/** One height, and where this node stands in it. Bounded by the number of validators, whatever arrives. */
export interface ConsensusState {
  readonly facts: HeightFacts
  /** When this height began here. */
  readonly startedMs: number
  /** Since when an executable transaction has been held and sent to all; undefined: there is none. */
  readonly workSinceMs: number | undefined
  readonly round: number
  /** A quorum is known to be in this round or beyond it; until then nobody leaves it, and its time does not count. */
  readonly isRoundReached: boolean
  /** The Proposal accepted in this round. */
  readonly accepted: ProposedBlock | undefined
  /** What its commits seal in this round. */
  readonly sealDigest: Uint8Array | undefined
  readonly candidate: Candidate | undefined
  /** The newest Proposal heard, good or not: a second one of its round is a repeat or a contradiction. */
  readonly proposal: Proposal | undefined
  readonly draft: Draft | undefined
  /** Of this round, by author. */
  readonly prepares: ReadonlyMap<Address, Prepare>
  /** Of this round, by author; those for the accepted block have had their seal checked. */
  readonly commits: ReadonlyMap<Address, Commit>
  /** Of later rounds, by author. */
  readonly later: ReadonlyMap<Address, LaterVotes>
  /** The newest of each author, for this round or a later one. */
  readonly roundChanges: ReadonlyMap<Address, RoundChange>
  /** Kept from the moment it forms until the height ends; only a higher round replaces it. */
  readonly certificate: PreparedCertificate | undefined
  /** The newest one that was handed out to be persisted. */
  readonly record: SafetyRecord | undefined
  /** Our own messages of this round. */
  readonly own: ReadonlyMap<MessageKind, Message>
  /** By author and kind. */
  readonly relays: ReadonlyMap<string, Relay>
  /** Author and kind of those who were found to say two things, so that each is told once. */
  readonly equivocators: ReadonlySet<string>
  /** When each running timer is due; one that fires at another time is an old one. */
  readonly timers: Readonly<Partial<Record<TimerName, number>>>
  readonly isDecided: boolean
}

/** Every event carries the time at which it is handled, in milliseconds since 1970. */
export type Event = { readonly nowMs: number } & (
  | {
      /** The parent is final, by our own decision or by sync: whatever went on before ends here. */
      readonly type: 'heightStarted'
      readonly facts: HeightFacts
      /** What the log holds of this very height, after a restart. */
      readonly record: SafetyRecord | undefined
      readonly workSinceMs: number | undefined
    }
  /** Opened by this height's facts; our own messages come back here too, from ourselves. */
  | { readonly type: 'message'; readonly message: Message; readonly from: Address }
  /** A message of a height that is over, unproven. */
  | { readonly type: 'lowerHeight'; readonly height: number; readonly kind: MessageKind; readonly from: Address }
  /** The check of a block has ended. */
  | { readonly type: 'checked'; readonly digest: Hash; readonly error: ConsensusError | undefined }
  /** The block asked for; undefined when none could be built. */
  | { readonly type: 'built'; readonly height: number; readonly round: number; readonly block: ProposedBlock | undefined }
  | { readonly type: 'work'; readonly sinceMs: number | undefined }
  | { readonly type: 'timer'; readonly name: TimerName; readonly atMs: number }
  | { readonly type: 'peerUp'; readonly peer: Address }
)

/** Carried out in order; what follows a `persist` waits until it is on disk. */
export type Effect =
  | { readonly type: 'persist'; readonly record: SafetyRecord }
  /** Sign, broadcast, and hand back as a `message` event before anything else. */
  | { readonly type: 'sign'; readonly intent: Intent }
  /** A message of our own, again. */
  | { readonly type: 'send'; readonly message: Message; readonly to: Address | 'all' }
  /** To all validators but its author and `from`. */
  | { readonly type: 'relay'; readonly message: Message; readonly from: Address }
  | { readonly type: 'check'; readonly block: ProposedBlock }
  | {
      readonly type: 'build'
      readonly height: number
      readonly round: number
      readonly coinbase: Address
      readonly blockTimeMs: number
      readonly deadlineMs: number
    }
  /** The pool's pending transactions go out again, so that nobody's timer runs alone. */
  | { readonly type: 'resendTransactions' }
  /** Replaces the timer of that name. */
  | { readonly type: 'setTimer'; readonly name: TimerName; readonly atMs: number }
  | { readonly type: 'cancelTimer'; readonly name: TimerName }
  /** Sealed by a quorum: to be imported, which starts the next height. */
  | { readonly type: 'decide'; readonly block: Block; readonly digest: Hash; readonly round: number }
  /** `to` is at a height that we have finished: send it the sealed block. */
  | { readonly type: 'answer'; readonly to: Address; readonly height: number }
  /** Something authentic but wrong. `isFault`: `author` is provably to blame; otherwise clocks or we may be. */
  | { readonly type: 'refuse'; readonly author: Address; readonly error: ConsensusError; readonly isFault: boolean }
  /** One validator signed both. */
  | { readonly type: 'equivocation'; readonly first: Message; readonly second: Message }

export interface Outcome {
  readonly state: ConsensusState
  readonly effects: readonly Effect[]
}
