import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { bundleMutant } from './bundle.js'
import type { Mutant, Schedule } from './mutant.js'
import type { Trial } from './trial.js'

/** Hunts at one time: each is a process of its own that keeps a core busy. */
const HUNTS_AT_ONCE = 2
/** Wall time of one mutant, hints and search together; the slowest that is caught takes a tenth of it. */
const HUNT_MS_MAX = 120_000
/** Schedules tried, unless told, for a mutant that its hints do not catch. */
export const SEARCH_SCHEDULES = 60
const SEARCH_SIZES = [4, 7, 5, 6, 10] as const
const STDERR_TAIL_CHARS = 600

export interface Verdict {
  readonly name: string
  readonly breaks: string
  /**
   * `caught`: an invariant failed, and the same schedule passes without the mutant. `missed`: the simulator is too
   * weak. `stale`: the mutant fits the sources no longer. `broken`: no invariant spoke, but the process did not end
   * as it should.
   */
  readonly status: 'caught' | 'missed' | 'stale' | 'broken'
  readonly caughtBy?: Trial
  readonly tried: number
  readonly wallMs: number
  readonly problem?: string
}

export interface HuntReport {
  readonly verdicts: readonly Verdict[]
  /** Schedules on which the unmutated simulator fails: they prove nothing against a mutant. */
  readonly sick: readonly Trial[]
  readonly wallMs: number
}

const CONTROL: Pick<Mutant, 'name' | 'edits'> = { name: 'control', edits: [] }
const scheduleOf = ({ seed, validators }: Schedule): Schedule => ({ seed, validators })
const keyOf = ({ seed, validators }: Schedule): string => `${seed} ${validators}`

function searchSchedules(count: number): Schedule[] {
  return Array.from({ length: count }, (_, at) => ({
    seed: 1 + Math.floor(at / SEARCH_SIZES.length),
    validators: SEARCH_SIZES[at % SEARCH_SIZES.length]!,
  }))
}

/**
 * Every mutant, two at a time, and the unmutated simulator on all schedules that are to mean something.
 * @param search schedules tried for a mutant that its hints do not catch
 */
export async function huntMutants(mutants: readonly Mutant[], search = SEARCH_SCHEDULES): Promise<HuntReport> {
  const startMs = performance.now()
  // Inside the repository: what is external is resolved from where the bundle lies.
  const cache = resolve(import.meta.dirname, '../../../node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'mutants-'))
  try {
    const found = await inPairs(mutants, (mutant) => hunt(mutant, { folder, search }))
    const control = await runControl(found, mutants, folder)
    const sick = new Set(control.map(keyOf))
    const verdicts = found.map((verdict) => withControl(verdict, sick))
    return { verdicts, sick: control, wallMs: performance.now() - startMs }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function hunt({ name, breaks, edits, hints }: Mutant, at: { folder: string; search: number }): Promise<Verdict> {
  const startMs = performance.now()
  const bundle = join(at.folder, `${name}.mjs`)
  const base = { name, breaks }
  try {
    await bundleMutant({ name, edits }, bundle)
  } catch (error) {
    return { ...base, status: 'stale', tried: 0, wallMs: 0, problem: messageOf(error) }
  }
  const { trials, problem } = await runTrials(bundle, [...hints, ...searchSchedules(at.search)], { isStopping: true })
  const ended = { ...base, tried: trials.length, wallMs: performance.now() - startMs }
  const caughtBy = trials.find(({ failure }) => failure !== undefined)
  if (caughtBy) return { ...ended, status: 'caught', caughtBy }
  return problem === undefined ? { ...ended, status: 'missed' } : { ...ended, status: 'broken', problem }
}

/** A schedule that fails anyway has caught nothing. */
function withControl(verdict: Verdict, sick: ReadonlySet<string>): Verdict {
  const { caughtBy } = verdict
  if (caughtBy === undefined || !sick.has(keyOf(caughtBy))) return verdict
  const problem = `seed ${caughtBy.seed} with ${caughtBy.validators} validators fails without the mutant too`
  return { ...verdict, status: 'missed', problem }
}

/** @returns the schedules that the unmutated simulator fails */
async function runControl(found: readonly Verdict[], mutants: readonly Mutant[], folder: string): Promise<Trial[]> {
  const bundle = join(folder, 'control.mjs')
  await bundleMutant(CONTROL, bundle)
  const hints = mutants.flatMap((mutant) => mutant.hints)
  const wanted = [...hints, ...found.flatMap(({ caughtBy }) => caughtBy ?? [])].map(scheduleOf)
  const schedules = [...new Map(wanted.map((schedule) => [keyOf(schedule), schedule])).values()]
  const half = Math.ceil(schedules.length / HUNTS_AT_ONCE)
  const shares = Array.from({ length: HUNTS_AT_ONCE }, (_, at) => schedules.slice(at * half, (at + 1) * half))
  const runs = await inPairs(shares, (share) => runTrials(bundle, share, { isStopping: false }))
  const trials = runs.flatMap((run) => run.trials)
  if (trials.length < schedules.length) {
    const ends = runs.map(({ problem }) => problem ?? 'ended')
    throw new Error(`the unmutated simulator did not come to its end: ${ends.join('; ')}`)
  }
  return trials.filter(({ failure }) => failure !== undefined)
}

interface Run {
  readonly trials: readonly Trial[]
  /** Why the process ended before its schedules did. */
  readonly problem?: string
}

/** A mutant may loop, leak or kill its process: it gets one of its own, and a bound of time. */
async function runTrials(bundle: string, schedules: readonly Schedule[], mode: { isStopping: boolean }): Promise<Run> {
  const task = JSON.stringify({ schedules, ...mode })
  const child = spawn(process.execPath, [bundle, task], { stdio: ['ignore', 'pipe', 'pipe'] })
  let isLate = false
  const bound = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, HUNT_MS_MAX)
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = `${errors}${text}`.slice(-STDERR_TAIL_CHARS)))
  const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done))
  clearTimeout(bound)
  const trials = output.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Trial)
  if (isLate) return { trials, problem: `not done after ${HUNT_MS_MAX} ms and ${trials.length} schedules` }
  return code === 0 ? { trials } : { trials, problem: `the process ended with ${code}: ${errors.trim()}` }
}

/** In the order of `items`, whichever ends first. */
async function inPairs<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const worker = async (): Promise<void> => {
    for (const [at, item] of waiting) results[at] = await run(item)
  }
  await Promise.all(Array.from({ length: HUNTS_AT_ONCE }, worker))
  return results
}
