import { setImmediate } from 'node:timers/promises'

/** Longest stretch that requests keep the thread before other work gets its turn, ms: consensus shares it. */
const STRETCH_MS_MAX = 5

/** The node's own long loops take turns as one client more. */
const OWN_LOOPS = ''

type Lane = (() => void)[]

/** Clients that wait, in the order in which they are served, and the askers of each; one for the thread, for it is shared. */
const clients = new Map<string, Map<object, Lane>>()
let isServing = false

/**
 * Waits for a stretch of the thread. However many requests wait, together they keep it no longer than one stretch at
 * a time, and each client gets its turn after one turn of every other, however many connections and pipelined requests
 * the others have: a flood waits behind itself. The askers of one client take turns in the same way.
 * @param asker whose turns are taken in order; a session, or an object of its own for a single request
 * @param client the address that asks
 */
export function takeTurn(asker: object, client: string): Promise<void> {
  return new Promise((resolve) => {
    const askers = clients.get(client) ?? new Map<object, Lane>()
    clients.set(client, askers)
    const lane = askers.get(asker)
    if (lane) lane.push(resolve)
    else askers.set(asker, [resolve])
    if (!isServing) void serve()
  })
}

async function serve(): Promise<void> {
  isServing = true
  while (clients.size > 0) {
    const since = performance.now()
    while (clients.size > 0 && performance.now() - since < STRETCH_MS_MAX) {
      nextTurn()?.()
      // Lets it run.
      await Promise.resolve()
    }
    await setImmediate()
  }
  isServing = false
}

function nextTurn(): (() => void) | undefined {
  const [client, askers] = first(clients)
  const [asker, lane] = first(askers)
  const turn = lane.shift()
  // To the end of the line, as long as there is more to do.
  clients.delete(client)
  askers.delete(asker)
  if (lane.length > 0) askers.set(asker, lane)
  if (askers.size > 0) clients.set(client, askers)
  return turn
}

function first<K, V>(line: ReadonlyMap<K, V>): [K, V] {
  for (const entry of line) return entry
  throw new RangeError('nobody waits')
}

/**
 * @param client for whom the loop runs; the node itself unless told
 * @returns a function to await between items of a long loop: it lets other work run once a stretch is used up
 */
export function createTurns(client = OWN_LOOPS): () => Promise<void> | undefined {
  const asker = {}
  let since = performance.now()
  return () => {
    if (performance.now() - since < STRETCH_MS_MAX) return undefined
    return takeTurn(asker, client).then(() => {
      since = performance.now()
    })
  }
}
