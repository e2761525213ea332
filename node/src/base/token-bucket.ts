/** So many a second, with a burst. */
export interface TokenBucket {
  take(nowMs: number): boolean
  /** Milliseconds until a token is there; 0 when one is. */
  waitMs(nowMs: number): number
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
    take(nowMs) {
      fill(nowMs)
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    waitMs(nowMs) {
      fill(nowMs)
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / options.perSecond)
    },
  }
}
