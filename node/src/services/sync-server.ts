import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import { type TokenBucket, createTokenBucket } from '../base/token-bucket.js'
import { RANGE_BYTES_MAX, type RangeRequest, decodeRangeRequest, encodeRangeAnswer } from './sync-messages.js'

/** Sealed blocks, encoded; undefined above the head. */
export interface SealedBlocks {
  encodedBlock(number: number): Uint8Array | undefined
}

/** Requests of one peer; a node that catches up at full speed makes about 10 a second. */
const REQUESTS_PER_SECOND = 30
const REQUESTS_BURST = 60
const MIB = 1024 * 1024
/** What one peer, and all together, are sent: a request of 10 bytes costs an answer of megabytes, and reading it. */
const SERVED_PER_PEER = { perSecond: 16 * MIB, burst: 64 * MIB }
const SERVED_IN_ALL = { perSecond: 32 * MIB, burst: 128 * MIB }
/** Reading a block costs as much as sending so many bytes, however small it is. */
const BLOCK_COST_BYTES_MIN = 8 * 1024
const PEERS_REMEMBERED_MAX = 512

interface PeerShare {
  readonly requests: TokenBucket
  readonly bytes: TokenBucket
}

/** Answers requests for ranges of blocks. */
export interface BlockServer {
  /**
   * Rejects what is too much to ask for; what is too much to send waits.
   * @throws CodedError `SYNC_REQUEST_INVALID`, `SYNC_RANGE_UNKNOWN`, `SYNC_TOO_MANY_REQUESTS`, or of the decoding
   */
  answer(peerId: string, body: Uint8Array): Promise<Uint8Array>
  /** Counters since the start. */
  metrics(): { served_blocks: number; served_delayed: number; served_refused: number }
}

export function createBlockServer({ blocks, clock }: { blocks: SealedBlocks; clock: Clock }): BlockServer {
  const shareOf = createShares(clock)
  const all = createTokenBucket(SERVED_IN_ALL, clock.now())
  const counters = { served_blocks: 0, served_delayed: 0, served_refused: 0 }

  const waitMsOf = (bytes: TokenBucket): number => Math.max(bytes.waitMs(clock.now()), all.waitMs(clock.now()))

  const read = ({ from, count }: RangeRequest): { found: Uint8Array[]; cost: number } => {
    const found: Uint8Array[] = []
    let cost = 0
    for (let number = from, bytes = 0; number < from + count && bytes < RANGE_BYTES_MAX; number++) {
      const block = blocks.encodedBlock(number)
      if (block === undefined) break
      found.push(block)
      bytes += block.length
      cost += Math.max(block.length, BLOCK_COST_BYTES_MIN)
    }
    if (found.length === 0) throw new CodedError('SYNC_RANGE_UNKNOWN', `block ${from} is not here`)
    return { found, cost }
  }

  return {
    async answer(peerId, body) {
      const { requests, bytes } = shareOf(peerId)
      try {
        if (!requests.take(clock.now())) {
          throw new CodedError('SYNC_TOO_MANY_REQUESTS', `more than ${REQUESTS_PER_SECOND} requests a second`)
        }
        const request = decodeRangeRequest(body)
        if (waitMsOf(bytes) > 0) counters.served_delayed += 1
        // Asked again after each wait, and spent at once: of those that waited together only one goes on.
        for (let waitMs = waitMsOf(bytes); waitMs > 0; waitMs = waitMsOf(bytes)) {
          await new Promise<void>((resolve) => void clock.after(waitMs, resolve))
        }
        const { found, cost } = read(request)
        for (const bucket of [bytes, all]) bucket.spend(clock.now(), cost)
        counters.served_blocks += found.length
        return encodeRangeAnswer(found)
      } catch (error) {
        counters.served_refused += 1
        throw error
      }
    },
    metrics: () => ({ ...counters }),
  }
}

function createShares(clock: Clock): (peerId: string) => PeerShare {
  const shares = new Map<string, PeerShare>()
  return (peerId) => {
    const known = shares.get(peerId)
    if (known !== undefined) return known
    const [oldest] = shares.keys()
    if (shares.size >= PEERS_REMEMBERED_MAX && oldest !== undefined) shares.delete(oldest)
    const requests = createTokenBucket({ perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_BURST }, clock.now())
    const share = { requests, bytes: createTokenBucket(SERVED_PER_PEER, clock.now()) }
    shares.set(peerId, share)
    return share
  }
}
