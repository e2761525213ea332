import { MAX_BLOCK_BYTES } from '@songhua/sdk/protocol/block'
import { numberToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeRlp, encodeRlp, encodeRlpList, readList, readNumber, splitRlpList } from '@songhua/sdk/protocol/rlp'

/** Blocks in one answer, at most. */
export const RANGE_BLOCKS_MAX = 128
/** Bytes of an answer; the block that crosses this line is the last, so that every answer has at least one. */
export const RANGE_BYTES_MAX = 4 * 1024 * 1024
/** The longest honest answer: just below the line, one full block with its seals, and the lists around them. */
export const ANSWER_BYTES_MAX = RANGE_BYTES_MAX + MAX_BLOCK_BYTES + 64 * 1024

/** `count` sealed blocks from block `from` on. */
export interface RangeRequest {
  readonly from: number
  readonly count: number
}

/** First item of a request: what is asked. A number is never used twice. */
const KIND_RANGE = 1

export function encodeRangeRequest({ from, count }: RangeRequest): Uint8Array {
  return encodeRlp([numberToBytes(KIND_RANGE), numberToBytes(from), numberToBytes(count)])
}

/** @throws CodedError `SYNC_REQUEST_INVALID` */
export function decodeRangeRequest(body: Uint8Array): RangeRequest {
  const [kind, from, count] = readList(decodeRlp(body, { maxDepth: 1, maxItems: 8 }), 'request')
  if (readNumber(kind, 'request.kind') !== KIND_RANGE) throw invalid('it asks for something unknown')
  const range = { from: readNumber(from, 'request.from'), count: readNumber(count, 'request.count') }
  if (range.count < 1 || range.count > RANGE_BLOCKS_MAX) {
    throw invalid(`count is ${range.count}; 1 to ${RANGE_BLOCKS_MAX}`)
  }
  return range
}

function invalid(what: string): CodedError {
  return new CodedError('SYNC_REQUEST_INVALID', `a request for blocks is invalid: ${what}`)
}

/** @param blocks each as `encodeBlock` gives it */
export function encodeRangeAnswer(blocks: Uint8Array[]): Uint8Array {
  return encodeRlpList(blocks)
}

/** Views of the single blocks, not looked into. */
export function decodeRangeAnswer(body: Uint8Array): Uint8Array[] {
  return splitRlpList(body, 'blocks', RANGE_BLOCKS_MAX)
}
