import type { Prng } from '@songhua/node/base/prng'

/** Chance in a simulated run; the same seed gives the same numbers on every machine. */
export interface Random extends Prng {
  /** True in this share of the cases. */
  chance(share: number): boolean
  /** A whole number, both bounds included. */
  integer(min: number, max: number): number
  pick<T>(items: readonly T[]): T
  shuffled<T>(items: readonly T[]): T[]
}

/** mulberry32 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    integer,
    chance: (share) => next() < share,
    pick: (items) => items[integer(0, items.length - 1)]!,
    shuffled(items) {
      const mixed = [...items]
      for (let end = mixed.length - 1; end > 0; end--) {
        const other = integer(0, end)
        ;[mixed[end], mixed[other]] = [mixed[other]!, mixed[end]!]
      }
      return mixed
    },
  }
}
