import { describe, expect, it } from 'vitest'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { concatBytes } from '@songhua/sdk/protocol/bytes'
import {
  type Block,
  MAX_BLOCK_BYTES,
  checkTransactionsRoot,
  decodeBlock,
  encodeBlock,
  encodeStoredBlock,
  transactionsRootOf,
} from '@songhua/sdk/protocol/block'
import { installCrypto, keccak256 } from '@songhua/sdk/protocol/crypto'
import { encodeHeader } from '@songhua/sdk/protocol/header'
import { encodeRlp, encodeRlpList, splitRlpList } from '@songhua/sdk/protocol/rlp'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { codeOf, createTestChain, member } from './support.js'

const { privateKey } = member('sender')
const transactions = ([0, 1, 2, 0] as const).map((type, nonce) =>
  signTransaction({ type, chainId: 5, nonce, gasLimit: 21_000, to: `0x${'ab'.repeat(20)}` }, privateKey),
)
const header = createTestChain().next({ transactionsRoot: transactionsRootOf(transactions) })
const block: Block = { header, transactions }

describe('a block', () => {
  it('decodes to itself, with transactions of every type and with none', () => {
    expect(decodeBlock(encodeBlock(block))).toEqual(block)
    const empty = { header: createTestChain().next(), transactions: [] }
    expect(decodeBlock(encodeBlock(empty))).toEqual(empty)
    expect(transactionsRootOf([])).toBe(EMPTY_TRIE_ROOT)
    expect(encodeStoredBlock(header, transactions.map(({ raw }) => raw))).toEqual(encodeBlock(block))
  })

  it('recovers no sender that is known by hash', () => {
    const known = new Map(transactions.map((transaction) => [transaction.hash, transaction]))
    installCrypto({ recoverPublicKey: () => expect.fail('recovered') })
    try {
      const read = decodeBlock(encodeBlock(block), { knownTransaction: (hash) => known.get(hash) })
      expect(read.transactions.every((transaction, at) => transaction === transactions[at])).toBe(true)
    } finally {
      installCrypto({})
    }
  })

  it('is bound to its body by the header', () => {
    expect(() => checkTransactionsRoot(block)).not.toThrow()
    const longer = [...transactions, transactions[0]!]
    const bodies: Transaction[][] = [transactions.slice(1), [...transactions].reverse(), longer, []]
    for (const body of bodies) {
      expect(codeOf(() => checkTransactionsRoot({ header, transactions: body }))).toBe('BLOCK_TRANSACTIONS_ROOT')
    }
  })

  const head = encodeHeader(header)
  const none = encodeRlp([])
  const list = splitRlpList(encodeBlock(block))[1]!
  const [legacy, listed] = transactions as [Transaction, Transaction]
  const untyped = encodeRlpList([listed.raw.subarray(1)])
  it.each<[string, string, Uint8Array]>([
    ['no bytes', 'RLP_TRUNCATED', new Uint8Array(0)],
    ['bytes for a list', 'RLP_FIELD', encodeRlp(Uint8Array.of(1, 2))],
    ['three parts', 'BLOCK_SHAPE', encodeRlpList([head, list, none])],
    ['five parts', 'RLP_TOO_MANY_ITEMS', encodeRlpList([head, list, none, none, none])],
    ['an ommer', 'BLOCK_SHAPE', encodeRlpList([head, list, encodeRlpList([head]), none])],
    ['a withdrawal', 'BLOCK_SHAPE', encodeRlpList([head, list, none, encodeRlp([[]])])],
    ['a header of bytes', 'RLP_FIELD', encodeRlpList([encodeRlp(head), list, none, none])],
    ['transactions as bytes', 'RLP_FIELD', encodeRlpList([head, encodeRlp(list), none, none])],
    ['a byte behind', 'RLP_TRAILING_BYTES', concatBytes(encodeBlock(block), Uint8Array.of(0))],
    ['a byte less', 'RLP_TRUNCATED', encodeBlock(block).subarray(0, -1)],
    ['a legacy transaction as bytes', 'BLOCK_TRANSACTION', encodeRlpList([head, encodeRlp([legacy.raw]), none, none])],
    ['a typed transaction as a list', 'BLOCK_TRANSACTION', encodeRlpList([head, untyped, none, none])],
    ['an empty transaction', 'BLOCK_TRANSACTION', encodeRlpList([head, encodeRlp([new Uint8Array(0)]), none, none])],
    ['a bad transaction', 'BLOCK_TRANSACTION', encodeRlpList([head, encodeRlp([Uint8Array.of(3, 1)]), none, none])],
  ])('is refused: %s', (_, code, bytes) => {
    expect(codeOf(() => decodeBlock(bytes))).toBe(code)
  })

  it('is refused by its size before it is read', () => {
    expect(codeOf(() => decodeBlock(new Uint8Array(MAX_BLOCK_BYTES + 1)))).toBe('BLOCK_TOO_LARGE')
    const bytes = encodeBlock(block)
    expect(codeOf(() => decodeBlock(bytes, { maxBytes: bytes.length - 1 }))).toBe('BLOCK_TOO_LARGE')
    expect(() => decodeBlock(bytes, { maxBytes: bytes.length })).not.toThrow()
  })

  it('names the transaction that it refuses', () => {
    const bad = encodeRlpList([head, encodeRlpList([legacy.raw, encodeRlp(Uint8Array.of(3, 1))]), none, none])
    expect(() => decodeBlock(bad)).toThrow(/Transaction 1 of the block: Transaction type 3/)
  })

  it('of noise is refused with a code', () => {
    for (let seed = 0; seed < 300; seed++) {
      const noise = keccak256(Uint8Array.of(seed & 255, seed >> 8))
      const bytes = concatBytes(Uint8Array.of(0xdf + (seed % 2)), noise)
      expect(codeOf(() => decodeBlock(bytes))).toMatch(/^(RLP|BLOCK|INTEGER)_/)
    }
  })
})
