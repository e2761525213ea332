import type { EvidenceInput } from '../protocol/evidence.js'
import type { KnownIssuers } from '../protocol/evidence-issuer.js'

/** An `AnchoredRecord` serves as it is. */
export interface VerifyOptions {
  /** The record's payload as it was recorded, byte for byte; with its salt. */
  readonly payload?: Uint8Array | undefined
  /** 32 bytes. */
  readonly salt?: Uint8Array | undefined
  /** Of whose keys and accounts the verifier knows. */
  readonly issuers?: KnownIssuers | undefined
  /** The JSON of a trust anchor, or its text; the connection's when left out. */
  readonly trustAnchor?: unknown
}

/** What is left out stays out: the verifier tells "not given" from "given as undefined". */
export function toEvidenceInput(options: VerifyOptions): EvidenceInput & { readonly trustAnchor?: unknown } {
  const { payload, salt, issuers, trustAnchor } = options
  return {
    ...(payload === undefined ? {} : { payload }),
    ...(salt === undefined ? {} : { salt }),
    ...(issuers === undefined ? {} : { issuers }),
    ...(trustAnchor === undefined ? {} : { trustAnchor }),
  }
}
