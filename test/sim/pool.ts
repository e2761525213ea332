import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'

interface Pending {
  readonly transaction: Transaction
  readonly sinceMs: number
}

/** The transactions of one life of a node; those that it acknowledged are in its journal, which outlives it. */
export class SimulatedPool {
  readonly #pending = new Map<Hash, Pending>()
  readonly #listeners = new Set<() => void>()

  add(transaction: Transaction, nowMs: number): void {
    if (this.#pending.has(transaction.hash)) return
    this.#pending.set(transaction.hash, { transaction, sinceMs: nowMs })
    for (const listener of this.#listeners) listener()
  }

  remove(hashes: Iterable<Hash>): void {
    for (const hash of hashes) this.#pending.delete(hash)
  }

  has(hash: Hash): boolean {
    return this.#pending.has(hash)
  }

  get(hash: Hash): Transaction | undefined {
    return this.#pending.get(hash)?.transaction
  }

  get transactions(): Transaction[] {
    return [...this.#pending.values()].map(({ transaction }) => transaction)
  }

  executableSince(): number | undefined {
    let since: number | undefined
    for (const { sinceMs } of this.#pending.values()) since = Math.min(since ?? sinceMs, sinceMs)
    return since
  }

  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
