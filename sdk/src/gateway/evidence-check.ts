import { equalBytes } from '../protocol/bytes.js'
import { canonicalBytes } from '../protocol/canonical-json.js'
import { type EvidenceVerifier, createEvidenceVerifier } from '../protocol/evidence.js'
import { decisiveStep, reasonOf } from '../protocol/evidence-verdict.js'
import type { TrustAnchor } from '../protocol/trust-anchor.js'
import { matchesDigests } from '../records/payload-digest.js'
import type { AnchoredRecord, AnyRecordInput } from '../connection/record.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { toEvidenceInput } from '../connection/verify-options.js'
import type { AnchoredOutcome } from './answer.js'

/** What was sent: a record, or a row of a table, of which only the gateway knows what it says. */
export type Sent = AnyRecordInput | { readonly schema: string }

/**
 * Whether what the gateway gives back is what it was given, and proved.
 * @throws SonghuaError `EVIDENCE_INVALID`
 */
export type CheckAnchored = (outcome: AnchoredOutcome, sent: Sent) => void

/** @param pinned without one, the chain is not verified: only that evidence, record and payload belong together */
export function createAnchoredCheck(pinned: TrustAnchor | undefined): CheckAnchored {
  const prove = pinned === undefined ? undefined : createProof(createEvidenceVerifier(pinned))
  return (outcome, sent) => {
    const { anchored } = outcome
    if (anchored.envelope.id !== anchored.id) refuse(anchored, 'its evidence is of another record')
    if (prove === undefined) return
    prove(outcome)
    checkSame(anchored, sent)
  }
}

/**
 * Of the records that were cut of one batch the first is verified whole, and with it header, seals, receipt and root. The
 * others stand under the same root by the way in which they were cut: of them only the payload is left to verify.
 */
function createProof(verifier: EvidenceVerifier): (outcome: AnchoredOutcome) => void {
  const proved = new WeakSet<object>()
  return ({ anchored, batch }) => {
    if (batch !== undefined && proved.has(batch) && holdsByItsBatch(anchored)) return
    const verdict = verifier.verify(anchored.evidence, toEvidenceInput(anchored))
    if (verdict.valid && batch !== undefined) proved.add(batch)
    if (verdict.valid) return
    const why = `its evidence does not verify under the pinned trust anchor: ${reasonOf(verdict)}`
    refuse(anchored, why, [decisiveStep(verdict)?.code])
  }
}

/** False for whatever the verifier has more to say about: a signature, a payload that differs or lacks its salt. */
function holdsByItsBatch({ envelope, payload, salt }: AnchoredRecord): boolean {
  if (envelope.proof.length > 0) return false
  if (payload === undefined || salt === undefined) return payload === salt
  return matchesDigests(envelope.payloadDigests, salt, payload)
}

function checkSame({ envelope, payload, ...anchored }: AnchoredRecord, input: Sent): void {
  if ('envelope' in input) {
    if (equalBytes(canonicalBytes(envelope), canonicalBytes(input.envelope))) return
    return refuse(anchored, 'its envelope is not the one that was sent')
  }
  if (envelope.schema.id !== input.schema) refuse(anchored, `its schema is ${envelope.schema.id}, not ${input.schema}`)
  if (!('payload' in input)) return
  if (input.issuer !== undefined && envelope.issuer !== input.issuer) {
    refuse(anchored, `its issuer is ${envelope.issuer}, not ${input.issuer}`)
  }
  // Undefined when it has been erased since: then only the digests of the envelope stand.
  if (payload === undefined || equalBytes(payload, canonicalBytes(input.payload))) return
  refuse(anchored, 'its payload is not the one that was sent')
}

function refuse({ id }: { readonly id: string }, why: string, codes: readonly unknown[] = []): never {
  const message = `Record ${id}: ${why}. Do not rely on this gateway before this is explained`
  throw new SonghuaError('EVIDENCE_INVALID', message, { details: { id, codes } })
}
