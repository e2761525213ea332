import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { type Address } from '@songhua/sdk/protocol/bytes'
import {
  INITIAL_ROTATION,
  MAX_SKIP_BLOCKS,
  type Rotation,
  advanceRotation,
  proposerOf,
  proposerOrder,
} from '@songhua/sdk/protocol/proposer'
import { codeOf } from './support.js'

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const [a, b, c, d] = [1, 2, 3, 4].map(address) as [Address, Address, Address, Address]
const FOUR = [a, b, c, d]
const after = (lastProposer: Address, missed: Rotation['missed'] = {}): Rotation => ({ missed, lastProposer })
const order = (rotation: Rotation, height = 10, validators = FOUR): Address[] =>
  proposerOrder({ validators, rotation, height })

describe('the order of proposers', () => {
  it('is ascending for block 1 and starts behind the last coinbase later', () => {
    expect(order(INITIAL_ROTATION, 1)).toEqual([a, b, c, d])
    expect(order(after(a))).toEqual([b, c, d, a])
    expect(order(after(c))).toEqual([d, a, b, c])
    expect(order(after(d))).toEqual([a, b, c, d])
  })

  it('starts at the next greater address when the last proposer has left', () => {
    expect(order(after(b), 10, [a, c, d])).toEqual([c, d, a])
    expect(order(after(address(9)), 10, [a, c, d])).toEqual([a, c, d])
    expect(order(after(address(0)), 10, [a, c, d])).toEqual([a, c, d])
  })

  it('has those that missed their turns last, each group in turn', () => {
    const missed = { [b]: { streak: 1, skipUntil: 10 }, [c]: { streak: 1, skipUntil: 9 } }
    expect(order(after(a, missed), 9)).toEqual([d, a, b, c])
    expect(order(after(a, missed), 10)).toEqual([c, d, a, b])
    expect(order(after(a, missed), 11)).toEqual([b, c, d, a])
  })

  it('goes round for rounds beyond the last validator', () => {
    expect([0, 1, 3, 4, 9].map((round) => proposerOf(FOUR, round))).toEqual([a, b, d, a, b])
    expect(codeOf(() => proposerOf([], 0))).toBe('PROPOSER_UNKNOWN')
  })
})

describe('the rotation after a block', () => {
  const advance = (rotation: Rotation, coinbase: Address, height = 10): Rotation =>
    advanceRotation(rotation, { validators: FOUR, height, coinbase })

  it('keeps nothing while everybody takes their turn', () => {
    let rotation = INITIAL_ROTATION
    FOUR.forEach((coinbase, at) => {
      rotation = advance(rotation, coinbase, at + 1)
      expect(rotation).toEqual(after(coinbase))
    })
  })

  it('skips all whose turn came before the coinbase', () => {
    expect(advance(after(a), d)).toEqual(
      after(d, { [b]: { streak: 1, skipUntil: 14 }, [c]: { streak: 1, skipUntil: 14 } }),
    )
  })

  it('doubles the back-off with each turn missed, up to a cap', () => {
    const skips = [1, 2, 3, 8, 9, 40].map((streak) => {
      const rotation = after(a, streak === 1 ? {} : { [b]: { streak: streak - 1, skipUntil: 9 } })
      return advance(rotation, c).missed[b]!.skipUntil - 10
    })
    expect(skips).toEqual([4, 8, 16, 512, MAX_SKIP_BLOCKS, MAX_SKIP_BLOCKS])
  })

  it('clears the coinbase, keeps the others, forgets who left', () => {
    const missed = {
      [b]: { streak: 3, skipUntil: 5 },
      [d]: { streak: 2, skipUntil: 99 },
      [address(7)]: { streak: 1, skipUntil: 99 },
    }
    expect(advance(after(a, missed), b)).toEqual(after(b, { [d]: { streak: 2, skipUntil: 99 } }))
  })

  it('of a stranger’s block does not exist', () => {
    expect(codeOf(() => advance(after(a), address(9)))).toBe('PROPOSER_UNKNOWN')
  })

  it('survives JSON', () => {
    for (const rotation of [INITIAL_ROTATION, advance(after(a), d)]) {
      const read = JSON.parse(JSON.stringify(rotation)) as Rotation
      expect(order(read)).toEqual(order(rotation))
    }
  })

  it('tries a dead validator ever less, and takes it back at its first block', () => {
    let rotation = INITIAL_ROTATION
    let wasted = 0
    const propose = (height: number, dead: Address | undefined): void => {
      const alive = order(rotation, height).filter((validator) => validator !== dead)
      if (order(rotation, height)[0] === dead) wasted++
      rotation = advance(rotation, alive[0]!, height)
    }
    for (let height = 1; height <= 4000; height++) propose(height, b)
    expect(wasted).toBeLessThan(16)
    const { skipUntil } = rotation.missed[b]!
    for (let height = 4001; height <= skipUntil + 4; height++) propose(height, undefined)
    expect(rotation.missed).toEqual({})
  })

  it('gives every validator a place at every height, whatever happened', () => {
    const any = fc.array(fc.nat(3), { maxLength: 60 })
    fc.assert(
      fc.property(any, (turns) => {
        let rotation = INITIAL_ROTATION
        turns.forEach((position, height) => {
          const now = order(rotation, height)
          expect([...now].sort()).toEqual(FOUR)
          rotation = advance(rotation, now[position]!, height)
        })
      }),
    )
  })
})
