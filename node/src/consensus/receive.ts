import type { Address } from '@songhua/sdk/protocol/bytes'
import { blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import { isSealed } from './accept.js'
import { type ConsensusError, consensusError } from './errors.js'
import { highestPrepared } from './justification.js'
import { equivocatorKey, isNewContradiction, isTimely, knownMessage } from './known.js'
import { CLOCK_SKEW_MS, RELAY_DELAY_MS, RELAY_SOON_BYTES_MAX, RESENDS_PER_ROUND } from './limits.js'
import { type Commit, type Message, type Prepare, type Proposal, subjectOf } from './messages.js'
import { isHeartbeat } from './pace.js'
import { roundTimeoutMs } from './rounds.js'
import type { ConsensusState } from './state.js'
import { type Turn, isVoter, markRoundReached, setTimer, startRoundTimer, update, withEntry } from './turn.js'

/**
 * An opened and so justified message, from ourselves when `from` is our own address. One of another height can only be
 * our own, overtaken by a block that sync brought.
 */
export function receive(turn: Turn, message: Message, from: Address): void {
  const { state } = turn
  if (!isTimely(state, message)) return
  const isOwn = from === state.facts.self
  if (isOwn) rememberOwn(turn, message)
  const known = knownMessage(state, { ...message, digest: subjectOf(message) })
  if (known !== undefined) return reportContradiction(turn, known, message)
  if (!take(turn, message)) return
  if (!isOwn) queueRelay(turn, message, from)
}

/** False when the message is authentic and yet worth nothing. */
function take(turn: Turn, message: Message): boolean {
  switch (message.kind) {
    case 'proposal':
      return takeProposal(turn, message)
    case 'prepare':
      return takePrepare(turn, message)
    case 'commit':
      return takeCommit(turn, message)
    case 'roundChange':
      update(turn, { roundChanges: withEntry(turn.state.roundChanges, message.author, message) })
      return true
  }
}

function takeProposal(turn: Turn, proposal: Proposal): boolean {
  const { state } = turn
  const { author, round, block } = proposal
  if (round === state.round && state.accepted !== undefined) return false
  const error = findUntimely(turn, proposal)
  if (error !== undefined) {
    // Its clock may be wrong, or ours: it is heard again when it is sent again.
    turn.effects.push({ type: 'refuse', author, error, isFault: error.code === 'CONSENSUS_EMPTY_BLOCK' })
    return false
  }
  update(turn, { proposal, candidate: { round, author, block } })
  turn.effects.push({ type: 'check', block })
  if (round === 0) startRoundTimer(turn)
  // Its round changes are a quorum's.
  else if (round === state.round) markRoundReached(turn)
  return true
}

/** The rules of time, which hold for fresh blocks only: a block proposed again was timely once. */
function findUntimely({ state, nowMs }: Turn, { round, block, justification }: Proposal): ConsensusError | undefined {
  if (highestPrepared(justification.roundChanges) !== undefined) return undefined
  const { header, transactions } = block.block
  const timeMs = blockTimeMs(header)
  if (timeMs > nowMs + CLOCK_SKEW_MS) {
    const message = `Block ${header.number} is ${timeMs - nowMs} ms ahead of our clock; at most ${CLOCK_SKEW_MS}`
    return consensusError('CONSENSUS_FUTURE_BLOCK', message, { details: { timeMs, nowMs } })
  }
  if (round === 0 && transactions.length === 0 && !isHeartbeat(state.facts, timeMs)) {
    return consensusError('CONSENSUS_EMPTY_BLOCK', `Block ${header.number} is empty before a heartbeat is due`)
  }
  return undefined
}

function takePrepare(turn: Turn, prepare: Prepare): boolean {
  const { state } = turn
  const { author } = prepare
  if (prepare.round === state.round) update(turn, { prepares: withEntry(state.prepares, author, prepare) })
  else update(turn, { later: withEntry(state.later, author, { ...state.later.get(author), prepare }) })
  return true
}

function takeCommit(turn: Turn, commit: Commit): boolean {
  const { state } = turn
  const { author } = commit
  if (commit.round > state.round) {
    update(turn, { later: withEntry(state.later, author, { ...state.later.get(author), commit }) })
    return true
  }
  if (commit.digest === state.accepted?.digest && !isSealed(turn, commit)) return false
  update(turn, { commits: withEntry(state.commits, author, commit) })
  return true
}

function reportContradiction(turn: Turn, first: Message, second: Message): void {
  const { state } = turn
  if (!isNewContradiction(state, first, { ...second, digest: subjectOf(second) })) return
  update(turn, { equivocators: new Set(state.equivocators).add(equivocatorKey(second)) })
  turn.effects.push({ type: 'equivocation', first, second })
}

/** What we said in this round is said again until the round or the height ends: a lost message costs no round. */
function rememberOwn(turn: Turn, message: Message): void {
  const { state } = turn
  if (message.round !== state.round) return
  update(turn, { own: withEntry(state.own, message.kind, message) })
  scheduleResend(turn)
}

export function scheduleResend(turn: Turn): void {
  const { state, nowMs } = turn
  if (state.timers.resend !== undefined || state.own.size === 0 || state.facts.validators.length === 1) return
  setTimer(turn, 'resend', nowMs + resendMs(state))
}

const resendMs = ({ facts, round }: ConsensusState): number =>
  Math.ceil(roundTimeoutMs(facts.timing, round) / RESENDS_PER_ROUND)

/**
 * First-seen messages of others are passed on once, should the height still go on by then. What carries a full block
 * waits until its author itself would send it again: executing it takes longer than votes wait, and everybody would
 * pass it on to everybody.
 */
function queueRelay(turn: Turn, message: Message, from: Address): void {
  const { state, nowMs } = turn
  if (!isVoter(state) || state.facts.validators.length <= 2 || message.author === state.facts.self) return
  const dueMs = nowMs + (message.bytes.length > RELAY_SOON_BYTES_MAX ? resendMs(state) : RELAY_DELAY_MS)
  update(turn, { relays: withEntry(state.relays, `${message.author} ${message.kind}`, { message, from, dueMs }) })
  scheduleRelay(turn)
}

export function relayDue(turn: Turn): void {
  const waiting = new Map(turn.state.relays)
  for (const [key, { message, from, dueMs }] of waiting) {
    if (dueMs > turn.nowMs) continue
    waiting.delete(key)
    turn.effects.push({ type: 'relay', message, from })
  }
  update(turn, { relays: waiting })
  scheduleRelay(turn)
}

function scheduleRelay(turn: Turn): void {
  const { relays } = turn.state
  if (relays.size > 0) setTimer(turn, 'relay', Math.min(...[...relays.values()].map(({ dueMs }) => dueMs)))
}
