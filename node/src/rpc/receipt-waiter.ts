import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import type { BlockTransactions } from './block-transactions.js'
import type { RpcLimits } from './limits.js'
import type { ChainReader } from './ports.js'
import { receiptOf } from './receipts.js'
import type { ReceiptJson } from './result-schemas.js'

/** Waits for transactions to stand in a block. */
export interface ReceiptWaiter {
  /** @returns undefined when the transaction is in no block after `waitMs` */
  receipt(hash: Hash, waitMs: number): Promise<ReceiptJson | undefined>
  /** A place among those that wait, held until it is given back by the answer; undefined when all are taken. */
  takePlace(): (() => void) | undefined
  /** Places taken. */
  readonly size: number
  stop(): void
}

interface Sources {
  chain: ChainReader
  transactions: BlockTransactions
  clock: Clock
  limits: Pick<RpcLimits, 'receiptWaitsMax'>
}

export function createReceiptWaiter({ chain, transactions, clock, limits }: Sources): ReceiptWaiter {
  let places = 0
  const waiting = new Map<Hash, Set<() => void>>()
  const endHeads = chain.onHead(() => {
    for (const [hash, wakes] of waiting) if (chain.transactionLocation(hash)) for (const wake of wakes) wake()
  })

  function inBlock(hash: Hash, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wakes = waiting.get(hash) ?? new Set()
      waiting.set(hash, wakes)
      const cancel = clock.after(waitMs, wake)
      wakes.add(wake)
      function wake(): void {
        cancel()
        wakes.delete(wake)
        if (wakes.size === 0) waiting.delete(hash)
        resolve()
      }
    })
  }

  return {
    get size() {
      return places
    },
    takePlace() {
      if (places >= limits.receiptWaitsMax) return undefined
      places++
      return () => void places--
    },
    async receipt(hash, waitMs) {
      if (!chain.transactionLocation(hash)) await inBlock(hash, waitMs)
      return receiptOf({ chain, transactions }, hash) ?? undefined
    },
    stop() {
      endHeads()
      for (const wakes of waiting.values()) for (const wake of wakes) wake()
    },
  }
}
