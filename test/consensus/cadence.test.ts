import { beforeAll, describe, expect, it } from 'vitest'
import { MAX_SKIP_BLOCKS } from '@songhua/sdk/protocol/proposer'
import { installCachedCrypto } from '../sim/cached-crypto.js'
import { Cadence } from './cadence.js'

/*
 * Besu #6398: one dead validator of five cost a round timeout at each of its turns. Here it is passed over for longer
 * and longer, by a rule of the chain alone: in H heights it is tried O(log H) times.
 */

beforeAll(async () => {
  await installCachedCrypto()
})

const HEIGHTS = 200
const HEALTHY_HEIGHTS = 50
const TEST_MS_MAX = 300_000

/** Turns that one dead validator of `n` can miss in `heights`: after the k-th it is passed over for n · 2^(k−1) blocks. */
function turnsMissedAtMost(n: number, heights: number): number {
  let turns = 0
  for (let passed = 0; passed < heights; turns++) passed += Math.min(n * 2 ** turns, MAX_SKIP_BLOCKS)
  return turns
}

for (const [n, dead] of [[4, [2]], [5, [2]], [7, [2, 3]]] as const) {
  describe(`${dead.length} of ${n} validators dead (${dead.join(', ')})`, () => {
    it(`${HEIGHTS} heights of steady work lose no more rounds than the back-off allows`, async () => {
      const cadence = await Cadence.start(n)
      cadence.kill(dead)
      const { roundsLost, heightsWithRounds, virtualMs } = await cadence.work(HEIGHTS)
      const bound = dead.length * turnsMissedAtMost(n, HEIGHTS)
      expect(roundsLost).toBeGreaterThan(0)
      expect(roundsLost).toBeLessThanOrEqual(bound)
      expect(heightsWithRounds).toBeLessThanOrEqual(roundsLost)
      // What a plain rotation would lose: every turn of the dead.
      expect(roundsLost * 4).toBeLessThan((HEIGHTS / n) * dead.length)
      const healthy = await (await Cadence.start(n)).work(HEALTHY_HEIGHTS)
      expect(healthy.roundsLost).toBe(0)
      // Beyond the lost rounds a height costs what it costs when all are alive.
      const lostMs = roundsLost * cadence.roundMsMax
      expect(virtualMs - lostMs).toBeLessThanOrEqual((1.1 * healthy.virtualMs * HEIGHTS) / HEALTHY_HEIGHTS)
    }, TEST_MS_MAX)

    it('who is back proposes again within the blocks for which it is passed over, and then at each of its turns', async () => {
      const cadence = await Cadence.start(n)
      cadence.kill(dead)
      await cadence.work(HEIGHTS / 4)
      const waits = dead.map((at) => cadence.passedOverFor(at))
      await cadence.revive(dead)
      await cadence.work(Math.max(...waits) + n)
      for (const at of dead) expect(cadence.proposalsOf(at, Math.max(...waits) + n)).toBeGreaterThan(0)
      const { roundsLost } = await cadence.work(4 * n)
      expect(roundsLost).toBe(0)
      for (const at of dead) expect(cadence.proposalsOf(at, 4 * n)).toBe(4)
    }, TEST_MS_MAX)
  })
}
