import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Hex, bytesToHex, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { createTestTrie } from './map-store.js'

// ethereum/tests TrieTests (MIT). Its trietestnextprev.json is left out: it asks for the neighbours of a key, and this
// trie has no ordered walk, because its keys are hashes.
type Text = string | null
type Vectors = Record<string, { in: [string, Text][] | Record<string, Text>; root: Hex }>

const read = (file: string): Vectors =>
  JSON.parse(readFileSync(new URL(`../vectors/trie/${file}.json`, import.meta.url), 'utf8')) as Vectors

const toBytes = (text: string): Uint8Array => (text.startsWith('0x') ? hexToBytes(text) : utf8ToBytes(text))
const plainKey = (text: string): Hex => bytesToHex(toBytes(text))
const hashedKey = (text: string): Hex => keccak256Hex(toBytes(text))

function permutations<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items]
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]))
}

const FILES = [
  { file: 'trietest', keyOf: plainKey, anyOrder: false },
  { file: 'trietest_secureTrie', keyOf: hashedKey, anyOrder: false },
  { file: 'trieanyorder', keyOf: plainKey, anyOrder: true },
  { file: 'trieanyorder_secureTrie', keyOf: hashedKey, anyOrder: true },
  { file: 'hex_encoded_securetrie_test', keyOf: hashedKey, anyOrder: true },
]

describe.each(FILES)('ethereum/tests $file', ({ file, keyOf, anyOrder }) => {
  it.each(Object.entries(read(file)))('%s', (_name, { in: input, root }) => {
    const steps = (Array.isArray(input) ? input : Object.entries(input)).map(
      ([key, value]): [Hex, Uint8Array | null] => [keyOf(key), value === null ? null : toBytes(value)],
    )
    const batch = createTestTrie()
    batch.update(steps)
    expect(batch.root).toBe(root)

    for (const order of anyOrder && steps.length <= 5 ? permutations(steps) : [steps]) {
      const trie = createTestTrie()
      for (const step of order) trie.update([step])
      expect(trie.root).toBe(root)
    }
  })
})
