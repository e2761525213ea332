import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { assert, unreachable } from '../base/assert.js'
import { acceptBlock } from './accept.js'
import { commitWhenPrepared, decideWhenCommitted } from './decide.js'
import type { ConsensusError } from './errors.js'
import { startHeight } from './height.js'
import type { MessageKind, ProposedBlock } from './messages.js'
import { paceRoundZero, proposeWhenLeader } from './pace.js'
import { receive, relayDue, scheduleResend } from './receive.js'
import { enterRound, jumpToReachedRound, noticeReachedRound } from './round-entry.js'
import { reachedRound } from './rounds.js'
import type { ConsensusState, Event, Outcome, TimerName } from './state.js'
import { type Turn, faultToleranceOf, startRoundTimer, update } from './turn.js'

/**
 * QBFT as a pure function: an event changes the state and asks for effects, to be carried out in their order. The same
 * events give the same states on every machine; time, keys, disks and sockets stay with the driver.
 *
 * After each event the rules are gone through once. Each rule looks at the state alone, so that it does not matter
 * which event made it true.
 * @param state undefined before the first `heightStarted`
 */
export function step(state: ConsensusState | undefined, event: Event): Outcome {
  if (event.type === 'heightStarted') return settle(startHeight(state, event))
  assert(state !== undefined, `${event.type} before any height has started`)
  const turn: Turn = { state, nowMs: event.nowMs, effects: [] }
  apply(turn, event)
  return settle(turn)
}

function settle(turn: Turn): Outcome {
  if (!turn.state.isDecided) {
    jumpToReachedRound(turn)
    noticeReachedRound(turn)
    commitWhenPrepared(turn)
    decideWhenCommitted(turn)
    proposeWhenLeader(turn)
    paceRoundZero(turn)
  }
  return { state: turn.state, effects: turn.effects }
}

function apply(turn: Turn, event: Exclude<Event, { type: 'heightStarted' }>): void {
  switch (event.type) {
    case 'message':
      return receive(turn, event.message, event.from)
    case 'lowerHeight':
      return answerLowerHeight(turn, event)
    case 'checked':
      return takeVerdict(turn, event.digest, event.error)
    case 'built':
      return takeBuilt(turn, event)
    case 'work':
      return update(turn, { workSinceMs: event.sinceMs })
    case 'timer':
      return fire(turn, event.name, event.atMs)
    case 'peerUp':
      for (const message of turn.state.own.values()) turn.effects.push({ type: 'send', message, to: event.peer })
      return
    default:
      unreachable(event)
  }
}

/**
 * Who is stuck below gets the sealed block. Votes for the height just finished are not a cry for help: where a quorum
 * is faster than the last validator they are the rule, and their author is about to finish the height itself.
 */
function answerLowerHeight(turn: Turn, event: { height: number; kind: MessageKind; from: Address }): void {
  const { height, kind, from } = event
  const current = turn.state.facts.height
  const isStuck = kind === 'roundChange' || height < current - 1
  if (height > 0 && height < current && isStuck) turn.effects.push({ type: 'answer', to: from, height })
}

/** A block has been checked: the candidate is accepted or dropped, our draft goes out or is given up. */
function takeVerdict(turn: Turn, digest: Hash, error: ConsensusError | undefined): void {
  const { candidate, draft, round } = turn.state
  if (turn.state.isDecided) return
  if (draft?.block?.digest === digest && draft.round === round) {
    if (error === undefined) return acceptBlock(turn, draft.block, draft.justification)
    // A quorum prepared what fails here: our execution differs from theirs. The round will pass to another leader.
    return refuse(turn, { author: draft.block.block.header.coinbase, error, isFault: false })
  }
  if (candidate?.block.digest !== digest) return
  if (error !== undefined) {
    update(turn, { candidate: undefined })
    // A block proposed again was prepared by a quorum: its new proposer did what it had to.
    const isFresh = candidate.block.block.header.coinbase === candidate.author
    return refuse(turn, { author: candidate.author, error, isFault: isFresh && error.code === 'CONSENSUS_BLOCK_INVALID' })
  }
  if (candidate.round > round) enterRound(turn, candidate.round, { announce: false })
  acceptBlock(turn, candidate.block)
}

function refuse(turn: Turn, refusal: { author: Address; error: ConsensusError; isFault: boolean }): void {
  turn.effects.push({ type: 'refuse', ...refusal })
}

/** Our own fresh block. An empty one that may not be proposed yet is no block: there is no work after all. */
function takeBuilt(turn: Turn, built: { height: number; round: number; block: ProposedBlock | undefined }): void {
  const { facts, draft, round, isDecided } = turn.state
  if (isDecided || built.height !== facts.height || built.round !== round) return
  if (draft?.round !== round || draft.block !== undefined) return
  // The head may have moved on while it was being built.
  const block = built.block?.block.header.number === facts.height ? built.block : undefined
  if (block !== undefined && (draft.isEmptyAllowed || block.block.transactions.length > 0)) {
    return acceptBlock(turn, block, draft.justification)
  }
  // Where an empty block was allowed, building failed: the draft stays, and the round passes to another leader.
  if (!draft.isEmptyAllowed) update(turn, { draft: undefined, workSinceMs: undefined })
}

function fire(turn: Turn, name: TimerName, atMs: number): void {
  const { state } = turn
  if (state.timers[name] !== atMs || state.isDecided) return
  const { [name]: _fired, ...timers } = state.timers
  update(turn, { timers })
  switch (name) {
    case 'round':
      return leaveRound(turn)
    case 'pace':
      // What is due is found by the rule itself.
      return
    case 'resend':
      for (const message of state.own.values()) turn.effects.push({ type: 'send', message, to: 'all' })
      return scheduleResend(turn)
    case 'relay':
      return relayDue(turn)
    default:
      unreachable(name)
  }
}

/** Once a quorum is there; else the others may lack the work that made us go. */
function leaveRound(turn: Turn): void {
  const { state } = turn
  const rounds = [...state.roundChanges.values()].map(({ round }) => round)
  const reached = reachedRound(rounds, faultToleranceOf(state))
  turn.effects.push({ type: 'resendTransactions' })
  if (!state.isRoundReached) return startRoundTimer(turn)
  enterRound(turn, Math.max(state.round + 1, reached), { announce: true })
}
