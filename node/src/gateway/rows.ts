import {
  type Hash,
  type Hex,
  bigintToBytes,
  bytesToHex,
  hexToBytes,
  numberToBytes,
  ownBytes,
  utf8ToBytes,
} from '@songhua/sdk/protocol/bytes'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import {
  type RlpItem,
  decodeRlp,
  encodeRlp,
  readBigint,
  readBytes,
  readHash,
  readList,
  readNumber,
} from '@songhua/sdk/protocol/rlp'
import type { Hold, Outcome, Refusal } from './model.js'
import { type Place, TAG_BYTES, failDamaged, placeFromBytes, placeToBytes, uuidBytes, uuidFromBytes } from './keys.js'

/** A record as it was accepted. */
export interface RecordRow {
  /** Canonical. */
  readonly envelope: Uint8Array
  readonly leaf: Uint8Array
  /** Search tag of the issuer, by which others' records are passed over unread. */
  readonly issuerTag: Uint8Array
  readonly acceptedAtMs: number
  /** Id of an API key. */
  readonly acceptedBy: string
  /** Of the key ring; undefined: the payload was withheld. */
  readonly slot: number | undefined
  /** Bytes of all envelopes of the family up to and with this one. */
  readonly bytesSoFar: number
}

export interface CustodyRow {
  readonly hold?: Hold
  readonly erased?: { readonly atMs: number; readonly by: string }
}

/** What a key stood for. No text of the request is in it: refusals are told anew from the request itself. */
export interface IdempotencyRow {
  /** HMAC of the request. */
  readonly fingerprint: Uint8Array
  readonly expiresMs: number
  readonly outcomes: readonly PastOutcome[]
}

export type PastOutcome =
  Extract<Outcome, { id: string }> | { readonly code: Refusal['code']; readonly existingId: string | undefined }

/** A closed batch, as it was last proposed. */
export interface BatchRow {
  readonly family: RecordFamily
  readonly first: number
  readonly last: number
  readonly batchId: Hash
  readonly root: Hash
  readonly closedAtMs: number
  /** Newest attempt; what is submitted again after a crash. */
  readonly raw: Uint8Array
  readonly nonce: bigint
  /** Of all attempts, newest last: any of them may be the one in the chain. */
  readonly hashes: readonly Hash[]
}

/** The chain's part of the bundles of one batch. */
export interface AnchorRow {
  readonly blockNumber: number
  readonly transactionIndex: number
  readonly logIndex: number
  readonly receiptProof: readonly Hex[]
  /** RLP with seals. */
  readonly header: Uint8Array
  /** Blocks of the validator history; their headers stand once for all batches. */
  readonly changes: readonly number[]
  readonly transactionHash: Hash
}

export type EventRow = AnchoredEventRow | CustodyEventRow

/** One for a whole batch; readers expand it. */
export interface AnchoredEventRow {
  readonly type: 'record.anchored'
  readonly atMs: number
  readonly family: RecordFamily
  readonly first: number
  readonly last: number
  readonly batchId: Hash
  readonly blockNumber: number
}

export interface CustodyEventRow {
  readonly type: (typeof EVENT_TYPES)[1 | 2 | 3]
  readonly atMs: number
  readonly place: Place
  readonly by: string
}

/** By number in the row; only ever appended to. */
const EVENT_TYPES = ['record.anchored', 'record.erased', 'record.held', 'record.released'] as const
const REFUSAL_CODES = [
  'RECORD_INVALID',
  'RECORD_DUPLICATE',
  'RECORD_EXISTS',
  'SCHEMA_UNKNOWN',
  'ISSUER_NOT_ALLOWED',
] as const satisfies readonly Refusal['code'][]

const text = (value: string): Uint8Array => utf8ToBytes(value)
const readText = (item: RlpItem | undefined, field: string): string =>
  Buffer.from(readBytes(item, field)).toString('utf8')
/** @throws CodedError `GATEWAY_STORE_DAMAGED` for a number that stands for nothing */
const named = <T>(names: readonly T[], item: RlpItem | undefined, field: string): T => {
  const number = readNumber(item, field)
  return names[number] ?? failDamaged(`${field} is ${number}`)
}
const decode = (bytes: Uint8Array, name: string, length: number): RlpItem[] =>
  readList(decodeRlp(bytes, { maxDepth: 3 }), name, length)

export function encodeRecordRow(row: RecordRow): Uint8Array {
  const { envelope, leaf, issuerTag, acceptedAtMs, acceptedBy, slot, bytesSoFar } = row
  const slots = slot === undefined ? [] : [numberToBytes(slot)]
  return encodeRlp([
    envelope,
    leaf,
    issuerTag,
    numberToBytes(acceptedAtMs),
    text(acceptedBy),
    slots,
    numberToBytes(bytesSoFar),
  ])
}

export function decodeRecordRow(bytes: Uint8Array): RecordRow {
  const fields = decode(bytes, 'record', 7)
  const slots = readList(fields[5], 'record.slot')
  return {
    envelope: readBytes(fields[0], 'record.envelope'),
    leaf: readBytes(fields[1], 'record.leaf', 32),
    issuerTag: readBytes(fields[2], 'record.issuerTag', TAG_BYTES),
    acceptedAtMs: readNumber(fields[3], 'record.acceptedAtMs'),
    acceptedBy: readText(fields[4], 'record.acceptedBy'),
    slot: slots.length === 0 ? undefined : readNumber(slots[0], 'record.slot'),
    bytesSoFar: readNumber(fields[6], 'record.bytesSoFar'),
  }
}

export function encodeCustodyRow({ hold, erased }: CustodyRow): Uint8Array {
  return encodeRlp([
    hold === undefined ? [] : [text(hold.reason), numberToBytes(hold.sinceMs), text(hold.by), text(hold.issuer)],
    erased === undefined ? [] : [numberToBytes(erased.atMs), text(erased.by)],
  ])
}

export function decodeCustodyRow(bytes: Uint8Array | undefined): CustodyRow {
  if (bytes === undefined) return {}
  const fields = decode(bytes, 'custody', 2)
  const [reason, sinceMs, holder, issuer] = readList(fields[0], 'custody.hold')
  const [atMs, by] = readList(fields[1], 'custody.erased')
  const hold = { reason: () => readText(reason, 'hold.reason'), by: () => readText(holder, 'hold.by'), issuer: () => readText(issuer, 'hold.issuer') }
  return {
    ...(reason === undefined
      ? {}
      : { hold: { reason: hold.reason(), sinceMs: readNumber(sinceMs, 'hold.sinceMs'), by: hold.by(), issuer: hold.issuer() } }),
    ...(atMs === undefined ? {} : { erased: { atMs: readNumber(atMs, 'erased.atMs'), by: readText(by, 'erased.by') } }),
  }
}

export function encodeIdempotencyRow({ fingerprint, expiresMs, outcomes }: IdempotencyRow): Uint8Array {
  return encodeRlp([fingerprint, numberToBytes(expiresMs), outcomes.map(encodeOutcome)])
}

function encodeOutcome(outcome: PastOutcome): RlpItem {
  if ('id' in outcome) return [uuidBytes(outcome.id)]
  const { code, existingId } = outcome
  return [numberToBytes(REFUSAL_CODES.indexOf(code)), existingId === undefined ? new Uint8Array(0) : text(existingId)]
}

export function decodeIdempotencyRow(bytes: Uint8Array): IdempotencyRow {
  const fields = decode(bytes, 'idempotency', 3)
  return {
    fingerprint: readBytes(fields[0], 'idempotency.fingerprint', 32),
    expiresMs: readNumber(fields[1], 'idempotency.expiresMs'),
    outcomes: readList(fields[2], 'idempotency.outcomes').map((item) => {
      const outcome = readList(item, 'outcome')
      if (outcome.length === 1) return { id: uuidFromBytes(readBytes(outcome[0], 'outcome.id', 16)) }
      const code = named(REFUSAL_CODES, outcome[0], 'outcome.code')
      return { code, existingId: readText(outcome[1], 'outcome.existingId') || undefined }
    }),
  }
}

/** Family and last seq are in its key. */
export function encodeBatchRow({ first, batchId, root, closedAtMs, raw, nonce, hashes }: BatchRow): Uint8Array {
  const attempts = hashes.map((hash) => hexToBytes(hash))
  const numbers = [numberToBytes(first), numberToBytes(closedAtMs), bigintToBytes(nonce)]
  return encodeRlp([...numbers, hexToBytes(batchId), hexToBytes(root), raw, attempts])
}

export function decodeBatchRow({ family, seq: last }: Place, bytes: Uint8Array): BatchRow {
  const fields = decode(bytes, 'batch', 7)
  return {
    family,
    first: readNumber(fields[0], 'batch.first'),
    last,
    closedAtMs: readNumber(fields[1], 'batch.closedAtMs'),
    nonce: readBigint(fields[2], 'batch.nonce', 8),
    batchId: readHash(fields[3], 'batch.batchId'),
    root: readHash(fields[4], 'batch.root'),
    raw: ownBytes(readBytes(fields[5], 'batch.raw')),
    hashes: readList(fields[6], 'batch.hashes').map((hash) => readHash(hash, 'batch.hashes')),
  }
}

export function encodeAnchorRow(row: AnchorRow): Uint8Array {
  const numbers = [row.blockNumber, row.transactionIndex, row.logIndex].map(numberToBytes)
  const proof = row.receiptProof.map((node) => hexToBytes(node))
  return encodeRlp([...numbers, proof, row.header, row.changes.map(numberToBytes), hexToBytes(row.transactionHash)])
}

export function decodeAnchorRow(bytes: Uint8Array): AnchorRow {
  const fields = decode(bytes, 'anchor', 7)
  return {
    blockNumber: readNumber(fields[0], 'anchor.blockNumber'),
    transactionIndex: readNumber(fields[1], 'anchor.transactionIndex'),
    logIndex: readNumber(fields[2], 'anchor.logIndex'),
    receiptProof: readList(fields[3], 'anchor.receiptProof').map((node) => bytesToHex(readBytes(node, 'receiptProof'))),
    header: ownBytes(readBytes(fields[4], 'anchor.header')),
    changes: readList(fields[5], 'anchor.changes').map((number) => readNumber(number, 'anchor.changes')),
    transactionHash: readHash(fields[6], 'anchor.transactionHash'),
  }
}

export function encodeEventRow(event: EventRow): Uint8Array {
  const head = [numberToBytes(EVENT_TYPES.indexOf(event.type)), numberToBytes(event.atMs)]
  if (event.type !== 'record.anchored') return encodeRlp([...head, placeToBytes(event.place), text(event.by)])
  const { family, first, last, batchId, blockNumber } = event
  const numbers = [first, blockNumber].map(numberToBytes)
  return encodeRlp([...head, placeToBytes({ family, seq: last }), ...numbers, hexToBytes(batchId)])
}

export function decodeEventRow(bytes: Uint8Array): EventRow {
  const fields = readList(decodeRlp(bytes, { maxDepth: 2 }), 'event')
  const type = named(EVENT_TYPES, fields[0], 'event.type')
  const atMs = readNumber(fields[1], 'event.atMs')
  const place = placeFromBytes(readBytes(fields[2], 'event.place', 9))
  if (type !== 'record.anchored') return { type, atMs, place, by: readText(fields[3], 'event.by') }
  const first = readNumber(fields[3], 'event.first')
  const blockNumber = readNumber(fields[4], 'event.blockNumber')
  return {
    type,
    atMs,
    family: place.family,
    first,
    last: place.seq,
    blockNumber,
    batchId: readHash(fields[5], 'event.batchId'),
  }
}
