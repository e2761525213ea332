import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { bundleMutant } from './bundle.js'
import type { Mutant, Schedule } from './mutant.js'
import type { Trial } from './trial.js'

/** Hunts at one time: each is a process of its own that keeps a core busy. */
const HUNTS_AT_ONCE = 2
/** Wall time that a mutant may take for its schedules: some to start with, and for each ten times what most of them take. */
const HUNT_MS = { start: 60_000, each: 5_000 }
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

const scheduleOf = ({ seed, validators }: Schedule): Schedule => ({ seed, validators })

function searchSchedules(count: number): Schedule[] {
  return Array.from({ length: count }, (_, at) => ({
    seed: 1 + Math.floor(at / SEARCH_SIZES.length),
    validators: SEARCH_SIZES[at % SEARCH_SIZES.length]!,
  }))
}

export interface HuntOptions {
  /** Schedules tried for a mutant that its hints do not catch. */
  readonly search?: number
  /** Told as soon as the fate of a mutant is known. */
  readonly onVerdict?: (verdict: Verdict) => void
}

/** Every mutant, two at a time; what seems to be caught is tried on the unmutated simulator as well. */
export async function huntMutants(mutants: readonly Mutant[], options: HuntOptions = {}): Promise<HuntReport> {
  const { search = SEARCH_SCHEDULES, onVerdict } = options
  const startMs = performance.now()
  // Inside the repository: what is external is resolved from where the bundle lies.
  const cache = resolve(import.meta.dirname, '../../../node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'mutants-'))
  try {
    const control = await createControl(folder)
    const verdicts = await inPairs(mutants, async (mutant) => {
      const verdict = await hunt(mutant, { folder, search, control })
      onVerdict?.(verdict)
      return verdict
    })
    return { verdicts, sick: await control.failed(), wallMs: performance.now() - startMs }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The unmutated simulator: a schedule that fails there too has caught nothing. */
interface Control {
  /** Each schedule is run once. */
  passes(schedule: Schedule): Promise<boolean>
  failed(): Promise<Trial[]>
}

async function createControl(folder: string): Promise<Control> {
  const bundle = join(folder, 'control.mjs')
  await bundleMutant({ name: 'control', edits: [] }, bundle)
  const trials = new Map<string, Promise<Trial>>()
  const runOne = async (schedule: Schedule): Promise<Trial> => {
    const { trials: [trial], problem } = await runTrials(bundle, [schedule])
    if (trial === undefined) throw new Error(`the unmutated simulator did not come to its end: ${problem ?? 'no answer'}`)
    return trial
  }
  return {
    async passes(schedule) {
      const key = JSON.stringify(schedule)
      const trial = trials.get(key) ?? runOne(schedule)
      trials.set(key, trial)
      return (await trial).failure === undefined
    },
    async failed() {
      return (await Promise.all(trials.values())).filter(({ failure }) => failure !== undefined)
    },
  }
}

interface HuntParts {
  readonly folder: string
  readonly search: number
  readonly control: Control
}

async function hunt({ name, breaks, edits, hints }: Mutant, { folder, search, control }: HuntParts): Promise<Verdict> {
  const startMs = performance.now()
  const bundle = join(folder, `${name}.mjs`)
  try {
    await bundleMutant({ name, edits }, bundle)
  } catch (error) {
    return { name, breaks, status: 'stale', tried: 0, wallMs: 0, problem: messageOf(error) }
  }
  let waiting = [...hints, ...searchSchedules(search)]
  let tried = 0
  for (;;) {
    const { trials, problem } = await runTrials(bundle, waiting)
    tried += trials.length
    waiting = waiting.slice(trials.length)
    const ended = { name, breaks, tried, wallMs: performance.now() - startMs }
    const last = trials.at(-1)
    if (problem !== undefined) return { ...ended, status: 'broken', problem }
    if (last?.failure === undefined) return { ...ended, status: 'missed' }
    if (await control.passes(scheduleOf(last))) return { ...ended, status: 'caught', caughtBy: last }
  }
}

interface Run {
  readonly trials: readonly Trial[]
  /** Why the process ended before its schedules did. */
  readonly problem?: string
}

/** Up to the first that fails. A mutant may loop, leak or kill its process: it gets one of its own, and a bound of time. */
async function runTrials(bundle: string, schedules: readonly Schedule[]): Promise<Run> {
  const task = JSON.stringify(schedules)
  const child = spawn(process.execPath, [bundle, task], { stdio: ['ignore', 'pipe', 'pipe'] })
  let isLate = false
  const msMax = HUNT_MS.start + schedules.length * HUNT_MS.each
  const bound = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, msMax)
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = `${errors}${text}`.slice(-STDERR_TAIL_CHARS)))
  const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done))
  clearTimeout(bound)
  const trials = output.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Trial)
  if (isLate) return { trials, problem: `not done after ${msMax} ms and ${trials.length} schedules` }
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
