import { findPersonalNumber } from '@songhua/sdk/records/personal-data'
import type { Clock } from '../base/clock.js'
import { crashPoint } from '../base/crash-points.js'
import { createSerialQueue } from '../base/serial-queue.js'
import { gatewayError } from './errors.js'
import type { EventLog } from './event-log.js'
import { ALL_ERASING, type Place, custodyKey, erasingKey, payloadKey, placeOfKey } from './keys.js'
import type { Caller, Custody, StoredRecord } from './model.js'
import type { KeyRing } from './ports.js'
import { retainedUntilMs } from './retention.js'
import { type CustodyRow, type RecordRow, encodeCustodyRow } from './rows.js'
import { custodyOf, envelopeOf, payloadStatus } from './shelf.js'
import { type GatewayStore, findPlace, readRecord } from './store.js'

export interface CustodyParts {
  readonly store: GatewayStore
  readonly keyRing: Pick<KeyRing, 'erase'>
  readonly events: Pick<EventLog, 'commit'>
  readonly clock: Pick<Clock, 'now'>
  readonly get: (id: string) => Promise<StoredRecord | undefined>
}

interface Kept {
  readonly id: string
  readonly place: Place
  readonly row: RecordRow
  readonly custody: CustodyRow
}

/**
 * Erases and holds payloads, one at a time. An erasure is decided when its intent is on disk: from then on nobody reads
 * the payload, and whatever breaks off is finished at the next start.
 */
export function createCustody(parts: CustodyParts): Custody {
  const { store, clock, events } = parts
  const queue = createSerialQueue()

  /** On a record that the caller may see; undefined for any other. */
  const onRecord = (
    id: string,
    caller: Caller,
    act: (kept: Kept) => Promise<void>,
  ): Promise<StoredRecord | undefined> =>
    queue.run(async () => {
      const place = findPlace(store, id)
      if (place === undefined) return undefined
      const row = readRecord(store, place)
      if (!maySee(envelopeOf(row).issuer, caller)) return undefined
      await act({ id, place, row, custody: custodyOf(store, place) })
      return parts.get(id)
    })

  return {
    erase: (id, caller) =>
      onRecord(id, caller, async (kept) => {
        // A court may see and hold what it may not destroy.
        if (envelopeOf(kept.row).issuer !== caller.issuer) throw gatewayError('ISSUER_NOT_ALLOWED', { issuer: caller.issuer })
        await erase(kept, caller.keyId, parts)
      }),
    hold: (id, reason, caller) =>
      onRecord(id, caller, async (kept) => {
        checkKept(kept)
        if (findPersonalNumber(reason) !== undefined) throw gatewayError('HOLD_PERSONAL', { id })
        const { hold } = kept.custody
        if (hold !== undefined) throw gatewayError('LEGAL_HOLD', { id, reason: hold.reason })
        const [atMs, by] = [clock.now(), caller.keyId]
        const custody = encodeCustodyRow({ ...kept.custody, hold: { reason, sinceMs: atMs, by, issuer: caller.issuer } })
        await events.commit({ type: 'record.held', atMs, place: kept.place, by }, [[custodyKey(kept.place), custody]])
      }),
    release: (id, caller) =>
      onRecord(id, caller, async ({ place, custody: { hold, ...rest } }) => {
        if (hold === undefined) return
        if (hold.issuer !== caller.issuer) throw gatewayError('HOLD_OF_ANOTHER', { id, reason: hold.reason })
        const event = { type: 'record.released', atMs: clock.now(), place, by: caller.keyId } as const
        await events.commit(event, [[custodyKey(place), encodeCustodyRow(rest)]])
      }),
  }
}

const maySee = (issuer: string, caller: Caller): boolean =>
  issuer === caller.issuer || caller.scopes.has('records:read-all')

/** @throws GatewayError `PAYLOAD_WITHHELD`, `PAYLOAD_ERASED` */
function checkKept({ id, row, custody }: Kept): void {
  const status = payloadStatus(row, custody)
  if (status === 'withheld') throw gatewayError('PAYLOAD_WITHHELD', { id })
  if (status === 'erased') throw gatewayError('PAYLOAD_ERASED', { id })
}

async function erase(kept: Kept, by: string, parts: CustodyParts): Promise<void> {
  const { id, place, row, custody } = kept
  if (custody.erased !== undefined) return resumeErasure(kept, custody.erased, parts)
  checkKept(kept)
  if (custody.hold !== undefined) throw gatewayError('LEGAL_HOLD', { id, reason: custody.hold.reason })
  const atMs = parts.clock.now()
  checkRetention(kept, atMs)
  crashPoint('gateway.before-erasure')
  await parts.store.commit([
    [custodyKey(place), encodeCustodyRow({ erased: { atMs, by } })],
    [erasingKey(place), new Uint8Array(0)],
    [payloadKey(place), undefined],
  ])
  crashPoint('gateway.erasure-decided')
  await finishErasure({ place, slot: row.slot!, atMs, by }, parts)
}

/** An erasure that was decided before; its key may still be there when the disk refused then. */
async function resumeErasure(
  { place, row }: Kept,
  erased: NonNullable<CustodyRow['erased']>,
  parts: CustodyParts,
): Promise<void> {
  if (parts.store.get(erasingKey(place)) === undefined) return
  await finishErasure({ place, slot: row.slot!, atMs: erased.atMs, by: erased.by }, parts)
}

function checkRetention({ id, row }: Kept, nowMs: number): void {
  const { retention, createdAt } = envelopeOf(row)
  const untilMs = retainedUntilMs(retention, Date.parse(createdAt))
  // Consent may be taken back before our clock has reached the issuer's.
  if (retention === 'consent' || (untilMs !== null && untilMs <= nowMs)) return
  throw gatewayError('RETENTION_NOT_OVER', { id, retention, untilMs })
}

interface Erasure {
  readonly place: Place
  readonly slot: number
  readonly atMs: number
  readonly by: string
}

/** The payload is gone from its row; with its key it is gone from everything that LevelDB still holds on disk. */
async function finishErasure(
  { place, slot, atMs, by }: Erasure,
  { keyRing, events }: Pick<CustodyParts, 'keyRing' | 'events'>,
): Promise<void> {
  await keyRing.erase([slot])
  crashPoint('gateway.key-erased')
  await events.commit({ type: 'record.erased', atMs, place, by }, [[erasingKey(place), undefined]])
}

/** What a crash broke off. @returns how many */
export async function finishErasures(parts: Pick<CustodyParts, 'store' | 'keyRing' | 'events'>): Promise<number> {
  const places: Place[] = []
  for await (const [key] of parts.store.entries(ALL_ERASING)) places.push(placeOfKey(key))
  for (const place of places) {
    const { slot } = readRecord(parts.store, place)
    const { erased } = custodyOf(parts.store, place)
    await finishErasure({ place, slot: slot!, atMs: erased!.atMs, by: erased!.by }, parts)
  }
  return places.length
}
