import canonicalize from 'canonicalize'
import { utf8ToBytes } from '../protocol/bytes.js'
import { CodedError, messageOf } from '../protocol/errors.js'

/** RFC 8785 of a JSON value. @throws CANONICAL_JSON when the value is not JSON: NaN, a lone surrogate, a cycle */
export function canonicalJson(value: unknown): string {
  let text: string | undefined
  try {
    text = canonicalize(value)
  } catch (cause) {
    throw new CodedError('CANONICAL_JSON', `The value has no canonical JSON: ${messageOf(cause)}`, { cause })
  }
  if (text === undefined) throw new CodedError('CANONICAL_JSON', 'Nothing at all has no canonical JSON')
  return text
}

export function canonicalBytes(value: unknown): Uint8Array {
  return utf8ToBytes(canonicalJson(value))
}
