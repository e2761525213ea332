/** Waiting and trying again, under the caller's signal. */

export interface RetryPolicy {
  /** How long to try in all, ms; a try under way is not cut off by it. */
  readonly timeoutMs: number
  /** Before the second try; doubled for each further one. */
  readonly delayMs: number
  readonly delayMsMax: number
}

export const DEFAULT_RETRY: RetryPolicy = { timeoutMs: 60_000, delayMs: 200, delayMsMax: 10_000 }

/** Rejects with the signal's reason when it aborts. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(reasonOf(signal!))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, delayMs)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reasonOf(signal)
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}

/** Half of it fixed, half by chance, so that many clients of one gateway do not come back together. */
export function backOffMs(policy: RetryPolicy, attempt: number): number {
  const full = Math.min(policy.delayMs * 2 ** attempt, policy.delayMsMax)
  return full / 2 + (full / 2) * Math.random()
}

/** What to do about a failed try: undefined to give up, otherwise how long to wait at least, ms. */
export type RetryDecision = (error: unknown) => number | undefined

/** @throws what the last try threw; the signal's reason when it aborts */
export async function withRetry<T>(
  run: () => Promise<T>,
  options: { policy: RetryPolicy; decide: RetryDecision; signal?: AbortSignal | undefined },
): Promise<T> {
  const { policy, decide, signal } = options
  const untilMs = Date.now() + policy.timeoutMs
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal)
    try {
      return await run()
    } catch (error) {
      throwIfAborted(signal)
      const leastMs = decide(error)
      if (leastMs === undefined) throw error
      const waitMs = Math.max(leastMs, backOffMs(policy, attempt))
      if (Date.now() + waitMs > untilMs) throw error
      await sleep(waitMs, signal)
    }
  }
}

/** The signal of the caller and a time limit, in one. The limit aborts with a `TimeoutError`. */
export function withTimeout(signal: AbortSignal | undefined, timeoutMs: number): AbortSignal {
  const limit = AbortSignal.timeout(timeoutMs)
  return signal === undefined ? limit : AbortSignal.any([signal, limit])
}
