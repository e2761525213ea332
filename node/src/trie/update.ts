import { type Hash, type Hex, bytesToHex, equalBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { loadNode, rootReference } from './load.js'
import {
  type BranchNode, type Child, type ExtensionNode, type LeafNode, type NodeReference, type TrieNode,
  BRANCH_WIDTH, encodeBranch, encodeExtension, encodeLeaf, referenceTo,
} from './node.js'
import type { NodeStore } from './state.js'

/** null and the empty value delete the key. */
export type TrieValue = Uint8Array | null

/**
 * The new value, or a function from the present value (undefined when absent) to the new one.
 * It is asked once, in key order.
 */
export type TrieChange = TrieValue | ((present: Uint8Array | undefined) => TrieValue)

export interface TrieUpdate {
  root: Hash
  /** The nodes that the update made, by hash: exactly what has to be stored. */
  nodes: Map<Hash, Uint8Array>
}

/** One batch: keys ascending, as hex digits, each with its change. */
interface Batch {
  store: NodeStore
  keys: string[]
  changes: TrieChange[]
}

/** The changes [from, to) of the batch, all of whose keys share their first `depth` digits. */
interface Slice {
  from: number
  to: number
  depth: number
}

interface Entry {
  key: string
  value: Uint8Array
}

/**
 * The trie at `root` with `changes` made to it. It is descended once, in key order; every node on the way is read,
 * rebuilt and hashed once, however many changes lie below it.
 * @param changes by key, 0x hex of whole bytes
 * @throws CodedError `TRIE_NODE_MISSING`, `TRIE_NODE_INVALID`
 */
export function updateTrie(store: NodeStore, root: Hash, changes: ReadonlyMap<Hex, TrieChange>): TrieUpdate {
  const sorted = [...changes].sort(([left], [right]) => (left < right ? -1 : 1))
  const batch: Batch = { store, keys: sorted.map(([key]) => key.slice(2)), changes: sorted.map(([, change]) => change) }
  const before = rootReference(root)
  const after = updateChild(batch, before, { from: 0, to: sorted.length, depth: 0 })
  const nodes = new Map<Hash, Uint8Array>()
  if (after === undefined) return { root: EMPTY_TRIE_ROOT, nodes }
  if (after === before || after instanceof Uint8Array) return { root, nodes }
  return { root: bytesToHex(putNode(encodeNode(after, nodes), nodes)), nodes }
}

/** Answers `child` itself when nothing below it changes, so that its parent can stay as it is too. */
function updateChild(batch: Batch, child: Child | undefined, slice: Slice): Child | undefined {
  if (slice.from === slice.to) return child
  if (child === undefined) return buildNode(entriesOf(batch, slice), slice.depth)
  const node = child instanceof Uint8Array ? loadNode(batch.store, child) : child
  const updated = updateNode(batch, node, slice)
  return updated === node ? child : updated
}

function updateNode(batch: Batch, node: TrieNode, slice: Slice): TrieNode | undefined {
  switch (node.kind) {
    case 'leaf': return updateLeaf(batch, node, slice)
    case 'extension': return updateExtension(batch, node, slice)
    case 'branch': return updateBranch(batch, node, slice)
  }
}

function updateLeaf(batch: Batch, leaf: LeafNode, slice: Slice): TrieNode | undefined {
  const key = batch.keys[slice.from]!.slice(0, slice.depth) + leaf.path
  const entries = entriesOf(batch, slice, { key, value: leaf.value })
  const [only] = entries
  if (entries.length === 1 && only!.key === key && equalBytes(only!.value, leaf.value)) return leaf
  return buildNode(entries, slice.depth)
}

function updateExtension(batch: Batch, extension: ExtensionNode, slice: Slice): TrieNode | undefined {
  const { path, child } = extension
  const shared = sharedWithPath(batch, path, slice)
  if (shared === path.length) {
    const updated = updateChild(batch, child, { ...slice, depth: slice.depth + path.length })
    return updated === child ? extension : prefixNode(batch, path, updated)
  }
  // Some key leaves the path: stand a branch where the first one does. A deletion of an absent key collapses it again.
  const children = new Array<Child | undefined>(BRANCH_WIDTH)
  const rest = path.slice(shared + 1)
  children[digitAt(path, shared)] = rest === '' ? child : { kind: 'extension', path: rest, child }
  const branch: BranchNode = { kind: 'branch', children, value: undefined }
  const split = updateBranch(batch, branch, { ...slice, depth: slice.depth + shared })
  const updated = split === branch ? extension : prefixNode(batch, path.slice(0, shared), split)
  return updated?.kind === 'extension' && updated.path === path && updated.child === child ? extension : updated
}

function updateBranch(batch: Batch, branch: BranchNode, slice: Slice): TrieNode | undefined {
  let { children } = branch
  let value = branch.value
  let from = slice.from
  if (batch.keys[from]!.length === slice.depth) value = valueAt(batch, from++, value)
  while (from < slice.to) {
    const digit = digitAt(batch.keys[from]!, slice.depth)
    const to = endOfGroup(batch, { ...slice, from })
    const updated = updateChild(batch, children[digit], { from, to, depth: slice.depth + 1 })
    if (updated !== children[digit]) {
      if (children === branch.children) children = children.slice()
      children[digit] = updated
    }
    from = to
  }
  if (children === branch.children && isSameValue(value, branch.value)) return branch
  return collapse(batch, { kind: 'branch', children, value })
}

/** A branch with one way left is no branch: its child takes its place, longer by one digit. */
function collapse(batch: Batch, branch: BranchNode): TrieNode | undefined {
  const digits: number[] = []
  for (let digit = 0; digit < BRANCH_WIDTH && digits.length < 2; digit++) {
    if (branch.children[digit] !== undefined) digits.push(digit)
  }
  if (digits.length + (branch.value === undefined ? 0 : 1) >= 2) return branch
  if (branch.value !== undefined) return { kind: 'leaf', path: '', value: branch.value }
  const [digit] = digits
  return digit === undefined ? undefined : prefixNode(batch, digit.toString(16), branch.children[digit])
}

/** The node that says `path` and then `child`; leaves and extensions take the digits up themselves. */
function prefixNode(batch: Batch, path: string, child: Child | undefined): TrieNode | undefined {
  if (child === undefined) return undefined
  const node = child instanceof Uint8Array ? loadNode(batch.store, child) : child
  if (path === '') return node
  if (node.kind === 'branch') return { kind: 'extension', path, child }
  return { ...node, path: path + node.path }
}

/** The smallest trie over `entries` (ascending, sharing their first `depth` digits). */
function buildNode(entries: Entry[], depth: number): TrieNode | undefined {
  const first = entries[0]
  if (first === undefined) return undefined
  if (entries.length === 1) return { kind: 'leaf', path: first.key.slice(depth), value: first.value }
  const fork = depth + sharedLength(first.key.slice(depth), entries[entries.length - 1]!.key, depth)
  const children = new Array<Child | undefined>(BRANCH_WIDTH)
  const endsHere = first.key.length === fork
  for (let from = endsHere ? 1 : 0, to = from; from < entries.length; from = to) {
    const digit = digitAt(entries[from]!.key, fork)
    while (to < entries.length && digitAt(entries[to]!.key, fork) === digit) to++
    children[digit] = buildNode(entries.slice(from, to), fork + 1)
  }
  const branch: BranchNode = { kind: 'branch', children, value: endsHere ? first.value : undefined }
  return fork === depth ? branch : { kind: 'extension', path: first.key.slice(depth, fork), child: branch }
}

/** What the slice leaves at its keys, ascending; `present` is the one entry that was there before. */
function entriesOf(batch: Batch, slice: Slice, present?: Entry): Entry[] {
  const entries: Entry[] = []
  let pending = present
  for (let index = slice.from; index < slice.to; index++) {
    const key = batch.keys[index]!
    if (pending !== undefined && pending.key < key) {
      entries.push(pending)
      pending = undefined
    }
    const value = valueAt(batch, index, pending?.key === key ? pending.value : undefined)
    if (pending?.key === key) pending = undefined
    if (value !== undefined) entries.push({ key, value })
  }
  if (pending !== undefined) entries.push(pending)
  return entries
}

function valueAt(batch: Batch, index: number, present: Uint8Array | undefined): Uint8Array | undefined {
  const change = batch.changes[index]!
  const value = typeof change === 'function' ? change(present) : change
  return value === null || value.length === 0 ? undefined : value
}

/** Where the run of keys that share the digit at `depth` with the first one ends. */
function endOfGroup(batch: Batch, { from, to, depth }: Slice): number {
  const digit = batch.keys[from]!.charCodeAt(depth)
  let end = from + 1
  while (end < to && batch.keys[end]!.charCodeAt(depth) === digit) end++
  return end
}

/** How many digits of `path` every key of the slice follows: keys ascend, so the first and the last decide. */
function sharedWithPath(batch: Batch, path: string, { from, to, depth }: Slice): number {
  return Math.min(sharedLength(path, batch.keys[from]!, depth), sharedLength(path, batch.keys[to - 1]!, depth))
}

/** How many leading digits of `path` stand in `key` from `depth` on. */
function sharedLength(path: string, key: string, depth: number): number {
  const limit = Math.min(path.length, key.length - depth)
  let shared = 0
  while (shared < limit && path.charCodeAt(shared) === key.charCodeAt(depth + shared)) shared++
  return shared
}

function digitAt(digits: string, index: number): number {
  const code = digits.charCodeAt(index)
  return code < 0x3a ? code - 0x30 : code - 0x57
}

function isSameValue(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left === right || (left !== undefined && right !== undefined && equalBytes(left, right))
}

/** Children first; only what the update made is encoded, what it did not touch is still its reference. */
function encodeNode(node: TrieNode, nodes: Map<Hash, Uint8Array>): Uint8Array {
  switch (node.kind) {
    case 'leaf': return encodeLeaf(node)
    case 'extension': return encodeExtension(node.path, referenceOf(node.child, nodes))
    case 'branch': {
      const references = node.children.map((child) => (child === undefined ? undefined : referenceOf(child, nodes)))
      return encodeBranch(references, node.value)
    }
  }
}

function referenceOf(child: Child, nodes: Map<Hash, Uint8Array>): NodeReference {
  if (child instanceof Uint8Array) return child
  const raw = encodeNode(child, nodes)
  return raw.length < 32 ? raw : referenceTo(putNode(raw, nodes))
}

function putNode(raw: Uint8Array, nodes: Map<Hash, Uint8Array>): Uint8Array {
  const hash = keccak256(raw)
  nodes.set(bytesToHex(hash), raw)
  return hash
}
