import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { RLP } from '@ethereumjs/rlp'
import { bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { bloomMayContain, bloomOf, orBlooms } from '@songhua/sdk/protocol/bloom'
import { type Receipt, decodeReceipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import {
  EMPTY_CODE_HASH,
  EMPTY_TRIE_ROOT,
  decodeAccount,
  encodeAccount,
} from '@songhua/sdk/protocol/account'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { EMPTY_OMMERS_HASH } from '@songhua/sdk/protocol/header'
import { type RlpItem, encodeRlp } from '@songhua/sdk/protocol/rlp'
import { codeOf } from './support.js'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  type: fc.constantFrom(0 as const, 1 as const, 2 as const),
  status: fc.constantFrom(0 as const, 1 as const),
  cumulativeGasUsed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  logsBloom: bytes(256),
  logs: fc.array(
    fc.record({
      address: bytes(20).map((address) => bytesToHex(address)),
      topics: fc.array(bytes(32).map((topic) => bytesToHex(topic)), { maxLength: 4 }),
      data: fc.uint8Array({ maxLength: 100 }),
    }),
    { maxLength: 4 },
  ),
})

describe('a receipt', () => {
  it('decodes to itself, and ethereumjs encodes it to the same bytes', () => {
    fc.assert(
      fc.property(anyReceipt, (receipt) => {
        const encoded = encodeReceipt(receipt)
        expect(decodeReceipt(encoded)).toEqual(receipt)
        const logs = receipt.logs.map(({ address, topics, data }) => [address, topics, data])
        const body = RLP.encode([receipt.status, receipt.cumulativeGasUsed, receipt.logsBloom, logs])
        expect(encoded).toEqual(receipt.type === 0 ? body : concatBytes(Uint8Array.of(receipt.type), body))
      }),
    )
  })

  const bloom = new Uint8Array(256)
  const log = (topics: number): RlpItem => [
    new Uint8Array(20),
    Array.from({ length: topics }, () => new Uint8Array(32)),
    new Uint8Array(0),
  ]
  it.each<[string, Uint8Array]>([
    ['RECEIPT_EMPTY', new Uint8Array(0)],
    ['RECEIPT_TYPE', Uint8Array.of(3, 0xc0)],
    ['RECEIPT_STATUS', encodeRlp([Uint8Array.of(2), Uint8Array.of(1), bloom, []])],
    ['INTEGER_RANGE', encodeRlp([new Uint8Array(8).fill(255), Uint8Array.of(1), bloom, []])],
    ['RLP_FIELD', encodeRlp([new Uint8Array(32).fill(1), Uint8Array.of(1), bloom, []])],
    ['RLP_FIELD', encodeRlp([Uint8Array.of(1), Uint8Array.of(1), new Uint8Array(255), []])],
    ['RLP_FIELD', encodeRlp([Uint8Array.of(1), Uint8Array.of(1), bloom])],
    ['RECEIPT_TOPICS', encodeRlp([Uint8Array.of(1), Uint8Array.of(1), bloom, [log(5)]])],
  ])('is refused with %s (%#)', (code, encoded) => {
    expect(codeOf(() => decodeReceipt(encoded))).toBe(code)
  })
})

describe('a bloom', () => {
  it('sets the bits of go-ethereum’s TestBloom', () => {
    const positive = ['testtest', 'test', 'hallo', 'other'].map((text) => new TextEncoder().encode(text))
    const negative = ['tes', 'lo'].map((text) => new TextEncoder().encode(text))
    const bloom = orBlooms(positive.map((text) => bloomOf([{ address: bytesToHex(text), topics: [] }])))
    for (const text of positive) expect(bloomMayContain(bloom, text)).toBe(true)
    for (const text of negative) expect(bloomMayContain(bloom, text)).toBe(false)
  })

  it('contains every address and topic of its logs', () => {
    fc.assert(
      fc.property(anyReceipt, ({ logs }) => {
        const bloom = bloomOf(logs)
        for (const { address, topics } of logs) {
          expect(bloomMayContain(bloom, hexToBytes(address))).toBe(true)
          for (const topic of topics) expect(bloomMayContain(bloom, hexToBytes(topic))).toBe(true)
        }
        expect(orBlooms(logs.map((log) => bloomOf([log])))).toEqual(bloom)
      }),
    )
  })

  it('of nothing is zero', () => {
    expect(bloomOf([])).toEqual(new Uint8Array(256))
    expect(bloomMayContain(bloomOf([]), new Uint8Array(20))).toBe(false)
  })
})

describe('an account', () => {
  it('decodes to itself', () => {
    const roots = { storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH }
    const account = { nonce: 2n ** 64n - 1n, balance: 2n ** 256n - 1n, ...roots }
    expect(decodeAccount(encodeAccount(account))).toEqual(account)
    const short = encodeRlp([new Uint8Array(0), new Uint8Array(0), new Uint8Array(32)])
    expect(codeOf(() => decodeAccount(short))).toBe('RLP_FIELD')
  })

  it('has the constants that keccak gives', () => {
    expect(EMPTY_CODE_HASH).toBe(keccak256Hex(new Uint8Array(0)))
    expect(EMPTY_TRIE_ROOT).toBe(keccak256Hex(Uint8Array.of(0x80)))
    expect(EMPTY_OMMERS_HASH).toBe(keccak256Hex(Uint8Array.of(0xc0)))
  })
})
