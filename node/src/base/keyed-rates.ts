import type { Clock } from './clock.js'
import { type TokenBucket, createTokenBucket } from './token-bucket.js'

const KEYS_REMEMBERED_MAX = 1_024

/** A rate for each key, such as a peer; what was longest without asking is forgotten first. */
export interface KeyedRates {
  /** False: the key is above its rate. One unless told; parts of one count too. */
  take(key: string, count?: number): boolean
}

export function createKeyedRates(rate: { perSecond: number; burst: number }, clock: Pick<Clock, 'now'>): KeyedRates {
  const buckets = new Map<string, TokenBucket>()
  return {
    take(key, count = 1) {
      const bucket = buckets.get(key) ?? createTokenBucket(rate, clock.now())
      buckets.delete(key)
      const [oldest] = buckets.keys()
      if (buckets.size >= KEYS_REMEMBERED_MAX && oldest !== undefined) buckets.delete(oldest)
      buckets.set(key, bucket)
      return bucket.take(clock.now(), count)
    },
  }
}
