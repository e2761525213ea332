import { isUtf8 } from 'node:buffer'
import { endOfString } from '../../base/json-scan.js'
import { mapInSlices } from '../../base/slices.js'
import { gatewayError } from '../errors.js'
import type { NamedLimit } from './context.js'
import { type JsonBounds, type JsonOutline, type JsonPart, outlineJson } from './json-outline.js'

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** A key that changes the prototype of whatever object the value is copied into. */
const FORBIDDEN_KEY = '__proto__'

export interface JsonLimits extends JsonBounds {
  readonly jsonValuesMax: number
  /** Of one record, or of all that is around the records. */
  readonly recordBytesMax: number
  readonly recordValuesMax: number
}

/**
 * JSON from strangers (UTF-8): bounded in depth and number before a parser sees it, no key twice, since two readers could take
 * different ones, and no key that reaches for a prototype. Records are parsed one by one, so that ten thousand of them do
 * not hold the thread in one go.
 * @throws GatewayError `JSON_INVALID`, `JSON_TOO_DEEP`, `JSON_TOO_MANY_VALUES`, `JSON_DUPLICATE_KEY`, `JSON_FORBIDDEN_KEY`,
 *   `RECORD_TOO_LARGE`, `CHARSET_INVALID`
 */
export async function parseJsonBody(body: Uint8Array, limits: JsonLimits, values = valuesOf(limits)): Promise<unknown> {
  const outline = outlineJson(body, limits, values)
  if (!isUtf8(body)) throw gatewayError('CHARSET_INVALID', { charset: 'utf-8' })
  const frame = frameOf(body, outline)
  for (const part of [frame.part, ...outline.lists.flatMap(({ entries }) => entries)]) checkPart(part, limits)
  const value = parsePart(frame.text, frame.part)
  // Two would have been one key twice.
  const [records] = outline.lists
  if (records !== undefined) (value as Record<string, unknown>).records = await parseEntries(body, records.entries)
  return value
}

const valuesOf = ({ jsonValuesMax }: JsonLimits): NamedLimit => ({ limit: 'jsonValuesMax', max: jsonValuesMax })

function checkPart({ start, end, values }: JsonPart, { recordBytesMax, recordValuesMax }: JsonLimits): void {
  if (end - start > recordBytesMax) throw gatewayError('RECORD_TOO_LARGE', { limit: 'recordBytesMax', max: recordBytesMax })
  if (values > recordValuesMax) throw gatewayError('JSON_TOO_MANY_VALUES', { limit: 'recordValuesMax', max: recordValuesMax })
}

// ------------------------------------------------------------------------------------------------- frame and records

/** The text without the records. */
function frameOf(body: Uint8Array, { values, members, lists }: JsonOutline): { text: Uint8Array; part: JsonPart } {
  const pieces: Uint8Array[] = []
  let at = BYTE_ORDER_MARK.every((byte, i) => body[i] === byte) ? BYTE_ORDER_MARK.length : 0
  for (const { start, end } of lists) {
    pieces.push(body.subarray(at, start))
    at = end
  }
  pieces.push(body.subarray(at))
  const text = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  const inside = lists.flatMap(({ entries }) => entries)
  const sum = (what: 'values' | 'members'): number => inside.reduce((total, entry) => total + entry[what], 0)
  return { text, part: { start: 0, end: text.length, values: values - sum('values'), members: members - sum('members') } }
}

function parseEntries(body: Uint8Array, entries: readonly JsonPart[]): Promise<unknown[]> {
  const [first] = entries
  if (entries.length === 1 && isBlank(body, first!)) return Promise.resolve([])
  return mapInSlices(entries, (entry) => parsePart(body.subarray(entry.start, entry.end), entry))
}

function isBlank(body: Uint8Array, { start, end }: JsonPart): boolean {
  return body.subarray(start, end).every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}


// -------------------------------------------------------------------------------------------------------- one part

function parsePart(text: Uint8Array, { members }: JsonPart): unknown {
  const value = parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'))
  if (countMembers(value) !== members) throw gatewayError('JSON_DUPLICATE_KEY', { key: findDuplicateKey(text) })
  return value
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

/** The first key that an object of valid JSON has twice. */
function findDuplicateKey(text: Uint8Array): string {
  const open: (Set<string> | undefined)[] = []
  let isKeyDue = false
  for (let at = 0; at < text.length; at++) {
    const token = String.fromCharCode(text[at]!)
    if (token === '"') {
      const end = endOfString(text, at + 1)
      if (isKeyDue) {
        const key = JSON.parse(Buffer.from(text.subarray(at, end + 1)).toString('utf8')) as string
        if (open.at(-1)!.has(key)) return key
        open.at(-1)!.add(key)
      }
      isKeyDue = false
      at = end
    } else if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    else if (token === '}' || token === ']') open.pop()
    if (token === '{') isKeyDue = true
    if (token === ',') isKeyDue = open.at(-1) !== undefined
  }
  return ''
}
