/** So many a second, with a burst. */
export interface TokenBucket {
  /** All of them or none; one unless told. */
  take(nowMs: number, count?: number): boolean
  /** What has been spent already; the bucket may stand below zero. */
  spend(nowMs: number, count: number): void
  /** Milliseconds until so many are there, one unless told; 0 when they are. More than the burst never are. */
  waitMs(nowMs: number, count?: number): number
}

export function createTokenBucket(options: { perSecond: number; burst: number }, startMs: number): TokenBucket {
  let tokens = options.burst
  let filledMs = startMs
  const fill = (nowMs: number): void => {
    // A clock that steps back must not take tokens away.
    if (nowMs > filledMs) tokens = Math.min(options.burst, tokens + ((nowMs - filledMs) * options.perSecond) / 1000)
    filledMs = nowMs
  }
  return {
    take(nowMs, count = 1) {
      fill(nowMs)
      if (tokens < count) return false
      tokens -= count
      return true
    },
    spend(nowMs, count) {
      fill(nowMs)
      tokens -= count
    },
    waitMs(nowMs, count = 1) {
      fill(nowMs)
      return tokens >= count ? 0 : Math.ceil(((count - tokens) * 1000) / options.perSecond)
    },
  }
}
