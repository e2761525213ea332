import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Cast } from './cast.js'
import { type Motion, councilTransaction, setsOf } from './register.js'
import type { World } from './world.js'

/** Blocks from a motion to the first that the new set seals; 1: the next one. */
const NOTICES = [1, 1, 2, 2, 3, 4, 6] as const

/** Moves what the cast has planned, and changes its mind now and then. */
export class Council {
  readonly #world: World
  readonly #nextNonce: () => number
  #setsDue: (readonly number[])[]
  #suspensionsDue: number

  constructor(world: World, { sets, suspensions }: Cast, nextNonce: () => number) {
    this.#world = world
    this.#nextNonce = nextNonce
    this.#setsDue = sets.slice(1)
    this.#suspensionsDue = suspensions
  }

  /** At the beginning of a phase. */
  meet(): void {
    const { random, monitor, clock } = this.#world
    while (this.#setsDue.length > 0 && random.chance(0.5)) this.#changeSet()
    const isScheduled = monitor.register.pending.some(({ height }) => height > monitor.height + 1)
    if (isScheduled && random.chance(0.2)) this.#replaceChange()
    if (random.chance(0.08)) this.#rotate()
    if (this.#suspensionsDue > 0 && random.chance(0.4)) this.#suspend()
    // While the first ones are pending.
    if (this.#setsDue.length > 0 && random.chance(0.3)) clock.after(random.integer(100, 2_000), () => this.#changeSet())
  }

  #changeSet(): void {
    const { random, monitor, council } = this.#world
    const [set, ...rest] = this.#setsDue
    if (set === undefined) return
    this.#setsDue = rest
    const notice = random.pick(NOTICES)
    this.#world.noteFault('setChange')
    if (notice > 1) this.#world.noteFault('laterSetChange')
    const last = Math.max(0, ...monitor.register.pending.map(({ height }) => height))
    if (last > monitor.height + 1) this.#world.noteFault('overlappingSetChange')
    const validators = set.map((at) => council.addresses[at]!)
    this.#move({ kind: 'change', notice, validators }, `the validators ${set.map((at) => `v${at}`).join(' ')}, ${notice} blocks later`)
  }

  /** The last change is withdrawn, and the same set asked for at another height. */
  #replaceChange(): void {
    const { random, monitor } = this.#world
    const { validators } = monitor.register.pending.at(-1)!
    const notice = random.pick(NOTICES)
    this.#world.noteFault('replacedSetChange')
    this.#move({ kind: 'cancel' }, 'the last change to be cancelled')
    this.#move({ kind: 'change', notice, validators }, `the same set ${notice} blocks later`)
  }

  /** A validator's key is exchanged, in the sets that are scheduled as well. */
  #rotate(): void {
    const { random, monitor, council } = this.#world
    const sets = setsOf(monitor.register)
    const free = council.addresses.filter((address) => this.#setsDue.every((set) => !this.#addressesOf(set).includes(address)) &&
      sets.every((set) => !set.includes(address)))
    if (free.length === 0) return
    const member = random.pick(sets.at(-1)!)
    this.#world.noteFault('rotation')
    this.#move({ kind: 'rotate', member, successor: random.pick(free) }, `another key for ${member}`)
  }

  #suspend(): void {
    const { random, monitor } = this.#world
    const member = random.pick(setsOf(monitor.register).at(-1)!)
    this.#suspensionsDue--
    this.#world.noteFault('suspension')
    this.#move({ kind: 'suspend', member }, `the suspension of ${member}`)
  }

  #addressesOf(set: readonly number[]): Address[] {
    return set.map((at) => this.#world.council.addresses[at]!)
  }

  #move(motion: Motion, words: string): void {
    const { random, alive } = this.#world
    this.#world.tell(`the council asks for ${words}`)
    this.#world.submit(councilTransaction(motion, this.#nextNonce()), random.chance(0.6) ? alive : alive.filter(() => random.chance(0.3)))
  }
}
