import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type ArchiveSource, archiveFrames } from './archive.js'
import { type SlotContent, readSlot, rowsOfFrame, slotsOfFrame } from './backup.js'
import { type BackupSources, checkBackup, checkPair, isKey, readState } from './check-backup.js'
import { createEventLog } from './event-log.js'
import {
  ALL_CUSTODY,
  ALL_RECORDS,
  NEXT_EVENT_KEY,
  RING_SIZE_KEY,
  SCHEMA_KEY,
  custodyKey,
  payloadKey,
  placeOfKey,
  uint64,
} from './keys.js'
import type { GatewayTable, KeyRing } from './ports.js'
import { decodeCustodyRow, decodeRecordRow, encodeCustodyRow } from './rows.js'
import { custodyOf } from './shelf.js'
import { type Change, type GatewayStore, createGatewayStore, isEmptyTable, readCounter, readRecord } from './store.js'

export interface RestoreTargets {
  /** Empty. */
  readonly table: GatewayTable
  readonly keyRing: KeyRing
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
}

/** A ring that takes slots as they are elsewhere. */
export interface RestorableKeyRing extends KeyRing {
  /** On disk when it resolves. @returns the slot of the first */
  append(slots: readonly SlotContent[]): Promise<number>
}

interface Found {
  readonly records: number
  /** Payloads whose keys had been erased after the state was saved: the records say so now. */
  readonly foundErased: number
  /** Payloads that nobody can read, since a damaged disk took their keys. They are not said to be erased. */
  readonly unreadable: number
}

export interface Restored extends Found {
  /** Erasures that the state tells of and the keys did not know yet: done again. */
  readonly erasedAgain: number
}

export type RestoreErrorCode = 'RESTORE_TARGET_NOT_EMPTY'

/** Who erased what only the keys tell of. */
const RESTORE_ACTOR = 'restore'

/**
 * Puts a backup into an empty store and an empty ring, while no gateway runs on them. Both files are read to their
 * checksums before a byte is written; the mark of a whole store is written last, so that one which broke off is refused
 * at the start. State and keys of different days go together as far as that is safe: an erasure that either knows of is
 * done.
 * @returns with the secret, to be put beside the key ring
 * @throws CodedError with a `RestoreErrorCode`, `PairErrorCode` or `ArchiveErrorCode`
 */
export async function restoreGateway(
  sources: BackupSources,
  targets: RestoreTargets & { readonly keyRing: RestorableKeyRing },
): Promise<Restored & { readonly secret: Uint8Array }> {
  const { secret } = await checkBackup(sources)
  if (targets.keyRing.size > 0) refuseTarget()
  await checkEmpty(targets.table)
  await restoreKeys(sources.keys, targets.keyRing)
  return { secret, ...(await restoreState(sources.state, targets, [])) }
}

/**
 * Puts the state of a backup over a key ring that has survived: what is erased in the ring is erased, and the slots of
 * records that came after the backup stay as they are, for those records may yet be found.
 * @throws CodedError with a `RestoreErrorCode`, `PairErrorCode` or `ArchiveErrorCode`
 */
export async function restoreOverKeys(
  state: ArchiveSource,
  targets: RestoreTargets & { readonly secret: Uint8Array },
): Promise<Restored> {
  const { secret, keyRing, table } = targets
  checkPair(await readState(state), { secret, slots: keyRing.size })
  await checkEmpty(table)
  // A gateway erases at its start what no record names; by this counter all slots are in use.
  return restoreState(state, targets, [[RING_SIZE_KEY, uint64(keyRing.size)]])
}

async function checkEmpty(table: GatewayTable): Promise<void> {
  if (!(await isEmptyTable(table))) refuseTarget()
}

function refuseTarget(): never {
  const message = 'a gateway is restored into an empty folder; name another one, or move this one away'
  throw new CodedError<RestoreErrorCode>('RESTORE_TARGET_NOT_EMPTY', message)
}

async function restoreState(
  state: ArchiveSource,
  targets: RestoreTargets,
  changes: readonly Change[],
): Promise<Restored> {
  const { table, keyRing, clock } = targets
  const schema = await restoreRows(state, table)
  const store = createGatewayStore(table)
  await store.commit([[NEXT_EVENT_KEY, uint64(nextEvent(store, clock.now()))], ...changes])
  const erasedAgain = await eraseAgain(store, keyRing)
  const found = await markErased(store, targets)
  await store.commit([[SCHEMA_KEY, schema]])
  return { ...found, erasedAgain }
}

/**
 * Numbers of events that were given out after the backup are never given again: a consumer who stands there goes on with
 * what comes now, and misses nothing. So many milliseconds have passed than events can have happened.
 */
function nextEvent(store: GatewayStore, nowMs: number): number {
  return Math.max(readCounter(store, NEXT_EVENT_KEY), nowMs)
}

async function restoreKeys(source: ArchiveSource, keyRing: RestorableKeyRing): Promise<void> {
  let isSecret = true
  for await (const frame of archiveFrames('keys', source)) {
    const slots = isSecret ? [] : slotsOfFrame(frame)
    isSecret = false
    if (slots.length > 0) await keyRing.append(slots)
  }
}

/** All rows but the mark of a whole store. @returns the mark */
async function restoreRows(source: ArchiveSource, table: GatewayTable): Promise<Uint8Array> {
  let schema = new Uint8Array(0)
  for await (const frame of archiveFrames('state', source)) {
    const rows = [...rowsOfFrame(frame)]
    for (const [key, value] of rows) if (isKey(key, SCHEMA_KEY)) schema = new Uint8Array(value)
    await table.write(rows.filter(([key]) => !isKey(key, SCHEMA_KEY)))
  }
  return schema
}

async function eraseAgain(store: GatewayStore, keyRing: KeyRing): Promise<number> {
  const slots: number[] = []
  for await (const [key, value] of store.entries(ALL_CUSTODY)) {
    if (decodeCustodyRow(value).erased === undefined) continue
    const { slot } = readRecord(store, placeOfKey(key))
    if (slot !== undefined && readSlot(keyRing, slot) !== 'erased') slots.push(slot)
  }
  if (slots.length > 0) await keyRing.erase(slots)
  return slots.length
}

async function markErased(store: GatewayStore, { keyRing, clock, logger }: RestoreTargets): Promise<Found> {
  const events = createEventLog(store, logger)
  const found = { records: 0, foundErased: 0, unreadable: 0 }
  for await (const [key, value] of store.entries(ALL_RECORDS)) {
    found.records++
    const { slot } = decodeRecordRow(value)
    const place = placeOfKey(key)
    if (slot === undefined || custodyOf(store, place).erased !== undefined) continue
    const content = readSlot(keyRing, slot)
    if (content === 'lost') found.unreadable++
    if (content !== 'erased') continue
    found.foundErased++
    const erased = { atMs: clock.now(), by: RESTORE_ACTOR }
    const changes: Change[] = [
      [custodyKey(place), encodeCustodyRow({ erased })],
      [payloadKey(place), undefined],
    ]
    await events.commit({ type: 'record.erased', place, ...erased }, changes)
  }
  return found
}
