import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { roundTimeoutMs } from '@songhua/node/consensus/rounds'
import { type World, createWorld } from '../sim/world.js'
import { TIMING, transaction } from './fixture.js'

/** Time for any height of this work, dead proposers in a row included. */
const HEIGHT_MS_MAX = 30_000

/** What some heights of steady work cost. */
export interface Stretch {
  readonly heights: number
  /** Rounds after round 0, over all heights. */
  readonly roundsLost: number
  readonly heightsWithRounds: number
  readonly virtualMs: number
}

/** One transaction after the other, each waited for: a block for each, at the pace that the validators have. */
export class Cadence {
  readonly #world: World
  #nonce = 0

  private constructor(world: World) {
    this.#world = world
  }

  static async start(n: number): Promise<Cadence> {
    const world = await createWorld({ n, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    return new Cadence(world)
  }

  /** The longest round that two dead in a row can cost. */
  get roundMsMax(): number {
    return roundTimeoutMs(TIMING, 2)
  }

  kill(who: readonly number[]): void {
    for (const at of who) this.#world.node(at).kill()
  }

  async revive(who: readonly number[]): Promise<void> {
    for (const at of who) await this.#world.node(at).boot()
  }

  async work(heights: number): Promise<Stretch> {
    const world = this.#world
    const startMs = world.clock.now()
    for (let done = 0; done < heights; done++) {
      const next = this.#witness.height + 1
      world.submit(transaction(this.#nonce++))
      await world.untilHeight(next, HEIGHT_MS_MAX)
    }
    const rounds = this.#newest(heights).map(({ header }) => decodeExtraData(header.extraData).round)
    return {
      heights,
      roundsLost: rounds.reduce((sum, round) => sum + round, 0),
      heightsWithRounds: rounds.filter((round) => round > 0).length,
      virtualMs: world.clock.now() - startMs,
    }
  }

  /** Blocks for which others go before this validator. */
  passedOverFor(at: number): number {
    const { rotation, header } = this.#witness.chain.head()
    const { skipUntil } = rotation.missed[this.#world.node(at).address] ?? { skipUntil: 0 }
    return Math.max(0, skipUntil - header.number)
  }

  /** How many of the last `heights` blocks it has built. */
  proposalsOf(at: number, heights: number): number {
    const { address } = this.#world.node(at)
    return this.#newest(heights).filter(({ header }) => header.coinbase === address).length
  }

  /** One that lives all the time. */
  get #witness(): World['nodes'][number] {
    return this.#world.node(0)
  }

  #newest(heights: number) {
    return this.#witness.blocks.slice(-heights)
  }
}
