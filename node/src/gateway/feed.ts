import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { gatewayError } from './errors.js'
import type { EventLog } from './event-log.js'
import { eventOfKey, eventsFrom, placeOfKey, recordRange } from './keys.js'
import type { Feed, GatewayEvent, Sight } from './model.js'
import { type AnchoredEventRow, type CustodyEventRow, type RecordRow, decodeEventRow, decodeRecordRow } from './rows.js'
import { envelopeOf } from './shelf.js'
import { type GatewayStore, readRecord } from './store.js'
import { type Tags, isSameTag } from './tags.js'

interface FeedParts {
  readonly store: Pick<GatewayStore, 'get' | 'entries'>
  readonly events: EventLog
  readonly tags: Tags
}

/** Tells of each record; what the log keeps is one event for a whole batch. A cursor is `<event>.<index in it>`. */
export function createFeed({ store, events, tags }: FeedParts): Feed {
  return {
    onNews: (listener) => events.onNews(listener),
    last() {
      const number = events.next() - 1
      if (number === 0) return undefined
      const bytes = store.get(eventsFrom(number, number + 1).from)
      const event = bytes && decodeEventRow(bytes)
      return `${number}.${event?.type === 'record.anchored' ? event.last - event.first : 0}`
    },
    async read(after, limit, { issuer, families }: Sight = {}) {
      const start = after === undefined ? { event: 1, index: 0 } : readCursor(after, events)
      const wanted = issuer === undefined ? undefined : tags.selection({ issuer })
      const found: GatewayEvent[] = []
      for await (const [key, value] of store.entries(eventsFrom(start.event, events.next()))) {
        const number = eventOfKey(key)
        const from = number === start.event ? start.index : 0
        const event = decodeEventRow(value)
        if (families?.includes(familyOf(event)) === false) continue
        for await (const { index, row, rest } of expand(event, from, store)) {
          if (found.length === limit) return found
          if (wanted === undefined || isSameTag(row.issuerTag, wanted))
            found.push(toEvent(`${number}.${index}`, row, rest))
        }
        if (found.length >= limit) return found
      }
      return found
    },
  }
}

const familyOf = (event: AnchoredEventRow | CustodyEventRow): RecordFamily =>
  event.type === 'record.anchored' ? event.family : event.place.family

type Rest = { readonly atMs: number } & (
  Pick<AnchoredEventRow, 'type' | 'blockNumber' | 'batchId'> | Pick<CustodyEventRow, 'type' | 'by'>
)

interface Told {
  readonly index: number
  readonly row: RecordRow
  readonly rest: Rest
}

async function* expand(
  event: AnchoredEventRow | CustodyEventRow,
  from: number,
  store: FeedParts['store'],
): AsyncIterable<Told> {
  const { atMs } = event
  if (event.type !== 'record.anchored') {
    const { type, by, place } = event
    if (from === 0) yield { index: 0, row: readRecord(store, place), rest: { type, atMs, by } }
    return
  }
  const { type, family, first, last, blockNumber, batchId } = event
  for await (const [key, value] of store.entries(recordRange(family, first + from, last))) {
    yield {
      index: placeOfKey(key).seq - first,
      row: decodeRecordRow(value),
      rest: { type, atMs, blockNumber, batchId },
    }
  }
}

function toEvent(cursor: string, row: RecordRow, rest: Rest): GatewayEvent {
  const { id, issuer, schema } = envelopeOf(row)
  const shared = { cursor, recordId: id, issuer }
  return rest.type === 'record.anchored' ? { ...shared, ...rest, schema: schema.id } : { ...shared, ...rest }
}

const CURSOR = /^(\d{1,15})\.(\d{1,9})$/

/** Where to go on behind a cursor. */
function readCursor(cursor: string, events: EventLog): { event: number; index: number } {
  const [, event, index] = CURSOR.exec(cursor) ?? []
  const number = Number(event)
  if (event === undefined || number < 1) throw gatewayError('CURSOR_INVALID', { cursor: cursor.slice(0, 80) })
  if (number >= events.next()) throw gatewayError('CURSOR_AHEAD', { cursor, last: events.next() - 1 })
  return { event: number, index: Number(index) + 1 }
}
