import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { decodeTransaction, type Transaction } from '@songhua/sdk/protocol/transaction'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { ChainReader } from './ports.js'
import type { Turn } from './long-answers.js'

/** Transactions of blocks, decoded where an answer shows them; recovering a sender costs some 80 µs. */
export interface BlockTransactions {
  /** Undefined when the block is absent. @param turn awaited between two */
  all(number: number, turn: Turn): Promise<Transaction[] | undefined>
  at(number: number, index: number): Transaction | undefined
  hashes(number: number): Hash[] | undefined
}

/** Of transactions kept decoded, the blocks asked for last, bytes; each takes 1 to 2 kB beside what it is as bytes, twice. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024
const DECODED_BYTES = 2048

const bytesOf = (transactions: readonly Transaction[]): number =>
  transactions.reduce((sum, { raw }) => sum + DECODED_BYTES + 2 * raw.length, 0)

export function createBlockTransactions(chain: Pick<ChainReader, 'body'>): BlockTransactions {
  const kept = new Map<number, Transaction[]>()
  let keptBytes = 0

  function keep(number: number, transactions: Transaction[]): void {
    const bytes = bytesOf(transactions)
    if (kept.has(number) || bytes > KEPT_BYTES_MAX) return
    kept.set(number, transactions)
    keptBytes += bytes
    for (const [oldest, list] of kept) {
      if (keptBytes <= KEPT_BYTES_MAX) break
      kept.delete(oldest)
      keptBytes -= bytesOf(list)
    }
  }

  return {
    async all(number, turn) {
      const known = kept.get(number)
      if (known) return known
      const body = chain.body(number)
      if (!body) return undefined
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
