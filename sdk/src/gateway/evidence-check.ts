import { equalBytes } from '../protocol/bytes.js'
import { canonicalBytes } from '../protocol/canonical-json.js'
import { type EvidenceVerifier, createEvidenceVerifier } from '../protocol/evidence.js'
import type { TrustAnchor } from '../protocol/trust-anchor.js'
import type { AnchoredRecord, AnyRecordInput } from '../connection/record.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { toEvidenceInput } from '../connection/verify-options.js'

/**
 * Whether what the gateway gives back is what it was given, and proved.
 * @throws SonghuaError `EVIDENCE_INVALID`
 */
export type CheckAnchored = (anchored: AnchoredRecord, input: AnyRecordInput) => void

/** @param pinned without one, the chain is not verified: only that evidence, record and payload belong together */
export function createAnchoredCheck(pinned: TrustAnchor | undefined): CheckAnchored {
  const verifier = pinned === undefined ? undefined : createEvidenceVerifier(pinned)
  return (anchored, input) => {
    if (anchored.envelope.id !== anchored.id) refuse(anchored, 'its evidence is of another record')
    if (verifier === undefined) return
    checkProved(anchored, verifier)
    checkSame(anchored, input)
  }
}

function checkProved(anchored: AnchoredRecord, verifier: EvidenceVerifier): void {
  const { valid, steps } = verifier.verify(anchored.evidence, toEvidenceInput(anchored))
  if (valid) return
  const codes = steps.filter(({ ok, code }) => !ok && code !== 'STEP_NOT_REACHED').map(({ code }) => code)
  refuse(anchored, `its evidence does not verify under the pinned trust anchor: ${codes.join(', ')}`, codes)
}

function checkSame({ envelope, payload, ...anchored }: AnchoredRecord, input: AnyRecordInput): void {
  if ('envelope' in input) {
    if (equalBytes(canonicalBytes(envelope), canonicalBytes(input.envelope))) return
    return refuse(anchored, 'its envelope is not the one that was sent')
  }
  if (envelope.schema.id !== input.schema) refuse(anchored, `its schema is ${envelope.schema.id}, not ${input.schema}`)
  if (input.issuer !== undefined && envelope.issuer !== input.issuer) {
    refuse(anchored, `its issuer is ${envelope.issuer}, not ${input.issuer}`)
  }
  // Undefined when it has been erased since: then only the digests of the envelope stand.
  if (payload === undefined || equalBytes(payload, canonicalBytes(input.payload))) return
  refuse(anchored, 'its payload is not the one that was sent')
}

function refuse({ id }: { readonly id: string }, why: string, codes: readonly string[] = []): never {
  const message = `Record ${id}: ${why}. Do not rely on this gateway before this is explained`
  throw new SonghuaError('EVIDENCE_INVALID', message, { details: { id, codes } })
}
