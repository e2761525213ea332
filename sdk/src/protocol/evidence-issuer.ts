import { type Address, hexToBytes, isHex } from './bytes.js'
import { canonicalBytes } from './canonical-json.js'
import { SIGNATURE_BYTES, keccak256, recoverAddress } from './crypto.js'
import { failEvidence, orFailEvidence } from './evidence-codes.js'
import type { EvidenceEnvelope } from './evidence-envelope.js'
import type { JsonObject } from './json-fields.js'

/** What the verifier knows of an issuer by other means than the bundle. Addresses are lower-case. */
export interface KnownIssuer {
  /** Keys with which it signs records. */
  readonly signers?: readonly Address[]
  /** Accounts from which it, or its organisation, anchors batches. */
  readonly accounts?: readonly Address[]
}

/** By the name that envelopes give. */
export type KnownIssuers = Readonly<Record<string, KnownIssuer>>

/**
 * `signed`: a key known to be the issuer's signed the envelope. `organisation`: nobody signed, but an account known to
 * be the issuer's anchored the batch. `unproven`: whoever anchored it says that it is the issuer's.
 */
export type IssuerStanding = 'signed' | 'organisation' | 'unproven'

/**
 * r ‖ s ‖ yParity over `envelopeSigningDigest`, as `{ algorithm, keyId, value }` in the envelope's `proof`, the value in
 * 130 hexadecimal digits. Proofs of other algorithms are passed over: they neither help nor harm. The key is recovered
 * from the signature, so `keyId` decides nothing.
 */
export const ISSUER_ALGORITHM = 'secp256k1-keccak256'
export const MAX_ISSUER_PROOFS = 8

/** keccak256 of the envelope's RFC 8785 form with an empty `proof`. */
export function envelopeSigningDigest(envelope: JsonObject): Uint8Array {
  return keccak256(canonicalBytes({ ...envelope, proof: [] }))
}

export interface IssuerClaim {
  readonly envelope: JsonObject
  readonly read: EvidenceEnvelope
  /** Who anchored the batch. */
  readonly sender: Address
  readonly issuers: KnownIssuers
}

/** @throws CodedError `ISSUER_PROOF` or `ISSUER_SIGNATURE`: a bad signature is worse than none */
export function issuerStanding({ envelope, read, sender, issuers }: IssuerClaim): IssuerStanding {
  if (read.proof.length > MAX_ISSUER_PROOFS) {
    failEvidence('ISSUER_PROOF', `The envelope has ${read.proof.length} proofs; at most ${MAX_ISSUER_PROOFS}`)
  }
  const signatures = read.proof.map(readProof).filter((signature) => signature !== undefined)
  const issuer = Object.hasOwn(issuers, read.issuer) ? issuers[read.issuer] : undefined
  const known = issuer?.signers ?? []
  if (signatures.length > 0 && known.length > 0) {
    const digest = envelopeSigningDigest(envelope)
    signatures.forEach((signature) => checkSigner(recover(digest, signature), read.issuer, known))
    return 'signed'
  }
  return issuer?.accounts?.includes(sender) ? 'organisation' : 'unproven'
}

function readProof(proof: unknown, index: number): Uint8Array | undefined {
  const { algorithm, value } = (proof ?? {}) as { algorithm?: unknown; value?: unknown }
  if (typeof algorithm !== 'string') return failEvidence('ISSUER_PROOF', `proof[${index}] names no algorithm`)
  if (algorithm !== ISSUER_ALGORITHM) return undefined
  const signature = typeof value === 'string' ? `0x${value}` : undefined
  if (isHex(signature, SIGNATURE_BYTES)) return hexToBytes(signature)
  return failEvidence('ISSUER_PROOF', `proof[${index}].value must have ${SIGNATURE_BYTES * 2} hexadecimal digits`)
}

function recover(digest: Uint8Array, signature: Uint8Array): Address {
  return orFailEvidence('ISSUER_SIGNATURE', () => recoverAddress(digest, signature))
}

function checkSigner(signer: Address, issuer: string, known: readonly Address[]): void {
  if (!known.includes(signer)) failEvidence('ISSUER_SIGNATURE', `${signer} is no key of ${issuer}`)
}
