import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT, ownPackages } from './own-packages.js'
import type { SeedAnswer, SeedTask } from './seed-worker.js'
import type { SimReport } from './simulate.js'

/** Sizes of validator sets. */
export const SIZES = [1, 4, 5, 6, 7, 10, 13] as const
/** How seeds are spread over them: a run of 13 costs ten of 5, and most of what can go wrong goes wrong among few. */
const SPREAD = [4, 7, 5, 6, 1, 4, 10, 5, 7, 6, 4, 13] as const
/** Wall time of one run before it counts as stuck; the slowest takes some seconds. */
const RUN_MS_MAX = 600_000

export interface Schedule {
  readonly seed: number
  readonly validators: number
}

export type Result = Schedule & { readonly wallMs: number } & (
  | { readonly report: SimReport }
  | { readonly failure: { readonly invariant: string; readonly message: string } }
)

export interface FleetOptions {
  readonly jobs: number
  readonly onTrace?: (line: string) => void
  readonly onResult: (result: Result) => void
}

export const spreadSize = (seed: number): number => SPREAD[seed % SPREAD.length]!

/** Runs every schedule in one of `jobs` processes, each as soon as one is free; the results come as they fall. */
export async function runFleet(schedules: Iterable<Schedule>, options: FleetOptions): Promise<void> {
  const cache = join(ROOT, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  // Inside the repository: what is external is resolved from where the bundle lies.
  const folder = mkdtempSync(join(cache, 'sim-'))
  try {
    const program = await bundleWorker(folder)
    const queue = schedules[Symbol.iterator]()
    await Promise.all(Array.from({ length: options.jobs }, () => work(program, queue, options)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function bundleWorker(folder: string): Promise<string> {
  const outfile = join(folder, 'seed-worker.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'seed-worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Has a binary, and takes care of its own loading.
    external: ['tiny-secp256k1'],
    logLevel: 'silent',
    plugins: [ownPackages],
  })
  return outfile
}

async function work(program: string, queue: Iterator<Schedule>, options: FleetOptions): Promise<void> {
  let child: ChildProcess | undefined
  try {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      child ??= fork(program, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      const result = await runIn(child, next.value, options)
      if (child.exitCode !== null || child.killed) child = undefined
      options.onResult(result)
    }
  } finally {
    child?.kill()
  }
}

function runIn(child: ChildProcess, schedule: Schedule, { onTrace }: FleetOptions): Promise<Result> {
  const startMs = performance.now()
  return new Promise((resolve) => {
    const end = (answer: Exclude<SeedAnswer, { line: string }>): void => {
      clearTimeout(watchdog)
      child.removeAllListeners()
      resolve({ ...schedule, ...answer })
    }
    const fail = (invariant: string, message: string): void =>
      end({ failure: { invariant, message }, wallMs: performance.now() - startMs })
    const watchdog = setTimeout(() => {
      child.kill('SIGKILL')
      fail('simulator-stuck', `the run takes more than ${RUN_MS_MAX / 1000} s`)
    }, RUN_MS_MAX)
    child.on('exit', (code, signal) => fail('simulator-crashed', `the simulator ended by ${signal ?? `code ${code}`}, as it says above`))
    child.on('message', (answer: SeedAnswer) => {
      if ('line' in answer) onTrace?.(answer.line)
      else end(answer)
    })
    child.send({ ...schedule, trace: onTrace !== undefined } satisfies SeedTask)
  })
}
