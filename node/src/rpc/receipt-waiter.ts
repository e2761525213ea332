import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import { createShareBudget } from '../base/share-budget.js'
import type { JsonText } from './json-text.js'
import type { RpcLimits } from './limits.js'
import type { Session } from './method.js'
import { receiptOf, type Sources } from './receipts.js'

/** Waits for transactions to stand in a block. */
export interface ReceiptWaiter {
  /** @returns undefined when the transaction is in no block after `waitMs` */
  receipt(hash: Hash, waitMs: number, session: Session): Promise<JsonText | undefined>
  /** A place among those that wait, held until it is given back by the answer; or the bound that leaves none. */
  takePlace(client: string): (() => void) | 'total' | 'share'
  /** Places taken. */
  readonly size: number
  stop(): void
}

interface WaiterSources extends Sources {
  clock: Clock
  limits: Pick<RpcLimits, 'receiptWaitsMax' | 'receiptWaitsPerAddressMax'>
}

export function createReceiptWaiter({ clock, limits, ...sources }: WaiterSources): ReceiptWaiter {
  const { chain } = sources
  const places = createShareBudget({ totalMax: limits.receiptWaitsMax, shareMax: limits.receiptWaitsPerAddressMax })
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
      return places.held
    },
    takePlace: (client) => places.take(client, 1),
    async receipt(hash, waitMs, session) {
      if (!chain.transactionLocation(hash)) await inBlock(hash, waitMs)
      return receiptOf(sources, hash, session)
    },
    stop() {
      endHeads()
      for (const wakes of waiting.values()) for (const wake of wakes) wake()
    },
  }
}
