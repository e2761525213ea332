import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTurns, groupsOf, mapInOrder } from '@songhua/sdk/connection/stream'
import { sleep } from '../support/devnet.js'
import { collect } from './support.js'

async function* asyncOf<T>(items: readonly T[], delayOf: (at: number) => number = () => 0): AsyncGenerator<T> {
  for (const [at, item] of items.entries()) {
    if (delayOf(at) > 0) await sleep(delayOf(at))
    yield item
  }
}

describe('groupsOf', () => {
  it('gives every item once and in order, in groups of at most the size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer(), { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (items, size) => {
        for (const source of [items, asyncOf(items)]) {
          const groups = await collect(groupsOf(source, { size, delayMs: 1000 }))
          expect(groups.flat()).toEqual(items)
          expect(groups.slice(0, -1).every((group) => group.length === size)).toBe(true)
          expect(groups.every((group) => group.length > 0)).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('closes a group whose source is slow, and waits without limit for the first of the next', async () => {
    const slow = asyncOf([1, 2, 3], (at) => (at === 2 ? 150 : 0))
    expect(await collect(groupsOf(slow, { size: 10, delayMs: 30 }))).toEqual([[1, 2], [3]])
  })

  it('passes on the failure of its source, after what came before', async () => {
    async function* failing() {
      yield 1
      await sleep(1)
      throw new Error('the file is broken')
    }
    const seen: number[][] = []
    const run = async (): Promise<void> => {
      for await (const group of groupsOf(failing(), { size: 1, delayMs: 10 })) seen.push(group)
    }
    await expect(run()).rejects.toThrow('the file is broken')
    expect(seen).toEqual([[1]])
  })

  it('closes its source when it is left', async () => {
    let isClosed = false
    async function* source() {
      try {
        for (let at = 0; ; at++) yield await Promise.resolve(at)
      } finally {
        isClosed = true
      }
    }
    for await (const _ of groupsOf(source(), { size: 3, delayMs: 10 })) break
    await sleep(1)
    expect(isClosed).toBe(true)
  })
})

describe('mapInOrder', () => {
  it('keeps the order whatever each takes, with no more at one time than allowed', async () => {
    const delays = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(delays, fc.integer({ min: 1, max: 4 }), async (takes, concurrency) => {
        let running = 0
        let most = 0
        const run = async (ms: number): Promise<number> => {
          most = Math.max(most, ++running)
          await sleep(ms)
          running--
          return ms
        }
        expect(await collect(mapInOrder(asyncOf(takes), { concurrency, run }))).toEqual(takes)
        expect(most).toBeLessThanOrEqual(concurrency)
        expect(most).toBe(Math.min(concurrency, takes.length))
      }),
      { numRuns: 25 },
    )
  })

  it('gives a result as soon as it is there, though the source is slow', async () => {
    const source = asyncOf(['first', 'second'], (at) => at * 400)
    const startedMs = performance.now()
    for await (const one of mapInOrder(source, { concurrency: 4, run: (item) => Promise.resolve(item) })) {
      if (one === 'first') expect(performance.now() - startedMs).toBeLessThan(390)
    }
  })

  it('gives what came before a task that fails, throws its failure, and stops the others', async () => {
    const aborted: number[] = []
    const run = async (item: number, signal: AbortSignal): Promise<number> => {
      signal.addEventListener('abort', () => aborted.push(item))
      if (item === 2) throw new Error('two')
      await sleep(item < 2 ? 5 : 200)
      return item
    }
    const seen: number[] = []
    const all = async (): Promise<void> => {
      for await (const one of mapInOrder(asyncOf([0, 1, 2, 3]), { concurrency: 4, run })) seen.push(one)
    }
    await expect(all()).rejects.toThrow('two')
    expect(seen).toEqual([0, 1])
    expect(aborted).toContain(3)
  })

  it('gives what is under way before it throws the failure of the source', async () => {
    async function* failing() {
      yield* [1, 2]
      throw await Promise.resolve(new Error('no more'))
    }
    const seen: number[] = []
    const all = async (): Promise<void> => {
      const run = (item: number): Promise<number> => sleep(20).then(() => item)
      for await (const one of mapInOrder(failing(), { concurrency: 4, run })) seen.push(one)
    }
    await expect(all()).rejects.toThrow('no more')
    expect(seen).toEqual([1, 2])
  })

  it('passes the caller’s signal on to the tasks', async () => {
    const stop = new AbortController()
    const run = (_: number, signal: AbortSignal): Promise<string> =>
      new Promise((done) => {
        signal.addEventListener('abort', () => done(String(signal.reason)))
        stop.abort('enough')
      })
    expect(await collect(mapInOrder(asyncOf([1]), { concurrency: 1, run, signal: stop.signal }))).toEqual(['enough'])
  })
})

describe('createTurns', () => {
  it('lets others run in the middle of long work', async () => {
    const turn = createTurns(5)
    let others = 0
    const timer = setInterval(() => others++, 1)
    // Work that gave way to nobody would go on to this end.
    const untilMs = performance.now() + 10_000
    while (others <= 3 && performance.now() < untilMs) await turn()
    clearInterval(timer)
    expect(others).toBeGreaterThan(3)
  })
})
