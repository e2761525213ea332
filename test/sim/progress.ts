import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import { RESENDS_PER_ROUND } from '@songhua/node/consensus/limits'
import { reachedRound, roundTimeoutMs } from '@songhua/node/consensus/rounds'
import { TIMING } from '../consensus/fixture.js'
import { BrokenInvariant, type Invariant } from './monitor.js'
import type { SimulatedNode } from './node.js'
import type { World } from './world.js'

/**
 * Rounds that one height may take once the network works and everybody is back: one for each faulty proposer in a row,
 * one to come together, and one for a proposal that clocks put off.
 */
export const roundsToProgress = (validators: number): number => faultTolerance(validators) + 2

/** What is on its way when a round begins, and a resend for whoever was deaf then. */
const ROUND_SHARE = 1.5
/** Fetching what one has missed. */
const CATCH_UP_MS = 10_000

/** How long so many rounds after that one may take, ms. */
function durationMs(round: number, rounds: number): number {
  const timeouts = Array.from({ length: rounds + 1 }, (_, at) => roundTimeoutMs(TIMING, round + at))
  return CATCH_UP_MS + Math.ceil(ROUND_SHARE * timeouts.reduce((sum, ms) => sum + ms, 0))
}

/**
 * How long an honest validator may stay below the round that f + 1 honest others have reached, ms: until they have said
 * so again, or others have passed it on, and a second for links and disks.
 */
const behindMs = (round: number): number => Math.ceil((2 * roundTimeoutMs(TIMING, round)) / RESENDS_PER_ROUND) + 1_000

/** Counts the rounds of each height, from where it stands at the healing. */
export class Progress {
  readonly #world: World
  readonly #honest: readonly SimulatedNode[]
  readonly #first: number
  readonly #firstRound: number
  /** Since when somebody is in a round below the others', ms. */
  readonly #behindSince = new Map<SimulatedNode, number>()
  roundsMax = 0

  constructor(world: World, honest: readonly SimulatedNode[]) {
    this.#world = world
    this.#honest = honest
    this.#first = this.height + 1
    const deciding = honest.map(({ driver }) => driver.status()).filter(({ height }) => height === this.#first)
    this.#firstRound = Math.max(0, ...deciding.map(({ round }) => round))
  }

  get height(): number {
    return Math.max(...this.#honest.map(({ height }) => height))
  }

  /** @throws BrokenInvariant after too many rounds, or as long as they would take */
  async until(promise: Invariant, isDone: () => boolean): Promise<void> {
    const limit = this.#limit
    const step = (): boolean => {
      this.#count(limit)
      this.#findBehind()
      return isDone()
    }
    const rounds = this.height + 1 === this.#first ? this.#firstRound : 0
    await this.#world.until(step, durationMs(rounds, limit), promise)
  }

  get #limit(): number {
    return roundsToProgress(this.#world.monitor.validators.length)
  }

  #count(limit: number): void {
    for (const node of this.#honest) {
      const { height, round } = node.driver.status()
      const rounds = height === this.#first ? round - this.#firstRound : round
      if (height <= this.height || rounds <= this.roundsMax) continue
      this.roundsMax = rounds
      if (rounds <= limit) continue
      const words = `height ${height} takes more than ${limit} rounds after healing`
      throw new BrokenInvariant('progress-after-healing', `${words}\n${this.#world.describe()}`)
    }
  }

  #findBehind(): void {
    const { clock, monitor } = this.#world
    const height = this.height + 1
    const voters = this.#honest
      .map((node) => ({ node, ...node.driver.status() }))
      .filter((one) => one.height === height && one.isVoter && !one.isSilent)
    const reached = reachedRound(voters.map(({ round }) => round), faultTolerance(monitor.validators.length))
    const behind = voters.filter(({ round }) => round < reached)
    for (const { node, round } of behind) {
      const sinceMs = this.#behindSince.get(node) ?? clock.now()
      this.#behindSince.set(node, sinceMs)
      if (clock.now() - sinceMs <= behindMs(reached)) continue
      const words = `${node.name} stays in round ${round} of height ${height}, though f + 1 honest others have reached round ${reached}`
      throw new BrokenInvariant('progress-after-healing', `${words}\n${this.#world.describe()}`)
    }
    for (const node of this.#behindSince.keys()) if (!behind.some((one) => one.node === node)) this.#behindSince.delete(node)
  }
}
