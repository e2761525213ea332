/** Time as a port: the node runs on the system clock, the simulator on a virtual one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Runs `run` once, `delayMs` from now at the earliest; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void
}

/** setTimeout clamps longer delays to 1 ms, silently. */
const TIMEOUT_MS_MAX = 0x7fffffff

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), TIMEOUT_MS_MAX))
    return () => clearTimeout(timer)
  },
}
