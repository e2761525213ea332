import type { Address } from '@songhua/sdk/protocol/bytes'
import { quorumSize } from '@songhua/sdk/protocol/validator-set'
import { consensusError } from './errors.js'
import type { Domain, PreparedPair, SignedVote } from './messages.js'
import { recoverAuthor } from './signing.js'

/** Who may speak at this height. */
export interface Electorate {
  readonly domain: Domain
  /** Ascending. */
  readonly validators: readonly Address[]
}

/** Refuses a count that cannot be a quorum, before any signature is recovered: recovery is the dear part. */
export function checkQuorumCount(count: number, electorate: Electorate, what: string): void {
  const total = electorate.validators.length
  const needed = quorumSize(total)
  if (count < needed) {
    throw consensusError('CONSENSUS_BELOW_QUORUM', `${count} ${what}; a quorum of ${total} validators is ${needed}`)
  }
  if (count > total) {
    throw consensusError('CONSENSUS_DUPLICATE_SIGNER', `${count} ${what} for ${total} validators`)
  }
}

/** Counts signers, not signatures: each must be a validator, and none may stand here twice. */
export function checkDistinctValidators(authors: readonly Address[], electorate: Electorate, what: string): void {
  const seen = new Set<Address>()
  for (const author of authors) {
    checkValidator(author, electorate, what)
    if (seen.has(author)) {
      throw consensusError('CONSENSUS_DUPLICATE_SIGNER', `${author} stands twice among the ${what}`, { details: { author } })
    }
    seen.add(author)
  }
}

/** A signature made for another round, height, chain or digest recovers to an address that fails here. */
export function checkValidator(author: Address, electorate: Electorate, what: string): void {
  if (electorate.validators.includes(author)) return
  const message = `${author} is no validator of this height, or its signature is not for these ${what}`
  throw consensusError('CONSENSUS_UNKNOWN_VALIDATOR', message, { details: { author } })
}

/** A quorum of Prepares for one block in one round, from their bare signatures. */
export function openPrepares(
  signatures: readonly Uint8Array[],
  pair: PreparedPair & { height: number },
  electorate: Electorate,
): SignedVote[] {
  checkQuorumCount(signatures.length, electorate, 'prepares')
  const statement = { kind: 'prepare', height: pair.height, round: pair.round, digest: pair.digest } as const
  const votes = signatures.map((signature) => ({
    author: recoverAuthor(electorate.domain, statement, signature),
    signature,
  }))
  checkDistinctValidators(votes.map(({ author }) => author), electorate, 'prepares')
  return votes
}
