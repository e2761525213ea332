import { anchorTransaction, type Prepared } from '../bench/workload.js'
import { rpc, sleep, until } from './devnet.js'

/** An honest client: one transaction after another to one node, each sent again until that node has taken it. */
export interface Steady {
  readonly acknowledged: readonly Prepared[]
  /** Milliseconds from the first try to the acknowledgement. */
  readonly waitsMs: readonly number[]
  /** Tries that were refused or not answered, by what was said. */
  readonly refused: ReadonlyMap<string, number>
  stop(): Promise<void>
}

interface SteadyOptions {
  readonly chainId: number
  readonly url: string
  readonly pauseMs: number
}

export function startSteady(account: { privateKey: string }, { chainId, url, pauseMs }: SteadyOptions): Steady {
  const acknowledged: Prepared[] = []
  const waitsMs: number[] = []
  const refused = new Map<string, number>()
  let isStopped = false
  const send = async (transaction: Prepared): Promise<boolean> => {
    try {
      await rpc(url, 'eth_sendRawTransaction', [transaction.raw])
      return true
    } catch (error) {
      const message = error instanceof Error ? error.message.slice(0, 100) : String(error)
      refused.set(message, (refused.get(message) ?? 0) + 1)
      // An answer that came too late to be heard.
      return /already known|nonce too low/.test(message)
    }
  }
  const run = async (): Promise<void> => {
    for (let nonce = 0; !isStopped; nonce++) {
      const transaction = anchorTransaction(account, chainId, nonce)
      const startedMs = performance.now()
      await until(`${url} to take a transaction`, () => send(transaction), 60_000).catch((error: unknown) => {
        throw new Error(`refused: ${JSON.stringify([...refused])}`, { cause: error })
      })
      waitsMs.push(performance.now() - startedMs)
      acknowledged.push(transaction)
      await sleep(pauseMs)
    }
  }
  const done = run()
  return {
    acknowledged,
    waitsMs,
    refused,
    stop: () => {
      isStopped = true
      return done
    },
  }
}

/** All stand in blocks, each successful. */
export async function expectFinal(url: string, some: readonly Prepared[]): Promise<void> {
  for (const { hash } of some) {
    await until(`${hash} to be final`, async () =>
      (await rpc<{ status: string } | null>(url, 'eth_getTransactionReceipt', [hash]))?.status === '0x1', 120_000)
  }
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
}
