import {
  type Address,
  type Hash,
  bigintToBytes,
  concatBytes,
  hexToBytes,
  numberToBytes,
  ownBytes,
} from './bytes.js'
import { BLOOM_BYTES } from './bloom.js'
import { CodedError } from './errors.js'
import {
  type RlpItem,
  decodeRlp,
  encodeRlp,
  readAddress,
  readBigint,
  readBytes,
  readHash,
  readList,
  readNumber,
} from './rlp.js'

export interface Log {
  readonly address: Address
  /** At most 4. */
  readonly topics: Hash[]
  readonly data: Uint8Array
}

export interface Receipt {
  readonly type: 0 | 1 | 2
  /** 1 when the transaction took effect, 0 when it was reverted. */
  readonly status: 0 | 1
  /** Of this block, up to and with this transaction. */
  readonly cumulativeGasUsed: bigint
  readonly logsBloom: Uint8Array
  readonly logs: Log[]
}

export type ReceiptErrorCode = 'RECEIPT_EMPTY' | 'RECEIPT_TYPE' | 'RECEIPT_STATUS' | 'RECEIPT_TOPICS'

const MAX_TOPICS = 4

function logToRlp(log: Log): RlpItem {
  return [hexToBytes(log.address), log.topics.map((topic) => hexToBytes(topic)), log.data]
}

function logFromRlp(item: RlpItem, index: number): Log {
  const field = `receipt.logs[${index}]`
  const fields = readList(item, field, 3)
  const topics = readList(fields[1], `${field}.topics`)
  if (topics.length > MAX_TOPICS) {
    const message = `${field} has ${topics.length} topics; at most ${MAX_TOPICS}`
    throw new CodedError<ReceiptErrorCode>('RECEIPT_TOPICS', message, { details: { field } })
  }
  return {
    address: readAddress(fields[0], `${field}.address`),
    topics: topics.map((topic, at) => readHash(topic, `${field}.topics[${at}]`)),
    data: ownBytes(readBytes(fields[2], `${field}.data`)),
  }
}

/** EIP-2718: the type byte in front unless it is 0. The form that the receipts trie holds. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const body = encodeRlp([
    numberToBytes(receipt.status),
    bigintToBytes(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map(logToRlp),
  ])
  return receipt.type === 0 ? body : concatBytes(Uint8Array.of(receipt.type), body)
}

function typeOf(bytes: Uint8Array): 0 | 1 | 2 {
  const first = bytes[0]
  if (first === undefined) throw new CodedError<ReceiptErrorCode>('RECEIPT_EMPTY', 'A receipt has no bytes')
  if (first >= 0xc0) return 0
  if (first === 1 || first === 2) return first
  throw new CodedError<ReceiptErrorCode>('RECEIPT_TYPE', `Receipt type ${first} is unknown; the chain has 0, 1 and 2`)
}

function readStatus(item: RlpItem | undefined): 0 | 1 {
  const status = readNumber(item, 'receipt.status')
  if (status === 0 || status === 1) return status
  throw new CodedError<ReceiptErrorCode>('RECEIPT_STATUS', `A receipt's status is 0 or 1, not ${status}`)
}

export function decodeReceipt(bytes: Uint8Array): Receipt {
  const type = typeOf(bytes)
  const fields = readList(decodeRlp(type === 0 ? bytes : bytes.subarray(1), { maxDepth: 4 }), 'receipt', 4)
  return {
    type,
    status: readStatus(fields[0]),
    cumulativeGasUsed: readBigint(fields[1], 'receipt.cumulativeGasUsed', 8),
    logsBloom: ownBytes(readBytes(fields[2], 'receipt.logsBloom', BLOOM_BYTES)),
    logs: readList(fields[3], 'receipt.logs').map(logFromRlp),
  }
}
