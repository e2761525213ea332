import type { Hash, Hex } from '@songhua/sdk/protocol/bytes'
import { loadNode, loadRaw, rootReference } from './load.js'
import type { Child, TrieNode } from './node.js'
import type { NodeStore } from './state.js'

/**
 * The value at `key` (0x hex of whole bytes), undefined when absent.
 * @throws CodedError `TRIE_NODE_MISSING`, `TRIE_NODE_INVALID`
 */
export function trieGet(store: NodeStore, root: Hash, key: Hex): Uint8Array | undefined {
  let child: Child | undefined = rootReference(root)
  let path = key.slice(2)
  while (child !== undefined) {
    const node: TrieNode = child instanceof Uint8Array ? loadNode(store, child) : child
    if (node.kind === 'leaf') return node.path === path ? node.value : undefined
    if (node.kind === 'branch' && path === '') return node.value
    const step: string = node.kind === 'branch' ? path.slice(0, 1) : node.path
    if (!path.startsWith(step)) return undefined
    child = node.kind === 'branch' ? node.children[parseInt(step, 16)] : node.child
    path = path.slice(step.length)
  }
  return undefined
}

/**
 * The nodes from the root towards `key`, as eth_getProof lists them (EIP-1186): they prove its value, or that it has
 * none. A node embedded in its parent is not listed again; the empty trie has an empty proof.
 * @throws CodedError `TRIE_NODE_MISSING`, `TRIE_NODE_INVALID`
 */
export function trieProof(store: NodeStore, root: Hash, key: Hex): Uint8Array[] {
  const proof: Uint8Array[] = []
  const recording: NodeStore = {
    getNode(hash) {
      const raw = loadRaw(store, hash)
      proof.push(raw)
      return raw
    },
  }
  trieGet(recording, root, key)
  return proof
}
