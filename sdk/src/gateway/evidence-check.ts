import { type EvidenceVerifier, createEvidenceVerifier } from '../protocol/evidence.js'
import { decisiveStep, reasonOf } from '../protocol/evidence-verdict.js'
import type { TrustAnchor } from '../protocol/trust-anchor.js'
import type { AnchoredOutcome } from './answer.js'
import { type Submitted, checkSame, refuse } from './same-record.js'

/**
 * Whether what the gateway gives back is what it was given, and proved.
 * @throws SonghuaError `EVIDENCE_INVALID`, `REPLAY_WITHOUT_PAYLOAD`
 */
export type CheckAnchored = (outcome: AnchoredOutcome, submitted: Submitted) => void

/** @param pinned without one, the chain is not verified: only that evidence, record and payload are of what was sent */
export function createAnchoredCheck(pinned: TrustAnchor | undefined): CheckAnchored {
  const prove = pinned === undefined ? undefined : createProof(createEvidenceVerifier(pinned))
  return (outcome, submitted) => {
    checkSame(outcome, submitted)
    prove?.(outcome)
  }
}

/**
 * Of the records that were cut of one batch the first is verified, and with it header, seals, receipt and root. The others
 * stand under the same root by the way in which they were cut; payloads have been compared with the digests before.
 */
function createProof(verifier: EvidenceVerifier): (outcome: AnchoredOutcome) => void {
  const proved = new WeakSet<object>()
  return ({ anchored, batch }) => {
    // Of an issuer's signature the verifier has more to say.
    if (batch !== undefined && proved.has(batch) && anchored.envelope.proof.length === 0) return
    const verdict = verifier.verify(anchored.evidence)
    if (verdict.valid && batch !== undefined) proved.add(batch)
    if (verdict.valid) return
    const why = `its evidence does not verify under the pinned trust anchor: ${reasonOf(verdict)}`
    refuse(anchored, why, [decisiveStep(verdict)?.code])
  }
}
