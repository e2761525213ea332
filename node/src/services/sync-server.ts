import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import { type TokenBucket, createTokenBucket } from '../base/token-bucket.js'
import { RANGE_BYTES_MAX, decodeRangeRequest, encodeRangeAnswer } from './sync-messages.js'

/** Sealed blocks, encoded; undefined above the head. */
export interface SealedBlocks {
  encodedBlock(number: number): Uint8Array | undefined
}

/** Requests of one peer; a node that catches up at full speed makes about 10 a second. */
const REQUESTS_PER_SECOND = 30
const REQUESTS_BURST = 60
const PEERS_REMEMBERED_MAX = 512

/** Answers requests for ranges of blocks. */
export interface BlockServer {
  /** @throws CodedError `SYNC_REQUEST_INVALID`, `SYNC_RANGE_UNKNOWN`, `SYNC_TOO_MANY_REQUESTS`, or of the decoding */
  answer(peerId: string, body: Uint8Array): Uint8Array
}

export function createBlockServer({ blocks, clock }: { blocks: SealedBlocks; clock: Clock }): BlockServer {
  const buckets = new Map<string, TokenBucket>()

  const bucketOf = (peerId: string): TokenBucket => {
    const known = buckets.get(peerId)
    if (known !== undefined) return known
    const [oldest] = buckets.keys()
    if (buckets.size >= PEERS_REMEMBERED_MAX && oldest !== undefined) buckets.delete(oldest)
    const bucket = createTokenBucket({ perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_BURST }, clock.now())
    buckets.set(peerId, bucket)
    return bucket
  }

  return {
    answer(peerId, body) {
      if (!bucketOf(peerId).take(clock.now())) {
        throw new CodedError('SYNC_TOO_MANY_REQUESTS', `more than ${REQUESTS_PER_SECOND} requests a second`)
      }
      const { from, count } = decodeRangeRequest(body)
      const found: Uint8Array[] = []
      for (let number = from, bytes = 0; number < from + count && bytes < RANGE_BYTES_MAX; number++) {
        const block = blocks.encodedBlock(number)
        if (block === undefined) break
        found.push(block)
        bytes += block.length
      }
      if (found.length === 0) throw new CodedError('SYNC_RANGE_UNKNOWN', `block ${from} is not here`)
      return encodeRangeAnswer(found)
    },
  }
}
