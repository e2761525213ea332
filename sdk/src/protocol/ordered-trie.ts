import { type Hash, EMPTY_BYTES, bytesToHex, compareBytes, numberToBytes } from './bytes.js'
import { EMPTY_TRIE_ROOT } from './account.js'
import { keccak256 } from './crypto.js'
import { CodedError } from './errors.js'
import { bytesToNibbles, encodeHexPrefix } from './nibbles.js'
import { type RlpItem, encodeRlp } from './rlp.js'

/** The tries of transactions and receipts: Merkle Patricia, the key of value i being RLP(i). Built at once. */

export type OrderedTrieErrorCode = 'ORDERED_TRIE_INDEX'

interface Entry {
  /** Nibbles. No key is the beginning of another, so a branch never holds a value. */
  key: Uint8Array
  value: Uint8Array
}

/** Sees each node on the way to one key, the root last; nodes below 32 bytes live inside their parents. */
interface Watch {
  key: Uint8Array
  onNode: (encoded: Uint8Array) => void
}

interface Slice {
  entries: readonly Entry[]
  start: number
  end: number
  depth: number
}

/** The key in the trie: RLP of the index. */
export function orderedTrieKey(index: number): Uint8Array {
  return encodeRlp(numberToBytes(index))
}

function sortedEntries(values: readonly Uint8Array[]): Entry[] {
  const entries = values.map((value, index) => ({ key: bytesToNibbles(orderedTrieKey(index)), value }))
  return entries.sort((a, b) => compareBytes(a.key, b.key))
}

function sharedLength(slice: Slice): number {
  const first = slice.entries[slice.start]!.key
  const last = slice.entries[slice.end - 1]!.key
  let depth = slice.depth
  while (first[depth] === last[depth]) depth++
  return depth - slice.depth
}

function branchNode(slice: Slice, watch: Watch | undefined): RlpItem {
  const { entries, end, depth } = slice
  const children: RlpItem[] = Array.from({ length: 17 }, () => EMPTY_BYTES)
  for (let start = slice.start; start < end; ) {
    const nibble = entries[start]!.key[depth]!
    let next = start + 1
    while (next < end && entries[next]!.key[depth] === nibble) next++
    const isWatched = watch !== undefined && watch.key[depth] === nibble
    children[nibble] = reference({ entries, start, end: next, depth: depth + 1 }, isWatched ? watch : undefined)
    start = next
  }
  return children
}

function nodeOf(slice: Slice, watch: Watch | undefined): RlpItem {
  const first = slice.entries[slice.start]!
  if (slice.end - slice.start === 1) return [encodeHexPrefix(first.key.subarray(slice.depth), true), first.value]
  const shared = sharedLength(slice)
  if (shared === 0) return branchNode(slice, watch)
  const path = first.key.subarray(slice.depth, slice.depth + shared)
  return [encodeHexPrefix(path, false), reference({ ...slice, depth: slice.depth + shared }, watch)]
}

function reference(slice: Slice, watch: Watch | undefined): RlpItem {
  const node = nodeOf(slice, watch)
  const encoded = encodeRlp(node)
  if (encoded.length < 32) return node
  watch?.onNode(encoded)
  return keccak256(encoded)
}

function encodedRoot(values: readonly Uint8Array[], watch?: Watch): Uint8Array {
  const entries = sortedEntries(values)
  return encodeRlp(nodeOf({ entries, start: 0, end: entries.length, depth: 0 }, watch))
}

/** The root over these values in order: encoded transactions or receipts. */
export function orderedTrieRoot(values: readonly Uint8Array[]): Hash {
  return values.length === 0 ? EMPTY_TRIE_ROOT : bytesToHex(keccak256(encodedRoot(values)))
}

/** The nodes from the root to value `index`, for `verifyMptProof` with `orderedTrieKey(index)`. */
export function orderedTrieProof(values: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= values.length) {
    const message = `There is no value ${index} among ${values.length}`
    throw new CodedError<OrderedTrieErrorCode>('ORDERED_TRIE_INDEX', message, { details: { index } })
  }
  const nodes: Uint8Array[] = []
  const watch = { key: bytesToNibbles(orderedTrieKey(index)), onNode: (encoded: Uint8Array) => nodes.push(encoded) }
  const root = encodedRoot(values, watch)
  return [root, ...nodes.reverse()]
}
