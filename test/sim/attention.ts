import type { Address } from '@songhua/sdk/protocol/bytes'
import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import { RESENDS_PER_ROUND } from '@songhua/node/consensus/limits'
import { reachedRound, roundTimeoutMs } from '@songhua/node/consensus/rounds'
import type { Clock } from '@songhua/node/base/clock'
import { TIMING } from '../consensus/fixture.js'
import { type Speech, wordsOf } from './speech.js'

/** Virtual time within which a node that waits for no disk and no execution has done what a message asks for. */
const REACTION_MS = 500

/** Where the listener stands. */
export interface Standing {
  readonly height: number
  readonly round: number
  readonly isVoter: boolean
  readonly isSilent: boolean
}

export interface Listener {
  /** Undefined while it is down. */
  standing(): Standing | undefined
  /** Grows with each restart. */
  readonly life: number
  /** When the last write or execution ends that takes noticeable time. */
  readonly slowUntilMs: number
  /** How many validators seal its next block. */
  readonly validatorCount: number
  hasPrepared(height: number, round: number): boolean
}

/**
 * The rules of QBFT 1.5 for what an honest validator must do: be in the round that f + 1 others have reached, prepare what
 * the proposer of its round, or of a later one, proposes, and say again what it has said there. Only what honest validators say themselves is held against
 * it, because that is never wrong and never comes in two versions.
 */
export class Attention {
  readonly #listener: Listener
  readonly #clock: Clock
  readonly #onNeglect: (words: string) => void
  #spokeMs = 0
  #isWatched = false
  /** What one life has heard of one height. */
  #changes = { life: 0, height: 0, rounds: new Map<Address, number>() }

  constructor(listener: Listener, clock: Clock, onNeglect: (words: string) => void) {
    this.#listener = listener
    this.#clock = clock
    this.#onNeglect = onNeglect
  }

  /** This has just arrived from its honest author. */
  note(author: Address, speech: Speech): void {
    const { kind, height, round } = speech
    const standing = this.#standing(height)
    if (standing === undefined) return
    if (kind === 'proposal' && round >= standing.round) {
      const isHeeded = (now: Standing): boolean => now.round > round || this.#listener.hasPrepared(height, round)
      this.#expect(height, isHeeded, `has not prepared the ${wordsOf(speech)}`)
    }
    if (kind !== 'roundChange') return
    const reached = this.#noteChange(author, speech)
    if (reached > standing.round) this.#expect(height, (now) => now.round >= reached, `is not in round ${reached}, as f + 1 others are`)
  }

  /** It has said this, and will say it again as long as it stays where it is. */
  noteOwn({ height, round }: Speech): void {
    this.#spokeMs = this.#clock.now()
    if (this.#listener.validatorCount > 1 && !this.#isWatched) this.#watch(height, round)
  }

  #watch(height: number, round: number): void {
    const { life } = this.#listener
    const sinceMs = this.#clock.now()
    this.#isWatched = true
    this.#clock.after(Math.ceil(roundTimeoutMs(TIMING, round) / RESENDS_PER_ROUND) + REACTION_MS, () => {
      this.#isWatched = false
      const now = this.#standing(height)
      if (now === undefined || now.round !== round || this.#listener.life !== life) return
      const isExcused = this.#spokeMs > sinceMs || this.#listener.slowUntilMs > sinceMs
      if (isExcused) return this.#watch(height, round)
      this.#onNeglect(`says nothing any more in round ${round} of height ${height}`)
    })
  }

  #noteChange(author: Address, { height, round }: Speech): number {
    const { life } = this.#listener
    if (this.#changes.height !== height || this.#changes.life !== life) this.#changes = { life, height, rounds: new Map() }
    const { rounds } = this.#changes
    rounds.set(author, Math.max(round, rounds.get(author) ?? 0))
    return reachedRound([...rounds.values()], faultTolerance(this.#listener.validatorCount))
  }

  /** Undefined for one that has nothing to do at this height. */
  #standing(height: number): Standing | undefined {
    const standing = this.#listener.standing()
    const isAddressed = standing?.height === height && standing.isVoter && !standing.isSilent
    return isAddressed ? standing : undefined
  }

  #expect(height: number, isHeeded: (now: Standing) => boolean, neglect: string): void {
    const { life } = this.#listener
    const heardMs = this.#clock.now()
    this.#clock.after(REACTION_MS, () => {
      const now = this.#standing(height)
      const { life: lifeNow, slowUntilMs } = this.#listener
      if (now === undefined || lifeNow !== life || slowUntilMs > heardMs || isHeeded(now)) return
      this.#onNeglect(`${neglect} of height ${height}, ${REACTION_MS} ms after it has heard of it; it is in round ${now.round}`)
    })
  }
}
