import { describe, expect, it } from 'vitest'
import { readSimFlags } from './flags.js'
import { SIZES, spreadSize } from './fleet.js'
import { lineToRepeat } from './summary.js'

describe('the flags of the simulator', () => {
  it('reads a range of seeds, and spreads it over all sizes unless one is asked for', () => {
    expect(readSimFlags(['--seeds', '3..9'])).toMatchObject({ first: 3, last: 9, validators: undefined, minutes: Infinity })
    expect(readSimFlags(['--validators', '7', '--jobs', '2', '--minutes', '5', '--json'])).toMatchObject({
      first: 1, last: 100, validators: 7, jobs: 2, minutes: 5, json: true,
    })
    expect(new Set(Array.from({ length: 12 }, (_, seed) => spreadSize(seed)))).toEqual(new Set(SIZES))
  })

  it('reads the line that a failing seed prints', () => {
    const words = lineToRepeat({ seed: 17, validators: 7 }).split(' -- ')[1]!.split(' ')
    expect(readSimFlags(words)).toMatchObject({ first: 17, last: 17, validators: 7, trace: true, jobs: 1 })
  })

  it.each([
    [['--seeds', '9..3'], 'FLAG_BAD_VALUE', '--seeds'],
    [['--seeds', '7'], 'FLAG_BAD_VALUE', '--seeds'],
    [['--seeds', '1..9999999999'], 'FLAG_BAD_VALUE', '--seeds'],
    [['--validators', '0'], 'FLAG_BAD_VALUE', '--validators'],
    [['--validators', '65'], 'FLAG_BAD_VALUE', '--validators'],
    [['--jobs', 'two'], 'FLAG_BAD_VALUE', '--jobs'],
    [['--minutes', '1.5'], 'FLAG_BAD_VALUE', '--minutes'],
    [['--seed', '1'], 'FLAG_UNKNOWN', '--seed'],
  ])('refuses %j, naming the flag', (argv, code, flag) => {
    const error: unknown = (() => {
      try {
        return readSimFlags(argv)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code })
    expect((error as Error).message).toContain(flag)
  })
})
