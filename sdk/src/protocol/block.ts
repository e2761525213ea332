import { type Hash } from './bytes.js'
import { keccak256Hex } from './crypto.js'
import { CodedError } from './errors.js'
import { type Header, decodeHeader, encodeHeader } from './header.js'
import { orderedTrieRoot } from './ordered-trie.js'
import { decodeRlp, encodeRlp, encodeRlpList, readBytes, splitRlpList } from './rlp.js'
import { type Transaction, decodeTransaction } from './transaction.js'

export interface Block {
  readonly header: Header
  readonly transactions: Transaction[]
}

export type BlockErrorCode = 'BLOCK_TOO_LARGE' | 'BLOCK_SHAPE' | 'BLOCK_TRANSACTION' | 'BLOCK_TRANSACTIONS_ROOT'

/** A block on the wire. A full block of zero calldata at 4 gas a byte reaches it at 32 M gas. */
export const MAX_BLOCK_BYTES = 8 * 1024 * 1024
/** The smallest transaction has more than 80 bytes. */
export const MAX_BLOCK_TRANSACTIONS = 100_000

const EMPTY_LIST = encodeRlp([])
const LIST_PREFIX = 0xc0

export interface BlockDecoding {
  /** A transaction read before, by hash: its sender is not recovered again. */
  knownTransaction?: ((hash: Hash) => Transaction | undefined) | undefined
  maxBytes?: number | undefined
}

function fail(code: BlockErrorCode, message: string, cause?: unknown): never {
  throw new CodedError(code, message, { cause })
}

/** Ethereum's: RLP[header, transactions, ommers, withdrawals], the last two empty. */
export function encodeBlock(block: Block): Uint8Array {
  return encodeStoredBlock(block.header, block.transactions.map(({ raw }) => raw))
}

/** The same from a store's parts: each transaction in its raw form, EIP-2718. */
export function encodeStoredBlock(header: Header, transactions: readonly Uint8Array[]): Uint8Array {
  return encodeRlpList([encodeHeader(header), encodeTransactions(transactions), EMPTY_LIST, EMPTY_LIST])
}

/** EIP-2718 inside a block: legacy transactions are lists, typed ones are byte strings. */
function encodeTransactions(transactions: readonly Uint8Array[]): Uint8Array {
  return encodeRlpList(transactions.map((raw) => ((raw[0] ?? 0) >= LIST_PREFIX ? raw : encodeRlp(raw))))
}

export function decodeBlock(bytes: Uint8Array, options: BlockDecoding = {}): Block {
  const { maxBytes = MAX_BLOCK_BYTES } = options
  if (bytes.length > maxBytes) fail('BLOCK_TOO_LARGE', `A block of ${bytes.length} bytes; at most ${maxBytes}`)
  const parts = splitRlpList(bytes, 'block', 4)
  const [header, transactions, ommers, withdrawals] = parts
  if (!header || !transactions || !ommers || !withdrawals) return fail('BLOCK_SHAPE', 'A block is a list of 4 items')
  if (!isEmptyList(ommers)) fail('BLOCK_SHAPE', 'block.ommers must be an empty list')
  if (!isEmptyList(withdrawals)) fail('BLOCK_SHAPE', 'block.withdrawals must be an empty list')
  return { header: decodeHeader(header), transactions: decodeTransactions(transactions, options) }
}

function isEmptyList(encoded: Uint8Array): boolean {
  return encoded.length === 1 && encoded[0] === LIST_PREFIX
}

function decodeTransactions(bytes: Uint8Array, options: BlockDecoding = {}): Transaction[] {
  const items = splitRlpList(bytes, 'block.transactions', MAX_BLOCK_TRANSACTIONS)
  return items.map((item, index) => {
    try {
      return decodeInBlock(item, options)
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unreadable'
      return fail('BLOCK_TRANSACTION', `Transaction ${index} of the block: ${reason}`, error)
    }
  })
}

function decodeInBlock(item: Uint8Array, { knownTransaction }: BlockDecoding): Transaction {
  const isLegacy = item[0]! >= LIST_PREFIX
  const raw = isLegacy ? item : readBytes(decodeRlp(item), 'transaction')
  // A legacy transaction wrapped as a byte string would have the same hash and another encoding.
  if (!isLegacy && (raw[0] ?? 0) >= LIST_PREFIX) fail('BLOCK_SHAPE', 'a legacy transaction must be a list')
  return knownTransaction?.(keccak256Hex(raw)) ?? decodeTransaction(raw)
}

export function transactionsRootOf(transactions: readonly Transaction[]): Hash {
  return orderedTrieRoot(transactions.map((transaction) => transaction.raw))
}

/** The body is the one that the header names. */
export function checkTransactionsRoot(block: Block): void {
  const root = transactionsRootOf(block.transactions)
  if (root !== block.header.transactionsRoot) {
    const message = `The transactions have the root ${root}, the header ${block.header.transactionsRoot}`
    fail('BLOCK_TRANSACTIONS_ROOT', message)
  }
}
