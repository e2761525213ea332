import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import type { Clock } from '../base/clock.js'
import { ALL_OPEN, FAMILIES, type Place, firstWaitingKey, nextSeqKey, placeOfKey } from './keys.js'
import type { RecordStatus } from './model.js'
import type { BatchRow } from './rows.js'
import { type GatewayStore, readBatch, readCounter, readRecord } from './store.js'

/** Records of one family that have no batch yet. */
export interface Waiting {
  /** Seq of the first. */
  first: number
  /** Seq of the next record to come. */
  next: number
  /** Of the canonical envelopes of the family: up to the first, and up to the last. */
  bytesBefore: number
  bytesSoFar: number
  /** When the first was accepted. */
  oldestMs: number
}

/** A batch between closing and anchoring. */
export interface OpenBatch {
  row: BatchRow
  /** Its newest attempt is in the pool. */
  isProposed: boolean
  failures: number
  /** Not to be proposed again before. */
  retryAtMs: number
}

/** How far every record has come. It lives in memory and follows from the table. */
export interface Progress {
  readonly waiting: Readonly<Record<RecordFamily, Waiting>>
  /** In the order of their nonces. */
  readonly open: OpenBatch[]
  statusOf(place: Place): RecordStatus
  /** Accepted, not anchored. */
  pending(): number
  /** How long the oldest record has waited for a batch, or the oldest batch for its block, ms; 0 when nothing waits. */
  oldestPendingMs(nowMs: number): number
  /** The batch is anchored. */
  settle(batch: OpenBatch): void
  /** True when all are anchored, false when the time is over or the signal has come. */
  whenAnchored(places: readonly Place[], timeoutMs: number, signal?: AbortSignal): Promise<boolean>
}

export async function loadProgress(store: GatewayStore, clock: Clock): Promise<Progress> {
  const waiting = Object.fromEntries(FAMILIES.map((family) => [family, loadWaiting(store, family)])) as Record<
    RecordFamily,
    Waiting
  >
  const open: OpenBatch[] = []
  for await (const [key] of store.entries(ALL_OPEN)) {
    open.push({ row: readBatch(store, placeOfKey(key)), isProposed: false, failures: 0, retryAtMs: 0 })
  }
  open.sort((a, b) => Number(a.row.nonce - b.row.nonce))
  return createProgress(waiting, open, clock)
}

function loadWaiting(store: GatewayStore, family: RecordFamily): Waiting {
  const first = readCounter(store, firstWaitingKey(family))
  const next = readCounter(store, nextSeqKey(family))
  const bytesUpTo = (end: number): number => (end === 0 ? 0 : readRecord(store, { family, seq: end - 1 }).bytesSoFar)
  const oldestMs = first === next ? 0 : readRecord(store, { family, seq: first }).acceptedAtMs
  return { first, next, bytesBefore: bytesUpTo(first), bytesSoFar: bytesUpTo(next), oldestMs }
}

interface Waiter {
  missing: number
  readonly covers: readonly Place[]
  readonly done: (isAnchored: boolean) => void
}

function createProgress(waiting: Record<RecordFamily, Waiting>, open: OpenBatch[], clock: Clock): Progress {
  const waiters = new Set<Waiter>()
  const openBatchOf = (place: Place): OpenBatch | undefined => open.find(({ row }) => holds(row, place))
  const statusOf = (place: Place): RecordStatus => {
    if (place.seq >= waiting[place.family].first) return 'accepted'
    const batch = openBatchOf(place)
    if (batch === undefined) return 'anchored'
    return batch.isProposed ? 'proposed' : 'accepted'
  }
  return {
    waiting,
    open,
    statusOf,
    pending: () =>
      FAMILIES.reduce((sum, family) => sum + waiting[family].next - waiting[family].first, 0) +
      open.reduce((sum, { row }) => sum + sizeOf(row), 0),
    oldestPendingMs(nowMs) {
      const waits = FAMILIES.map((family) => waiting[family]).filter(({ first, next }) => first < next)
      const times = [...waits.map(({ oldestMs }) => oldestMs), ...open.map(({ row }) => row.closedAtMs)]
      return times.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...times))
    },
    settle(batch) {
      open.splice(open.indexOf(batch), 1)
      for (const waiter of waiters) {
        waiter.missing -= waiter.covers.filter((place) => holds(batch.row, place)).length
        if (waiter.missing === 0) waiter.done(true)
      }
    },
    whenAnchored(places, timeoutMs, signal) {
      const covers = places.filter((place) => statusOf(place) !== 'anchored')
      if (covers.length === 0) return Promise.resolve(true)
      return new Promise((resolve) => {
        const done = (isAnchored: boolean): void => {
          waiters.delete(waiter)
          cancel()
          signal?.removeEventListener('abort', onAbort)
          resolve(isAnchored)
        }
        const onAbort = (): void => done(false)
        const waiter: Waiter = { missing: covers.length, covers, done }
        const cancel = clock.after(timeoutMs, onAbort)
        waiters.add(waiter)
        signal?.addEventListener('abort', onAbort)
        if (signal?.aborted === true) onAbort()
      })
    },
  }
}

export const sizeOf = ({ first, last }: BatchRow): number => last - first + 1

function holds(row: BatchRow, place: Place): boolean {
  return row.family === place.family && row.first <= place.seq && place.seq <= row.last
}
