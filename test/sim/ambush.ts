import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Crash } from './disk.js'
import type { LinkRules } from './network.js'
import type { SimulatedNode } from './node.js'
import { sealersAt } from './register.js'
import type { World } from './world.js'

export interface Death {
  readonly afterMs: number
  readonly crash: Crash
  readonly downMs: number
}

export interface DeathWhileWriting {
  /** Counted from now. */
  readonly operation: number
  readonly downMs: number
}

/** What it can do to a world beside cutting its links. */
export interface Means {
  /** A transaction for all who are up. */
  readonly bringWork: () => void
  readonly killAt: (node: SimulatedNode, death: Death) => void
  readonly failPowerIn: (node: SimulatedNode, death: DeathWhileWriting) => void
}

/** The set before a change, and the one after it. */
interface Handover {
  readonly old: readonly Address[]
  readonly next: readonly Address[]
}

type Cut = LinkRules['passes']

/** Round 0's timer takes 2 s, and that of round 1 more: some rounds at the longest. */
const STALL_MS = { min: 2_200, max: 9_000 }
const PARTITION_MS = { min: 1_000, max: 8_000 }
/** In which the others decide what the joiners must learn by sync. */
const ABSENCE_MS = { min: 1_000, max: 12_000 }
const WORK_WITHIN_MS = 200
const DEATH_WITHIN_MS = 300
const DOWN_MS_MAX = 4_000
const WRITES_AHEAD = 6

/**
 * Waits for the blocks around a change of the set, and strikes there: the height that names the new set and the first
 * one that it seals are held up until rounds change, partitioned, or lose those who leave, those who come, or everybody.
 */
export class Ambush {
  readonly #world: World
  readonly #victims: readonly SimulatedNode[]
  readonly #means: Means
  #isOver = false
  #cut: Cut | undefined

  constructor(world: World, victims: readonly SimulatedNode[], means: Means) {
    this.#world = world
    this.#victims = victims
    this.#means = means
    world.monitor.onDecided = ({ height, round }) => this.#afterBlock(height, round)
  }

  /** These links, and what is cut beside them. */
  over(passes: LinkRules['passes']): LinkRules['passes'] {
    return (from, to, kind) => (this.#cut === undefined || this.#cut(from, to, kind)) && passes(from, to, kind)
  }

  stop(): void {
    this.#isOver = true
    this.#heal()
  }

  #afterBlock(height: number, round: number): void {
    const { monitor, random } = this.#world
    const { register } = monitor
    if (round > 0 && this.#isFirstOf(height)) this.#world.noteFault('setChangeInLaterRound')
    if (this.#isOver) return
    if (register.pending.some((change) => change.height > height) && random.chance(0.8)) this.#bringWorkSoon()
    const namesNext = { old: sealersAt(register, height + 1), next: sealersAt(register, height + 2) }
    const takesOver = { old: sealersAt(register, height), next: namesNext.old }
    if (isChange(takesOver)) return random.chance(0.6) ? this.#strike(takesOver) : undefined
    if (isChange(namesNext) && random.chance(0.4)) this.#strike(namesNext)
  }

  #isFirstOf(height: number): boolean {
    const { decided } = this.#world.monitor
    const before = decided.get(height - 2)
    return before !== undefined && isChange({ old: before.validators, next: decided.get(height - 1)!.validators })
  }

  /** Towards the height at which the set changes. */
  #bringWorkSoon(): void {
    const { clock, random } = this.#world
    clock.after(random.integer(0, WORK_WITHIN_MS), () => {
      if (!this.#isOver) this.#means.bringWork()
    })
  }

  #strike(handover: Handover): void {
    const { random } = this.#world
    const choice = random.next()
    if (choice < 0.3) return this.#stall()
    if (choice < 0.5) return this.#partition(handover)
    if (choice < 0.65) return this.#keepAway(handover)
    this.#killSome(handover)
    if (choice > 0.9) this.#stall()
  }

  /** Proposals or Commits reach nobody. */
  #stall(): void {
    const { random } = this.#world
    const silenced = random.pick(['proposal', 'prepare', 'commit'] as const)
    this.#note('setChangeInRoundChange', `nobody hears a ${silenced}`)
    this.#cutFor(random.integer(STALL_MS.min, STALL_MS.max), (_from, _to, kind) => kind !== silenced)
  }

  /** The two sets apart, those who stay on either side; or as it happens. */
  #partition({ old, next }: Handover): void {
    const { random, network } = this.#world
    const isRandom = random.chance(0.3)
    const sideOf = (address: Address): number => {
      if (isRandom || old.includes(address) === next.includes(address)) return random.integer(0, 1)
      return old.includes(address) ? 0 : 1
    }
    const sides = new Map(network.stations.map(({ at, address }) => [at, sideOf(address)]))
    this.#note('setChangeInPartition', `the set is torn: ${[...sides].filter(([, side]) => side === 1).map(([at]) => at).join(',')} apart`)
    this.#cutFor(random.integer(PARTITION_MS.min, PARTITION_MS.max), (from, to) => sides.get(from) === sides.get(to))
  }

  /** Who joins hears nothing of it, and must learn of the change by sync. */
  #keepAway({ old, next }: Handover): void {
    const { random, network } = this.#world
    const away = new Set(network.stations.filter(({ address }) => next.includes(address) && !old.includes(address)).map(({ at }) => at))
    if (away.size === 0) return this.#stall()
    this.#note('joinersAway', `${[...away].join(',')}, who join, hear nothing`)
    this.#cutFor(random.integer(ABSENCE_MS.min, ABSENCE_MS.max), (from, to) => !away.has(from) && !away.has(to))
  }

  #killSome({ old, next }: Handover): void {
    const { random } = this.#world
    const groups = [old, next, old.filter((one) => !next.includes(one)), next.filter((one) => !old.includes(one)), [...old, ...next]]
    const group = random.pick(groups.filter((members) => members.length > 0))
    const isEach = random.chance(0.5)
    this.#note('setChangeInRestart', 'members of the sets die')
    for (const node of this.#victims.filter(({ address }) => group.includes(address))) {
      if (!isEach && random.chance(0.5)) continue
      const downMs = random.chance(0.6) ? random.integer(0, 50) : random.integer(0, DOWN_MS_MAX)
      if (random.chance(0.3)) this.#means.failPowerIn(node, { operation: random.integer(1, WRITES_AHEAD), downMs })
      else this.#means.killAt(node, { afterMs: random.integer(0, DEATH_WITHIN_MS), crash: random.pick(['kill', 'power']), downMs })
    }
  }

  #cutFor(ms: number, cut: Cut): void {
    this.#cut = cut
    this.#world.clock.after(ms, () => {
      if (this.#cut === cut) this.#heal()
    })
  }

  /** Who could not reach each other connects anew. */
  #heal(): void {
    const { links } = this.#world
    const cut = this.#cut
    if (cut === undefined) return
    this.#world.links = { ...links, passes: (from, to, kind) => cut(from, to, kind) && links.passes(from, to, kind) }
    this.#cut = undefined
    this.#world.links = links
  }

  #note(fault: string, words: string): void {
    this.#world.noteFault(fault)
    this.#world.tell(words)
  }
}

const isChange = ({ old, next }: Handover): boolean => String(old) !== String(next)
