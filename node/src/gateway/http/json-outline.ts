import { endOfString } from '../../base/json-scan.js'
import { gatewayError } from '../errors.js'
import type { NamedLimit } from './context.js'

const [QUOTE, COLON, COMMA] = [0x22, 0x3a, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

export interface JsonBounds {
  readonly jsonDepthMax: number
  /** Entries of such a list. */
  readonly recordsPerRequestMax: number
}

/** A part of a text: where it stands, and what a parser would make of it. */
export interface JsonPart {
  readonly start: number
  /** Behind its last byte. */
  readonly end: number
  /** Values of all kinds, at most. */
  readonly values: number
  /** Members of all objects, counted as written: a key that is there twice counts twice. */
  readonly members: number
}

/** A list that stands in the outermost object as `records`. */
export interface JsonList {
  /** Between the brackets. */
  readonly start: number
  readonly end: number
  /** Between the commas. Of a list with none, one that is blank. */
  readonly entries: readonly JsonPart[]
}

export interface JsonOutline extends JsonPart {
  /** More than one where the key is there twice. */
  readonly lists: readonly JsonList[]
}

/** Of the lists that are parsed entry by entry; written with escapes, it is as good as any other key. */
const KEY = Buffer.from('records')

/**
 * Measures JSON text (UTF-8) without parsing it, and finds the records, which can be parsed one by one. It ends where a
 * bound is broken. Of what is no JSON it may say anything: the parts, parsed, will show it.
 * @throws GatewayError `JSON_TOO_DEEP`, `JSON_TOO_MANY_VALUES`, `TOO_MANY_RECORDS`
 */
export function outlineJson(text: Uint8Array, bounds: JsonBounds, valuesLimit: NamedLimit): JsonOutline {
  const { jsonDepthMax, recordsPerRequestMax } = bounds
  const lists: JsonList[] = []
  let list: { start: number; entries: JsonPart[] } | undefined
  let entry = { start: 0, values: 0, members: 0 }
  let [depth, members, values] = [0, 0, 1]
  // Whether the outermost object has had the key, and nothing since.
  let isKey = false
  const endEntry = (end: number): void => {
    if (list?.entries.length === recordsPerRequestMax) {
      throw gatewayError('TOO_MANY_RECORDS', { limit: 'recordsPerRequestMax', max: recordsPerRequestMax })
    }
    list?.entries.push({ start: entry.start, end, values: values - entry.values, members: members - entry.members })
    entry = { start: end + 1, values, members }
  }
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (byte === QUOTE) {
      const end = endOfString(text, at + 1)
      if (depth === 1) isKey = KEY.equals(text.subarray(at + 1, end))
      at = end
    } else if (byte === COLON) members++
    else if (byte === COMMA) {
      values++
      if (depth === 1) isKey = false
      if (depth === 2) endEntry(at)
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      values++
      if (++depth > jsonDepthMax) throw gatewayError('JSON_TOO_DEEP', { limit: 'jsonDepthMax', max: jsonDepthMax })
      if (depth === 2) {
        list = isKey && byte === OPEN_ARRAY ? { start: at + 1, entries: [] } : undefined
        isKey = false
        entry = { start: at + 1, values, members }
      }
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      if (depth === 2 && list !== undefined) {
        endEntry(at)
        lists.push({ ...list, end: at })
        list = undefined
      }
      depth--
    }
    if (values > valuesLimit.max) throw gatewayError('JSON_TOO_MANY_VALUES', { ...valuesLimit })
  }
  return { start: 0, end: text.length, values, members, lists }
}
