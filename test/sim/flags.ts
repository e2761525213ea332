import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { MAX_VALIDATORS } from '@songhua/sdk/protocol/validator-set'

export interface SimFlags {
  readonly first: number
  readonly last: number
  /** Undefined: the seeds are spread over all sizes. */
  readonly validators: number | undefined
  readonly jobs: number
  /** Stops after this time, whatever seeds are left; Infinity unless told. */
  readonly minutes: number
  readonly trace: boolean
  readonly json: boolean
  readonly help: boolean
}

export const SEED_MAX = 2 ** 31 - 1
export const JOBS_MAX = 256
export const MINUTES_MAX = 7 * 24 * 60

export const HELP = `npm run sim -- [options]
  Runs the consensus of a whole backbone in one process, over virtual time, with every fault that a seed can choose.
  --seeds A..B      the seeds, both included (1..100)
  --validators N    size of the first validator set, 1 to ${MAX_VALIDATORS}; without it seeds are spread over 1, 4, 5, 6, 7, 10 and 13
  --jobs N          processes at one time (one for each core)
  --minutes M       stop after M minutes, whatever seeds are left
  --trace           tell what happens, in the words of the protocol; one process
  --json            one JSON line for each seed and one for all
  Exit code 1: a promise of the chain was broken; the line printed for it repeats the run.`

const OPTIONS = {
  seeds: { type: 'string', default: '1..100' },
  validators: { type: 'string' },
  jobs: { type: 'string' },
  minutes: { type: 'string' },
  trace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** @throws CodedError `FLAG_UNKNOWN`, `FLAG_BAD_VALUE`, naming the flag */
export function readSimFlags(argv: readonly string[]): SimFlags {
  const { seeds, validators, jobs, minutes, trace, json, help } = parse(argv)
  const range = /^(\d+)\.\.(\d+)$/.exec(seeds)
  const [first, last] = range ? [Number(range[1]), Number(range[2])] : [1, 0]
  if (first > last || last > SEED_MAX) bad('seeds', `two numbers A..B with A ≤ B ≤ ${SEED_MAX}, as in 1..300`, seeds)
  return {
    first,
    last,
    validators: validators === undefined ? undefined : numberOf('validators', validators, { max: MAX_VALIDATORS }),
    jobs: trace ? 1 : jobs === undefined ? availableParallelism() : numberOf('jobs', jobs, { max: JOBS_MAX }),
    minutes: minutes === undefined ? Infinity : numberOf('minutes', minutes, { max: MINUTES_MAX }),
    trace,
    json,
    help,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values
  } catch (cause) {
    const known = Object.keys(OPTIONS).map((name) => `--${name}`).join(', ')
    throw new CodedError('FLAG_UNKNOWN', `${messageOf(cause)}. Known flags: ${known}`, { cause })
  }
}

function numberOf(flag: string, text: string, { max }: { max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) bad(flag, `a whole number from 1 to ${max}`, text)
  return value
}

function bad(flag: string, wanted: string, value: string): never {
  const message = `--${flag} must be ${wanted}, not ${JSON.stringify(value)}`
  throw new CodedError('FLAG_BAD_VALUE', message, { details: { flag: `--${flag}`, value } })
}
