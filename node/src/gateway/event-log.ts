import { messageOf } from '@songhua/sdk/protocol/errors'
import { createHub } from '../base/hub.js'
import type { Logger } from '../base/logger.js'
import { NEXT_EVENT_KEY, eventKey, uint64 } from './keys.js'
import { type EventRow, encodeEventRow } from './rows.js'
import { type Change, type GatewayStore, readCounter } from './store.js'

/** What has happened, in order, each with what it changed in one write. */
export interface EventLog {
  /** Number of the next event; all below are on disk. Events are numbered from 1. */
  next(): number
  /** On disk when it resolves. */
  commit(event: EventRow, changes: readonly Change[]): Promise<void>
  onNews(listener: () => void): () => void
}

export function createEventLog(store: GatewayStore, logger: Logger): EventLog {
  const news = createHub<void>((error) => logger.error('a listener to the feed failed', { error: messageOf(error) }))
  let durable = readCounter(store, NEXT_EVENT_KEY) || 1
  let next = durable
  return {
    next: () => durable,
    async commit(event, changes) {
      const number = next++
      // Writes become durable in the order of the calls, so that no event is ever seen before an earlier one.
      await store.commit([...changes, [eventKey(number), encodeEventRow(event)], [NEXT_EVENT_KEY, uint64(number + 1)]])
      durable = number + 1
      news.emit()
    },
    onNews: (listener) => news.subscribe(listener),
  }
}
