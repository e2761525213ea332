import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { Clock } from '@songhua/node/base/clock'
import type { MessageKind } from '@songhua/node/consensus/messages'
import type { Random } from './random.js'

/** `hello`: a connection, over which each names its head. */
export type Traffic = MessageKind | 'block' | 'transaction' | 'hello'

/** What the links do to messages; all of it is decided by the seed. */
export interface LinkRules {
  readonly delayMs: { readonly min: number; readonly max: number }
  /** Share of the messages that are lost. */
  readonly loss: number
  /** Share of the messages that arrive twice. */
  readonly duplicates: number
  /** Share of the messages that arrive long after later ones. */
  readonly late: number
  /** Whether a message may pass from one station to the other at this moment. */
  readonly passes: (from: number, to: number, kind: Traffic) => boolean
}

/** Whoever messages are sent to. */
export interface Station {
  readonly at: number
  readonly address: Address
  readonly isUp: boolean
  /** Whether its word can be taken. */
  readonly isHonest: boolean
  /** Grows with each restart; what was on its way to an earlier life is lost. */
  readonly life: number
  /** The head that it names to who connects. */
  readonly namedHead: number
  /** The bytes of a consensus message, handed over by `from`. */
  hear(from: Address, bytes: Uint8Array): void
  /** RLP of a block, said to be sealed. */
  hearBlock(from: Station, block: Uint8Array): void
  hearTransaction(transaction: Transaction): void
  hearPeer(peer: Station): void
}

const LATE_MS_MAX = 3_000
const HANDSHAKE_MS_MAX = 20

export const HEALTHY_LINKS: LinkRules = {
  delayMs: { min: 1, max: 5 }, loss: 0, duplicates: 0, late: 0, passes: () => true,
}

export interface NetworkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly onFault: (fault: string) => void
}

/** Links between all stations, over virtual time. */
export class SimulatedNetwork {
  readonly stations: Station[] = []
  messages = 0
  readonly #options: NetworkOptions
  #links: LinkRules = HEALTHY_LINKS

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  get links(): LinkRules {
    return this.#links
  }

  /** Who could not reach each other and now can connects anew. */
  set links(next: LinkRules) {
    const before = this.#links
    this.#links = next
    for (const one of this.stations) for (const other of this.stations) {
      if (one.at < other.at && !isOpen(before, one, other) && isOpen(next, one, other)) this.#greet(one, other)
    }
  }

  /** A station has come up. */
  connect(station: Station): void {
    for (const other of this.stations) if (other !== station) this.#greet(station, other)
  }

  deliver(from: Station, to: Station, { kind, arrive }: { kind: Traffic; arrive: () => void }): void {
    // Nobody has a link to the holder of its own key.
    if (from.address === to.address) return
    this.messages++
    const { random, onFault } = this.#options
    const { loss, duplicates, late, passes } = this.#links
    if (!passes(from.at, to.at, kind)) return onFault('cut')
    if (loss > 0 && random.chance(loss)) return onFault('drop')
    this.#travel(to, arrive, late)
    if (duplicates === 0 || !random.chance(duplicates)) return
    onFault('duplicate')
    this.#travel(to, arrive, late)
  }

  #travel(to: Station, arrive: () => void, late: number): void {
    const { clock, random, onFault } = this.#options
    const { min, max } = this.#links.delayMs
    const { life } = to
    const isLate = late > 0 && random.chance(late)
    if (isLate) onFault('reorder')
    const delayMs = min + Math.floor(random.next() * (max - min)) + (isLate ? random.integer(1, LATE_MS_MAX) : 0)
    clock.after(delayMs, () => {
      if (to.isUp && to.life === life) arrive()
    })
  }

  #greet(one: Station, other: Station): void {
    if (one.address === other.address || !one.isUp || !other.isUp || !isOpen(this.#links, one, other)) return
    const lives = [one.life, other.life]
    this.#options.clock.after(this.#options.random.integer(1, HANDSHAKE_MS_MAX), () => {
      const isSame = one.life === lives[0] && other.life === lives[1] && one.isUp && other.isUp
      if (!isSame || !isOpen(this.#links, one, other)) return
      one.hearPeer(other)
      other.hearPeer(one)
    })
  }
}

const isOpen = ({ passes }: LinkRules, one: Station, other: Station): boolean =>
  passes(one.at, other.at, 'hello') && passes(other.at, one.at, 'hello')
