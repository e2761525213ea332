import type { Address } from '@songhua/sdk/protocol/bytes'
import { proposerOf } from '@songhua/sdk/protocol/proposer'
import { faultTolerance, quorumSize } from '@songhua/sdk/protocol/validator-set'
import { assert } from '../base/assert.js'
import type { Intent, ProposedBlock } from './messages.js'
import { roundTimeoutMs } from './rounds.js'
import { type SafetyRecord, isAfter } from './safety-record.js'
import type { ConsensusState, Effect, TimerName } from './state.js'

/** One call of `step`: the state as it has become so far, and what is to be done. */
export interface Turn {
  state: ConsensusState
  readonly nowMs: number
  readonly effects: Effect[]
}

export function update(turn: Turn, change: Partial<ConsensusState>): void {
  turn.state = { ...turn.state, ...change }
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value)
}

export function isVoter({ facts }: ConsensusState): boolean {
  return !facts.isSilent && facts.self !== undefined && facts.validators.includes(facts.self)
}

/** Whether the round's proposal is ours to make. */
export function isLeader(state: ConsensusState): boolean {
  return isVoter(state) && proposerOf(state.facts.proposers, state.round) === state.facts.self
}

export function selfOf({ facts }: ConsensusState): Address {
  assert(facts.self !== undefined, 'a node without a key has something to sign')
  return facts.self
}

export const quorumOf = ({ facts }: ConsensusState): number => quorumSize(facts.validators.length)
export const faultToleranceOf = ({ facts }: ConsensusState): number => faultTolerance(facts.validators.length)

export function setTimer(turn: Turn, name: TimerName, atMs: number): void {
  if (turn.state.timers[name] === atMs) return
  update(turn, { timers: { ...turn.state.timers, [name]: atMs } })
  turn.effects.push({ type: 'setTimer', name, atMs })
}

export function cancelTimer(turn: Turn, name: TimerName): void {
  if (turn.state.timers[name] === undefined) return
  const { [name]: _due, ...timers } = turn.state.timers
  update(turn, { timers })
  turn.effects.push({ type: 'cancelTimer', name })
}

/** Nodes that do not vote follow whatever round the voters are in, and need no timer for it. */
export function startRoundTimer(turn: Turn): void {
  const { state, nowMs } = turn
  if (!isVoter(state) || state.timers.round !== undefined) return
  setTimer(turn, 'round', nowMs + roundTimeoutMs(state.facts.timing, state.round))
}

/** The round begins for a quorum: here too its time begins now, whenever this node came. */
export function markRoundReached(turn: Turn): void {
  if (turn.state.isRoundReached) return
  cancelTimer(turn, 'round')
  update(turn, { isRoundReached: true })
  startRoundTimer(turn)
}

/** Pushes `sign` effects' cover: must come before them. */
export function persist(turn: Turn, record: SafetyRecord): void {
  const { state } = turn
  assert(isVoter(state), 'a node that does not vote binds itself')
  assert(state.record === undefined || isAfter(record, state.record), 'a validator goes back on its record')
  update(turn, { record })
  turn.effects.push({ type: 'persist', record })
}

export function sign(turn: Turn, intent: Intent): void {
  turn.effects.push({ type: 'sign', intent })
}

export function signPrepare(turn: Turn, block: ProposedBlock): void {
  const { facts, round } = turn.state
  sign(turn, { kind: 'prepare', height: facts.height, round, digest: block.digest })
}

export function signCommit(turn: Turn, block: ProposedBlock): void {
  const { facts, round } = turn.state
  sign(turn, { kind: 'commit', height: facts.height, round, digest: block.digest, header: block.block.header })
}
