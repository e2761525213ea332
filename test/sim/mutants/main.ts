import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { type Flags, readFlags } from '../../support/flags.js'
import { MUTANTS, renewKnown } from './catalogue.js'
import { type HuntReport, SEARCH_SCHEDULES, type Verdict, huntMutants } from './hunt.js'
import type { Mutant } from './mutant.js'

const HELP = `npm run sim:mutants -- [options]
  Runs the simulator against deliberate faults of the consensus core; each must be caught.
  --only NAME   one of them (${MUTANTS.length} in all; an unknown name lists them)
  --search N    schedules tried when those known to catch it do not (${SEARCH_SCHEDULES})
  --renew       remember the schedules that caught them, for the next run and for the tests
  --json        one JSON line`

const SEARCH_MAX = 100_000

function selected(only: string): readonly Mutant[] {
  if (only === '') return MUTANTS
  const found = MUTANTS.filter(({ name }) => name === only)
  if (found.length > 0) return found
  const names = MUTANTS.map(({ name }) => name).join(', ')
  throw new CodedError('FLAG_BAD_VALUE', `--only names no mutant: ${JSON.stringify(only)}. There are: ${names}`)
}

function lineOf({ name, status, caughtBy, tried, wallMs, problem }: Verdict): string {
  const by = caughtBy && `seed ${caughtBy.seed} of ${caughtBy.validators}: ${caughtBy.failure?.invariant}`
  return [status.padEnd(7), name.padEnd(36), by, problem, `(${tried} tried, ${(wallMs / 1000).toFixed(1)} s)`]
    .filter((part) => part !== undefined)
    .join(' ')
}

function isWhole({ verdicts, sick }: HuntReport): boolean {
  return sick.length === 0 && verdicts.every(({ status }) => status === 'caught')
}

async function main({ only, search, renew, json }: Flags<'search', 'only', 'renew'>): Promise<boolean> {
  const mutants = selected(only)
  const onVerdict = (verdict: Verdict): void => void (json || console.log(lineOf(verdict)))
  const report = await huntMutants(mutants, { search, onVerdict })
  if (renew) renewKnown(Object.fromEntries(report.verdicts.flatMap(({ name, caughtBy }) => (caughtBy ? [[name, caughtBy]] : []))))
  if (json) console.log(JSON.stringify({ ...report, isWhole: isWhole(report) }))
  else print(report)
  return isWhole(report)
}

function print(report: HuntReport): void {
  const caught = report.verdicts.filter(({ status }) => status === 'caught').length
  console.log(`${caught} of ${report.verdicts.length} caught in ${(report.wallMs / 1000).toFixed(0)} s`)
  for (const { seed, validators, failure } of report.sick) {
    console.log(`fails without any mutant: seed ${seed} of ${validators}: ${failure?.message}`)
  }
}

try {
  const search = { min: 0, max: SEARCH_MAX, default: SEARCH_SCHEDULES, isInteger: true }
  const flags = readFlags(process.argv.slice(2), { numbers: { search }, texts: { only: '' }, switches: ['renew'] })
  if (flags.help) console.log(HELP)
  else if (!(await main(flags))) process.exitCode = 1
} catch (error) {
  if (!isCodedError(error)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 2
}
