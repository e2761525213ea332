import { isCodedError } from '@songhua/sdk/protocol/errors'
import { HELP, type SimFlags, readSimFlags } from './flags.js'
import { type Result, type Schedule, runFleet, spreadSize } from './fleet.js'
import { type Summary, lineToRepeat, summarise } from './summary.js'

const MS_PER_MINUTE = 60_000

function* schedulesOf({ first, last, validators, minutes }: SimFlags): Iterable<Schedule> {
  const endMs = performance.now() + minutes * MS_PER_MINUTE
  for (let seed = first; seed <= last && performance.now() < endMs; seed++) {
    yield { seed, validators: validators ?? spreadSize(seed) }
  }
}

function tellResult(result: Result, { json }: SimFlags): void {
  if (json) console.log(JSON.stringify('failure' in result ? { ...result, repeat: lineToRepeat(result) } : result))
  if (!('failure' in result)) return
  console.error(result.failure.message)
  console.error(lineToRepeat(result))
}

function tellSummary(summary: Summary, { json }: SimFlags): void {
  if (json) return console.log(JSON.stringify({ summary }))
  const { runs, failed, heights, messages, virtualHours, wallSeconds, roundsAfterHealingMax, faults } = summary
  console.log(`${runs} seeds, ${failed} failed: ${heights} heights, ${messages} messages, ${virtualHours} virtual hours in ${wallSeconds} s`)
  console.log(`at most ${roundsAfterHealingMax} rounds for a height after healing`)
  console.log(Object.entries(faults).map(([fault, count]) => `${fault} ${count}`).join(', '))
}

async function main(flags: SimFlags): Promise<boolean> {
  const startMs = performance.now()
  const results: Result[] = []
  await runFleet(schedulesOf(flags), {
    jobs: flags.jobs,
    ...(flags.trace && { onTrace: (line: string) => console.error(line) }),
    onResult(result) {
      results.push(result)
      tellResult(result, flags)
    },
  })
  const summary = summarise(results, performance.now() - startMs)
  tellSummary(summary, flags)
  return summary.failed === 0
}

try {
  const flags = readSimFlags(process.argv.slice(2))
  if (flags.help) console.log(HELP)
  else if (!(await main(flags))) process.exitCode = 1
} catch (error) {
  if (!isCodedError(error)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 2
}
