import { utf8ToBytes } from './bytes.js'
import { CodedError } from './errors.js'

/**
 * RFC 8785: one text for one JSON value. Numbers and strings are as ECMAScript writes them (§3.2.2), keys in the order
 * of their UTF-16 code units (§3.2.3), which is that of `sort`.
 */

export type CanonicalJsonErrorCode = 'CANONICAL_JSON'

/** Levels of nesting; a cycle has no end of them. */
export const CANONICAL_DEPTH_MAX = 256
/** Text that stands between quotes as it is. */
const PLAIN = /^[^"\\\u0000-\u001f\ud800-\udfff]*$/
const LONE_SURROGATE = /\p{Surrogate}/u

function fail(problem: string): never {
  throw new CodedError<CanonicalJsonErrorCode>('CANONICAL_JSON', `The value has no canonical JSON: ${problem}`)
}

function writeString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return LONE_SURROGATE.test(text) ? fail('half a character (a lone surrogate)') : JSON.stringify(text)
}

function isAscending(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false
  return true
}

function writeObject(object: object, depth: number): string {
  const keys = Object.keys(object)
  if (!isAscending(keys)) keys.sort()
  let text = ''
  for (const key of keys) {
    const value = (object as Record<string, unknown>)[key]
    if (value !== undefined) text += `${text === '' ? '' : ','}${writeString(key)}:${write(value, depth)}`
  }
  return `{${text}}`
}

function writeList(list: readonly unknown[], depth: number): string {
  let text = ''
  for (let i = 0; i < list.length; i++) text += `${i === 0 ? '' : ','}${write(list[i] ?? null, depth)}`
  return `[${text}]`
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function'
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : fail(`${value} is no number of JSON`)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth === 0) fail(`nested deeper than ${CANONICAL_DEPTH_MAX} levels, or in a cycle`)
      if (hasToJson(value)) return write(value.toJSON(), depth - 1)
      return Array.isArray(value) ? writeList(value, depth - 1) : writeObject(value, depth - 1)
    default:
      return fail(`it holds a ${typeof value}`)
  }
}

/**
 * A property that is undefined is absent, an entry that is undefined is null; `toJSON` is obeyed.
 * @throws CANONICAL_JSON when the value is not JSON: NaN, a lone surrogate, a function, a cycle
 */
export function canonicalJson(value: unknown): string {
  return write(value, CANONICAL_DEPTH_MAX)
}

/** In UTF-8. @throws CANONICAL_JSON */
export function canonicalBytes(value: unknown): Uint8Array {
  return utf8ToBytes(canonicalJson(value))
}
