import type { Clock } from '../base/clock.js'
import { type TokenBucket, createTokenBucket } from '../base/token-bucket.js'

const PEERS_REMEMBERED_MAX = 1_024

/** A rate for each peer; what was longest without asking is forgotten first. */
export interface PeerRates {
  /** False: the peer is above its rate. */
  take(peerId: string): boolean
}

export function createPeerRates(rate: { perSecond: number; burst: number }, clock: Pick<Clock, 'now'>): PeerRates {
  const buckets = new Map<string, TokenBucket>()
  return {
    take(peerId) {
      const bucket = buckets.get(peerId) ?? createTokenBucket(rate, clock.now())
      buckets.delete(peerId)
      const [oldest] = buckets.keys()
      if (buckets.size >= PEERS_REMEMBERED_MAX && oldest !== undefined) buckets.delete(oldest)
      buckets.set(peerId, bucket)
      return bucket.take(clock.now())
    },
  }
}
