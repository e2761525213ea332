import { sleep } from '../support/devnet.js'
import { createRpcClient } from './client.js'
import { type FinalityWatch, watchFinality } from './finality.js'
import { watchUsage } from './usage.js'
import { type Prepared, anchorTransaction } from './workload.js'

export interface Load {
  readonly nodes: readonly { rpc: string; admin: string }[]
  readonly chainId: number
  /** Each with the nonce of its first transaction. */
  readonly accounts: readonly { privateKey: string; nonce: number }[]
  readonly warmUpS: number
  readonly seconds: number
  /** Transactions sent and not yet final, for each account. */
  readonly inFlight: number
  /** Transactions in one HTTP request. */
  readonly batch: number
}

export interface Outcome {
  /** Finality in ms of each transaction that became final inside the measurement. */
  finalityMs: number[]
  errors: number
  cpuUs: number
  rssMbMax: number
}

const SIGNED_PER_S_MAX = 1_000
const DRAIN_MS_MAX = 20_000

/** One account's transactions, sent in nonce order to one node, at most `inFlight` of them not yet final. */
async function drive(work: {
  transactions: Prepared[]
  url: string
  watch: FinalityWatch
  load: Load
  until: () => boolean
  done: (sentMs: number, finalMs: number) => void
  failed: (why: string) => void
}): Promise<void> {
  const { load, watch } = work
  const client = createRpcClient(work.url)
  let next = 0
  let open = 0
  while (!work.until() && next < work.transactions.length) {
    if (open > load.inFlight - load.batch) {
      await sleep(2)
      continue
    }
    const batch = work.transactions.slice(next, next + load.batch)
    next += batch.length
    open += batch.length
    const sentMs = performance.now()
    for (const { hash } of batch) {
      void watch.final(hash).then((finalMs) => {
        open -= 1
        work.done(sentMs, finalMs)
      })
    }
    const answers = await client.send(batch.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] })))
    for (const { error } of answers) if (error) work.failed(error.message)
  }
  if (next >= work.transactions.length) work.failed('ran out of signed transactions: the figure is a lower bound')
  client.close()
}

/** As many RecordAnchor transactions as the chain takes, signed before. Ends when all that were sent are final. */
export async function measureThroughput(load: Load): Promise<Outcome> {
  const { nodes, accounts, chainId, warmUpS, seconds } = load
  const perAccount = Math.ceil(((warmUpS + seconds) * SIGNED_PER_S_MAX) / accounts.length)
  const signed = accounts.map((account) =>
    Array.from({ length: perAccount }, (_, index) => anchorTransaction(account, chainId, account.nonce + index)),
  )
  const watch = await watchFinality(nodes[0]!.rpc)
  const fromMs = performance.now() + warmUpS * 1_000
  const toMs = fromMs + seconds * 1_000
  const finalityMs: number[] = []
  const failures: string[] = []
  const drivers = signed.map((transactions, index) =>
    drive({
      transactions,
      url: nodes[index % nodes.length]!.rpc,
      watch,
      load,
      until: () => performance.now() >= toMs,
      done: (sentMs, finalMs) => {
        if (finalMs >= fromMs && finalMs < toMs) finalityMs.push(finalMs - sentMs)
      },
      failed: (why) => failures.push(why),
    }),
  )
  await sleep(warmUpS * 1_000)
  const usage = await watchUsage(nodes.map((node) => node.admin))
  await sleep(toMs - performance.now())
  const used = await usage.stop()
  await Promise.all(drivers)
  const drainedBy = Date.now() + DRAIN_MS_MAX
  while (watch.pending() > 0 && Date.now() < drainedBy) await sleep(50)
  for (const why of new Set(failures)) process.stderr.write(`error: ${why}\n`)
  const errors = failures.length + watch.pending()
  watch.close()
  return { finalityMs, errors, ...used }
}
