import { DOOR, type Door } from '@songhua/contracts/membership/kinds'
import { assert } from '../base/assert.js'
import type { Clock } from '../base/clock.js'
import type { Method, Session } from './method.js'
import type { ChainReader, ReadGuard } from './ports.js'

/**
 * Who sends is judged by the rights of the account that signed, who reads by the key that came with the request: a newcomer
 * may apply without one. What answers with more than the hash (`eth_sendRawTransactionSync`) reads.
 */
const OPEN_METHODS: ReadonlySet<string> = new Set(['eth_sendRawTransaction', 'rpc.discover'])

/** The door of a method, that of its namespace; undefined: it is open to all, or no method of the chain's. */
export function doorOf(method: string): Door | undefined {
  const namespace = method.slice(0, Math.max(0, method.indexOf('_')))
  return !OPEN_METHODS.has(method) && Object.hasOwn(DOOR, namespace) ? (namespace as Door) : undefined
}

/** @returns what throws when the reader may not call the method */
export function createAdmission(methods: readonly Method[], reads: ReadGuard): (method: Method, session: Session) => void {
  const doors = new Map(methods.map(({ name }) => [name, doorOf(name)]))
  for (const [name, door] of doors) assert(door !== undefined || OPEN_METHODS.has(name), `${name} has a door, or is open on purpose`)
  return ({ name }, { authorization }) => {
    const door = doors.get(name)
    if (door !== undefined) reads.check(door, authorization)
  }
}

/** Of filters and subscriptions. */
const LASTING: Door = 'eth'
/** How often keys are looked at between blocks, ms: a revocation holds within a second or two, also on a chain that rests. */
const LOOK_MS = 1_000

interface WatchPorts {
  readonly chain: Pick<ChainReader, 'onHead'>
  readonly reads: ReadGuard
  readonly clock: Clock
}

/** Holds what was opened under a right to read. */
export interface ReadHolder {
  endUnreadable(mayRead: (authorization: string | undefined) => boolean): void
}

export interface ReadWatch {
  add(holder: ReadHolder): void
  stop(): void
}

/** What was opened under a right to read ends with it: at every block, and when a key is revoked. */
export function watchReads({ chain, reads, clock }: WatchPorts): ReadWatch {
  const holders: ReadHolder[] = []
  const mayRead = (authorization: string | undefined): boolean => {
    try {
      reads.check(LASTING, authorization)
      return true
    } catch {
      // Whatever stands in the way of judging: nobody goes on unjudged.
      return false
    }
  }
  const look = (): void => {
    for (const holder of holders) holder.endUnreadable(mayRead)
  }
  const lookAgain = (): void => {
    look()
    cancel = clock.after(LOOK_MS, lookAgain)
  }
  const endHeads = chain.onHead(look)
  let cancel = clock.after(LOOK_MS, lookAgain)
  return {
    add: (holder) => void holders.push(holder),
    stop() {
      endHeads()
      cancel()
    },
  }
}
