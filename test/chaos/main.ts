import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { percentile } from '../bench/report.js'
import { readFlags } from '../support/flags.js'
import { startReaper } from '../support/reaper.js'
import { type ChaosReport, diaryFileOf, FOLLOWERS, HEAL_LIMIT_MS, VALIDATORS, runChaos } from './chaos.js'

const HELP = `npm run chaos -- --minutes M --seed S [options]
  --minutes M   length of the storms, 0.5 to 1440; draining and the audit come after them
  --seed S      decides every fault, its moment and its length, and the mix of the load
  --rate R      transactions a second, and half as many records (8)
  --out DIR     folder for the diary of faults, the report and the nodes' data (.songhua/chaos)
  --json        the report as one JSON line

${VALIDATORS} validators, of which two have a gateway, and ${FOLLOWERS} followers, each an operating-system process; between any two a proxy.
The same seed gives the same schedule of faults. What real processes then do in which millisecond it cannot repeat.
Exit code 0 when nothing was lost, doubled or forked, nobody signed twice, and every storm was followed by three blocks
on every node within ${HEAL_LIMIT_MS / 1000} s; else 1, and the data folders stay.
`

const TABLE = {
  numbers: {
    minutes: { min: 0.5, max: 1440 },
    seed: { min: 0, max: 2 ** 32 - 1, isInteger: true },
    rate: { min: 1, max: 200, default: 8 },
  },
  texts: { out: '.songhua/chaos' },
} as const

const say = (line: string): void => void process.stderr.write(`${line}\n`)

function stopOnSignal(): () => boolean {
  let isStopped = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second time at once: the reaper ends the nodes.
      if (isStopped) process.exit(130)
      isStopped = true
      say('the last storm; once more to stop at once')
    })
  }
  return () => isStopped
}

function chaosText(report: ChaosReport): string {
  const { audit, signatures, problems, healS } = report
  const all = [...problems, ...audit.problems, ...signatures.problems]
  const deeds = Object.entries(report.deeds).map(([kind, count]) => `${kind} ${count}`).join(', ')
  const lines = [
    `${report.ok ? 'OK' : 'FAILED'}: seed ${report.seed}, ${report.storms} storms in ${report.minutes} minutes: ${deeds}`,
    `${report.acknowledged} transactions acknowledged, ${report.records} records accepted, ${report.retries} attempts made again`,
    `${audit.transactionsFinal} transactions final exactly once, ${audit.recordsVerified} bundles verify, ${audit.heights} blocks equal on all nodes`,
    `${signatures.signatures} signatures, ${signatures.roundChanges} of them round changes: ${signatures.problems.length} contradictions`,
    `healed in ${percentile(healS.toSorted((a, b) => a - b), 1)} s at most, ${percentile(healS.toSorted((a, b) => a - b), 0.5)} s in the median`,
    ...all.map((problem) => `  ${problem}`),
  ]
  if (!report.ok) lines.push(...failureLines(report))
  return `${lines.join('\n')}\n`
}

const failureLines = ({ seed, diary, dataDir }: ChaosReport): string[] => [
  `again: npm run chaos -- --seed ${seed} --minutes M; data folders: ${dataDir}`,
  'what was done, at which second of the run (and of its storm, as planned):',
  ...diary.map(({ doneS, storm, plannedS, action }) => `  ${doneS} (storm ${storm}, ${plannedS}) ${JSON.stringify(action)}`),
]

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2), TABLE)
  if (flags.help) return void process.stdout.write(HELP)
  const { minutes, seed, rate } = flags
  const out = resolve(flags.out)
  say(`seed ${seed}`)
  // The auditor shares the cores with the nodes.
  await installNativeCrypto()
  const reaper = startReaper()
  try {
    const report = await runChaos({ minutes, seed, rate, out, isStopped: stopOnSignal(), say }, reaper)
    await writeFile(join(out, `seed-${seed}.report.json`), `${JSON.stringify(report, undefined, 2)}\n`)
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : chaosText(report))
    if (report.ok) await rm(report.dataDir, { recursive: true, force: true })
    else process.exitCode = 1
  } catch (error) {
    say(`seed ${seed} broke off; what was done when: ${diaryFileOf({ out, seed })}; data folders: ${join(out, `seed-${seed}`)}`)
    throw error
  } finally {
    await reaper.close()
  }
}

await main().catch((error: unknown) => {
  say(isCodedError(error) ? `${error.code}: ${error.message}` : `FAILED: ${error instanceof Error ? error.stack : String(error)}`)
  process.exitCode = isCodedError(error) && error.code.startsWith('FLAG_') ? 2 : 1
})
