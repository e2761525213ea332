import { randomFillSync } from 'node:crypto'

/** A call of the system's generator costs as much for a few bytes as for some thousand. */
const POOL_BYTES = 8 * 1024

const pool = new Uint8Array(POOL_BYTES)
let used = POOL_BYTES

/** Unpredictable bytes, each given out once and kept nowhere. @param length at most 8 KiB */
export function takeRandom(length: number): Uint8Array {
  if (used + length > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const taken = pool.slice(used, used + length)
  pool.fill(0, used, used + length)
  used += length
  return taken
}
