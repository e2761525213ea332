import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import type { Hash, Hex } from '@songhua/sdk/protocol/bytes'
import type { NodeStore } from '@songhua/node/trie/state'
import { type TrieChange, type TrieUpdate, updateTrie } from '@songhua/node/trie/update'

/** A trie that keeps the nodes of every update, as a node does. */
export interface TestTrie extends NodeStore {
  root: Hash
  nodes: Map<Hash, Uint8Array>
  /** Hashes of nodes read since the last `update`. */
  read: Hash[]
  update(changes: Iterable<[Hex, TrieChange]>): TrieUpdate
}

export function createTestTrie(): TestTrie {
  const trie: TestTrie = {
    root: EMPTY_TRIE_ROOT,
    nodes: new Map(),
    read: [],
    getNode(hash) {
      trie.read.push(hash)
      return trie.nodes.get(hash)
    },
    update(changes) {
      trie.read = []
      const updated = updateTrie(trie, trie.root, new Map(changes))
      updated.nodes.forEach((raw, hash) => trie.nodes.set(hash, raw))
      trie.root = updated.root
      return updated
    },
  }
  return trie
}
