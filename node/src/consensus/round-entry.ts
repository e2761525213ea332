import type { Address } from '@songhua/sdk/protocol/bytes'
import { assert } from '../base/assert.js'
import type { Commit, Prepare } from './messages.js'
import { reachedRound } from './rounds.js'
import type { LaterVotes } from './state.js'
import {
  type Turn, cancelTimer, faultToleranceOf, isVoter, markRoundReached, persist, quorumOf, sign, startRoundTimer, update,
} from './turn.js'

/**
 * Leaves the round for a later one. The certificate stays; votes that were waiting for the new round come in.
 * @param announce with a RoundChange; a round entered by its justified Proposal needs none
 */
export function enterRound(turn: Turn, round: number, { announce }: { announce: boolean }): void {
  const { state } = turn
  assert(round > state.round, `round ${round} does not follow round ${state.round}`)
  update(turn, {
    round,
    isRoundReached: false,
    accepted: undefined,
    sealDigest: undefined,
    // One for a later round yet is not heard again: it goes on being checked.
    candidate: state.candidate !== undefined && state.candidate.round >= round ? state.candidate : undefined,
    draft: undefined,
    own: new Map(),
    roundChanges: new Map([...state.roundChanges].filter(([, change]) => change.round >= round)),
    relays: new Map([...state.relays].filter(([, { message }]) => message.round >= round)),
    ...votesOf(state.later, round),
  })
  for (const name of ['round', 'pace', 'resend'] as const) cancelTimer(turn, name)
  startRoundTimer(turn)
  if (announce && isVoter(turn.state)) announceRound(turn)
}

/**
 * The time of a round begins when a quorum has reached it (PBFT's rule for its view changes). A validator whose timer ran
 * alone, cut off or the only one with work, thus waits one round ahead; running on it would be out of step with the
 * others for ever, because the timers of late rounds are all of one length.
 */
export function noticeReachedRound(turn: Turn): void {
  const { state } = turn
  if (state.isRoundReached || !isVoter(state)) return
  const there = [...state.roundChanges.values()].filter(({ round }) => round >= state.round)
  if (there.length >= quorumOf(state)) markRoundReached(turn)
}

function announceRound(turn: Turn): void {
  const { facts, round, certificate } = turn.state
  persist(turn, { height: facts.height, round, step: 'roundChange', block: undefined, certificate })
  sign(turn, { kind: 'roundChange', height: facts.height, round, prepared: certificate })
}

/** Takes the votes of `round` out of those that waited; what is older is dropped. */
function votesOf(waiting: ReadonlyMap<Address, LaterVotes>, round: number) {
  const prepares = new Map<Address, Prepare>()
  const commits = new Map<Address, Commit>()
  const later = new Map<Address, LaterVotes>()
  for (const [author, { prepare, commit }] of waiting) {
    if (prepare?.round === round) prepares.set(author, prepare)
    if (commit?.round === round) commits.set(author, commit)
    const kept = {
      ...(prepare !== undefined && prepare.round > round && { prepare }),
      ...(commit !== undefined && commit.round > round && { commit }),
    }
    if (kept.prepare ?? kept.commit) later.set(author, kept)
  }
  return { prepares, commits, later }
}

/** The f + 1 rule: nobody waits for its own timer where enough others have gone on. */
export function jumpToReachedRound(turn: Turn): void {
  const { state } = turn
  if (!isVoter(state)) return
  const rounds = [...state.roundChanges.values()].map(({ round }) => round)
  const reached = reachedRound(rounds, faultToleranceOf(state))
  if (reached > state.round) enterRound(turn, reached, { announce: true })
}
