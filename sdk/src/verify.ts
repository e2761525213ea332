/** `@songhua/sdk/verify`: verification alone, for Node and the browser; no network, nothing but what it is given. */
export {
  type EvidenceInput,
  type EvidenceVerifier,
  type VerifierOptions,
  DEFAULT_CACHED_HEADERS,
  DEFAULT_MAX_SEALS,
  createEvidenceVerifier,
  verifyEvidence,
} from './protocol/evidence.js'
export { EVIDENCE_CODES, EVIDENCE_MEANING, EVIDENCE_STEPS, type EvidenceCode, type EvidenceStep } from './protocol/evidence-codes.js'
export { EVIDENCE_VERSION, type EvidenceBundle, parseEvidence } from './protocol/evidence-format.js'
export type { KnownIssuers } from './protocol/evidence-issuer.js'
export {
  type EvidenceFacts,
  type EvidenceHorizon,
  type EvidenceStepResult,
  type EvidenceVerdict,
  decisiveStep,
  reasonOf,
} from './protocol/evidence-verdict.js'
export {
  type Checkpoint,
  type TrustAnchor,
  type TrustAnchorFile,
  TRUST_ANCHOR_VERSION,
  parseTrustAnchor,
  trustAnchorToJson,
} from './protocol/trust-anchor.js'
export { bytesToHex, hexToBytes } from './protocol/bytes.js'
export { CodedError, isCodedError } from './protocol/errors.js'
