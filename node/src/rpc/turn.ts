import { setImmediate } from 'node:timers/promises'

/** Longest stretch that one request keeps the thread, ms: consensus shares it. */
const STRETCH_MS_MAX = 5

/** @returns a function to await between items of a long loop: it lets other work run once a stretch is used up */
export function createTurns(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < STRETCH_MS_MAX) return undefined
    return setImmediate().then(() => {
      since = performance.now()
    })
  }
}
