import { headerWithRound, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import type { ProposedBlock } from './messages.js'
import { TIMERS } from './state.js'
import { type Turn, cancelTimer, isVoter, persist, quorumOf, signCommit, update } from './turn.js'

/** A quorum of Prepares for the accepted block is a certificate; only now a Commit may be signed, once a round. */
export function commitWhenPrepared(turn: Turn): void {
  const { accepted, certificate, round, facts, prepares, isDecided } = turn.state
  if (accepted === undefined || isDecided || certificate?.round === round || !isVoter(turn.state)) return
  const matching = [...prepares.values()].filter(({ digest }) => digest === accepted.digest)
  if (matching.length < quorumOf(turn.state)) return
  const votes = matching.map(({ author, signature }) => ({ author, signature }))
  const formed = { round, digest: accepted.digest, prepares: votes, block: accepted }
  update(turn, { certificate: formed })
  persist(turn, { height: facts.height, round, step: 'commit', block: accepted, certificate: formed })
  signCommit(turn, accepted)
}

/** A quorum of Commits with good seals over the accepted block: nothing can undo it. */
export function decideWhenCommitted(turn: Turn): void {
  const { accepted, isDecided, round } = turn.state
  if (accepted === undefined || isDecided) return
  const seals = sealsFor(turn, accepted)
  if (seals.length < quorumOf(turn.state)) return
  update(turn, { isDecided: true })
  for (const name of TIMERS) cancelTimer(turn, name)
  const header = headerWithSeals(headerWithRound(accepted.block.header, round), seals)
  turn.effects.push({ type: 'decide', block: { ...accepted.block, header }, digest: accepted.digest, round })
}

/** One for each author, in the order of the validators. */
function sealsFor(turn: Turn, block: ProposedBlock): Uint8Array[] {
  const { facts, commits } = turn.state
  return facts.validators.flatMap((validator) => {
    const commit = commits.get(validator)
    return commit?.digest === block.digest ? [commit.seal] : []
  })
}
