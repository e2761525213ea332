import { createEvidenceVerifier } from '../protocol/evidence.js'
import type { EvidenceBundle } from '../protocol/evidence-format.js'
import { decisiveStep, reasonOf } from '../protocol/evidence-verdict.js'
import { type TrustAnchor, type TrustAnchorFile, parseTrustAnchor } from '../protocol/trust-anchor.js'
import { SonghuaError, toSonghuaError } from './songhua-error.js'

/**
 * Under what evidence shall hold: a trust anchor (its file's JSON, or the text of it), or the height of the newest
 * checkpoint of one. A record in a later block, or in that very block, needs nothing more than its plain bundle; an
 * earlier one needs a path into the checkpoint.
 */
export type ProvedUnder = TrustAnchorFile | string | number

export interface ProofTarget {
  /** Of the newest checkpoint; undefined when there is none. */
  readonly height: number | undefined
  /** Heights of checkpoints through whose sets a history of validators must lead. */
  readonly through: readonly number[]
  /** @throws SonghuaError `EVIDENCE_INVALID` for a bundle that does not hold under the trust anchor, with its codes */
  check(bundle: EvidenceBundle): EvidenceBundle
}

/** @throws SonghuaError with a `TRUST_ANCHOR_` code */
export function toProofTarget(under: ProvedUnder): ProofTarget {
  if (typeof under === 'number') return { height: under, through: [], check: (bundle) => bundle }
  return proofTargetOf(readTrustAnchor(under))
}

export function proofTargetOf(trustAnchor: TrustAnchor): ProofTarget {
  const verifier = createEvidenceVerifier(trustAnchor)
  const check = (bundle: EvidenceBundle): EvidenceBundle => {
    const verdict = verifier.verify(bundle)
    if (verdict.valid) return bundle
    const message = `The evidence does not hold under the trust anchor: ${reasonOf(verdict)}`
    throw new SonghuaError('EVIDENCE_INVALID', message, { details: { codes: [decisiveStep(verdict)?.code] } })
  }
  const through = trustAnchor.checkpoints.map(({ height }) => height)
  return { height: through.at(-1), through, check }
}

/** The JSON of a trust anchor, or its text. @throws SonghuaError with a `TRUST_ANCHOR_` code */
export function readTrustAnchor(source: unknown): TrustAnchor {
  try {
    return parseTrustAnchor(source)
  } catch (error) {
    throw toSonghuaError(error, 'OPTION_INVALID')
  }
}
