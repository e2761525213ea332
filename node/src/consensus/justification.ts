import type { Hash } from '@songhua/sdk/protocol/bytes'
import { consensusError } from './errors.js'
import type { Justification, PreparedCertificate, PreparedPair, RoundChange, RoundChangeClaim } from './messages.js'

/** The newest preparation among round changes: the block that has to be proposed again; undefined frees the proposer. */
export function highestPrepared(claims: readonly { readonly prepared: PreparedPair | undefined }[]): PreparedPair | undefined {
  let highest: PreparedPair | undefined
  for (const { prepared } of claims) {
    if (prepared !== undefined && prepared.round > (highest?.round ?? -1)) highest = prepared
  }
  return highest
}

/**
 * The round changes of a justification, in agreement with the proposed block (QBFT 1.5).
 * @throws CONSENSUS_JUSTIFICATION
 */
export function checkProposedDigest(claims: readonly RoundChangeClaim[], digest: Hash): void {
  const prepared = highestPrepared(claims)
  if (prepared === undefined || prepared.digest === digest) return
  const message = `The proposed block is ${digest}; ${prepared.digest} was prepared in round ${prepared.round}`
  throw consensusError('CONSENSUS_JUSTIFICATION', message, { details: { digest, prepared } })
}

/** What a leader must propose after these round changes, and what proves it. */
export interface Mandate {
  readonly justification: Justification
  /** Undefined: nothing was prepared, a fresh block is free. */
  readonly prepared: PreparedCertificate | undefined
}

export function mandateOf(roundChanges: readonly RoundChange[]): Mandate {
  let prepared: PreparedCertificate | undefined
  for (const roundChange of roundChanges) {
    const { prepared: candidate } = roundChange
    if (candidate !== undefined && candidate.round > (prepared?.round ?? -1)) prepared = candidate
  }
  const claims = roundChanges.map(({ author, signature, prepared: pair }) => ({
    author,
    signature,
    prepared: pair && { round: pair.round, digest: pair.digest },
  }))
  return { justification: { roundChanges: claims, prepares: prepared?.prepares ?? [] }, prepared }
}

export const NO_JUSTIFICATION: Justification = { roundChanges: [], prepares: [] }
