import { CodedError } from './errors.js'

/** Lower-case inside the protocol; `toAddress` and `toHash` lower what comes from outside. */
export type Hex = `0x${string}`
/** 20 bytes, lower-case. */
export type Address = Hex
/** 32 bytes, lower-case. */
export type Hash = Hex

export type BytesErrorCode = 'HEX_INVALID' | 'BYTES_LENGTH' | 'INTEGER_RANGE'

export const EMPTY_BYTES = new Uint8Array(0)
export const ZERO_HASH: Hash = `0x${'00'.repeat(32)}`
export const ZERO_ADDRESS: Address = `0x${'00'.repeat(20)}`

const NOT_A_DIGIT = 0xff
const DIGIT_VALUES = createDigitValues()

function createDigitValues(): Uint8Array {
  const values = new Uint8Array(128).fill(NOT_A_DIGIT)
  for (let digit = 0; digit < 16; digit++) {
    values[digit.toString(16).charCodeAt(0)] = digit
    values[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
  }
  return values
}

/** Of every platform, though not of the language's own library. */
declare const TextEncoder: new () => {
  encode(text: string): Uint8Array
  encodeInto(text: string, into: Uint8Array): { written: number }
}
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string }

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** Short texts are made here on their way from or to bytes; nothing stays in use after a call. */
const SCRATCH = new Uint8Array(16 * 1024)
const DIGITS = encoder.encode('0123456789abcdef')
const [ZERO, X] = encoder.encode('0x') as unknown as [number, number]

/**
 * Lower-case, `0x` in front; no bytes give `0x`. Written as bytes and decoded at once: text put together digit by digit
 * is a chain of small pieces, which costs ten times as much where it is long or kept.
 */
export function bytesToHex(bytes: Uint8Array): Hex {
  const length = 2 + 2 * bytes.length
  const digits = length > SCRATCH.length ? new Uint8Array(length) : SCRATCH
  digits[0] = ZERO
  digits[1] = X
  for (let i = 0, at = 2; i < bytes.length; i++) {
    const byte = bytes[i]!
    digits[at++] = DIGITS[byte >> 4]!
    digits[at++] = DIGITS[byte & 15]!
  }
  return decoder.decode(digits.subarray(0, length)) as Hex
}

function badHex(hex: unknown, field: string, expected: string): CodedError<BytesErrorCode> {
  const shown = typeof hex === 'string' ? `"${hex.slice(0, 80)}"` : typeof hex
  return new CodedError('HEX_INVALID', `${field} is ${shown}; expected ${expected}`, { details: { field } })
}

/**
 * Strict: `0x`, then an even number of digits of either case.
 * @param field the name that the error gives
 */
export function hexToBytes(hex: string, field = 'hex'): Uint8Array {
  if (typeof hex !== 'string' || !hex.startsWith('0x') || hex.length % 2 !== 0) {
    throw badHex(hex, field, '0x and an even number of hexadecimal digits')
  }
  const bytes = new Uint8Array(hex.length / 2 - 1)
  for (let i = 0, at = 2; i < bytes.length; i++, at += 2) {
    const high = DIGIT_VALUES[hex.charCodeAt(at)] ?? NOT_A_DIGIT
    const low = DIGIT_VALUES[hex.charCodeAt(at + 1)] ?? NOT_A_DIGIT
    if (high === NOT_A_DIGIT || low === NOT_A_DIGIT) throw badHex(hex, field, 'only hexadecimal digits after 0x')
    bytes[i] = (high << 4) | low
  }
  return bytes
}

/** Whole bytes of hexadecimal digits behind `0x`, of exactly `byteLength` bytes when given. */
export function isHex(value: unknown, byteLength?: number): value is Hex {
  if (typeof value !== 'string' || value.length % 2 !== 0) return false
  if (byteLength !== undefined && value.length !== 2 + byteLength * 2) return false
  return /^0x[0-9a-fA-F]*$/.test(value)
}

function toFixedHex(value: string | Uint8Array, length: number, field: string): Hex {
  if (typeof value !== 'string') {
    if (value.length === length) return bytesToHex(value)
    const message = `${field} has ${value.length} bytes; expected ${length}`
    throw new CodedError<BytesErrorCode>('BYTES_LENGTH', message, { details: { field, length: value.length } })
  }
  if (!isHex(value, length)) throw badHex(value, field, `0x and ${length * 2} hexadecimal digits`)
  return value.toLowerCase() as Hex
}

/** 20 bytes, or hexadecimal of any case, to the form used inside. Checksums are not checked. */
export function toAddress(value: string | Uint8Array, field = 'address'): Address {
  return toFixedHex(value, 20, field)
}

/** 32 bytes, or hexadecimal of any case, to the form used inside. */
export function toHash(value: string | Uint8Array, field = 'hash'): Hash {
  return toFixedHex(value, 32, field)
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Lexicographic: negative when `a` comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Big-endian; no bytes give 0n. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  if (bytes.length <= 6) return BigInt(smallBytesToNumber(bytes))
  return BigInt(bytesToHex(bytes))
}

function smallBytesToNumber(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return value
}

/** Big-endian; throws above 2^53 − 1. */
export function bytesToNumber(bytes: Uint8Array, field = 'number'): number {
  const value = bytes.length <= 8 ? smallBytesToNumber(bytes) : Infinity
  if (Number.isSafeInteger(value)) return value
  throw new CodedError<BytesErrorCode>('INTEGER_RANGE', `${field} is above 2^53 - 1`, { details: { field } })
}

/** Big-endian without leading zeros; 0n gives no bytes. */
export function bigintToBytes(value: bigint): Uint8Array {
  if (value < 0n) throw new CodedError<BytesErrorCode>('INTEGER_RANGE', `${value} is negative`)
  if (value <= 0xffff_ffff_ffffn) return numberToBytes(Number(value))
  const digits = value.toString(16)
  return hexToBytes(digits.length % 2 === 0 ? `0x${digits}` : `0x0${digits}`)
}

/** Big-endian without leading zeros; 0 gives no bytes. */
export function numberToBytes(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new CodedError<BytesErrorCode>('INTEGER_RANGE', `${value} is not an integer from 0 to 2^53 - 1`)
  }
  let length = 0
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) length++
  const bytes = new Uint8Array(length)
  for (let i = length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  return bytes
}

/** Zeros in front up to `length`; throws when there are more bytes than that. */
export function padLeft(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes
  if (bytes.length > length) {
    throw new CodedError<BytesErrorCode>('BYTES_LENGTH', `${bytes.length} bytes do not fit into ${length}`)
  }
  const padded = new Uint8Array(length)
  padded.set(bytes, length - bytes.length)
  return padded
}

/** A copy that no longer keeps a larger buffer (a block, a frame) alive. A Node `Buffer` becomes a plain array. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** A UTF-16 code unit takes at most three bytes. */
const UTF8_BYTES_MAX = 3

/** Short texts go through one buffer, which is three times as fast as `encode`. */
export function utf8ToBytes(text: string): Uint8Array {
  if (text.length * UTF8_BYTES_MAX > SCRATCH.length) return new Uint8Array(encoder.encode(text))
  return SCRATCH.slice(0, encoder.encodeInto(text, SCRATCH).written)
}

/** What is no UTF-8 becomes U+FFFD. */
export function bytesToUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
