import { bytesToHex, concatBytes } from '../protocol/bytes.js'
import { sha256, sm3 } from '../protocol/crypto.js'
import { CodedError } from '../protocol/errors.js'
import { SALT_BYTES } from '../protocol/evidence-envelope.js'

export { SALT_BYTES }
/** Of one payload; files stay outside and are named by their own digests. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024

/** 64 lower-case hexadecimal digits each, over salt ‖ payload. */
export interface PayloadDigests {
  readonly sha256: string
  readonly sm3: string
}

/** @throws PAYLOAD_SALT_LENGTH, PAYLOAD_TOO_LARGE */
export function payloadDigests(salt: Uint8Array, payload: Uint8Array): PayloadDigests {
  if (salt.length !== SALT_BYTES) {
    throw new CodedError('PAYLOAD_SALT_LENGTH', `The salt has ${salt.length} bytes; expected ${SALT_BYTES}`)
  }
  if (payload.length > PAYLOAD_BYTES_MAX) {
    const message = `The payload has ${payload.length} bytes; at most ${PAYLOAD_BYTES_MAX}. Record a file by its digest`
    throw new CodedError('PAYLOAD_TOO_LARGE', message, { details: { bytes: payload.length } })
  }
  const salted = concatBytes(salt, payload)
  return { sha256: bytesToHex(sha256(salted)).slice(2), sm3: bytesToHex(sm3(salted)).slice(2) }
}

/** Both digests hold. False, never a throw, for a salt or payload of impossible size. */
export function matchesDigests(digests: PayloadDigests, salt: Uint8Array, payload: Uint8Array): boolean {
  if (salt.length !== SALT_BYTES || payload.length > PAYLOAD_BYTES_MAX) return false
  const actual = payloadDigests(salt, payload)
  return digests.sha256 === actual.sha256 && digests.sm3 === actual.sm3
}
