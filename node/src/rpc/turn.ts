import { setImmediate } from 'node:timers/promises'

/** Longest stretch that requests keep the thread before other work gets its turn, ms: consensus shares it. */
const STRETCH_MS_MAX = 5

/** Who waits, in the order in which they are served; one for the thread, for it is the thread that is shared. */
const lanes = new Map<object, (() => void)[]>()
let isServing = false

/**
 * Waits for a stretch of the thread. However many requests wait, together they keep it no longer than one stretch at
 * a time, and each asker gets its turn after one turn of every other: a flood waits behind itself.
 * @param asker whose turns are taken in order; a session, or an object of its own for a single request
 */
export function takeTurn(asker: object): Promise<void> {
  return new Promise((resolve) => {
    const lane = lanes.get(asker)
    if (lane) lane.push(resolve)
    else lanes.set(asker, [resolve])
    if (!isServing) void serve()
  })
}

async function serve(): Promise<void> {
  isServing = true
  while (lanes.size > 0) {
    const since = performance.now()
    while (lanes.size > 0 && performance.now() - since < STRETCH_MS_MAX) {
      nextTurn()?.()
      // Lets it run.
      await Promise.resolve()
    }
    await setImmediate()
  }
  isServing = false
}

function nextTurn(): (() => void) | undefined {
  for (const [asker, lane] of lanes) {
    lanes.delete(asker)
    const turn = lane.shift()
    if (lane.length > 0) lanes.set(asker, lane)
    return turn
  }
  return undefined
}

/** @returns a function to await between items of a long loop: it lets other work run once a stretch is used up */
export function createTurns(): () => Promise<void> | undefined {
  const asker = {}
  let since = performance.now()
  return () => {
    if (performance.now() - since < STRETCH_MS_MAX) return undefined
    return takeTurn(asker).then(() => {
      since = performance.now()
    })
  }
}
