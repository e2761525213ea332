import type { Address } from '@songhua/sdk/protocol/bytes'
import { MAX_CONSENSUS_MESSAGE_BYTES } from '../consensus/limits.js'

export interface RawMessage {
  readonly from: Address
  readonly bytes: Uint8Array
}

/** Waiting messages of one peer: 64 validators' votes of some rounds, one full proposal and its round changes. */
export const INBOX_PEER_MESSAGES_MAX = 1_024
export const INBOX_PEER_BYTES_MAX = 2 * MAX_CONSENSUS_MESSAGE_BYTES
/** A validator that is slow to import hears of the next heights before it gets there; further ahead sync is faster. */
export const FUTURE_HEIGHTS = 2
export const FUTURE_PEER_MESSAGES_MAX = 512
export const FUTURE_PEER_BYTES_MAX = MAX_CONSENSUS_MESSAGE_BYTES

interface PeerShare<T> {
  readonly waiting: T[]
  bytes: number
}

/** Messages of one validator that one peer may bring in a second, on average and at once: each costs a recovery. */
export const INBOX_RATE_PER_VALIDATOR = { perSecond: 200, burst: 200 }

/**
 * Each peer's messages in the order they came, the peers in turn, each within its own share: a flood delays nobody's
 * messages but those of who sends it.
 */
export interface MessageQueue<T extends RawMessage> {
  /** False: the peer's share is used up and the message is dropped; its author sends it again. */
  push(message: T): boolean
  shift(): T | undefined
  readonly size: number
  readonly bytes: number
  /** How many messages wait of the peer that has most. */
  readonly largestShare: number
}

export function createMessageQueue<T extends RawMessage>(limits: { count: number; bytes: number }): MessageQueue<T> {
  /** In the order of their turns. */
  const shares = new Map<Address, PeerShare<T>>()
  let size = 0
  let total = 0

  return {
    push(message) {
      const share = shares.get(message.from) ?? { waiting: [], bytes: 0 }
      const bytes = share.bytes + message.bytes.length
      if (share.waiting.length >= limits.count || bytes > limits.bytes) return false
      share.waiting.push(message)
      share.bytes = bytes
      shares.set(message.from, share)
      size += 1
      total += message.bytes.length
      return true
    },
    shift() {
      const [turn] = shares
      if (turn === undefined) return undefined
      const [from, share] = turn
      const message = share.waiting.shift()!
      share.bytes -= message.bytes.length
      shares.delete(from)
      if (share.waiting.length > 0) shares.set(from, share)
      size -= 1
      total -= message.bytes.length
      return message
    },
    get size() {
      return size
    },
    get bytes() {
      return total
    },
    get largestShare() {
      let largest = 0
      for (const { waiting } of shares.values()) largest = Math.max(largest, waiting.length)
      return largest
    },
  }
}

/** Messages of the heights just above ours, unread until we get there. */
export interface FutureMessages {
  push(message: RawMessage, height: number): void
  /** Those of `height`, in the order they came; lower ones are forgotten. */
  take(height: number): RawMessage[]
  readonly size: number
  readonly bytes: number
  readonly largestShare: number
}

export function createFutureMessages(): FutureMessages {
  const limits = { count: FUTURE_PEER_MESSAGES_MAX, bytes: FUTURE_PEER_BYTES_MAX }
  type Waiting = RawMessage & { height: number }
  let queue = createMessageQueue<Waiting>(limits)

  return {
    push: (message, height) => void queue.push({ ...message, height }),
    take(height) {
      const due: RawMessage[] = []
      const rest = createMessageQueue<Waiting>(limits)
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (next.height === height) due.push({ from: next.from, bytes: next.bytes })
        else if (next.height > height) rest.push(next)
      }
      queue = rest
      return due
    },
    get size() {
      return queue.size
    },
    get bytes() {
      return queue.bytes
    },
    get largestShare() {
      return queue.largestShare
    },
  }
}
