import { type Hash, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type NodeReference, type TrieNode, decodeNode, hashOfReference, referenceTo } from './node.js'
import type { NodeStore } from './state.js'

/** The RLP of the node with this hash. @throws CodedError `TRIE_NODE_MISSING` */
export function loadRaw(store: NodeStore, hash: Hash): Uint8Array {
  const raw = store.getNode(hash)
  if (raw !== undefined) return raw
  throw new CodedError(
    'TRIE_NODE_MISSING',
    `trie node ${hash} is not in the store: this state was never stored here, or the database is damaged`,
    { details: { hash } },
  )
}

/** @throws CodedError `TRIE_NODE_MISSING`, `TRIE_NODE_INVALID` */
export function loadNode(store: NodeStore, reference: NodeReference): TrieNode {
  const hash = hashOfReference(reference)
  return decodeNode(hash === undefined ? reference : loadRaw(store, bytesToHex(hash)))
}

/** Undefined for the empty trie. */
export function rootReference(root: Hash): NodeReference | undefined {
  return root === EMPTY_TRIE_ROOT ? undefined : referenceTo(hexToBytes(root))
}
