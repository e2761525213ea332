import type { Hash } from '@songhua/sdk/protocol/bytes'
import { loadNode, rootReference } from './load.js'
import type { Child, TrieNode } from './node.js'
import type { NodeStore } from './state.js'

/** Leaves of the trie at `root`, each of its nodes read once. @throws CodedError `TRIE_NODE_MISSING`, `TRIE_NODE_INVALID` */
export function countLeaves(store: NodeStore, root: Hash): number {
  const waiting: Child[] = [rootReference(root) ?? []].flat()
  let leaves = 0
  for (let child = waiting.pop(); child !== undefined; child = waiting.pop()) {
    const node: TrieNode = child instanceof Uint8Array ? loadNode(store, child) : child
    if (node.kind === 'leaf') leaves++
    else if (node.kind === 'extension') waiting.push(node.child)
    else {
      if (node.value !== undefined) leaves++
      waiting.push(...node.children.filter((one) => one !== undefined))
    }
  }
  return leaves
}
