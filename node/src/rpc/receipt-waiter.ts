import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Clock } from '../base/clock.js'
import type { JsonText } from './json-text.js'
import type { RpcLimits } from './limits.js'
import type { Session } from './method.js'
import { receiptOf, type Sources } from './receipts.js'

/** Waits for transactions to stand in a block. */
export interface ReceiptWaiter {
  /** @returns undefined when the transaction is in no block after `waitMs` */
  receipt(hash: Hash, waitMs: number, session: Session): Promise<JsonText | undefined>
  /** A place among those that wait, held until it is given back by the answer; undefined when all are taken. */
  takePlace(): (() => void) | undefined
  /** Places taken. */
  readonly size: number
  stop(): void
}

interface WaiterSources extends Sources {
  clock: Clock
  limits: Pick<RpcLimits, 'receiptWaitsMax'>
}

export function createReceiptWaiter({ clock, limits, ...sources }: WaiterSources): ReceiptWaiter {
  const { chain } = sources
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
