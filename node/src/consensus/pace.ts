import { PACKING_SHARE } from './limits.js'
import { NO_JUSTIFICATION, mandateOf } from './justification.js'
import type { Justification } from './messages.js'
import { roundTimeoutMs } from './rounds.js'
import type { ConsensusState, HeightFacts } from './state.js'
import { type Turn, cancelTimer, isLeader, isVoter, quorumOf, selfOf, setTimer, startRoundTimer, update } from './turn.js'

/** Whether a block of this time may be empty: when nothing was made for the heartbeat's period, and at height 1. */
export function isHeartbeat({ height, parentMs, timing }: HeightFacts, blockTimeMs: number): boolean {
  return height === 1 || blockTimeMs >= parentMs + timing.emptyBlockPeriodS * 1000
}

function heartbeatMs({ facts, startedMs }: ConsensusState): number {
  return facts.height === 1 ? startedMs : facts.parentMs + facts.timing.emptyBlockPeriodS * 1000
}

/** When round 0's leader builds: as soon as there is work and the block before is old enough. */
function buildMs(state: ConsensusState): number {
  const { facts, startedMs, workSinceMs } = state
  if (workSinceMs === undefined) return heartbeatMs(state)
  // A parent whose proposer's clock runs ahead must not make everybody wait for that clock.
  const periodMs = Math.min(facts.parentMs, startedMs) + facts.timing.minBlockPeriodMs
  return Math.min(Math.max(periodMs, workSinceMs), heartbeatMs(state))
}

/** When round 0's timer starts by itself; a valid proposal or f + 1 round changes may come before. */
function timerMs(state: ConsensusState): number {
  const { facts, startedMs, workSinceMs } = state
  if (workSinceMs === undefined) return heartbeatMs(state)
  return Math.min(Math.max(workSinceMs, startedMs) + facts.timing.minBlockPeriodMs, heartbeatMs(state))
}

/** Blocks on demand: an idle chain stays in round 0 without a timer, until there is something to do. */
export function paceRoundZero(turn: Turn): void {
  const { state, nowMs } = turn
  if (state.round > 0 || state.isDecided || !isVoter(state)) return
  if (timerMs(state) <= nowMs) startRoundTimer(turn)
  const mayBuild = isLeader(state) && !isProposing(state)
  if (mayBuild && buildMs(state) <= nowMs) startBuilding(turn, NO_JUSTIFICATION)
  const due = [
    ...(turn.state.timers.round === undefined ? [timerMs(state)] : []),
    ...(mayBuild && turn.state.draft === undefined ? [buildMs(state)] : []),
  ]
  if (due.length > 0) setTimer(turn, 'pace', Math.min(...due))
  else cancelTimer(turn, 'pace')
}

function isProposing(state: ConsensusState): boolean {
  return state.accepted !== undefined || state.candidate?.round === state.round || state.draft !== undefined
}

/** The leader of a later round proposes on a quorum of round changes: the block prepared last, or a fresh one. */
export function proposeWhenLeader(turn: Turn): void {
  const { state } = turn
  if (state.round === 0 || state.isDecided || !isLeader(state) || isProposing(state)) return
  const changes = [...state.roundChanges.values()].filter(({ round }) => round === state.round)
  if (changes.length < quorumOf(state)) return
  const { justification, prepared } = mandateOf(changes)
  if (prepared === undefined) return startBuilding(turn, justification)
  update(turn, { draft: { round: state.round, justification, block: prepared.block, isEmptyAllowed: true } })
  turn.effects.push({ type: 'check', block: prepared.block })
}

function startBuilding(turn: Turn, justification: Justification): void {
  const { state, nowMs } = turn
  const { facts, round } = state
  const blockTimeMs = Math.max(nowMs, facts.parentMs + facts.timing.minBlockPeriodMs)
  const isEmptyAllowed = round > 0 || isHeartbeat(facts, blockTimeMs)
  update(turn, { draft: { round, justification, block: undefined, isEmptyAllowed } })
  const deadlineMs = nowMs + Math.floor(roundTimeoutMs(facts.timing, round) * PACKING_SHARE)
  turn.effects.push({ type: 'build', height: facts.height, round, coinbase: selfOf(state), blockTimeMs, deadlineMs })
}
