import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { RLP } from '@ethereumjs/rlp'
import { keccak256 as ethersKeccak } from 'ethers'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { decodeExtraData, encodeExtraData, readVanity, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { type Header, decodeHeader, encodeHeader, headerToRlp } from '@songhua/sdk/protocol/header'
import { type RlpItem, decodeRlp, encodeRlp, splitRlpList } from '@songhua/sdk/protocol/rlp'
import { decodeTransaction } from '@songhua/sdk/protocol/transaction'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { codeOf, vector } from './support.js'

interface CancunBlock {
  rlp: string
  hash: string
  header: Record<string, string>
  sender: string
}
const cancun = vector<CancunBlock>('header/cancun-block.json')
const [cancunHeader, cancunTransactions] = splitRlpList(hexToBytes(cancun.rlp))

describe('a Cancun block of ethereum/tests', () => {
  it('has the header and the hash that the vector names', () => {
    const header = decodeHeader(cancunHeader!)
    for (const [name, expected] of Object.entries(cancun.header)) {
      const actual = header[name as keyof Header]
      if (typeof actual === 'string') expect(actual, name).toBe(expected)
      else if (actual instanceof Uint8Array) expect(bytesToHex(actual), name).toBe(expected)
      else expect(BigInt(actual), name).toBe(BigInt(expected))
    }
    expect(encodeHeader(header)).toEqual(cancunHeader)
    expect(keccak256Hex(encodeHeader(header))).toBe(cancun.hash)
  })

  it('has the transactions and the root that the vector names', () => {
    const items = splitRlpList(cancunTransactions!)
    const raws = items.map((item) => (item[0]! < 0xc0 ? (decodeRlp(item) as Uint8Array) : item))
    expect(orderedTrieRoot(raws)).toBe(cancun.header.transactionsRoot)
    const senders = raws.slice(0, 3).map((raw) => decodeTransaction(raw).sender)
    expect(senders).toEqual([cancun.sender, cancun.sender, cancun.sender])
    expect(codeOf(() => decodeTransaction(raws[3]!))).toBe('TX_TYPE')
  })
})

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytesToHex(bytes))
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
const anyHeader: fc.Arbitrary<Header> = fc.record({
  parentHash: hash,
  ommersHash: hash,
  coinbase: bytes(20).map((address) => bytesToHex(address)),
  stateRoot: hash,
  transactionsRoot: hash,
  receiptsRoot: hash,
  logsBloom: bytes(256),
  difficulty: uint256,
  number: fc.maxSafeNat(),
  gasLimit: uint64,
  gasUsed: uint64,
  timestamp: fc.maxSafeNat(),
  extraData: fc.uint8Array({ maxLength: 400 }),
  mixHash: hash,
  nonce: bytes(8),
  baseFeePerGas: uint256,
  withdrawalsRoot: hash,
  blobGasUsed: uint64,
  excessBlobGas: uint64,
  parentBeaconBlockRoot: hash,
})

describe('any header', () => {
  it('decodes to itself, and ethereumjs encodes its fields to the same bytes', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const encoded = encodeHeader(header)
        expect(decodeHeader(encoded)).toEqual(header)
        expect(RLP.encode(headerToRlp(header))).toEqual(encoded)
        expect(keccak256Hex(encoded)).toBe(ethersKeccak(encoded))
      }),
    )
  })

  it('keeps no part of the frame it was read from', () => {
    const frame = new Uint8Array(cancunHeader!)
    const header = decodeHeader(frame)
    const before = encodeHeader(header)
    frame.fill(0)
    expect(encodeHeader(header)).toEqual(before)
  })

  const withField = (index: number, item: RlpItem): RlpItem[] =>
    headerToRlp(decodeHeader(cancunHeader!)).map((field, at) => (at === index ? item : field))
  it.each<[string, RlpItem[]]>([
    ['header.parentHash', withField(0, new Uint8Array(31))],
    ['header.coinbase', withField(2, new Uint8Array(21))],
    ['header.logsBloom', withField(6, new Uint8Array(255))],
    ['header.number', withField(8, new Uint8Array(9).fill(1))],
    ['header.gasLimit', withField(9, new Uint8Array(9).fill(1))],
    ['header.timestamp', withField(11, Uint8Array.of(0))],
    ['header.extraData', withField(12, [])],
    ['header.nonce', withField(14, new Uint8Array(7))],
    ['header', withField(0, new Uint8Array(32)).slice(0, 19)],
    ['header', [...withField(0, new Uint8Array(32)), new Uint8Array(32)]],
  ])('is refused by the name of its field: %s (%#)', (field, items) => {
    expect(codeOf(() => decodeHeader(items))).toBe('RLP_FIELD')
    expect(() => decodeHeader(items)).toThrow(`${field} must be`)
  })

  it('is refused when its number is above 2^53', () => {
    expect(codeOf(() => decodeHeader(withField(8, new Uint8Array(8).fill(255))))).toBe('INTEGER_RANGE')
  })
})

/** Besu's QbftExtraDataCodecTest: two validators, a vote to add, round 0x00FEDCBA, two seals. */
const BESU =
  '0xf8f0a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20ea9400000000000000000000000000000000000000' +
  '01940000000000000000000000000000000000000002d794000000000000000000000000000000000000000181ff83fedcbaf886b841' +
  '0000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000' +
  '000000000000000a00b841000000000000000000000000000000000000000000000000000000000000000a' +
  '000000000000000000000000000000000000000000000000000000000000000100'

describe('extraData', () => {
  const fields = decodeRlp(hexToBytes(BESU)) as RlpItem[]
  const withField = (index: number, item: RlpItem): Uint8Array =>
    encodeRlp(fields.map((field, at) => (at === index ? item : at === 2 ? [] : field)))
  const voteless = withField(2, [])

  it('is Besu’s but for the vote', () => {
    expect(codeOf(() => decodeExtraData(hexToBytes(BESU)))).toBe('EXTRA_DATA_VOTE')
    const extraData = decodeExtraData(voteless)
    expect(extraData.validators).toEqual([1, 2].map((last) => `0x${'00'.repeat(19)}0${last}`))
    expect(extraData.round).toBe(0x00fedcba)
    expect(extraData.seals.map((seal) => [seal[31], seal[63], seal[64]])).toEqual([[1, 10, 0], [10, 1, 0]])
    expect(encodeExtraData(extraData)).toEqual(voteless)
  })

  it.each<[string, string, Uint8Array]>([
    ['vanity of 31 bytes', 'RLP_FIELD', withField(0, new Uint8Array(31))],
    ['a validator of 19 bytes', 'RLP_FIELD', withField(1, [new Uint8Array(19)])],
    ['65 validators', 'EXTRA_DATA_VALIDATORS', withField(1, Array.from({ length: 65 }, () => new Uint8Array(20)))],
    ['a vote', 'EXTRA_DATA_VOTE', withField(2, [new Uint8Array(20)])],
    ['a vote of bytes', 'RLP_FIELD', withField(2, new Uint8Array(0))],
    ['round with a leading zero', 'RLP_FIELD', withField(3, Uint8Array.of(0, 0xfe))],
    ['round 2^32', 'EXTRA_DATA_ROUND', withField(3, Uint8Array.of(1, 0, 0, 0, 0))],
    ['a seal of 64 bytes', 'RLP_FIELD', withField(4, [new Uint8Array(64)])],
    ['65 seals', 'EXTRA_DATA_SEALS', withField(4, Array.from({ length: 65 }, () => new Uint8Array(65)))],
    ['6 KiB and a byte', 'EXTRA_DATA_TOO_LARGE', new Uint8Array(6 * 1024 + 1)],
    ['four fields', 'RLP_FIELD', encodeRlp(fields.slice(0, 4))],
    ['no bytes', 'RLP_TRUNCATED', new Uint8Array(0)],
  ])('is refused with %s', (_, code, encoded) => {
    expect(codeOf(() => decodeExtraData(encoded))).toBe(code)
  })

  it('holds 64 validators and as many seals', () => {
    const validators = Array.from({ length: 64 }, (_, at) => bytesToHex(new Uint8Array(20).fill(at + 1)))
    const seals = validators.map((_, at) => new Uint8Array(65).fill(at + 1))
    const extraData = { vanity: new Uint8Array(32), validators, round: 2 ** 32 - 1, seals }
    expect(decodeExtraData(encodeExtraData(extraData))).toEqual(extraData)
  })

  it('has 24 bytes of the genesis hash and the time in ms for a vanity', () => {
    fc.assert(
      fc.property(hash, fc.maxSafeNat(), (genesisHash, timeMs) => {
        const vanity = vanityOf(genesisHash, timeMs)
        expect(vanity.length).toBe(32)
        const read = readVanity(vanity)
        expect(read.blockTimeMs).toBe(timeMs)
        expect(bytesToHex(read.genesisPrefix)).toBe(genesisHash.slice(0, 50))
      }),
    )
    expect(codeOf(() => readVanity(new Uint8Array(32).fill(255)))).toBe('INTEGER_RANGE')
  })
})
