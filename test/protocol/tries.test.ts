import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { createMPT, createMerkleProof } from '@ethereumjs/mpt'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256, keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { verifyMptProof } from '@songhua/sdk/protocol/mpt-proof'
import { bytesToNibbles, decodeHexPrefix, encodeHexPrefix } from '@songhua/sdk/protocol/nibbles'
import { orderedTrieKey, orderedTrieProof, orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { type RlpItem, encodeRlp } from '@songhua/sdk/protocol/rlp'
import { codeOf } from './support.js'

const anyValues = fc.array(fc.uint8Array({ minLength: 1, maxLength: 120 }), { maxLength: 300 })

async function theirTrie(pairs: [Uint8Array, Uint8Array][]): Promise<Awaited<ReturnType<typeof createMPT>>> {
  const trie = await createMPT()
  for (const [key, value] of pairs) await trie.put(key, value)
  return trie
}

/** As geth and EIP-1186 have it: ethereumjs also lists the nodes that stand inside their parents. */
async function theirProof(trie: Awaited<ReturnType<typeof theirTrie>>, key: Uint8Array): Promise<Uint8Array[]> {
  return (await createMerkleProof(trie, key)).filter((node, at) => at === 0 || node.length >= 32)
}

describe('the ordered trie', () => {
  it('has the root of ethereumjs for any values, small ones that live inside their parents too', async () => {
    await fc.assert(
      fc.asyncProperty(anyValues, async (values) => {
        const trie = await theirTrie(values.map((value, index) => [orderedTrieKey(index), value]))
        expect(orderedTrieRoot(values)).toBe(bytesToHex(trie.root()))
      }),
      { numRuns: 25 },
    )
  })

  const counts = [0, 1, 2, 17, 127, 128, 129, 255, 256, 257, 1000]
  it.each(counts)('of %i values has the root of ethereumjs', async (count) => {
    const valueAt = (_: unknown, at: number): Uint8Array => encodeRlp([Uint8Array.of(at & 127), new Uint8Array(at % 90)])
    const values = Array.from({ length: count }, valueAt)
    const trie = await theirTrie(values.map((value, index) => [orderedTrieKey(index), value]))
    expect(orderedTrieRoot(values)).toBe(bytesToHex(trie.root()))
  })

  it('proves each value with the nodes of ethereumjs', async () => {
    for (const count of [1, 2, 130, 300]) {
      const values = Array.from({ length: count }, (_, at) => new Uint8Array((at % 60) + 1).fill(at + 1))
      const trie = await theirTrie(values.map((value, index) => [orderedTrieKey(index), value]))
      const root = orderedTrieRoot(values)
      for (const index of new Set([0, 1, 127, 128, 129, count - 1].filter((at) => at < count))) {
        const key = orderedTrieKey(index)
        const proof = orderedTrieProof(values, index)
        expect(proof).toEqual(await theirProof(trie, key))
        expect(verifyMptProof({ root, key, proof })).toEqual(values[index])
      }
    }
  })

  it('proves nothing outside', () => {
    for (const index of [-1, 2, 1.5, NaN]) {
      expect(codeOf(() => orderedTrieProof([Uint8Array.of(1), Uint8Array.of(2)], index))).toBe('ORDERED_TRIE_INDEX')
    }
  })
})

describe('a Merkle Patricia proof', () => {
  const anyPairs = fc.uniqueArray(fc.tuple(fc.nat(5000), fc.uint8Array({ minLength: 1, maxLength: 50 })), {
    minLength: 1,
    maxLength: 60,
    selector: ([key]) => key,
  })
  const keyOf = (n: number, isSecure: boolean): Uint8Array => {
    const key = Uint8Array.of(n >> 8, n & 255)
    return isSecure ? keccak256(key) : key
  }

  it('of ethereumjs shows what is there and what is not', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs, fc.boolean(), fc.nat(5000), async (pairs, isSecure, other) => {
        const trie = await theirTrie(pairs.map(([n, value]) => [keyOf(n, isSecure), value]))
        const root = bytesToHex(trie.root())
        for (const n of [pairs[0]![0], other]) {
          const key = keyOf(n, isSecure)
          const proof = await theirProof(trie, key)
          expect(verifyMptProof({ root, key, proof })).toEqual(pairs.find(([at]) => at === n)?.[1])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('of an empty trie shows that nothing is there', () => {
    const key = new Uint8Array(32)
    expect(verifyMptProof({ root: EMPTY_TRIE_ROOT, key, proof: [] })).toBeUndefined()
    expect(verifyMptProof({ root: EMPTY_TRIE_ROOT, key, proof: [Uint8Array.of(0x80)] })).toBeUndefined()
    const proof = [Uint8Array.of(0xc0)]
    expect(codeOf(() => verifyMptProof({ root: EMPTY_TRIE_ROOT, key, proof }))).toBe('MPT_PROOF_SURPLUS')
  })

  const values = Array.from({ length: 200 }, (_, at) => new Uint8Array(50).fill(at + 1))
  const good = { root: orderedTrieRoot(values), key: orderedTrieKey(130), proof: orderedTrieProof(values, 130) }
  const flipped = good.proof.map((node, at) => (at === 1 ? node.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) : node))
  it.each<[string, string, Partial<typeof good>]>([
    ['no nodes', 'MPT_PROOF_INCOMPLETE', { proof: [] }],
    ['the last node missing', 'MPT_PROOF_INCOMPLETE', { proof: good.proof.slice(0, -1) }],
    ['the first node missing', 'MPT_PROOF_HASH', { proof: good.proof.slice(1) }],
    ['a node more', 'MPT_PROOF_SURPLUS', { proof: [...good.proof, good.proof[0]!] }],
    ['a byte changed', 'MPT_PROOF_HASH', { proof: flipped }],
    ['nodes in another order', 'MPT_PROOF_HASH', { proof: [...good.proof].reverse() }],
    ['another root', 'MPT_PROOF_HASH', { root: orderedTrieRoot(values.slice(1)) }],
    ['another key', 'MPT_PROOF_HASH', { key: orderedTrieKey(131) }],
    ['too many nodes', 'MPT_PROOF_TOO_LONG', { proof: Array.from({ length: 130 }, () => good.proof[0]!) }],
  ])('is refused with %s', (_, code, change) => {
    expect(codeOf(() => verifyMptProof({ ...good, ...change }))).toBe(code)
  })

  const leafPath = encodeHexPrefix(bytesToNibbles(Uint8Array.of(0x12)), true)
  const nothing = new Uint8Array(0)
  const branch = (child: RlpItem): RlpItem => Array.from({ length: 17 }, (_, at) => (at === 1 ? child : nothing))
  it.each<[string, RlpItem]>([
    ['bytes', new Uint8Array(33)],
    ['three items', [leafPath, leafPath, leafPath]],
    ['sixteen items', Array.from({ length: 16 }, () => new Uint8Array(0))],
    ['a path with bad flags', [Uint8Array.of(0x40, 0x12), Uint8Array.of(1)]],
    ['a path with a bad half byte', [Uint8Array.of(0x21, 0x12), Uint8Array.of(1)]],
    ['an empty path', [new Uint8Array(0), Uint8Array.of(1)]],
    ['a leaf without a value', [leafPath, new Uint8Array(0)]],
    ['a leaf with a list', [leafPath, [Uint8Array.of(1)]]],
    ['an extension without a path', [encodeHexPrefix(new Uint8Array(0), false), new Uint8Array(32)]],
    ['a child named by 31 bytes', branch(new Uint8Array(31))],
    ['a child inside that is too large', branch([leafPath, new Uint8Array(40)])],
  ])('is refused when a node is no node: %s', (_, node) => {
    const encoded = encodeRlp(node)
    const root: Hash = keccak256Hex(encoded)
    const key = Uint8Array.of(0x12)
    expect(codeOf(() => verifyMptProof({ root, key, proof: [encoded] }))).toBe('MPT_PROOF_NODE')
  })

  it('is refused when a node is no RLP', () => {
    const encoded = hexToBytes('0xc180ff')
    const proof = { root: keccak256Hex(encoded), key: Uint8Array.of(1), proof: [encoded] }
    expect(codeOf(() => verifyMptProof(proof))).toBe('MPT_PROOF_NODE')
  })
})

it('hex prefixes round-trip (yellow paper appendix C)', () => {
  const anyNibbles = fc.uint8Array({ maxLength: 64, max: 15 })
  fc.assert(
    fc.property(anyNibbles, fc.boolean(), (nibbles, isLeaf) => {
      expect(decodeHexPrefix(encodeHexPrefix(nibbles, isLeaf))).toEqual({ nibbles, isLeaf })
    }),
  )
  expect(bytesToHex(encodeHexPrefix(Uint8Array.of(15, 1, 12, 11, 8), true))).toBe('0x3f1cb8')
  expect(bytesToHex(encodeHexPrefix(Uint8Array.of(1, 2, 3, 4), false))).toBe('0x001234')
})
