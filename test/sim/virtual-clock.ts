import type { Clock } from '@songhua/node/base/clock'

interface Timer {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** How many timers run before the process gets a turn of its event loop, for whoever else lives in it. */
const TIMERS_PER_TURN = 1_024

/** Time that stands still until somebody waits for it. Timers of one instant run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs: number
  #order = 0
  /** A binary heap, the first timer at its root. */
  readonly #heap: Timer[] = []

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    if (!Number.isInteger(delayMs)) throw new Error(`a delay of ${delayMs} ms: virtual time runs in whole milliseconds`)
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run }
    this.#push(timer)
    return () => (timer.run = undefined)
  }

  /** Runs what is due next, until nothing in memory is under way any more; false when nothing is due. */
  async next(): Promise<boolean> {
    let timer = this.#pop()
    while (timer !== undefined && timer.run === undefined) timer = this.#pop()
    if (timer === undefined) return false
    this.#nowMs = timer.atMs
    timer.run!()
    await settled()
    if (timer.order % TIMERS_PER_TURN === 0) await new Promise((resume) => setImmediate(resume))
    return true
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(timer, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = timer
  }

  #pop(): Timer | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

const isBefore = (left: Timer, right: Timer): boolean =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)

/** Node runs a tick's callback when no microtask is left; a turn of the event loop would cost ten times more. */
export const settled = (): Promise<void> => new Promise((resume) => process.nextTick(resume))
