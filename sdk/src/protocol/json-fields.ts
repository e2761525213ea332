import { type Address, type Hash, hexToBytes, isHex } from './bytes.js'
import { CodedError } from './errors.js'

/** Reading JSON from outside: every refusal names the path of the field. */

export type JsonFieldErrorCode = 'JSON_TYPE' | 'JSON_UNKNOWN_KEY' | 'JSON_MISSING' | 'JSON_RANGE' | 'JSON_DUPLICATE'

export type JsonObject = Record<string, unknown>

export function failField(code: JsonFieldErrorCode, path: string, problem: string): never {
  throw new CodedError(code, `${path} ${problem}`, { details: { path } })
}

/** `path.key`, quoted when the key is no plain name. */
export function joinPath(path: string, key: string): string {
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64))
  return path === '' ? shown : `${path}.${shown}`
}

export function readObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return failField('JSON_TYPE', path, 'must be an object')
  }
  return value as JsonObject
}

/** An object with no other keys than these, and at least the required ones. */
export function readShape(
  value: unknown,
  path: string,
  keys: { required: readonly string[]; optional?: readonly string[] },
): JsonObject {
  const object = readObject(value, path)
  const known = new Set([...keys.required, ...(keys.optional ?? [])])
  for (const key of Object.keys(object)) {
    if (known.has(key)) continue
    failField('JSON_UNKNOWN_KEY', joinPath(path, key), `is not known; known are ${[...known].join(', ')}`)
  }
  for (const key of keys.required) {
    if (!Object.hasOwn(object, key)) failField('JSON_MISSING', joinPath(path, key), 'is missing')
  }
  return object
}

export interface IntegerRange {
  min: number
  max: number
}

/** A JSON number without a fraction. */
export function readInteger(value: unknown, path: string, range: IntegerRange): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    return failField('JSON_TYPE', path, 'must be a whole number')
  }
  if (value < range.min || value > range.max) {
    failField('JSON_RANGE', path, `is ${value}; expected ${range.min} to ${range.max}`)
  }
  return value
}

/** At most 78 digits: 2^256 has as many. */
const QUANTITY = /^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/

/** As geth: `0x` hexadecimal, a decimal string or a whole number. */
export function readQuantity(value: unknown, path: string, max: bigint): bigint {
  const isQuantity = typeof value === 'string' ? QUANTITY.test(value) : Number.isSafeInteger(value)
  if (!isQuantity) {
    return failField('JSON_TYPE', path, 'must be 0x and hexadecimal digits, a decimal string or a whole number')
  }
  const quantity = BigInt(value as string | number)
  if (quantity < 0n || quantity > max) failField('JSON_RANGE', path, `is ${quantity}; expected 0 to ${max}`)
  return quantity
}

export function readHexBytes(value: unknown, path: string, maxBytes: number): Uint8Array {
  if (!isHex(value)) return failField('JSON_TYPE', path, 'must be 0x and an even number of hexadecimal digits')
  if (value.length > 2 + 2 * maxBytes) failField('JSON_RANGE', path, `has more than ${maxBytes} bytes`)
  return hexToBytes(value, path)
}

function readFixed(value: unknown, path: string, length: number): `0x${string}` {
  if (!isHex(value, length)) return failField('JSON_TYPE', path, `must be 0x and ${length * 2} hexadecimal digits`)
  return value.toLowerCase() as `0x${string}`
}

export function readAddressField(value: unknown, path: string): Address {
  return readFixed(value, path, 20)
}

export function readHashField(value: unknown, path: string): Hash {
  return readFixed(value, path, 32)
}
