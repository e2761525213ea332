import { proposerOf } from '@songhua/sdk/protocol/proposer'
import { assert } from '../base/assert.js'
import { restoreAccepted } from './accept.js'
import { NO_JUSTIFICATION } from './justification.js'
import type { SafetyRecord } from './safety-record.js'
import { type ConsensusState, type Event, type HeightFacts, TIMERS } from './state.js'
import { type Turn, isVoter, selfOf, sign, signCommit, signPrepare, startRoundTimer, update } from './turn.js'

type HeightStarted = Extract<Event, { type: 'heightStarted' }>

/** A new height, whatever became of the one before. With a record, at the round and step where it was left. */
export function startHeight(last: ConsensusState | undefined, event: HeightStarted): Turn {
  const { facts, record, nowMs } = event
  assert(last === undefined || facts.height > last.facts.height, 'a height starts that is over')
  assert(record === undefined || record.height === facts.height, 'a record of another height')
  const turn: Turn = { state: initialState(facts, event), nowMs, effects: [] }
  for (const name of TIMERS) {
    if (last?.timers[name] !== undefined) turn.effects.push({ type: 'cancelTimer', name })
  }
  if (record) resume(turn, record)
  return turn
}

function initialState(facts: HeightFacts, { nowMs, workSinceMs }: HeightStarted): ConsensusState {
  return {
    facts,
    startedMs: nowMs,
    workSinceMs,
    round: 0,
    isRoundReached: true,
    accepted: undefined,
    sealDigest: undefined,
    candidate: undefined,
    proposal: undefined,
    draft: undefined,
    prepares: new Map(),
    commits: new Map(),
    later: new Map(),
    roundChanges: new Map(),
    certificate: undefined,
    record: undefined,
    own: new Map(),
    relays: new Map(),
    equivocators: new Set(),
    timers: {},
    isDecided: false,
  }
}

/** After a restart: the same round, bound by the same record, saying the same again. */
function resume(turn: Turn, record: SafetyRecord): void {
  const { round, block, certificate } = record
  update(turn, { round, isRoundReached: round === 0, certificate, record })
  if (block) restoreAccepted(turn, block)
  if (round > 0) startRoundTimer(turn)
  if (isVoter(turn.state)) signAgain(turn, record)
}

function signAgain(turn: Turn, { height, round, step, block, certificate }: SafetyRecord): void {
  if (step === 'roundChange') return sign(turn, { kind: 'roundChange', height, round, prepared: certificate })
  assert(block !== undefined, `a record of step ${step} has its block`)
  // The justification of a later round is not kept: whoever missed that proposal waits for the next round.
  if (round === 0 && proposerOf(turn.state.facts.proposers, 0) === selfOf(turn.state)) {
    sign(turn, { kind: 'proposal', height, round, block, justification: NO_JUSTIFICATION })
  }
  signPrepare(turn, block)
  if (step === 'commit') signCommit(turn, block)
}
