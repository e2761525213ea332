import { concatBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { decodeRlp, encodeRlp, readBytes, readList } from '@songhua/sdk/protocol/rlp'
import { type ArchiveErrorCode, type ArchiveSink, archiveParts } from './archive.js'
import { BACKUP_DAMAGED_SLOTS_MAX, BACKUP_FRAME_BYTES, BACKUP_FRAME_SLOTS } from './engine-limits.js'
import { ALL_RECORDS, EVERYTHING } from './keys.js'
import type { GatewayTable, KeyRing } from './ports.js'
import { decodeRecordRow } from './rows.js'
import { envelopeOf } from './shelf.js'

/** Where the two files go. They belong in different hands: the one is unreadable without the other. */
export interface BackupTargets {
  readonly state: ArchiveSink
  readonly keys: ArchiveSink
}

export interface BackupParts {
  readonly table: Pick<GatewayTable, 'entries'>
  readonly keyRing: Pick<KeyRing, 'size' | 'get'>
  readonly secret: Uint8Array
}

export interface BackedUp {
  readonly records: number
  readonly slots: number
  /** Slots of the key ring that could not be read. */
  readonly damagedSlots: number
  /** The first of them, with the records whose payloads nobody can read any more. */
  readonly damaged: readonly DamagedSlot[]
}

export interface DamagedSlot {
  readonly slot: number
  /** Undefined where no record names the slot. */
  readonly recordId?: string
}

/** Of a slot: its key; nothing any more; or what could not be read when it was backed up. */
export type SlotContent = Uint8Array | 'erased' | 'lost'

const KEY_BYTES = 32
/** Of a slot in the file: its state, and the key or zeros. */
const SLOT_BYTES = 1 + KEY_BYTES
const STATE = { erased: 0, kept: 1, lost: 2 } as const

/**
 * Both, of a gateway that goes on working. The state is what the table held at one moment. The keys are copied after
 * it, so that no key of the state is missing; what was erased in between is erased in the copy too. A slot of the ring
 * that is damaged spoils nothing but itself.
 */
export async function backUp(targets: BackupTargets, { table, keyRing, secret }: BackupParts): Promise<BackedUp> {
  let [records, slots] = [0, 0]
  await targets.state(archiveParts('state', stateFrames(table, () => records++)))
  const lost: number[] = []
  const onSlot = (slot: number, content: SlotContent): void => {
    slots++
    if (content === 'lost') lost.push(slot)
  }
  await targets.keys(archiveParts('keys', keyFrames({ keyRing, secret }, onSlot)))
  const damaged = await withRecords(table, lost.slice(0, BACKUP_DAMAGED_SLOTS_MAX))
  return { records, slots, damagedSlots: lost.length, damaged }
}

/** Reads every record, which is done only when there is bad news to tell. */
async function withRecords(table: Pick<GatewayTable, 'entries'>, slots: readonly number[]): Promise<DamagedSlot[]> {
  if (slots.length === 0) return []
  const ids = new Map<number, string>()
  const wanted = new Set(slots)
  for await (const [, value] of table.entries(ALL_RECORDS)) {
    const row = decodeRecordRow(value)
    if (row.slot !== undefined && wanted.has(row.slot)) ids.set(row.slot, envelopeOf(row).id)
  }
  return slots.map((slot) => {
    const recordId = ids.get(slot)
    return recordId === undefined ? { slot } : { slot, recordId }
  })
}

async function* stateFrames(table: Pick<GatewayTable, 'entries'>, onRecord: () => void): AsyncIterable<Uint8Array> {
  let items: Uint8Array[] = []
  let bytes = 0
  for await (const [key, value] of table.entries(EVERYTHING)) {
    if (isRecordKey(key)) onRecord()
    items.push(key, value)
    bytes += key.length + value.length
    if (bytes < BACKUP_FRAME_BYTES) continue
    yield encodeRlp(items)
    items = []
    bytes = 0
  }
  if (items.length > 0) yield encodeRlp(items)
}

/** The secret first, then the slots from 0 on. */
async function* keyFrames(
  { keyRing, secret }: Pick<BackupParts, 'keyRing' | 'secret'>,
  onSlot: (slot: number, content: SlotContent) => void,
): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(secret)
  const { size } = keyRing
  for (let from = 0; from < size; from += BACKUP_FRAME_SLOTS) {
    const slots = Array.from({ length: Math.min(BACKUP_FRAME_SLOTS, size - from) }, (_, at) => {
      const content = readSlot(keyRing, from + at)
      onSlot(from + at, content)
      return typeof content === 'string'
        ? concatBytes(Uint8Array.of(STATE[content]), new Uint8Array(KEY_BYTES))
        : concatBytes(Uint8Array.of(STATE.kept), content)
    })
    yield await Promise.resolve(concatBytes(...slots))
  }
}

/** What a slot of a ring holds, a damaged one included. */
export function readSlot(keyRing: Pick<KeyRing, 'get'>, slot: number): SlotContent {
  try {
    return keyRing.get(slot) ?? 'erased'
  } catch (error) {
    if (isCodedError(error) && error.code === 'KEY_RING_DAMAGED') return 'lost'
    throw error
  }
}

export function isRecordKey(key: Uint8Array): boolean {
  return key[0] === ALL_RECORDS.from[0]
}

/** The rows of a frame of the state. */
export function* rowsOfFrame(frame: Uint8Array): Iterable<[key: Uint8Array, value: Uint8Array]> {
  const items = readList(decodeRlp(frame, { maxDepth: 1 }), 'backup')
  for (let at = 0; at < items.length; at += 2)
    yield [readBytes(items[at], 'backup.key'), readBytes(items[at + 1], 'backup.value')]
}

/** The slots of a frame of the keys. @throws CodedError `BACKUP_DAMAGED` */
export function slotsOfFrame(frame: Uint8Array): SlotContent[] {
  return Array.from({ length: frame.length / SLOT_BYTES }, (_, at) => {
    const slot = frame.slice(at * SLOT_BYTES, (at + 1) * SLOT_BYTES)
    if (slot[0] === STATE.kept) return slot.subarray(1)
    if (slot[0] === STATE.erased) return 'erased'
    if (slot[0] === STATE.lost) return 'lost'
    const message = `a slot of the keys backup has state ${slot[0]}, which is none; take another copy of it`
    throw new CodedError<ArchiveErrorCode>('BACKUP_DAMAGED', message)
  })
}
