import { type Address } from './bytes.js'
import { commitSealDigest } from './block-hash.js'
import { recoverAddress } from './crypto.js'
import { CodedError } from './errors.js'
import { decodeExtraData } from './extra-data.js'
import { type Header } from './header.js'
import { quorumSize } from './validator-set.js'

export type SealsErrorCode = 'SEALS_TOO_MANY' | 'SEALS_BELOW_QUORUM' | 'SEAL_UNKNOWN_SIGNER' | 'SEAL_DUPLICATE_SIGNER'

function fail(code: SealsErrorCode, message: string, details: Record<string, unknown>): never {
  throw new CodedError(code, message, { details })
}

/**
 * Who sealed the block, in the order of its seals.
 * @throws CodedError with a `SIGNATURE_` code when a seal is malformed or not low-s
 */
export function recoverSealers(header: Header): Address[] {
  const digest = commitSealDigest(header)
  return decodeExtraData(header.extraData).seals.map((seal) => recoverAddress(digest, seal))
}

/**
 * A quorum of distinct members of `validators` sealed this header in the round that it names, and nobody else did.
 * Signers are counted, not signatures.
 * @param validators the set that the parent's header lists
 * @throws CodedError with a `SEAL`, `SIGNATURE_` or `EXTRA_DATA_` code
 */
export function verifySeals(header: Header, validators: readonly Address[]): void {
  const { seals } = decodeExtraData(header.extraData)
  const needed = quorumSize(validators.length)
  const details = { number: header.number, seals: seals.length, needed }
  // Counted before any signature is recovered: recovery is the dear part.
  if (seals.length > validators.length) {
    const message = `Block ${header.number} has ${seals.length} seals for ${validators.length} validators`
    fail('SEALS_TOO_MANY', message, details)
  }
  if (seals.length < Math.max(needed, 1)) {
    fail('SEALS_BELOW_QUORUM', `Block ${header.number} has ${seals.length} seals; a quorum is ${needed}`, details)
  }
  const members = new Set(validators)
  const seen = new Set<Address>()
  for (const signer of recoverSealers(header)) {
    const what = `${signer} sealed block ${header.number}`
    const at = { number: header.number, signer }
    if (!members.has(signer)) fail('SEAL_UNKNOWN_SIGNER', `${what}, but is no validator`, at)
    if (seen.has(signer)) fail('SEAL_DUPLICATE_SIGNER', `${what} twice`, at)
    seen.add(signer)
  }
}
