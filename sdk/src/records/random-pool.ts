import { randomBytes } from '@noble/hashes/utils.js'

const POOL_BYTES = 4096

/**
 * Random bytes of the platform, fetched many at a time: a call for 32 costs as much as one for 4,096. What has been
 * given is wiped here, since a salt that is erased must be nowhere.
 */
export function createRandomPool(fetch: (length: number) => Uint8Array = randomBytes): (length: number) => Uint8Array {
  let pool: Uint8Array = new Uint8Array(0)
  let at = 0
  return (length) => {
    if (length > POOL_BYTES) return fetch(length)
    if (at + length > pool.length) {
      pool = fetch(POOL_BYTES)
      at = 0
    }
    const taken = pool.slice(at, at + length)
    pool.fill(0, at, (at += length))
    return taken
  }
}
