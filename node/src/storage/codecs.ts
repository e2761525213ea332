import { type Hash, EMPTY_BYTES, hexToBytes, numberToBytes } from '@songhua/sdk/protocol/bytes'
import type { HistoryFrontier } from '@songhua/sdk/protocol/history-tree'
import type { MissedTurns, Rotation } from '@songhua/sdk/protocol/proposer'
import { type Receipt, decodeReceipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import {
  type RlpItem, decodeRlp, encodeRlp, readAddress, readBytes, readHash, readList, readNumber,
} from '@songhua/sdk/protocol/rlp'

/** The head record: what is not in the head's header. */
export interface HeadRecord {
  number: number
  hash: Hash
  rotation: Rotation
  frontier: HistoryFrontier
}

export function encodeHead({ number, hash, rotation, frontier }: HeadRecord): Uint8Array {
  const missed = (Object.entries(rotation.missed) as [`0x${string}`, MissedTurns][]).map(
    ([address, { streak, skipUntil }]) => [hexToBytes(address), numberToBytes(streak), numberToBytes(skipUntil)],
  )
  const lastProposer = rotation.lastProposer === undefined ? EMPTY_BYTES : hexToBytes(rotation.lastProposer)
  const peaks = frontier.peaks.map((peak) => hexToBytes(peak))
  return encodeRlp([
    numberToBytes(number), hexToBytes(hash), [lastProposer, missed], [numberToBytes(frontier.size), peaks],
  ])
}

export function decodeHead(bytes: Uint8Array): HeadRecord {
  const [number, hash, rotation, frontier] = readList(decodeRlp(bytes), 'head', 4)
  return {
    number: readNumber(number, 'head.number'),
    hash: readHash(hash, 'head.hash'),
    rotation: decodeRotation(rotation),
    frontier: decodeFrontier(frontier),
  }
}

function decodeRotation(item: RlpItem | undefined): Rotation {
  const [last, missed] = readList(item, 'head.rotation', 2)
  const entries = readList(missed, 'head.rotation.missed').map((entry): [string, MissedTurns] => {
    const [address, streak, skipUntil] = readList(entry, 'head.rotation.missed', 3)
    const turns = { streak: readNumber(streak, 'streak'), skipUntil: readNumber(skipUntil, 'skipUntil') }
    return [readAddress(address, 'address'), turns]
  })
  const hasLast = readBytes(last, 'head.rotation.lastProposer').length > 0
  return {
    missed: Object.fromEntries(entries),
    lastProposer: hasLast ? readAddress(last, 'head.rotation.lastProposer') : undefined,
  }
}

function decodeFrontier(item: RlpItem | undefined): HistoryFrontier {
  const [size, peaks] = readList(item, 'head.frontier', 2)
  return {
    size: readNumber(size, 'head.frontier.size'),
    peaks: readList(peaks, 'head.frontier.peaks').map((peak) => readHash(peak, 'head.frontier.peaks')),
  }
}

/** Raw transactions, in order. */
export function encodeBody(transactions: readonly Uint8Array[]): Uint8Array {
  return encodeRlp([...transactions])
}

export function decodeBody(bytes: Uint8Array): Uint8Array[] {
  return readList(decodeRlp(bytes, { maxDepth: 1 }), 'body').map((raw) => readBytes(raw, 'body.transaction'))
}

export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(receipts.map(encodeReceipt))
}

export function decodeReceipts(bytes: Uint8Array): Receipt[] {
  return readList(decodeRlp(bytes, { maxDepth: 1 }), 'receipts').map((raw) => decodeReceipt(readBytes(raw, 'receipt')))
}

/** Where a transaction stands. */
export interface TransactionLocation {
  /** Of its block. */
  number: number
  /** Within its block. */
  index: number
}

export function encodeLocation({ number, index }: TransactionLocation): Uint8Array {
  return encodeRlp([numberToBytes(number), numberToBytes(index)])
}

export function decodeLocation(bytes: Uint8Array): TransactionLocation {
  const [number, index] = readList(decodeRlp(bytes), 'location', 2)
  return { number: readNumber(number, 'location.number'), index: readNumber(index, 'location.index') }
}
