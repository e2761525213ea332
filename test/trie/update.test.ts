import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Hex, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { trieGet } from '@songhua/node/trie/lookup'
import type { TrieChange } from '@songhua/node/trie/update'
import { createTestTrie } from './map-store.js'
import { referenceRoot } from './reference-trie.js'

type Batch = [Hex, Uint8Array | null][]

// Few digits, so that keys share prefixes, are prefixes of one another, and are written again and deleted.
const digits = fc.constantFrom('00', '01', '10', '11', 'f0', 'ff')
const shortKey = fc.array(digits, { minLength: 1, maxLength: 4 }).map((bytes): Hex => `0x${bytes.join('')}`)
const hashedKey = fc.nat(60).map((index) => keccak256Hex(Uint8Array.of(index)))
const value = fc.uint8Array({ minLength: 1, maxLength: 40 })
const batches = (key: fc.Arbitrary<Hex>): fc.Arbitrary<Batch[]> =>
  fc.array(fc.array(fc.tuple(key, fc.option(value, { freq: 2 })), { maxLength: 25 }), { minLength: 1, maxLength: 6 })

function applyTo(entries: Map<Hex, Uint8Array>, batch: Batch): void {
  for (const [key, change] of batch) {
    if (change === null) entries.delete(key)
    else entries.set(key, change)
  }
}

describe.each([
  { name: 'keys of any length', key: shortKey },
  { name: 'hashed keys', key: hashedKey },
])('updateTrie over $name', ({ key }) => {
  it('gives after each batch the root of a trie built from the final map, and every value back', () => {
    fc.assert(
      fc.property(batches(key), (sequence) => {
        const trie = createTestTrie()
        const entries = new Map<Hex, Uint8Array>()
        for (const batch of sequence) {
          trie.update(batch)
          applyTo(entries, batch)
          expect(trie.root).toBe(referenceRoot(entries))
          for (const [used] of batch) expect(trieGet(trie, trie.root, used)).toEqual(entries.get(used))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('does not depend on the order within a batch', () => {
    const shuffled = fc
      .uniqueArray(fc.tuple(key, value), { selector: ([used]) => used, maxLength: 40 })
      .chain((batch) => fc.tuple(fc.constant(batch), fc.shuffledSubarray(batch, { minLength: batch.length })))
    fc.assert(
      fc.property(shuffled, ([batch, reordered]) => {
        const [left, right] = [createTestTrie(), createTestTrie()]
        expect(left.update(batch).root).toBe(right.update(reordered).root)
        expect([...left.nodes.keys()].sort()).toEqual([...right.nodes.keys()].sort())
      }),
    )
  })

  it('makes no node when nothing changes', () => {
    fc.assert(
      fc.property(batches(key), fc.array(key), (sequence, absent) => {
        const trie = createTestTrie()
        const entries = new Map<Hex, Uint8Array>()
        for (const batch of sequence) {
          trie.update(batch)
          applyTo(entries, batch)
        }
        const deletions = absent.filter((used) => !entries.has(used)).map((used): [Hex, null] => [used, null])
        expect(trie.update([...entries, ...deletions])).toEqual({ root: trie.root, nodes: new Map() })
      }),
    )
  })

  it('makes only nodes of the new trie, each under its hash', () => {
    fc.assert(
      fc.property(batches(key), (sequence) => {
        const trie = createTestTrie()
        const entries = new Map<Hex, Uint8Array>()
        for (const batch of sequence) {
          const { nodes } = trie.update(batch)
          applyTo(entries, batch)
          trie.read = []
          if (trie.root !== EMPTY_TRIE_ROOT) trie.read.push(trie.root)
          for (const used of entries.keys()) trieGet(trie, trie.root, used)
          const reached = new Set(trie.read)
          for (const [hash, raw] of nodes) {
            expect(keccak256Hex(raw)).toBe(hash)
            expect(reached.has(hash)).toBe(true)
          }
        }
      }),
    )
  })
})

describe('updateTrie', () => {
  const keys = Array.from({ length: 1000 }, (_, index) => keccak256Hex(Uint8Array.of(index >> 8, index & 0xff)))

  it('reads each node once, however many changes lie below it', () => {
    const trie = createTestTrie()
    trie.update(keys.map((key) => [key, hexToBytes(key)]))
    trie.update(keys.map((key) => [key, Uint8Array.of(7)]))
    expect(new Set(trie.read).size).toBe(trie.read.length)
  })

  it('deletes down to the empty trie', () => {
    const trie = createTestTrie()
    trie.update(keys.map((key) => [key, hexToBytes(key)]))
    for (let from = 0; from < keys.length; from += 100) {
      trie.update(keys.slice(from, from + 100).map((key) => [key, null]))
    }
    expect(trie.root).toBe(EMPTY_TRIE_ROOT)
  })

  it('takes an empty value for a deletion', () => {
    const trie = createTestTrie()
    trie.update([['0x01', Uint8Array.of(1)]])
    trie.update([['0x01', new Uint8Array()]])
    expect(trie.root).toBe(EMPTY_TRIE_ROOT)
  })

  it('asks a change that is a function once, with the present value', () => {
    const trie = createTestTrie()
    const before = keys.slice(0, 50).map((key): [Hex, Uint8Array] => [key, hexToBytes(key)])
    trie.update(before)
    const asked: [Hex, Hex | undefined][] = []
    trie.update(keys.slice(0, 100).map((key): [Hex, TrieChange] => [key, (present) => {
      asked.push([key, present && bytesToHex(present)])
      return Uint8Array.of(1)
    }]))
    expect(new Map(asked)).toEqual(new Map(keys.slice(0, 100).map((key, index) => [key, index < 50 ? key : undefined])))
    expect(asked.length).toBe(100)
    expect(trie.root).toBe(referenceRoot(new Map(keys.slice(0, 100).map((key) => [key, Uint8Array.of(1)]))))
  })

  it('leaves earlier roots readable', () => {
    const trie = createTestTrie()
    const first = trie.update(keys.map((key) => [key, Uint8Array.of(1)])).root
    trie.update(keys.map((key, index) => [key, index % 2 === 0 ? null : Uint8Array.of(2)]))
    expect(keys.map((key) => trieGet(trie, first, key))).toEqual(keys.map(() => Uint8Array.of(1)))
  })

  it('names the node that is missing', () => {
    const trie = createTestTrie()
    trie.update(keys.map((key) => [key, hexToBytes(key)]))
    trieGet(trie, trie.root, keys[0]!)
    const lost = trie.read.at(-1)!
    trie.nodes.delete(lost)
    const failure = expect.objectContaining({ code: 'TRIE_NODE_MISSING', details: { hash: lost } }) as unknown
    expect(() => trieGet(trie, trie.root, keys[0]!)).toThrow(failure)
    expect(() => trie.update([[keys[0]!, Uint8Array.of(1)]])).toThrow(failure)
  })

  it.each([
    ['no bytes', '0x'],
    ['a string', '0x83010203'],
    ['a list cut short', '0xc883010203'],
    ['bytes after the list', '0xc20102ff'],
    ['three items', '0xc3010203'],
    ['eighteen items', '0xd2010101010101010101010101010101010101'],
    ['an unknown path flag', '0xc240830102'],
    ['an extension of nothing', `0xe200a0${'00'.repeat(32)}`],
    ['a list for a leaf value', '0xc320c101'],
  ] as [string, Hex][])('refuses a damaged node: %s', (_name, raw) => {
    const trie = createTestTrie()
    trie.update([['0x0102', hexToBytes(`0x${'77'.repeat(32)}`)]])
    trie.nodes.set(trie.root, hexToBytes(raw))
    const failure = expect.objectContaining({ code: 'TRIE_NODE_INVALID' }) as unknown
    expect(() => trieGet(trie, trie.root, '0x0102')).toThrow(failure)
  })
})
