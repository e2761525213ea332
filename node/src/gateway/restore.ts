import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type ArchiveSource, archiveFrames } from './archive.js'
import { rowsOfFrame, slotsOfFrame } from './backup.js'
import { createEventLog } from './event-log.js'
import {
  ALL_CUSTODY,
  ALL_RECORDS,
  IDENTITY_KEY,
  NEXT_EVENT_KEY,
  RING_SIZE_KEY,
  SCHEMA_KEY,
  custodyKey,
  payloadKey,
  placeOfKey,
  readUint64,
  uint64,
} from './keys.js'
import type { GatewayTable, KeyRing } from './ports.js'
import { decodeCustodyRow, decodeRecordRow, encodeCustodyRow } from './rows.js'
import { custodyOf } from './shelf.js'
import { type Change, type GatewayStore, createGatewayStore, isEmptyTable, readCounter, readRecord } from './store.js'
import { createTags, isSameTag } from './tags.js'

export interface RestoreSources {
  readonly state: ArchiveSource
  readonly keys: ArchiveSource
}

export interface RestoreTargets {
  /** Empty. */
  readonly table: GatewayTable
  /** Empty. */
  readonly keyRing: KeyRing
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
}

export interface Restored {
  /** To be put beside the key ring. */
  readonly secret: Uint8Array
  readonly records: number
  /** Erasures that the state tells of and the keys did not know yet: done again. */
  readonly erasedAgain: number
  /** Payloads whose keys had been erased after the state was saved: the records say so now. */
  readonly foundErased: number
}

export type RestoreErrorCode = 'RESTORE_TARGET_NOT_EMPTY' | 'RESTORE_OTHER_KEYS' | 'RESTORE_KEYS_OLDER'

/** Who erased what only the keys tell of. */
const RESTORE_ACTOR = 'restore'

/**
 * Puts a backup into an empty store, while no gateway runs on it. Both files are read to their checksums before a byte
 * is written; the mark of a whole store is written last, so that one which broke off is refused at the start.
 * State and keys of different days go together as far as that is safe: an erasure that either knows of is done.
 * @throws CodedError with a `RestoreErrorCode` or `ArchiveErrorCode`
 */
export async function restoreGateway(sources: RestoreSources, targets: RestoreTargets): Promise<Restored> {
  const { table, keyRing } = targets
  const secret = await checkSources(sources)
  if (keyRing.size > 0 || !(await isEmptyTable(table))) {
    fail(
      'RESTORE_TARGET_NOT_EMPTY',
      'a gateway is restored into an empty folder; name another one, or move this one away',
    )
  }
  await restoreKeys(sources.keys, keyRing)
  const schema = await restoreRows(sources.state, table)
  const store = createGatewayStore(table)
  await store.commit([[NEXT_EVENT_KEY, uint64(nextEvent(store, targets.clock.now()))]])
  const erasedAgain = await eraseAgain(store, keyRing)
  const { records, foundErased } = await markErased(store, targets)
  await store.commit([[SCHEMA_KEY, schema]])
  return { secret, records, erasedAgain, foundErased }
}

/**
 * Numbers of events that were given out after the backup are never given again: a consumer who stands there goes on with
 * what comes now, and misses nothing. So many milliseconds have passed than events can have happened.
 */
function nextEvent(store: GatewayStore, nowMs: number): number {
  return Math.max(readCounter(store, NEXT_EVENT_KEY), nowMs)
}

interface KeysRead {
  readonly secret: Uint8Array
  readonly slots: number
}

/** Whole, and of one gateway. @returns the secret */
async function checkSources({ state, keys }: RestoreSources): Promise<Uint8Array> {
  const { secret, slots } = await readKeys(keys)
  let identity = new Uint8Array(0)
  let needed = 0
  for await (const frame of archiveFrames('state', state)) {
    for (const [key, value] of rowsOfFrame(frame)) {
      if (isKey(key, IDENTITY_KEY)) identity = new Uint8Array(value)
      if (isKey(key, RING_SIZE_KEY)) needed = readUint64(value, 0)
    }
  }
  if (!isSameTag(identity.subarray(32), createTags(secret).mark)) {
    fail(
      'RESTORE_OTHER_KEYS',
      'state and keys are of different gateways; name the keys that were saved with this state',
    )
  }
  if (slots < needed) {
    fail(
      'RESTORE_KEYS_OLDER',
      `the keys have ${slots} slots, the state names ${needed}: use keys that were saved after the state`,
    )
  }
  return secret
}

async function readKeys(source: ArchiveSource): Promise<KeysRead> {
  let secret: Uint8Array | undefined
  let slots = 0
  for await (const frame of archiveFrames('keys', source)) {
    if (secret === undefined) secret = new Uint8Array(frame)
    else slots += slotsOfFrame(frame).length
  }
  return { secret: secret ?? new Uint8Array(0), slots }
}

async function restoreKeys(source: ArchiveSource, keyRing: KeyRing): Promise<void> {
  let isSecret = true
  for await (const frame of archiveFrames('keys', source)) {
    const slots = isSecret ? [] : slotsOfFrame(frame)
    isSecret = false
    if (slots.length === 0) continue
    const first = await keyRing.add(slots.map((key) => key ?? new Uint8Array(32)))
    const erased = slots.flatMap((key, at) => (key === undefined ? [first + at] : []))
    if (erased.length > 0) await keyRing.erase(erased)
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
    if (slot !== undefined && keyRing.get(slot) !== undefined) slots.push(slot)
  }
  if (slots.length > 0) await keyRing.erase(slots)
  return slots.length
}

async function markErased(
  store: GatewayStore,
  { keyRing, clock, logger }: RestoreTargets,
): Promise<{ records: number; foundErased: number }> {
  const events = createEventLog(store, logger)
  let [records, foundErased] = [0, 0]
  for await (const [key, value] of store.entries(ALL_RECORDS)) {
    records++
    const { slot } = decodeRecordRow(value)
    const place = placeOfKey(key)
    const isLost = slot !== undefined && keyRing.get(slot) === undefined && custodyOf(store, place).erased === undefined
    if (!isLost) continue
    foundErased++
    const erased = { atMs: clock.now(), by: RESTORE_ACTOR }
    const changes: Change[] = [
      [custodyKey(place), encodeCustodyRow({ erased })],
      [payloadKey(place), undefined],
    ]
    await events.commit({ type: 'record.erased', place, ...erased }, changes)
  }
  return { records, foundErased }
}

function isKey(key: Uint8Array, other: Uint8Array): boolean {
  return key.length === other.length && key.every((byte, at) => byte === other[at])
}

function fail(code: RestoreErrorCode, message: string): never {
  throw new CodedError(code, message)
}
