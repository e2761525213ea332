import type { Clock } from '../base/clock.js'
import type { Prng } from '../base/prng.js'
import type { KnownPeer } from './control.js'
import {
  ADDRESSES_PER_PEER_MAX,
  ADDRESS_BOOK_PEERS_MAX,
  LEARNT_PEER_ATTEMPTS_MAX,
  type NetworkLimits,
} from './limits.js'

interface Entry {
  readonly id: string
  readonly isBootnode: boolean
  /** What the operator gave, of a bootnode. */
  configured: string[]
  /** The peer that answered at a bootnode's addresses instead of it, when the key there is another one. */
  answeredBy: string | undefined
  /** Configured ones, then what the peer says of itself, newest first; multiaddrs with the peer id. */
  addresses: string[]
  /** What others say of it, newest first. */
  heard: string[]
  attempts: number
  refusals: number
  notBeforeMs: number
}

/** A bootnode at whose addresses, as the operator gave them, another key answers. */
export interface Displaced {
  readonly id: string
  readonly configured: readonly string[]
  readonly answeredBy: string
}

export type BackOffLimits = Pick<NetworkLimits, 'redialMinMs' | 'redialMaxMs' | 'refusedMinMs' | 'refusedMaxMs'>

/** Whom to dial, where, and when at the earliest. */
export interface AddressBook {
  addBootnode(id: string, address: string): void
  /** Addresses that a peer announced of itself. They may be wrong: whoever answers must own the key. */
  learn(id: string, addresses: readonly string[]): void
  /** Addresses that somebody else announced of it: they only fill the room that its own leave. */
  hear(id: string, addresses: readonly string[]): void
  /** Whether it was configured, or answered where one that was configured should be. */
  isBootnode(id: string): boolean
  /** Where the operator says that a bootnode is; none of a peer that is no bootnode. */
  configuredOf(id: string): readonly string[]
  /** At the addresses of a bootnode another key answers; undefined: its own does again. */
  onAnswer(bootnodeId: string, by: string | undefined): void
  answeredBy(bootnodeId: string): string | undefined
  displaced(): Displaced[]
  addressesOf(id: string): readonly string[]
  /** Those whose time has come. */
  due(nowMs: number): string[]
  /** The next moment at which `due` may answer more. */
  nextDueMs(): number
  onFailure(id: string): void
  onRefusal(id: string): void
  onStable(id: string): void
  /** Forgets every back-off, as when the list of admitted nodes has changed. */
  retryAll(): void
  known(): KnownPeer[]
}

/** `minMs` doubled for each attempt up to `maxMs`, less up to half by chance, so that peers do not dial in step. */
export function backOffMs(attempts: number, range: { minMs: number; maxMs: number }, prng: Prng): number {
  const full = Math.min(range.maxMs, range.minMs * 2 ** Math.min(attempts, 30))
  return Math.round(full * (0.5 + prng.next() / 2))
}

const firstOf = (addresses: readonly string[]): string[] => [...new Set(addresses)].slice(0, ADDRESSES_PER_PEER_MAX)

/** With each attempt the next of the heard ones comes first: those that swallow a dial must not hide the others. */
function inTurn({ addresses, heard, attempts }: Entry): string[] {
  const turn = heard.length === 0 ? 0 : attempts % heard.length
  return firstOf([...addresses, ...heard.slice(turn), ...heard.slice(0, turn)])
}

/** No dial of it has failed. */
const FRESH = { attempts: 0, refusals: 0, notBeforeMs: 0 }
const refresh = (entry: Entry): void => void Object.assign(entry, FRESH)

export function createAddressBook(limits: BackOffLimits, { clock, prng }: { clock: Clock; prng: Prng }): AddressBook {
  const entries = new Map<string, Entry>()
  const entryOf = (id: string, isBootnode: boolean): Entry => {
    const entry = { id, isBootnode, configured: [], answeredBy: undefined, addresses: [], heard: [], ...FRESH }
    entries.set(id, entry)
    return entry
  }
  const entryToFill = (id: string): Entry | undefined => {
    const isFull = !entries.has(id) && entries.size >= ADDRESS_BOOK_PEERS_MAX
    return isFull ? undefined : (entries.get(id) ?? entryOf(id, false))
  }
  /** What becomes of a peer becomes of the bootnode in whose place it answered: that is not dialled more eagerly. */
  const entriesOf = (id: string): Entry[] =>
    [...entries.values()].filter((entry) => entry.id === id || entry.answeredBy === id)
  /** What follows a refusal closely, such as the end of a dial that went on beside it, does not shorten its back-off. */
  const postpone = (entry: Entry, delayMs: number): void => {
    entry.notBeforeMs = Math.max(entry.notBeforeMs, clock.now() + delayMs)
  }
  const failed = (entry: Entry): void => {
    postpone(entry, backOffMs(entry.attempts, { minMs: limits.redialMinMs, maxMs: limits.redialMaxMs }, prng))
    entry.attempts += 1
    if (!entry.isBootnode && entry.attempts >= LEARNT_PEER_ATTEMPTS_MAX) entries.delete(entry.id)
  }
  const refused = (entry: Entry): void => {
    postpone(entry, backOffMs(entry.refusals, { minMs: limits.refusedMinMs, maxMs: limits.refusedMaxMs }, prng))
    entry.refusals += 1
  }
  const addressesOf = (id: string): readonly string[] => {
    const entry = entries.get(id)
    return entry === undefined ? [] : inTurn(entry)
  }

  return {
    addBootnode(id, address) {
      const known = entries.get(id)
      const entry = known?.isBootnode === true ? known : entryOf(id, true)
      entry.configured = firstOf([address, ...entry.configured])
      entry.addresses = firstOf([address, ...(known?.addresses ?? [])])
      entry.heard = known?.heard ?? []
    },
    learn(id, addresses) {
      const entry = addresses.length === 0 ? undefined : entryToFill(id)
      if (entry === undefined) return
      // What the operator configured stays in front.
      const order = entry.isBootnode ? [...entry.addresses, ...addresses] : [...addresses, ...entry.addresses]
      entry.addresses = firstOf(order)
    },
    hear(id, addresses) {
      const entry = addresses.length === 0 ? undefined : entryToFill(id)
      if (entry !== undefined) entry.heard = firstOf([...addresses, ...entry.heard])
    },
    isBootnode: (id) => entriesOf(id).some(({ isBootnode }) => isBootnode),
    configuredOf: (id) => entries.get(id)?.configured ?? [],
    onAnswer(bootnodeId, by) {
      const entry = entries.get(bootnodeId)
      if (entry?.isBootnode === true) entry.answeredBy = by
    },
    answeredBy: (bootnodeId) => entries.get(bootnodeId)?.answeredBy,
    displaced: () => [...entries.values()].flatMap(({ id, configured, answeredBy }) => (answeredBy === undefined ? [] : [{ id, configured, answeredBy }])),
    addressesOf,
    due: (nowMs) => [...entries.values()].filter((entry) => entry.notBeforeMs <= nowMs).map((entry) => entry.id),
    nextDueMs: () => Math.min(...[...entries.values()].map((entry) => entry.notBeforeMs)),
    onFailure: (id) => entriesOf(id).forEach(failed),
    onRefusal: (id) => entriesOf(id).forEach(refused),
    onStable: (id) => entriesOf(id).forEach(refresh),
    retryAll: () => entries.forEach(refresh),
    known: () => [...entries.keys()].map((id) => ({ id, addresses: addressesOf(id) })),
  }
}
