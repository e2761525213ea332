import { describe, expect, it } from 'vitest'
import { BYZANTINE_KINDS } from './cast.js'
import { type Result, type Schedule, SIZES, runFleet, spreadSize } from './fleet.js'
import { TRICKS } from './forger.js'
import { lineToRepeat, summarise } from './summary.js'

const SEEDS = 300
const JOBS = 2

/** What links, disks, clocks and councils do; what Byzantine validators do is listed with them. */
const FAULTS = [
  'delay', 'drop', 'duplicate', 'reorder', 'cut', 'partition', 'oneWayCut', 'loneDecision', 'loneTransaction', 'idleness',
  'crash', 'powerLoss', 'crashWhileSpeaking', 'blackout', 'restart', 'slowDisk', 'slowExecution', 'powerLossWhileWriting', 'relapse', 'clockSkew', 'clockJump', 'scratchedLog',
  'missingLog', 'damagedLog', 'olderLog', 'olderStore', 'rolledBackDisk', 'beyondBudget', 'endedSilence',
  'setChange', 'laterSetChange', 'overlappingSetChange', 'replacedSetChange', 'rotation', 'suspension', 'setChangeInRoundChange',
  'setChangeInLaterRound', 'setChangeInPartition', 'setChangeInRestart', 'joinersAway',
]

async function runSchedules(schedules: Iterable<Schedule>): Promise<Result[]> {
  const results: Result[] = []
  await runFleet(schedules, { jobs: JOBS, onResult: (result) => results.push(result) })
  return results
}

const failuresOf = (results: readonly Result[]): string[] =>
  results.flatMap((result) => ('failure' in result ? [`${result.failure.message}\n${lineToRepeat(result)}`] : []))

describe('whatever a seed chooses: no fork, no lost record, and the chain goes on when it may', () => {
  it(`${SEEDS} seeds over sets of ${SIZES.join(', ')}, with every fault among them`, async () => {
    const seeds = Array.from({ length: SEEDS }, (_, at) => at + 1)
    const results = await runSchedules(seeds.map((seed) => ({ seed, validators: spreadSize(seed) })))
    expect(failuresOf(results)).toEqual([])
    const { runs, cleanBySize, faults, acknowledged } = summarise(results, 0)
    expect(runs).toBe(SEEDS)
    expect(Object.keys(cleanBySize)).toEqual(SIZES.map(String))
    const dead = [...FAULTS, ...TRICKS, ...BYZANTINE_KINDS].filter((fault) => !(faults[fault]! > 0))
    expect(dead).toEqual([])
    expect(acknowledged).toBeGreaterThan(SEEDS)
  }, 900_000)
})

describe('a run is its seed', () => {
  it('the same seed makes the same trace, also in another process and after other runs', async () => {
    const schedules = [{ seed: 11, validators: 4 }, { seed: 12, validators: 7 }, { seed: 13, validators: 5 }]
    const digestsOf = async (order: readonly Schedule[]): Promise<string[]> => {
      const results = await runSchedules(order)
      expect(failuresOf(results)).toEqual([])
      return results.flatMap((result) => ('report' in result ? [`${result.seed} ${result.report.digest}`] : [])).sort()
    }
    const first = await digestsOf(schedules)
    expect(new Set(first.map((line) => line.split(' ')[1])).size).toBe(3)
    expect(await digestsOf([...schedules].reverse())).toEqual(first)
  }, 120_000)
})
