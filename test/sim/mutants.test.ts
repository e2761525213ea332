import { describe, expect, it } from 'vitest'
import { MUTANTS } from './mutants/catalogue.js'
import { huntMutants } from './mutants/hunt.js'
import { type Mutant, StaleMutantError, applyEdits } from './mutants/mutant.js'

/** Schedules beyond the known ones: the catalogue names for each mutant one that catches it. */
const SEARCH = 5
const STEP = 'node/src/consensus/step.ts'
const QUICK = { seed: 1, validators: 1 }

const mutantOf = (name: string, edits: Mutant['edits']): Mutant => ({ name, breaks: 'nothing', edits, hints: [QUICK] })

describe('deliberate faults of the core', () => {
  it('have names of their own, say what they break, and change something', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
    for (const { breaks, edits } of MUTANTS) {
      expect(breaks).toMatch(/\.\)?$/)
      expect(edits.every(({ find, replace }) => find !== replace)).toBe(true)
    }
  })

  it(`are all caught by the simulator, which passes the same schedules without them (${MUTANTS.length})`, async () => {
    const { verdicts, sick } = await huntMutants(MUTANTS, { search: SEARCH })
    expect(sick).toEqual([])
    expect(verdicts.filter(({ status }) => status !== 'caught')).toEqual([])
    expect(verdicts.map(({ name }) => name)).toEqual(MUTANTS.map(({ name }) => name))
  }, 600_000)
})

describe('the hunt itself', () => {
  it('calls nothing caught that breaks nothing, and takes no mutant that fits the sources no longer', async () => {
    const harmless = { file: STEP, find: '/** A block has been checked:', replace: '/** Checked:' }
    const { verdicts, sick } = await huntMutants(
      [
        mutantOf('harmless', [harmless]),
        mutantOf('gone', [{ ...harmless, find: 'what the source does not say' }]),
        mutantOf('ambiguous', [{ ...harmless, find: 'turn' }]),
        mutantOf('elsewhere', [{ ...harmless, file: 'node/src/cli/main.ts' }]),
        mutantOf('unbuildable', [{ ...harmless, replace: '}}}' }]),
        mutantOf('deadly', [{ ...harmless, replace: 'process.exit(3)\n/**' }]),
      ],
      { search: 0 },
    )
    expect(sick).toEqual([])
    const found = verdicts.map(({ name, status, problem }) => [name, status, problem?.replace(/\s+/g, ' ')])
    expect(found).toEqual([
      ['harmless', 'missed', undefined],
      ['gone', 'stale', expect.stringContaining('expected once, found 0 times')],
      ['ambiguous', 'stale', expect.stringContaining('expected once, found')],
      ['elsewhere', 'stale', expect.stringContaining('which the simulator does not run')],
      ['unbuildable', 'stale', expect.stringContaining('cannot be built')],
      ['deadly', 'broken', expect.stringContaining('the process ended with 3')],
    ])
  }, 120_000)

  it('applies its edits in order, each to one place', () => {
    const edit = { file: 'a.ts', find: 'one', replace: 'two' }
    expect(applyEdits('one three', [edit, { ...edit, find: 'two three', replace: 'four' }])).toBe('four')
    expect(() => applyEdits('one one', [edit])).toThrow(StaleMutantError)
    expect(() => applyEdits('three', [edit])).toThrow('a.ts: expected once, found 0 times: one')
  })
})
