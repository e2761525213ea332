import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { type Audit, audit } from '../support/audit.js'
import { createCluster } from '../support/cluster.js'
import { readFlags } from '../support/flags.js'
import { createHttpClient } from '../support/http-client.js'
import { startReaper } from '../support/reaper.js'
import { type LoadResult, runLoad } from './load.js'
import { finalityOverTime, storesOverLimit, trendsOf, usesOf, warmUpS } from './report.js'
import { type Sampler, startSampler } from './sampler.js'
import { type SoakReport, soakText } from './text.js'

const HELP = `npm run soak -- --minutes M [options]
  --minutes M   length of the load, 1 to 10080
  --rate R      transactions a second, and half as many records (20)
  --seed S      decides the moments and the mix of the load (1)
  --out DIR     folder for samples.ndjson, report.json and the nodes' data (.songhua/soak)
  --json        the report as one JSON line

Four validators, of which one has a gateway, and a follower, each an operating-system process. Linux only: memory is
read from /proc. Exit code 0 when memory is flat, nothing failed and everything that was accepted verifies; else 1.
`

/** 10 s, but never fewer than 60 samples of a whole run. */
const sampleIntervalMs = (seconds: number): number => Math.min(10_000, (seconds * 1000) / 60)
const PROGRESS_INTERVAL_MS = 30_000
const HTTP_TIMEOUT_MS = 30_000

const TABLE = {
  numbers: {
    minutes: { min: 1, max: 10_080 },
    rate: { min: 1, max: 500, default: 20 },
    seed: { min: 0, max: 2 ** 32 - 1, default: 1, isInteger: true },
  },
  texts: { out: '.songhua/soak' },
} as const

type SoakFlags = ReturnType<typeof readFlags<keyof typeof TABLE.numbers, keyof typeof TABLE.texts>>

async function soak(flags: SoakFlags, isStopped: () => boolean): Promise<SoakReport> {
  const out = resolve(flags.out)
  const dir = join(out, 'net')
  await rm(dir, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  const reaper = startReaper()
  const client = createHttpClient(HTTP_TIMEOUT_MS)
  const cluster = await createCluster({ dir, validators: 4, followers: 1, gateways: 1 }, reaper)
  let sampler: Sampler | undefined
  try {
    await Promise.all(cluster.nodes.map((node) => cluster.start(node)))
    const seconds = flags.minutes * 60
    sampler = await startSampler({ cluster, client, file: join(out, 'samples.ndjson'), intervalMs: sampleIntervalMs(seconds) })
    const stopProgress = showProgress(sampler, seconds)
    const load = await runLoad({ cluster, client, seed: flags.seed, rate: flags.rate, seconds, isStopped })
    stopProgress()
    await sampler.stop()
    const found = await audit({ cluster, client, transactions: load.transactions, records: load.records })
    return reportOf(flags, { load, sampler, found })
  } finally {
    await cluster.stop()
    client.close()
    await reaper.close()
  }
}

function showProgress(sampler: Sampler, seconds: number): () => void {
  const timer = setInterval(() => {
    const last = sampler.samples().at(-1)
    const latest = sampler.samples().filter(({ atS }) => atS === last?.atS)
    const memory = latest.map(({ process, anonymousMb }) => `${process} ${Math.round(anonymousMb)}`).join(', ')
    process.stderr.write(`${Math.round(last?.atS ?? 0)} of ${seconds} s, block ${latest[0]?.height ?? 0}, anonymous MB: ${memory}\n`)
  }, PROGRESS_INTERVAL_MS)
  return () => clearInterval(timer)
}

function reportOf(flags: SoakFlags, { load, sampler, found }: { load: LoadResult; sampler: Sampler; found: Audit }): SoakReport {
  const samples = sampler.samples()
  const lastS = samples.at(-1)!.atS
  const fromS = warmUpS(lastS)
  const trends = trendsOf(samples, fromS)
  const errors = Object.fromEntries(load.errors)
  const overLimit = storesOverLimit(samples)
  const isFlat = trends.every(({ verdict }) => verdict === 'flat' || verdict === 'shrinking')
  return {
    ok: isFlat && overLimit.length === 0 && found.problems.length === 0 && load.errors.size === 0,
    minutes: Math.round(lastS / 6) / 10,
    rate: flags.rate,
    seed: flags.seed,
    warmUpS: Math.round(fromS),
    transactions: load.transactions.length,
    records: [...load.records.values()].flat().length,
    reads: load.reads,
    errors,
    audit: found,
    trends,
    storesOverLimit: overLimit,
    uses: usesOf(samples),
    finality: finalityOverTime(load.finality, lastS),
  }
}

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2), TABLE)
  if (flags.help) return void process.stdout.write(HELP)
  if (process.platform !== 'linux') throw new Error('the soak reads /proc: it runs on Linux only')
  let isStopped = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second time at once: the reaper ends the nodes.
      if (isStopped) process.exit(130)
      isStopped = true
      process.stderr.write('stopping; once more to stop at once\n')
    })
  }
  // The auditor shares the cores with the nodes.
  await installNativeCrypto()
  const report = await soak(flags, () => isStopped)
  await writeFile(join(resolve(flags.out), 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`)
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : soakText(report))
  if (!report.ok) process.exitCode = 1
}

await main().catch((error: unknown) => {
  process.stderr.write(isCodedError(error) ? `${error.code}: ${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = isCodedError(error) ? 2 : 1
})
