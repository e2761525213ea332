import fc from 'fast-check'

/** `FUZZ_RUNS=100` makes every property run a hundred times as often; `npm run fuzz -- --runs 100` sets it. */
const FACTOR = Number(process.env['FUZZ_RUNS'] ?? '1')
if (!(FACTOR > 0)) throw new Error(`FUZZ_RUNS is ${process.env['FUZZ_RUNS']}; it takes a number above 0`)

/** Of one test, in ms: a property that hangs fails by it. */
export const FUZZ_TIMEOUT_MS = Math.max(60_000, 40_000 * FACTOR)

/** What fast-check is to do: `usual` runs in CI, more by hand. A failure prints seed, path and the smallest input. */
export function runs(usual: number): { numRuns: number } {
  return { numRuns: Math.max(1, Math.round(usual * FACTOR)) }
}

/** @throws Error of fast-check with seed, path and counterexample */
export function holds<T>(arbitrary: fc.Arbitrary<T>, usual: number, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, (value) => void predicate(value)), runs(usual))
}

/** @throws (rejects) Error of fast-check with seed, path and counterexample */
export function holdsAsync<T>(arbitrary: fc.Arbitrary<T>, usual: number, predicate: (value: T) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, predicate), runs(usual))
}
