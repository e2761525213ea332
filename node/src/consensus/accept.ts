import type { Address } from '@songhua/sdk/protocol/bytes'
import { commitSealDigest, headerWithRound } from '@songhua/sdk/protocol/block-hash'
import { recoverAddress } from '@songhua/sdk/protocol/crypto'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { consensusError } from './errors.js'
import type { Commit, Justification, ProposedBlock } from './messages.js'
import type { ConsensusState } from './state.js'
import { type Turn, isVoter, markRoundReached, persist, sign, signPrepare, startRoundTimer, update } from './turn.js'

/**
 * The block of this round, for good: valid, justified and ours to prepare (QBFT 1.5, accept).
 * @param proposal the justification to send it with when this node is its proposer
 */
export function acceptBlock(turn: Turn, block: ProposedBlock, proposal?: Justification): void {
  restoreAccepted(turn, block)
  const { facts, round, certificate } = turn.state
  if (!isVoter(turn.state)) return
  // One record, and so one sync of the disk, covers the proposal and the proposer's own Prepare.
  persist(turn, { height: facts.height, round, step: 'prepare', block, certificate })
  if (proposal) sign(turn, { kind: 'proposal', height: facts.height, round, block, justification: proposal })
  signPrepare(turn, block)
}

/** Commits that came before their block get their seals checked now. */
export function restoreAccepted(turn: Turn, block: ProposedBlock): void {
  const sealDigest = commitSealDigest(headerWithRound(block.block.header, turn.state.round))
  update(turn, { accepted: block, sealDigest, candidate: laterCandidate(turn), draft: undefined })
  markRoundReached(turn)
  startRoundTimer(turn)
  const commits = new Map<Address, Commit>()
  for (const [author, commit] of turn.state.commits) {
    if (commit.digest !== block.digest || isSealed(turn, commit)) commits.set(author, commit)
  }
  update(turn, { commits })
}

function laterCandidate({ state: { candidate, round } }: Turn): ConsensusState['candidate'] {
  return candidate !== undefined && candidate.round > round ? candidate : undefined
}

/** A Commit counts when its seal recovers to its author over the accepted block in the Commit's own round. */
export function isSealed(turn: Turn, commit: Commit): boolean {
  const { sealDigest, round } = turn.state
  if (sealDigest === undefined) return false
  const { author, seal } = commit
  const sealer = recoverSealer(sealDigest, seal)
  if (sealer.address === author) return true
  const message = `The commit seal of ${author} ${sealer.problem ?? `was made by ${sealer.address} or over other data`}`
  const error = consensusError('CONSENSUS_COMMIT_SEAL', message, { details: { author, round } })
  turn.effects.push({ type: 'refuse', author, error, isFault: true })
  return false
}

function recoverSealer(digest: Uint8Array, seal: Uint8Array): { address?: Address; problem?: string } {
  try {
    return { address: recoverAddress(digest, seal) }
  } catch (error) {
    return { problem: `is no signature: ${messageOf(error)}` }
  }
}
