import { describe, expect, it } from 'vitest'
import { readFlags } from '../support/flags.js'

const TABLE = {
  numbers: { minutes: { min: 1, max: 60 }, rate: { min: 1, max: 500, default: 20 }, seed: { min: 0, max: 9, default: 1, isInteger: true } },
  texts: { out: 'somewhere' },
} as const
const read = (...argv: string[]) => readFlags(argv, TABLE)

describe('the flags of a command', () => {
  it('are read over their defaults', () => {
    expect(read('--minutes', '1.5', '--json')).toEqual({ minutes: 1.5, rate: 20, seed: 1, out: 'somewhere', json: true, help: false })
    expect(read('--minutes=2', '--out', 'there')).toMatchObject({ minutes: 2, out: 'there', json: false })
    expect(read('--help').help).toBe(true)
  })

  it.each([
    [[], 'FLAG_MISSING', '--minutes'],
    [['--minutes', 'long'], 'FLAG_BAD_VALUE', '--minutes'],
    [['--minutes', '61'], 'FLAG_BAD_VALUE', 'from 1 to 60'],
    [['--minutes', '1', '--seed', '1.5'], 'FLAG_BAD_VALUE', 'whole number'],
    [['--minutes', '1', '--rate', ''], 'FLAG_BAD_VALUE', '--rate'],
    [['--minutes', '1', '--minuts', '2'], 'FLAG_UNKNOWN', '--minuts'],
    [['--minutes', '1', 'left over'], 'FLAG_UNKNOWN', 'left over'],
  ])('refuses %j', (argv, code, words) => {
    expect(() => read(...argv)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) as string }))
  })
})
