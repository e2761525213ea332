import { bytesToHex } from '../protocol/bytes.js'
import { CodedError } from '../protocol/errors.js'

/** UUID version 7, RFC 9562 §5.7: sorts by time of creation. */

export const RECORD_ID_RANDOM_BYTES = 10
const TIME_MS_MAX = 2 ** 48 - 1
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** @param random 10 bytes, of which 74 bits are used. @throws RECORD_ID_INPUT */
export function uuidV7(timeMs: number, random: Uint8Array): string {
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > TIME_MS_MAX || random.length !== RECORD_ID_RANDOM_BYTES) {
    const message = `A record id needs a time in whole ms and ${RECORD_ID_RANDOM_BYTES} random bytes`
    throw new CodedError('RECORD_ID_INPUT', message, { details: { timeMs, randomBytes: random.length } })
  }
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, Math.floor(timeMs / 2 ** 32))
  view.setUint32(2, timeMs % 2 ** 32)
  bytes.set(random, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytesToHex(bytes)
  return `${hex.slice(2, 10)}-${hex.slice(10, 14)}-${hex.slice(14, 18)}-${hex.slice(18, 22)}-${hex.slice(22)}`
}

export function isUuidV7(text: unknown): text is string {
  return typeof text === 'string' && UUID_V7.test(text)
}
