import { anchorTransaction, type Prepared } from '../bench/workload.js'
import { rpc, sleep } from './devnet.js'

/** Writes records one after another, and remembers which ones a node has acknowledged. */
export interface Writer {
  acknowledged(): Prepared[]
  /** Ends after the request under way. */
  stop(): Promise<void>
}

const PAUSE_MS = 15

/** One account, one node at a time, `pauseMs` between two writes: when a node does not answer, the same transaction goes to the next of `urls`. */
export function startWriter(account: { privateKey: string }, chainId: number, urls: () => string[], pauseMs = (): number => PAUSE_MS): Writer {
  const acknowledged: Prepared[] = []
  let stopped = false
  const write = async (): Promise<void> => {
    for (let nonce = 0; !stopped; nonce += 1) {
      const transaction = anchorTransaction(account, chainId, nonce)
      await deliver(transaction, urls, () => stopped)
      if (!stopped) acknowledged.push(transaction)
      await sleep(pauseMs())
    }
  }
  const done = write()
  return {
    acknowledged: () => [...acknowledged],
    stop() {
      stopped = true
      return done
    },
  }
}

async function deliver(transaction: Prepared, urls: () => string[], isStopped: () => boolean): Promise<void> {
  for (let attempt = 0; !isStopped(); attempt += 1) {
    const list = urls()
    const failure = await rpc(list[attempt % list.length]!, 'eth_sendRawTransaction', [transaction.raw]).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    )
    // A node that was killed after it took the transaction, and another that has it already, both mean delivered.
    if (failure === undefined || /already known|nonce too low/.test(failure.message)) return
    // Without an answer, or without an acknowledgement: a node that is gone, stops, or whose disk is full.
    if (!/fetch failed|timeout|aborted|terminated|HTTP 503|is not on disk/.test(failure.message)) throw failure
    await sleep(PAUSE_MS)
  }
}
