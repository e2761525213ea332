import { bytesToHex } from '../protocol/bytes.js'
import type { EvidenceBundle } from '../protocol/evidence-format.js'
import { bytesToText } from './payload.js'

/** Of an anchored record, what is kept of it. An `AnchoredRecord` serves as it is. */
export interface RecordToKeep {
  readonly id: string
  readonly evidence: EvidenceBundle
  readonly payload?: Uint8Array | undefined
  readonly salt?: Uint8Array | undefined
}

/**
 * The files that `songhua verify` reads, text by name: `<id>.evidence.json`, which may be given to anybody, and
 * `<id>.payload.json` and `<id>.salt`, for whom the record is meant; these two only when the payload is here. Write
 * them as UTF-8, byte for byte: the payload is the canonical text that was digested.
 */
export function filesOf({ id, evidence, payload, salt }: RecordToKeep): Record<string, string> {
  return {
    [`${id}.evidence.json`]: JSON.stringify(evidence),
    ...(payload === undefined ? {} : { [`${id}.payload.json`]: bytesToText(payload) }),
    ...(salt === undefined ? {} : { [`${id}.salt`]: bytesToHex(salt).slice(2) }),
  }
}
