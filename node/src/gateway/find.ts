import { concatBytes } from '@songhua/sdk/protocol/bytes'
import { FIND_SCAN_MAX } from './engine-limits.js'
import { gatewayError } from './errors.js'
import {
  type KeyRange,
  MS_MAX,
  type Place,
  TAG_BYTES,
  isPosition,
  placeOfPosition,
  positionOfSearchKey,
  searchKey,
  searchRange,
} from './keys.js'
import type { RecordPage, RecordQuery, StoredRecord } from './model.js'
import type { GatewayStore } from './store.js'
import { type Tags, isSameTag } from './tags.js'

export type Finder = (query: RecordQuery) => Promise<RecordPage>

/** Pages through the records of a query in the order of their creation. */
export function createFinder(
  { store, tags }: { store: Pick<GatewayStore, 'entries'>; tags: Tags },
  recordAt: (place: Place) => Promise<StoredRecord>,
): Finder {
  return async (query) => {
    const { found, next } = await scan(query, { store, tags })
    const records: StoredRecord[] = []
    for (const position of found) records.push(await recordAt(placeOfPosition(position)))
    return { records, ...(next === undefined ? {} : { next: cursorOf(query, next, tags) }) }
  }
}

interface Scan {
  readonly found: readonly Uint8Array[]
  /** Where the next page goes on behind. */
  readonly next: Uint8Array | undefined
}

async function scan(
  query: RecordQuery,
  { store, tags }: { store: Pick<GatewayStore, 'entries'>; tags: Tags },
): Promise<Scan> {
  const found: Uint8Array[] = []
  const sieve = sieveOf(query, tags)
  let last: Uint8Array | undefined
  let looked = 0
  for await (const [key, value] of store.entries(rangeOf(query, tags))) {
    if (found.length === query.limit || looked === FIND_SCAN_MAX) return { found, next: last }
    looked++
    last = new Uint8Array(positionOfSearchKey(key))
    const isOfFamily = query.families?.includes(placeOfPosition(last).family) ?? true
    if (isOfFamily && sieve(value)) found.push(last)
  }
  return { found, next: undefined }
}

function rangeOf(query: RecordQuery, tags: Tags): KeyRange {
  const { subject, issuer, schema, fromMs = 0, toMs = MS_MAX, cursor } = query
  const tag = subject === undefined ? tags.selection({ issuer, schema }) : tags.subject(subject)
  const clamp = (ms: number): number => Math.min(MS_MAX, Math.max(0, Math.ceil(ms)))
  const range = searchRange(tag, { fromMs: clamp(fromMs), toMs: clamp(toMs) })
  if (cursor === undefined) return range
  // The smallest key behind that position.
  return { ...range, from: concatBytes(searchKey(tag, readCursor(query, cursor, tags)), Uint8Array.of(0)) }
}

/** Records of a subject may be of many issuers and schemas: their tags stand in the value of its entries. */
function sieveOf({ subject, issuer, schema }: RecordQuery, tags: Tags): (value: Uint8Array) => boolean {
  if (subject === undefined) return () => true
  const issuerTag = issuer === undefined ? undefined : tags.selection({ issuer })
  const schemaTag = schema === undefined ? undefined : tags.selection({ schema })
  return (value) =>
    (issuerTag === undefined || isSameTag(issuerTag, value.subarray(0, TAG_BYTES))) &&
    (schemaTag === undefined || isSameTag(schemaTag, value.subarray(TAG_BYTES)))
}

// ------------------------------------------------------------------------------------------------------ cursors

const POSITION_BYTES = 15

/** A cursor is good for the query that gave it, and cannot be made up. */
function cursorOf(query: RecordQuery, position: Uint8Array, tags: Tags): string {
  return Buffer.from(concatBytes(position, tags.cursor(textOf(query), position))).toString('base64url')
}

function readCursor(query: RecordQuery, cursor: string, tags: Tags): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(cursor, 'base64url'))
  const position = bytes.subarray(0, POSITION_BYTES)
  const isGiven =
    isPosition(position) && isSameTag(bytes.subarray(POSITION_BYTES), tags.cursor(textOf(query), position))
  if (!isGiven) throw gatewayError('CURSOR_INVALID', { cursor: cursor.slice(0, 80) })
  return position
}

function textOf({ issuer, subject, schema, fromMs, toMs }: RecordQuery): string {
  return JSON.stringify([issuer ?? null, subject ?? null, schema ?? null, fromMs ?? null, toMs ?? null])
}
