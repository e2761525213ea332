import {
  type Address,
  type Hash,
  EMPTY_BYTES,
  bytesToBigint,
  bytesToHex,
  bytesToNumber,
} from './bytes.js'
import { CodedError } from './errors.js'

/** Recursive length prefix, Ethereum yellow paper appendix B. */
export type RlpItem = Uint8Array | RlpItem[]

export type RlpErrorCode =
  | 'RLP_TRUNCATED'
  | 'RLP_NON_CANONICAL'
  | 'RLP_TRAILING_BYTES'
  | 'RLP_TOO_DEEP'
  | 'RLP_TOO_MANY_ITEMS'
  | 'RLP_FIELD'

/** Nesting of lists; the deepest message of the chain has 8. */
export const MAX_RLP_DEPTH = 32
/** Items in one decoding, so that megabytes of tiny items cannot fill the memory (each costs some 100 bytes). */
export const MAX_RLP_ITEMS = 1 << 18

export interface RlpLimits {
  maxDepth?: number
  maxItems?: number
}

function fail(code: RlpErrorCode, message: string, details: Record<string, unknown> = {}): never {
  throw new CodedError(code, message, { details })
}

// ---------------------------------------------------------------------------------------------------- encoding

function lengthBytes(length: number): number {
  return length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4
}

function prefixedSize(payload: number): number {
  return payload < 56 ? 1 + payload : 1 + lengthBytes(payload) + payload
}

function payloadSize(list: RlpItem[]): number {
  let size = 0
  for (const item of list) size += encodedSize(item)
  return size
}

function encodedSize(item: RlpItem): number {
  if (Array.isArray(item)) return prefixedSize(payloadSize(item))
  return item.length === 1 && item[0]! < 0x80 ? 1 : prefixedSize(item.length)
}

function writePrefix(out: Uint8Array, at: number, head: { offset: number; size: number }): number {
  const { offset, size } = head
  if (size < 56) {
    out[at] = offset + size
    return at + 1
  }
  const bytes = lengthBytes(size)
  out[at] = offset + 55 + bytes
  for (let i = bytes, rest = size; i > 0; i--, rest = Math.floor(rest / 256)) out[at + i] = rest % 256
  return at + 1 + bytes
}

function write(out: Uint8Array, at: number, item: RlpItem): number {
  if (Array.isArray(item)) {
    let end = writePrefix(out, at, { offset: 0xc0, size: payloadSize(item) })
    for (const child of item) end = write(out, end, child)
    return end
  }
  if (item.length === 1 && item[0]! < 0x80) {
    out[at] = item[0]!
    return at + 1
  }
  const start = writePrefix(out, at, { offset: 0x80, size: item.length })
  out.set(item, start)
  return start + item.length
}

export function encodeRlp(item: RlpItem): Uint8Array {
  const out = new Uint8Array(encodedSize(item))
  write(out, 0, item)
  return out
}

/** A list of items that are encoded already: a block from its transactions' raw bytes. */
export function encodeRlpList(encodedItems: Uint8Array[]): Uint8Array {
  let size = 0
  for (const item of encodedItems) size += item.length
  const out = new Uint8Array(prefixedSize(size))
  let at = writePrefix(out, 0, { offset: 0xc0, size })
  for (const item of encodedItems) {
    out.set(item, at)
    at += item.length
  }
  return out
}

// ---------------------------------------------------------------------------------------------------- decoding

interface Head {
  isList: boolean
  start: number
  end: number
}

function longLength(bytes: Uint8Array, at: number, range: { count: number; end: number }): number {
  const { count, end } = range
  if (at + count > end) fail('RLP_TRUNCATED', `The length at byte ${at} goes beyond the end`)
  if (bytes[at] === 0) fail('RLP_NON_CANONICAL', `The length at byte ${at} has a leading zero`)
  // Longer than 6 bytes is beyond any input, and beyond exact integers.
  if (count > 6) fail('RLP_TRUNCATED', `The length at byte ${at} goes beyond the end`)
  let length = 0
  for (let i = 0; i < count; i++) length = length * 256 + bytes[at + i]!
  if (length < 56) fail('RLP_NON_CANONICAL', `The length at byte ${at} fits the short form`)
  return length
}

function readHead(bytes: Uint8Array, at: number, limit: number): Head {
  if (at >= limit) fail('RLP_TRUNCATED', `An item is missing at byte ${at}`)
  const first = bytes[at]!
  if (first < 0x80) return { isList: false, start: at, end: at + 1 }
  const isList = first >= 0xc0
  const short = first - (isList ? 0xc0 : 0x80)
  const count = short > 55 ? short - 55 : 0
  const start = at + 1 + count
  const end = start + (count === 0 ? short : longLength(bytes, at + 1, { count, end: limit }))
  if (end > limit) fail('RLP_TRUNCATED', `The item at byte ${at} goes beyond the end`)
  if (!isList && end - start === 1 && bytes[start]! < 0x80) {
    fail('RLP_NON_CANONICAL', `The byte at ${start} stands for itself and takes no prefix`)
  }
  return { isList, start, end }
}

interface Budget {
  items: number
  readonly maxItems: number
  readonly maxDepth: number
}

function readItem(bytes: Uint8Array, head: Head, state: { budget: Budget; depth: number }): RlpItem {
  const { budget, depth } = state
  if (++budget.items > budget.maxItems) fail('RLP_TOO_MANY_ITEMS', `More than ${budget.maxItems} items`)
  if (!head.isList) return head.start === head.end ? EMPTY_BYTES : bytes.subarray(head.start, head.end)
  if (depth >= budget.maxDepth) fail('RLP_TOO_DEEP', `Lists are nested deeper than ${budget.maxDepth}`)
  const list: RlpItem[] = []
  const inner = { budget, depth: depth + 1 }
  for (let at = head.start; at < head.end; ) {
    const child = readHead(bytes, at, head.end)
    list.push(readItem(bytes, child, inner))
    at = child.end
  }
  return list
}

function plainBytes(bytes: Uint8Array): Uint8Array {
  // A Node Buffer would give Buffers for its parts, whose `slice` does not copy.
  if (bytes.constructor === Uint8Array) return bytes
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readTop(bytes: Uint8Array): Head {
  const head = readHead(bytes, 0, bytes.length)
  if (head.end !== bytes.length) {
    const trailing = bytes.length - head.end
    fail('RLP_TRAILING_BYTES', `${trailing} bytes follow the item`, { trailing })
  }
  return head
}

/** Canonical encodings only. Byte strings are views into `input`. */
export function decodeRlp(input: Uint8Array, limits: RlpLimits = {}): RlpItem {
  const bytes = plainBytes(input)
  const { maxDepth = MAX_RLP_DEPTH, maxItems = MAX_RLP_ITEMS } = limits
  return readItem(bytes, readTop(bytes), { budget: { items: 0, maxItems, maxDepth }, depth: 0 })
}

/** The encoded items of a list, as views, without looking inside them. */
export function splitRlpList(input: Uint8Array, field = 'list', maxItems = MAX_RLP_ITEMS): Uint8Array[] {
  const bytes = plainBytes(input)
  const head = readTop(bytes)
  if (!head.isList) fail('RLP_FIELD', `${field} must be a list`, { field })
  const items: Uint8Array[] = []
  for (let at = head.start; at < head.end; ) {
    if (items.length >= maxItems) fail('RLP_TOO_MANY_ITEMS', `${field} has more than ${maxItems} items`, { field })
    const { end } = readHead(bytes, at, head.end)
    items.push(bytes.subarray(at, end))
    at = end
  }
  return items
}

// ------------------------------------------------------------------------------------------------- named fields

function badField(field: string, expected: string): never {
  return fail('RLP_FIELD', `${field} must be ${expected}`, { field })
}

/** @param length exact number of items when given */
export function readList(item: RlpItem | undefined, field: string, length?: number): RlpItem[] {
  if (!Array.isArray(item)) return badField(field, 'a list')
  if (length !== undefined && item.length !== length) badField(field, `a list of ${length} items, not ${item.length}`)
  return item
}

/** @param length exact number of bytes when given */
export function readBytes(item: RlpItem | undefined, field: string, length?: number): Uint8Array {
  if (item === undefined || Array.isArray(item)) return badField(field, 'a byte string')
  if (length !== undefined && item.length !== length) badField(field, `${length} bytes, not ${item.length}`)
  return item
}

export function readHash(item: RlpItem | undefined, field: string): Hash {
  return bytesToHex(readBytes(item, field, 32))
}

export function readAddress(item: RlpItem | undefined, field: string): Address {
  return bytesToHex(readBytes(item, field, 20))
}

function readInteger(item: RlpItem | undefined, field: string, maxBytes: number): Uint8Array {
  const bytes = readBytes(item, field)
  if (bytes.length > maxBytes) badField(field, `an integer of at most ${maxBytes * 8} bits`)
  if (bytes[0] === 0) badField(field, 'an integer without leading zeros')
  return bytes
}

/** @param maxBytes 32 (256 bits) unless told */
export function readBigint(item: RlpItem | undefined, field: string, maxBytes = 32): bigint {
  return bytesToBigint(readInteger(item, field, maxBytes))
}

/** At most 2^53 − 1. */
export function readNumber(item: RlpItem | undefined, field: string): number {
  return bytesToNumber(readInteger(item, field, 8), field)
}
