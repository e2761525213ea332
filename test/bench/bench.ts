import { parseArgs } from 'node:util'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { rpc, removeDir, sleep, startDevnet, tempDir, type Devnet } from '../support/devnet.js'
import { createRpcClient } from './client.js'
import { watchFinality } from './finality.js'
import { measurePermissions } from './permissions.js'
import { measureRecords } from './records.js'
import { percentile, printReport, type BenchReport } from './report.js'
import { measureSync } from './sync.js'
import { type Outcome, measureThroughput } from './throughput.js'
import { watchUsage } from './usage.js'
import { anchorTransaction } from './workload.js'

const HELP = `npm run bench -- --scenario tx|idle|records|sync|permissions [options]
  --scenario NAME    tx: as many RecordAnchor transactions as the chain takes, pre-signed
                     idle: one transaction at a time on an otherwise idle chain
                     records: evidence in bulk and one by one, its size, its verification
                     sync: a follower with an empty folder fetches and executes a chain
                     permissions: the load of tx under an open and a closed policy, in turn; their ratio
  --validators N     validators, each an operating-system process (4)
  --seconds S        length of the measurement, after a warm-up (30)
  --in-flight N      scenario tx: transactions sent and not yet final, for each account (40)
  --batch N          scenario tx: transactions in one HTTP request, as a JSON-RPC batch (10)
  --blocks N         scenario sync: blocks of the chain (5000)
  --per-block N      scenario sync: RecordAnchor transactions in each block (4)
  --runs N           scenario sync: followers, one after another (3)
  --json             one JSON line`

const SCENARIOS = ['tx', 'idle', 'records', 'sync', 'permissions'] as const
const WARM_UP_S = 5
const IDLE_GAP_MS = 250

interface Options {
  scenario: (typeof SCENARIOS)[number]
  validators: number
  seconds: number
  inFlight: number
  batch: number
  blocks: number
  perBlock: number
  runs: number
  json: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: 'tx' },
      validators: { type: 'string', default: '4' },
      seconds: { type: 'string', default: '30' },
      'in-flight': { type: 'string', default: '40' },
      batch: { type: 'string', default: '10' },
      blocks: { type: 'string', default: '5000' },
      'per-block': { type: 'string', default: '4' },
      runs: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const scenario = SCENARIOS.find((one) => one === values.scenario)
  if (values.help || scenario === undefined) {
    process.stderr.write(`${HELP}\n`)
    process.exit(values.help ? 0 : 2)
  }
  const whole = (name: 'validators' | 'seconds' | 'in-flight' | 'batch' | 'blocks' | 'per-block' | 'runs'): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value > 0) return value
    process.stderr.write(`--${name} takes a whole number above 0, not ${values[name]}\n`)
    process.exit(2)
  }
  return {
    scenario,
    validators: whole('validators'),
    seconds: whole('seconds'),
    inFlight: whole('in-flight'),
    batch: whole('batch'),
    blocks: whole('blocks'),
    perBlock: whole('per-block'),
    runs: whole('runs'),
    json: values.json,
  }
}

async function benchThroughput(devnet: Devnet, options: Options): Promise<Outcome> {
  const { nodes, accounts, chainId } = devnet.ready
  const { seconds, inFlight, batch } = options
  const senders = accounts.map(({ privateKey }) => ({ privateKey, nonce: 0 }))
  const outcome = await measureThroughput({ nodes, chainId, accounts: senders, warmUpS: WARM_UP_S, seconds, inFlight, batch })
  return { ...outcome, errors: outcome.errors + (await failedReceipts(devnet)) }
}

async function measureIdle(devnet: Devnet, options: Options): Promise<Outcome> {
  const { nodes, accounts, chainId } = devnet.ready
  const watch = await watchFinality(nodes[0]!.rpc)
  const usage = await watchUsage(nodes.map((node) => node.admin))
  const finalityMs: number[] = []
  let errors = 0
  const toMs = performance.now() + options.seconds * 1_000
  for (let round = 0; performance.now() < toMs; round += 1) {
    const account = accounts[round % accounts.length]!
    const client = createRpcClient(nodes[round % nodes.length]!.rpc)
    const { hash, raw } = anchorTransaction(account, chainId, Math.floor(round / accounts.length))
    const sentMs = performance.now()
    const [answer] = await client.send([{ method: 'eth_sendRawTransaction', params: [raw] }])
    if (answer?.error) errors += 1
    else finalityMs.push((await watch.final(hash)) - sentMs)
    client.close()
    await sleep(IDLE_GAP_MS)
  }
  const used = await usage.stop()
  watch.close()
  return { finalityMs, errors: errors + (await failedReceipts(devnet)), ...used }
}

/** Receipts with status 0 on the whole chain: a transaction that fails is an error of the benchmark too. */
async function failedReceipts(devnet: Devnet): Promise<number> {
  const url = devnet.ready.nodes[0]!.rpc
  const head = Number(await rpc<string>(url, 'eth_blockNumber'))
  let failed = 0
  for (let height = 1; height <= head; height += 1) {
    const receipts = await rpc<{ status: string }[]>(url, 'eth_getBlockReceipts', [`0x${height.toString(16)}`])
    failed += receipts.filter(({ status }) => status !== '0x1').length
  }
  return failed
}

async function benchSync({ blocks, perBlock, runs, validators, json }: Options): Promise<void> {
  const dir = await tempDir('bench')
  try {
    const report = await measureSync(dir, { validators, blocks, runs, transactionsPerBlock: perBlock })
    printReport(report, json)
    if (report.errors > 0) process.exitCode = 1
  } finally {
    await removeDir(dir)
  }
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options.scenario === 'sync') return benchSync(options)
  const dataDir = await tempDir('bench')
  const gateways = options.scenario === 'records' ? 1 : 0
  const devnet = await startDevnet({ validators: options.validators, gateways, dataDir })
  try {
    if (options.scenario === 'records') {
      // The verifier is measured as a court runs it, without the node's native cryptography.
      const report = await measureRecords(devnet, options.seconds)
      printReport(report, options.json)
      if (report.errors > 0) process.exitCode = 1
      return
    }
    await installNativeCrypto()
    if (options.scenario === 'permissions') {
      const report = await measurePermissions(devnet, options)
      printReport(report, options.json)
      if (report.errors > 0) process.exitCode = 1
      return
    }
    const outcome = await (options.scenario === 'tx' ? benchThroughput : measureIdle)(devnet, options)
    const sorted = outcome.finalityMs.toSorted((a, b) => a - b)
    const report: BenchReport = {
      scenario: options.scenario,
      validators: options.validators,
      seconds: options.seconds,
      transactions: sorted.length,
      txPerSecond: Math.round((sorted.length / options.seconds) * 10) / 10,
      finalityMsP50: Math.round(percentile(sorted, 0.5)),
      finalityMsP99: Math.round(percentile(sorted, 0.99)),
      errors: outcome.errors,
      rssMbMax: Math.round(outcome.rssMbMax),
      cpuUsPerTx: Math.round(outcome.cpuUs / Math.max(1, sorted.length)),
      readyMs: devnet.readyMs,
    }
    printReport(report, options.json)
    if (report.errors > 0) process.exitCode = 1
  } finally {
    await devnet.stop()
    await removeDir(dataDir)
  }
}

await main()
