/** Numbers that follow from a seed: the same in every run and on every machine. */
export interface Seeded {
  /** Uniform in [0, 1). */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number
  pick<T>(items: readonly T[]): T
  /** Waiting time of a Poisson process, in the unit of `mean`. */
  exponential(mean: number): number
}

/** Mulberry32 over a hash of seed and label: streams with different labels do not move each other. */
export function createSeeded(seed: number, label = ''): Seeded {
  let state = [...label].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), seed ^ 0x811c9dc5)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    integer,
    pick: (items) => items[integer(0, items.length - 1)]!,
    exponential: (mean) => -Math.log(1 - next()) * mean,
  }
}
