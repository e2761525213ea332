import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { encodeRlp as ethersEncode } from 'ethers'
import { RLP } from '@ethereumjs/rlp'
import { bigintToBytes, bytesToHex, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import {
  MAX_RLP_DEPTH,
  type RlpItem,
  decodeRlp,
  encodeRlp,
  encodeRlpList,
  readAddress,
  readBigint,
  readBytes,
  readList,
  readNumber,
  splitRlpList,
} from '@songhua/sdk/protocol/rlp'
import { codeOf, vector } from './support.js'

type Json = string | number | Json[]
interface Vectors {
  [name: string]: { in: Json; out: string }
}

function toItem(json: Json): RlpItem {
  if (Array.isArray(json)) return json.map(toItem)
  if (typeof json === 'number') return bigintToBytes(BigInt(json))
  return json.startsWith('#') ? bigintToBytes(BigInt(json.slice(1))) : utf8ToBytes(json)
}

const withPrefix = (hex: string): string => (hex.startsWith('0x') ? hex : `0x${hex}`)
const valid = Object.entries(vector<Vectors>('rlp/rlptest.json'))
const example = Object.entries(vector<Vectors>('rlp/example.json'))
const invalid = Object.entries(vector<Vectors>('rlp/invalidRLPTest.json'))

describe('ethereum/tests RLPTests', () => {
  it.each(valid)('%s', (_, test) => {
    const item = toItem(test.in)
    expect(bytesToHex(encodeRlp(item))).toBe(test.out.toLowerCase())
    expect(decodeRlp(hexToBytes(test.out))).toEqual(item)
  })

  it.each(example)('%s decodes and encodes to itself', (_, test) => {
    expect(bytesToHex(encodeRlp(decodeRlp(hexToBytes(test.out))))).toBe(test.out)
  })

  it.each(invalid)('%s is refused', (_, test) => {
    const code = codeOf(() => decodeRlp(hexToBytes(withPrefix(test.out))))
    expect(['RLP_TRUNCATED', 'RLP_NON_CANONICAL', 'RLP_TRAILING_BYTES']).toContain(code)
  })
})

const { item: anyItem } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof({ maxDepth: 5 }, fc.uint8Array({ maxLength: 70 }), fc.array(tie('item'), { maxLength: 8 })),
}))

describe('any item', () => {
  it('encodes as in ethers and ethereumjs, and decodes to itself', () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const encoded = encodeRlp(item)
        const toHexes = (node: RlpItem): object | string => (Array.isArray(node) ? node.map(toHexes) : bytesToHex(node))
        expect(bytesToHex(encoded)).toBe(ethersEncode(toHexes(item) as string))
        expect(encoded).toEqual(RLP.encode(item))
        expect(decodeRlp(encoded)).toEqual(item)
        expect(decodeRlp(Buffer.from(encoded))).toEqual(item)
      }),
    )
  })

  it('has one encoding: whatever decodes encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let item
        try {
          item = decodeRlp(bytes)
        } catch {
          return
        }
        expect(encodeRlp(item)).toEqual(bytes)
      }),
      { numRuns: 3000 },
    )
  })

  it('splits into the encodings of its items', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 6 }), (items) => {
        const parts = items.map(encodeRlp)
        expect(encodeRlpList(parts)).toEqual(encodeRlp(items))
        expect(splitRlpList(encodeRlp(items))).toEqual(parts)
      }),
    )
  })

  it.each([55, 56, 255, 256, 65535, 65536, 2 ** 24])('of %i bytes keeps its length', (length) => {
    const bytes = new Uint8Array(length).fill(7)
    const encoded = encodeRlp(bytes)
    expect(Buffer.compare(encoded, RLP.encode(bytes))).toBe(0)
    expect((decodeRlp(encoded) as Uint8Array).length).toBe(length)
  })
})

describe('hostile input', () => {
  const nested = (depth: number): Uint8Array => {
    let item: RlpItem = []
    for (let i = 1; i < depth; i++) item = [item]
    return encodeRlp(item)
  }

  it('is refused beyond the depth limit, without recursing through megabytes', () => {
    expect(() => decodeRlp(nested(MAX_RLP_DEPTH))).not.toThrow()
    expect(codeOf(() => decodeRlp(nested(MAX_RLP_DEPTH + 1)))).toBe('RLP_TOO_DEEP')
    // 10 MB of list heads, each holding all that follows.
    const heads = new Uint8Array(10_000_000)
    for (let at = 0; at + 4 <= heads.length; at += 4) {
      const rest = heads.length - at - 4
      heads.set([0xfa, rest >> 16, (rest >> 8) & 255, rest & 255], at)
    }
    expect(codeOf(() => decodeRlp(heads))).toMatch(/RLP_TOO_DEEP|RLP_NON_CANONICAL/)
  })

  it('is refused beyond the item limit before it fills the memory', () => {
    const many = encodeRlp(Array.from({ length: 300_000 }, () => new Uint8Array(0)))
    expect(codeOf(() => decodeRlp(many))).toBe('RLP_TOO_MANY_ITEMS')
    expect(codeOf(() => splitRlpList(many, 'list', 100))).toBe('RLP_TOO_MANY_ITEMS')
    expect(codeOf(() => decodeRlp(encodeRlp([[], [], []]), { maxItems: 3 }))).toBe('RLP_TOO_MANY_ITEMS')
  })

  it.each([
    ['0x', 'RLP_TRUNCATED'],
    ['0x8000', 'RLP_TRAILING_BYTES'],
    ['0xc080', 'RLP_TRAILING_BYTES'],
    ['0xc181', 'RLP_TRUNCATED'],
    ['0xc28100', 'RLP_NON_CANONICAL'],
    ['0xb90000', 'RLP_NON_CANONICAL'],
    ['0xbb7fffffff', 'RLP_TRUNCATED'],
    ['0xbf7fffffffffffffff', 'RLP_TRUNCATED'],
    ['0xf7', 'RLP_TRUNCATED'],
  ])('%s is refused with %s', (hex, code) => {
    expect(codeOf(() => decodeRlp(hexToBytes(hex)))).toBe(code)
  })
})

describe('named fields', () => {
  it('reads what is there', () => {
    expect(readBigint(hexToBytes(`0x${'ff'.repeat(32)}`), 'value')).toBe(2n ** 256n - 1n)
    expect(readNumber(new Uint8Array(0), 'number')).toBe(0)
    expect(readAddress(new Uint8Array(20).fill(1), 'to')).toBe(`0x${'01'.repeat(20)}`)
  })

  it.each<[string, () => unknown]>([
    ['value', () => readBigint(new Uint8Array(33).fill(1), 'value')],
    ['value', () => readBigint(Uint8Array.of(0), 'value')],
    ['value', () => readBigint(Uint8Array.of(0, 1), 'value')],
    ['value', () => readBigint([], 'value')],
    ['header', () => readList(new Uint8Array(0), 'header')],
    ['header', () => readList([[], []], 'header', 3)],
    ['seal', () => readBytes(new Uint8Array(64), 'seal', 65)],
    ['seal', () => readBytes(undefined, 'seal')],
    ['to', () => readAddress(new Uint8Array(19), 'to')],
  ])('names %s when it refuses (%#)', (field, read) => {
    expect(codeOf(read)).toBe('RLP_FIELD')
    expect(read).toThrow(field)
  })
})
