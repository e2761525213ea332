import { addressKey } from '../../base/address-key.js'
import { createTokenBucket, type TokenBucket } from '../../base/token-bucket.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'

/** Who may do how much how fast. Each refuses with `RATE_LIMITED`, which says when to come back. */
export interface Rates {
  request(keyId: string): void
  records(keyId: string, count: number): void
  /** A request without a key, or with one that was refused. */
  anonymous(address: string): void
  /** @param count more than one for evidence that takes as much work as so many others */
  verify(address: string, count?: number): void
}

/** Token buckets by key; whoever was not seen for longest is forgotten, and begins anew with a full one. */
function createBuckets(rate: { perSecond: number; burst: number; name: string; max: number }, now: () => number) {
  const buckets = new Map<string, TokenBucket>()
  return (key: string, count = 1): void => {
    const nowMs = now()
    const bucket = buckets.get(key) ?? createTokenBucket(rate, nowMs)
    buckets.delete(key)
    buckets.set(key, bucket)
    if (buckets.size > rate.max) buckets.delete(buckets.keys().next().value!)
    if (bucket.take(nowMs, count)) return
    const retryAfterS = Math.max(1, Math.ceil(bucket.waitMs(nowMs, count) / 1000))
    throw gatewayError('RATE_LIMITED', { limit: rate.name, retryAfterS })
  }
}

export function createRates(limits: GatewayLimits, clock: { now(): number }): Rates {
  const now = (): number => clock.now()
  const buckets = (name: string, perSecond: number, burst: number) =>
    createBuckets({ name, perSecond, burst, max: limits.ratesMax }, now)
  const request = buckets('requestsPerSecond', limits.requestsPerSecond, limits.requestsBurst)
  const records = buckets('recordsPerSecond', limits.recordsPerSecond, limits.recordsBurst)
  const anonymous = buckets('anonymousPerSecond', limits.anonymousPerSecond, limits.anonymousBurst)
  const verify = buckets('verifyPerSecond', limits.verifyPerSecond, limits.verifyBurst)
  return {
    request,
    records,
    anonymous: (address) => anonymous(addressKey(address)),
    verify: (address, count) => verify(addressKey(address), count),
  }
}
