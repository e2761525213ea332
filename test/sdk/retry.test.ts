import { describe, expect, it } from 'vitest'
import { backOffMs, sleep, withRetry, withTimeout } from '@songhua/sdk/connection/retry'

const policy = { timeoutMs: 1000, delayMs: 2, delayMsMax: 8 }

describe('withRetry', () => {
  it('tries until it succeeds, as long as the failures may pass', async () => {
    let tries = 0
    const run = (): Promise<number> => (++tries < 4 ? Promise.reject(new Error('busy')) : Promise.resolve(tries))
    expect(await withRetry(run, { policy, decide: () => 0 })).toBe(4)
  })

  it('throws at once what does not pass', async () => {
    let tries = 0
    const run = (): Promise<never> => Promise.reject(new Error(`wrong key ${++tries}`))
    await expect(withRetry(run, { policy, decide: () => undefined })).rejects.toThrow('wrong key 1')
  })

  it('does not wait where the wait would outlast its time', async () => {
    let tries = 0
    const run = (): Promise<never> => Promise.reject(new Error(`busy ${++tries}`))
    await expect(withRetry(run, { policy, decide: () => 5000 })).rejects.toThrow('busy 1')
  })

  it('ends with the caller’s reason, in a try and between two', async () => {
    const stop = new AbortController()
    const run = (): Promise<never> => {
      stop.abort(new Error('enough'))
      return Promise.reject(new Error('busy'))
    }
    await expect(withRetry(run, { policy, decide: () => 0, signal: stop.signal })).rejects.toThrow('enough')
    const later = new AbortController()
    const waiting = withRetry(() => Promise.reject(new Error('busy')), {
      policy: { ...policy, timeoutMs: 60_000 }, decide: () => 30_000, signal: later.signal,
    })
    setTimeout(() => later.abort(new Error('in between')), 10)
    await expect(waiting).rejects.toThrow('in between')
  })
})

describe('the back-off', () => {
  it('doubles to its maximum, and never falls below half of it', () => {
    for (const [attempt, full] of [[0, 2], [1, 4], [2, 8], [3, 8], [60, 8]] as const) {
      const waits = Array.from({ length: 50 }, () => backOffMs(policy, attempt))
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(full / 2)
      expect(Math.max(...waits)).toBeLessThanOrEqual(full)
    }
  })
})

describe('signals', () => {
  it('end a sleep that has begun, and one that has not', async () => {
    await expect(sleep(10_000, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    await expect(sleep(10_000, AbortSignal.abort('no error'))).rejects.toThrow('no error')
    await expect(sleep(1, new AbortController().signal)).resolves.toBeUndefined()
  })

  it('are joined with a time limit', async () => {
    const limited = withTimeout(new AbortController().signal, 5)
    await sleep(30)
    expect((limited.reason as Error).name).toBe('TimeoutError')
    const own = new AbortController()
    const joined = withTimeout(own.signal, 60_000)
    own.abort(new Error('mine'))
    expect(joined.reason).toEqual(new Error('mine'))
  })
})
