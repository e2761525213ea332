import { CodedError } from '@songhua/sdk/protocol/errors'
import { RECORD_FAMILIES, type RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'

/**
 * Register of the gateway's keys: one byte, then what is written here. Numbers are big-endian, so that keys ascend with
 * them: seq and event 8 bytes, ms 6, family 1 (as `RecordAnchor` numbers it). Values are RLP lists (see `rows.ts`) where
 * nothing else is said. A number given up is never used again: it stays here as a comment.
 *
 * Nothing of a payload, its salt, its key, or a digest of it that is not in the envelope stands in any value but the
 * sealed payload. What could be guessed (subjects, natural keys, requests) is under a keyed HMAC.
 *
 * Change the meaning of a key or value only together with GATEWAY_SCHEMA_VERSION.
 */
export const GATEWAY_SCHEMA_VERSION = 1

const PREFIX = {
  schema: 0x00, //                        // → schema version, one byte
  identity: 0x01, //                      // → genesis hash (32), mark of the secret (16)
  ringSize: 0x02, //                      // → slots of the key ring that records name, 8 bytes
  nextEvent: 0x03, //                     // → number of the next event, 8 bytes
  nextSeq: 0x04, //                family // → seq of the next record, 8 bytes
  firstWaiting: 0x05, //           family // → seq of the first record without a batch, 8 bytes

  record: 0x10, //             family seq // → RecordRow; never changes
  payload: 0x11, //            family seq // → nonce (12), AES-256-GCM of salt (32) ‖ payload, tag (16); gone when erased
  custody: 0x12, //            family seq // → CustodyRow: hold, erasure
  erasing: 0x13, //            family seq // → nothing: an erasure that is not finished
  id: 0x18, //                  UUID (16) // → family, seq
  natural: 0x19, //   HMAC of natural key // → UUID (16)

  search: 0x20, //     tag ms family seq  // → nothing, or the tags by which a subject's records are sifted

  idempotency: 0x30, // HMAC of key       // → IdempotencyRow
  expiry: 0x31, //      ms HMAC of key    // → nothing: when an idempotency key goes

  batch: 0x40, //         family last seq // → BatchRow
  leaves: 0x41, //        family last seq // → leaf hashes, 32 bytes each
  anchor: 0x42, //        family last seq // → AnchorRow: the chain part of its bundles; there when anchored
  open: 0x43, //          family last seq // → nothing: a batch that is not anchored yet
  change: 0x44, //           block number // → RLP of a header at which the validators changed

  event: 0x50, //                   event // → EventRow

  // 0x80 … 0x8f belong to the webhooks.
} as const

/** Where a record stands: its family's records are numbered from 0 in the order in which they were accepted. */
export interface Place {
  readonly family: RecordFamily
  readonly seq: number
}

export interface KeyRange {
  readonly from: Uint8Array
  readonly below: Uint8Array
}

export const TAG_BYTES = 16
const POSITION_BYTES = 6 + 1 + 8

export const FAMILIES = Object.keys(RECORD_FAMILIES) as RecordFamily[]

export const SCHEMA_KEY = Uint8Array.of(PREFIX.schema)
export const IDENTITY_KEY = Uint8Array.of(PREFIX.identity)
export const RING_SIZE_KEY = Uint8Array.of(PREFIX.ringSize)
export const NEXT_EVENT_KEY = Uint8Array.of(PREFIX.nextEvent)
export const nextSeqKey = (family: RecordFamily): Uint8Array => Uint8Array.of(PREFIX.nextSeq, RECORD_FAMILIES[family])
export const firstWaitingKey = (family: RecordFamily): Uint8Array =>
  Uint8Array.of(PREFIX.firstWaiting, RECORD_FAMILIES[family])

export const recordKey = (place: Place): Uint8Array => placeKey(PREFIX.record, place)
export const payloadKey = (place: Place): Uint8Array => placeKey(PREFIX.payload, place)
export const custodyKey = (place: Place): Uint8Array => placeKey(PREFIX.custody, place)
export const erasingKey = (place: Place): Uint8Array => placeKey(PREFIX.erasing, place)
/** Of batches, `seq` is that of the last record. */
export const batchKey = (place: Place): Uint8Array => placeKey(PREFIX.batch, place)
export const leavesKey = (place: Place): Uint8Array => placeKey(PREFIX.leaves, place)
export const anchorKey = (place: Place): Uint8Array => placeKey(PREFIX.anchor, place)
export const openKey = (place: Place): Uint8Array => placeKey(PREFIX.open, place)

export const idKey = (uuid: string): Uint8Array => join(PREFIX.id, uuidBytes(uuid))
export const naturalKey = (mac: Uint8Array): Uint8Array => join(PREFIX.natural, mac)
export const idempotencyKey = (mac: Uint8Array): Uint8Array => join(PREFIX.idempotency, mac)
export const expiryKey = (ms: number, mac: Uint8Array): Uint8Array => join(PREFIX.expiry, uint48(ms), mac)
export const changeKey = (blockNumber: number): Uint8Array => join(PREFIX.change, uint64(blockNumber))
export const eventKey = (event: number): Uint8Array => join(PREFIX.event, uint64(event))

/** Records of a family from `first` up to and with `last`. */
export const recordRange = (family: RecordFamily, first: number, last: number): KeyRange => ({
  from: recordKey({ family, seq: first }),
  below: recordKey({ family, seq: last + 1 }),
})

/** Batches that end at or after a record: the first of them holds it, if it has a batch. */
export const batchesFrom = ({ family, seq }: Place): KeyRange => ({
  from: batchKey({ family, seq }),
  below: Uint8Array.of(PREFIX.batch, RECORD_FAMILIES[family] + 1),
})

export const ALL_RECORDS: KeyRange = wholeRange(PREFIX.record)
export const ALL_CUSTODY: KeyRange = wholeRange(PREFIX.custody)
export const ALL_ERASING: KeyRange = wholeRange(PREFIX.erasing)
export const ALL_OPEN: KeyRange = wholeRange(PREFIX.open)
export const ALL_CHANGES: KeyRange = wholeRange(PREFIX.change)
export const EVERYTHING: KeyRange = { from: new Uint8Array(0), below: new Uint8Array(64).fill(0xff) }
export const expiredBefore = (ms: number): KeyRange => ({
  from: Uint8Array.of(PREFIX.expiry),
  below: join(PREFIX.expiry, uint48(ms)),
})
export const eventsFrom = (event: number, below: number): KeyRange => ({
  from: eventKey(event),
  below: eventKey(below),
})

/** Ascends with the time of creation; the same time, with family and seq. */
export function searchPosition(createdMs: number, place: Place): Uint8Array {
  const position = new Uint8Array(POSITION_BYTES)
  writeUint48(position, 0, createdMs)
  position[6] = RECORD_FAMILIES[place.family]
  writeUint64(position, 7, place.seq)
  return position
}

export const searchKey = (tag: Uint8Array, position: Uint8Array): Uint8Array => join(PREFIX.search, tag, position)
/** Entries of a tag from a time on, below another. */
export const searchRange = (tag: Uint8Array, times: { fromMs: number; toMs: number }): KeyRange => ({
  from: join(PREFIX.search, tag, uint48(times.fromMs)),
  below: join(PREFIX.search, tag, uint48(times.toMs)),
})
export const positionOfSearchKey = (key: Uint8Array): Uint8Array => key.subarray(1 + TAG_BYTES)
export const placeOfPosition = (position: Uint8Array): Place => placeAt(position, 6)
export const isPosition = (bytes: Uint8Array): boolean =>
  bytes.length === POSITION_BYTES && familyOf(bytes[6]) !== undefined
export const MS_MAX = 2 ** 48 - 1

/** Of a key of one byte, family and seq. */
export const placeOfKey = (key: Uint8Array): Place => placeAt(key, 1)
export const macOfExpiryKey = (key: Uint8Array): Uint8Array => key.subarray(7)
export const eventOfKey = (key: Uint8Array): number => readUint64(key, 1)

export const placeToBytes = (place: Place): Uint8Array => placeKey(0, place).subarray(1)
export const placeFromBytes = (bytes: Uint8Array): Place => placeAt(bytes, 0)

/** @throws CodedError `GATEWAY_STORE_DAMAGED` when what stands there is no place */
function placeAt(bytes: Uint8Array, at: number): Place {
  const family = familyOf(bytes[at])
  const seq = readUint64(bytes, at + 1)
  if (family === undefined || !Number.isSafeInteger(seq)) failDamaged(`it names record ${seq} of a family ${bytes[at]}`)
  return { family, seq }
}

/** @throws CodedError `GATEWAY_STORE_DAMAGED` */
export function failDamaged(what: string): never {
  throw new CodedError('GATEWAY_STORE_DAMAGED', `the gateway's store is damaged: ${what}; restore it from a backup`)
}

function familyOf(number: number | undefined): RecordFamily | undefined {
  return FAMILIES.find((family) => RECORD_FAMILIES[family] === number)
}

/** Not `join`: this is on the path of every record. */
function placeKey(prefix: number, { family, seq }: Place): Uint8Array {
  const key = new Uint8Array(10)
  key[0] = prefix
  key[1] = RECORD_FAMILIES[family]
  writeUint64(key, 2, seq)
  return key
}

function wholeRange(prefix: number): KeyRange {
  return { from: Uint8Array.of(prefix), below: Uint8Array.of(prefix + 1) }
}

function join(prefix: number, ...parts: Uint8Array[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((length, part) => length + part.length, 1))
  key[0] = prefix
  let at = 1
  for (const part of parts) {
    key.set(part, at)
    at += part.length
  }
  return key
}

export function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, 0, value)
  return bytes
}

export function readUint64(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}

function uint48(value: number): Uint8Array {
  const bytes = new Uint8Array(6)
  writeUint48(bytes, 0, value)
  return bytes
}

function writeUint64(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 4, value % 2 ** 32)
}

function writeUint48(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint16(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 2, value % 2 ** 32)
}
