import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { decodeTransaction, type Transaction } from '@songhua/sdk/protocol/transaction'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { ChainReader } from './ports.js'
import { createTurns } from './turn.js'

/** Transactions of blocks, decoded where an answer shows them; recovering a sender costs some 80 µs. */
export interface BlockTransactions {
  /** Undefined when the block is absent. */
  all(number: number): Promise<Transaction[] | undefined>
  at(number: number, index: number): Transaction | undefined
  hashes(number: number): Hash[] | undefined
}

/** Transactions kept decoded, the blocks asked for last; each takes 1 to 2 kB beside its calldata. */
const KEPT_TRANSACTIONS_MAX = 2000

export function createBlockTransactions(chain: Pick<ChainReader, 'body'>): BlockTransactions {
  const kept = new Map<number, Transaction[]>()
  let keptCount = 0

  function keep(number: number, transactions: Transaction[]): void {
    if (kept.has(number) || transactions.length > KEPT_TRANSACTIONS_MAX) return
    kept.set(number, transactions)
    keptCount += transactions.length
    for (const [oldest, list] of kept) {
      if (keptCount <= KEPT_TRANSACTIONS_MAX) break
      kept.delete(oldest)
      keptCount -= list.length
    }
  }

  return {
    async all(number) {
      const known = kept.get(number)
      if (known) return known
      const body = chain.body(number)
      if (!body) return undefined
      const turn = createTurns()
      const transactions: Transaction[] = []
      for (const raw of body) {
        await turn()
        transactions.push(decodeTransaction(raw))
      }
      keep(number, transactions)
      return transactions
    },
    at(number, index) {
      const known = kept.get(number)
      if (known) return known[index]
      const raw = chain.body(number)?.[index]
      return raw && decodeTransaction(raw)
    },
    hashes(number) {
      return kept.get(number)?.map(({ hash }) => hash) ?? chain.body(number)?.map((raw) => keccak256Hex(raw))
    },
  }
}
