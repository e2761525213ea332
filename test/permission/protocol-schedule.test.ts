import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { POLICY_SLOT, PROTOCOL_WORD, elementsSlot, packWord, wordOf } from '@songhua/contracts/membership/slots'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import {
  PROTOCOL_CHANGES_READ_MAX, type ProtocolChange, changeBeyond, genesisSchedule, readProtocolSchedule, versionAt,
} from '@songhua/node/permission/protocol-schedule'

const GENESIS = genesisSchedule({ 0: 1 })

type Entry = readonly [height: number | bigint, version: number]

/** The register's storage, and how many slots were read. */
function stateOf(entries: readonly Entry[], length: bigint = BigInt(entries.length)) {
  const slots = new Map<Hash, bigint>([[wordOf(POLICY_SLOT.protocol), length]])
  entries.forEach(([height, version], index) => {
    const slot = elementsSlot(POLICY_SLOT.protocol) + BigInt(index)
    slots.set(wordOf(slot), packWord(PROTOCOL_WORD, { height: BigInt(height), version: BigInt(version) }))
  })
  const state = {
    reads: 0,
    getStorage(address: string, slot: Hash) {
      expect(address).toBe(POLICY_REGISTER_ADDRESS)
      expect(slot).toMatch(/^0x[0-9a-f]{64}$/)
      state.reads += 1
      return slots.get(slot) ?? 0n
    },
  }
  return state
}

const read = (entries: readonly Entry[], genesis = GENESIS, length?: bigint) =>
  readProtocolSchedule(stateOf(entries, length), POLICY_REGISTER_ADDRESS, genesis)
const brief = (schedule: readonly ProtocolChange[]): number[][] => schedule.map(({ height, version }) => [height, version])

describe('the schedule of protocol versions', () => {
  it('is the genesis\'s where the register lists nothing, which costs one slot', () => {
    const state = stateOf([])
    const genesis = genesisSchedule({ 1000: 3, 0: 1, 200: 2 })
    expect(brief(readProtocolSchedule(state, POLICY_REGISTER_ADDRESS, genesis))).toEqual([[0, 1], [200, 2], [1000, 3]])
    expect(state.reads).toBe(1)
  })

  it('goes on with what the register lists, each from its very height on', () => {
    const schedule = read([[500, 3], [900, 7]], genesisSchedule({ 0: 1, 200: 2 }))
    const heights = [0, 199, 200, 499, 500, 899, 900, 2 ** 52]
    expect(heights.map((height) => versionAt(schedule, height))).toEqual([1, 1, 2, 2, 3, 3, 7, 7])
  })

  it('names the change that is beyond a program', () => {
    const schedule = read([[500, 3], [900, 7]])
    expect([1, 2, 3, 6, 7].map((max) => changeBeyond(schedule, max)?.height)).toEqual([500, 500, 900, 900, undefined])
  })

  it.each<[string, Entry[], number[][]]>([
    ['in any order', [[900, 7], [500, 3]], [[0, 1], [500, 3], [900, 7]]],
    ['an entry that goes back, or repeats a version', [[500, 3], [600, 2], [700, 3], [800, 4]], [[0, 1], [500, 3], [800, 4]]],
    ['one height twice', [[500, 2], [500, 3]], [[0, 1], [500, 3]]],
    ['words that are zero', [[0, 0], [500, 0], [0, 9], [600, 2]], [[0, 1], [600, 2]]],
    ['a height that no block can have', [[2n ** 64n - 1n, 9], [2n ** 53n, 8], [600, 2]], [[0, 1], [600, 2]]],
    ['a version the genesis has already', [[500, 1]], [[0, 1]]],
  ])('has one meaning for a list the register never writes: %s', (_what, entries, expected) => {
    expect(brief(read(entries))).toEqual(expected)
  })

  it('reads the last entries of a list that is too long, at a bounded cost', () => {
    const many = Array.from({ length: PROTOCOL_CHANGES_READ_MAX + 6 }, (_, index): Entry => [100 * (index + 1), index + 2])
    const state = stateOf(many)
    const schedule = readProtocolSchedule(state, POLICY_REGISTER_ADDRESS, GENESIS)
    expect(state.reads).toBe(1 + PROTOCOL_CHANGES_READ_MAX)
    expect(schedule).toHaveLength(1 + PROTOCOL_CHANGES_READ_MAX)
    expect(brief(schedule)[1]).toEqual([700, 8])
    expect(versionAt(schedule, 10 ** 6)).toBe(PROTOCOL_CHANGES_READ_MAX + 7)
  })

  it.each([2n ** 256n - 1n, 2n ** 255n, 10n ** 30n])('reads nothing into a length of %s', (length) => {
    expect(brief(read([[500, 2]], GENESIS, length))).toEqual([[0, 1]])
  })

  it('never goes back with the height, whatever stands in the register, and an entry more never lowers it', () => {
    const entry = fc.tuple(fc.oneof(fc.nat(40), fc.bigInt(0n, 2n ** 64n - 1n)), fc.nat(9))
    fc.assert(fc.property(fc.array(entry, { maxLength: 12 }), entry, (entries, more) => {
      const [schedule, longer] = [read(entries), read([...entries, more])]
      for (let height = 0; height <= 41; height++) {
        expect(versionAt(schedule, height + 1)).toBeGreaterThanOrEqual(versionAt(schedule, height))
        expect(versionAt(longer, height)).toBeGreaterThanOrEqual(versionAt(schedule, height))
        const named = entries.filter(([from]) => from > 0 && from <= height).map(([, version]) => version)
        expect(versionAt(schedule, height)).toBe(Math.max(1, ...named))
      }
    }))
  })
})
