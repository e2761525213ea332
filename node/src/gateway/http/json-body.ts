import { isUtf8 } from 'node:buffer'
import { scanJson } from '../../base/json-scan.js'
import { gatewayError } from '../errors.js'

const BYTE_ORDER_MARK = '\uFEFF'

/** A key that changes the prototype of whatever object the value is copied into. */
const FORBIDDEN_KEY = '__proto__'

export interface JsonLimits {
  readonly jsonDepthMax: number
  readonly jsonValuesMax: number
}

/**
 * JSON from strangers (UTF-8): bounded in depth and number before a parser sees it, no key twice, since two readers could take
 * different ones, and no key that reaches for a prototype.
 * @throws GatewayError `JSON_INVALID`, `JSON_TOO_DEEP`, `JSON_TOO_MANY_VALUES`, `JSON_DUPLICATE_KEY`, `JSON_FORBIDDEN_KEY`
 */
export function parseJsonBody(body: Uint8Array, limits: JsonLimits): unknown {
  const { depth, members, values } = scanJson(body)
  if (depth > limits.jsonDepthMax) throw gatewayError('JSON_TOO_DEEP', { depth, limit: limits.jsonDepthMax })
  if (values > limits.jsonValuesMax) throw gatewayError('JSON_TOO_MANY_VALUES', { values, limit: limits.jsonValuesMax })
  const text = decodeUtf8(body)
  const value = parse(text)
  if (countMembers(value) !== members) throw gatewayError('JSON_DUPLICATE_KEY', { key: findDuplicateKey(text) })
  return value
}

function decodeUtf8(body: Uint8Array): string {
  if (!isUtf8(body)) throw gatewayError('CHARSET_INVALID', { charset: 'utf-8' })
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw gatewayError('JSON_INVALID', { reason: cause instanceof Error ? cause.message : 'unreadable' }, cause)
  }
}

/** Of all objects within; the parser has dropped all but the last of a key that was there twice. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countMembers(item), 0)
  const keys = Object.keys(value)
  if (keys.includes(FORBIDDEN_KEY)) throw gatewayError('JSON_FORBIDDEN_KEY', { key: FORBIDDEN_KEY })
  let count = keys.length
  for (const key of keys) {
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object') count += countMembers(inner)
  }
  return count
}

/** Strings and what opens, closes and parts; of valid JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/** The first key that an object of valid JSON has twice. */
function findDuplicateKey(text: string): string {
  const open: (Set<string> | undefined)[] = []
  let isKeyDue = false
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    if (token === '}' || token === ']') open.pop()
    if (token.startsWith('"') && isKeyDue) {
      const key = JSON.parse(token) as string
      if (open.at(-1)!.has(key)) return key
      open.at(-1)!.add(key)
    }
    isKeyDue = token === '{' || (token === ',' && open.at(-1) !== undefined)
  }
  return ''
}
