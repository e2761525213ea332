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

interface PeerShare {
  count: number
  bytes: number
}

/** Messages in the order they came, each peer within its own share, so that none can crowd out the others. */
export interface MessageQueue<T extends RawMessage> {
  /** False: the peer's share is used up and the message is dropped; its author sends it again. */
  push(message: T): boolean
  shift(): T | undefined
  readonly size: number
}

export function createMessageQueue<T extends RawMessage>(limits: { count: number; bytes: number }): MessageQueue<T> {
  let waiting: T[] = []
  let first = 0
  const shares = new Map<Address, PeerShare>()

  return {
    push(message) {
      const share = shares.get(message.from) ?? { count: 0, bytes: 0 }
      const bytes = share.bytes + message.bytes.length
      if (share.count >= limits.count || bytes > limits.bytes) return false
      shares.set(message.from, { count: share.count + 1, bytes })
      waiting.push(message)
      return true
    },
    shift() {
      const message = waiting[first]
      if (message === undefined) return undefined
      first++
      if (first > 1_024 && first * 2 > waiting.length) {
        waiting = waiting.slice(first)
        first = 0
      }
      const share = shares.get(message.from)!
      if (share.count === 1) shares.delete(message.from)
      else shares.set(message.from, { count: share.count - 1, bytes: share.bytes - message.bytes.length })
      return message
    },
    get size() {
      return waiting.length - first
    },
  }
}

/** Messages of the heights just above ours, unread until we get there. */
export interface FutureMessages {
  push(message: RawMessage, height: number): void
  /** Those of `height`, in the order they came; lower ones are forgotten. */
  take(height: number): RawMessage[]
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
  }
}
