import { type Address, bytesToNumber, concatBytes, hexToBytes, numberToBytes, padLeft, toAddress } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'

/** One transaction in the pool's journal. */
export interface JournalRecord {
  readonly arrivedMs: number
  readonly isLocal: boolean
  /** Kept, so that a start can tell what has been used without recovering it. */
  readonly sender: Address
  readonly raw: Uint8Array
}

// version(1) ‖ isLocal(1) ‖ arrivedMs(8, big-endian) ‖ sender(20) ‖ raw
const VERSION = 1
const SENDER_AT = 10
const RAW_AT = 30
/** What a record is longer than its transaction. */
export const JOURNAL_RECORD_OVERHEAD_BYTES = RAW_AT

export function encodeJournalRecord({ arrivedMs, isLocal, sender, raw }: JournalRecord): Uint8Array {
  const flags = Uint8Array.of(VERSION, isLocal ? 1 : 0)
  return concatBytes(flags, padLeft(numberToBytes(arrivedMs), SENDER_AT - 2), hexToBytes(sender), raw)
}

/** @throws CodedError `POOL_JOURNAL_VERSION` for a record of another version */
export function decodeJournalRecord(record: Uint8Array): JournalRecord {
  const [version, isLocal] = record
  if (version !== VERSION || isLocal === undefined || isLocal > 1 || record.length <= RAW_AT) {
    throw new CodedError('POOL_JOURNAL_VERSION',
      `the transaction journal has a record of version ${version} and ${record.length} bytes; this program reads version ${VERSION}`)
  }
  return {
    arrivedMs: bytesToNumber(record.subarray(2, SENDER_AT), 'arrivedMs'),
    isLocal: isLocal === 1,
    sender: toAddress(record.subarray(SENDER_AT, RAW_AT)),
    raw: record.slice(RAW_AT),
  }
}
