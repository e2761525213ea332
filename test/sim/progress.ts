import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import { TIMING } from '../consensus/fixture.js'
import { BrokenInvariant, type Invariant } from './monitor.js'
import type { SimulatedNode } from './node.js'
import type { World } from './world.js'

/**
 * Rounds that one height may take once the network works and everybody is back: one to come together, one for each
 * faulty proposer in a row, and as many again for proposals that clocks put off.
 */
export const roundsToProgress = (validators: number): number => 2 * faultTolerance(validators) + 4

/** Counts the rounds of each height, from where it stands at the healing. */
export class Progress {
  readonly #world: World
  readonly #honest: readonly SimulatedNode[]
  readonly #first: number
  readonly #firstRound: number
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
      return isDone()
    }
    await this.#world.until(step, limit * TIMING.roundTimeoutCapMs, promise)
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
}
