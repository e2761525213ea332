import type { Clock } from '@songhua/node/base/clock'
import type { Prng } from '@songhua/node/base/prng'

/** Time that stands still until somebody waits for it. Timers of one instant run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #timers = new Map<number, { atMs: number; run: () => void }>()

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    if (!Number.isInteger(delayMs)) throw new Error(`a delay of ${delayMs} ms: virtual time runs in whole milliseconds`)
    const id = this.#order++
    this.#timers.set(id, { atMs: this.#nowMs + Math.max(0, delayMs), run })
    return () => void this.#timers.delete(id)
  }

  /** Runs what is due next; false when nothing is. All promises have settled before and after. */
  async next(): Promise<boolean> {
    await quiet()
    let first: { id: number; atMs: number; run: () => void } | undefined
    for (const [id, timer] of this.#timers) {
      if (first === undefined || timer.atMs < first.atMs) first = { id, ...timer }
    }
    if (first === undefined) return false
    this.#timers.delete(first.id)
    this.#nowMs = first.atMs
    first.run()
    await quiet()
    return true
  }
}

/** A macrotask comes after all the microtasks: nothing in memory is under way any more. */
const quiet = (): Promise<void> => new Promise((resume) => setImmediate(resume))

/** mulberry32: a run is its seed. */
export function seededPrng(seed: number): Prng {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
