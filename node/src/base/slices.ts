import { setImmediate } from 'node:timers/promises'

/** Longest stretch of one long job before other work of the thread gets its turn, ms. */
const SLICE_MS_MAX = 10

/** Maps many items without keeping the thread: between slices of some milliseconds, whatever else waits is served. */
export async function mapInSlices<T, R>(items: readonly T[], map: (item: T, index: number) => R): Promise<R[]> {
  const results: R[] = []
  let since = performance.now()
  for (const [index, item] of items.entries()) {
    results.push(map(item, index))
    if (performance.now() - since < SLICE_MS_MAX) continue
    await setImmediate()
    since = performance.now()
  }
  return results
}
