import { concatBytes, equalBytes } from './bytes.js'
import { sha256 } from './crypto.js'
import { CodedError } from './errors.js'

/**
 * RFC 9162 §2.1: Merkle trees with SHA-256, inclusion and consistency proofs. Nodes are 32 bytes.
 * Sizes and indices go beyond 32 bits, so the arithmetic has no bit operators.
 */

export type MerkleErrorCode =
  | 'TREE_INDEX'
  | 'TREE_SIZE'
  | 'TREE_NODE_MISSING'
  | 'TREE_PROOF_LENGTH'
  | 'TREE_ROOT_MISMATCH'

/** The hash of a complete subtree: of the leaves from index × 2^level on, 2^level of them. */
export type ReadNode = (level: number, index: number) => Uint8Array | undefined

const LEAF_PREFIX = Uint8Array.of(0)
const NODE_PREFIX = Uint8Array.of(1)

function fail(code: MerkleErrorCode, message: string): never {
  throw new CodedError(code, message)
}

export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(concatBytes(LEAF_PREFIX, data))
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(NODE_PREFIX, left, right))
}

/** The root of a tree without leaves. */
export function emptyTreeRoot(): Uint8Array {
  return sha256(new Uint8Array(0))
}

/** All complete subtrees over these leaves, as a port for the proofs below. */
export function createNodeReader(leaves: readonly Uint8Array[]): ReadNode {
  return createHashReader(leaves.map(leafHash))
}

/** As `createNodeReader`, where of the leaves only their hashes are there. */
export function createHashReader(leafHashes: readonly Uint8Array[]): ReadNode {
  const levels: (readonly Uint8Array[])[] = [leafHashes]
  for (let below = levels[0]!; below.length > 1; below = levels.at(-1)!) levels.push(pairsOf(below))
  return (level, index) => levels[level]?.[index]
}

function pairsOf(below: readonly Uint8Array[]): Uint8Array[] {
  const level: Uint8Array[] = []
  for (let i = 0; i + 1 < below.length; i += 2) level.push(nodeHash(below[i]!, below[i + 1]!))
  return level
}

/** A tree all in memory, whose paths cost no more hashing. */
export interface MerkleTree {
  readonly root: Uint8Array
  /** RFC 9162 §2.1.3.1, from the leaf up. One node is one array, whichever path it is on. */
  path(index: number): Uint8Array[]
}

/**
 * Splitting at the largest power of two comes to the same as pairing level by level, where a node without a partner
 * goes up as it is.
 */
export function createMerkleTree(leafHashes: readonly Uint8Array[]): MerkleTree {
  const levels: (readonly Uint8Array[])[] = [leafHashes]
  for (let below = levels[0]!; below.length > 1; below = levels.at(-1)!) {
    const level = pairsOf(below)
    levels.push(below.length % 2 === 0 ? level : [...level, below.at(-1)!])
  }
  return {
    root: levels.at(-1)![0] ?? emptyTreeRoot(),
    path: (index) => {
      checkIndex(index, leafHashes.length)
      const path: Uint8Array[] = []
      let at = index
      for (const level of levels) {
        const sibling = level[at % 2 === 0 ? at + 1 : at - 1]
        if (sibling !== undefined) path.push(sibling)
        at = Math.floor(at / 2)
      }
      return path
    },
  }
}

// -------------------------------------------------------------------------------------------------------- roots

interface Range {
  start: number
  size: number
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

function rangeHash(readNode: ReadNode, range: Range): Uint8Array {
  const { start, size } = range
  const split = size === 1 ? 1 : splitOf(size)
  if (size === 1 || split * 2 === size) {
    const level = Math.round(Math.log2(size))
    const index = start / size
    return readNode(level, index) ?? fail('TREE_NODE_MISSING', `Node ${index} of level ${level} is missing`)
  }
  const left = rangeHash(readNode, { start, size: split })
  return nodeHash(left, rangeHash(readNode, { start: start + split, size: size - split }))
}

export function treeRoot(readNode: ReadNode, size: number): Uint8Array {
  checkSize(size)
  return size === 0 ? emptyTreeRoot() : rangeHash(readNode, { start: 0, size })
}

/** The root over these leaves. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return treeRoot(createNodeReader(leaves), leaves.length)
}

function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) fail('TREE_SIZE', `A tree of ${size} leaves`)
}

function checkIndex(index: number, size: number): void {
  checkSize(size)
  const isInside = Number.isSafeInteger(index) && index >= 0 && index < size
  if (!isInside) fail('TREE_INDEX', `Leaf ${index} of a tree of ${size}`)
}

// ---------------------------------------------------------------------------------------------------- inclusion

/** RFC 9162 §2.1.3.1: PATH(m, D_n), from the leaf up. */
export function inclusionProof(readNode: ReadNode, leaf: { index: number; size: number }): Uint8Array[] {
  checkIndex(leaf.index, leaf.size)
  const path: Uint8Array[] = []
  let range: Range = { start: 0, size: leaf.size }
  while (range.size > 1) {
    const split = splitOf(range.size)
    const left = { start: range.start, size: split }
    const right = { start: range.start + split, size: range.size - split }
    const isLeft = leaf.index < right.start
    path.push(rangeHash(readNode, isLeft ? right : left))
    range = isLeft ? left : right
  }
  return path.reverse()
}

/** RFC 9162 §2.1.3.2: the root that the path leads to. */
export function rootFromInclusion(
  leaf: { index: number; size: number; hash: Uint8Array },
  path: readonly Uint8Array[],
): Uint8Array {
  checkIndex(leaf.index, leaf.size)
  let at = leaf.index
  let last = leaf.size - 1
  let hash = leaf.hash
  for (const sibling of path) {
    if (last === 0) fail('TREE_PROOF_LENGTH', `The path of ${path.length} is too long for a tree of ${leaf.size}`)
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      while (at % 2 === 0 && at !== 0) {
        at /= 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) fail('TREE_PROOF_LENGTH', `The path of ${path.length} is too short for a tree of ${leaf.size}`)
  return hash
}

/** @param proof.leaf the leaf's hash, not its data. @throws CodedError when the path does not lead to the root */
export function verifyInclusion(proof: {
  leaf: Uint8Array
  index: number
  size: number
  path: readonly Uint8Array[]
  root: Uint8Array
}): void {
  const { leaf, index, size, path, root } = proof
  if (!equalBytes(rootFromInclusion({ index, size, hash: leaf }, path), root)) {
    fail('TREE_ROOT_MISMATCH', `The path of leaf ${index} does not lead to the root of the tree of ${size}`)
  }
}

// -------------------------------------------------------------------------------------------------- consistency

/** RFC 9162 §2.1.4.1: PROOF(m, D_n). Empty when the sizes are equal or the older tree is empty. */
export function consistencyProof(readNode: ReadNode, sizes: { oldSize: number; newSize: number }): Uint8Array[] {
  checkOrder(sizes.oldSize, sizes.newSize)
  if (sizes.oldSize === 0 || sizes.oldSize === sizes.newSize) return []
  const proof: Uint8Array[] = []
  let range: Range = { start: 0, size: sizes.newSize }
  let isWholeOldTree = true
  while (range.start + range.size !== sizes.oldSize) {
    const split = splitOf(range.size)
    const left = { start: range.start, size: split }
    const right = { start: range.start + split, size: range.size - split }
    const isLeft = sizes.oldSize <= right.start
    proof.push(rangeHash(readNode, isLeft ? right : left))
    if (!isLeft) isWholeOldTree = false
    range = isLeft ? left : right
  }
  if (!isWholeOldTree) proof.push(rangeHash(readNode, range))
  return proof.reverse()
}

function checkOrder(oldSize: number, newSize: number): void {
  checkSize(oldSize)
  checkSize(newSize)
  if (oldSize > newSize) fail('TREE_SIZE', `The older tree has ${oldSize} leaves, the newer ${newSize}`)
}

export interface ConsistencyClaim {
  oldSize: number
  newSize: number
  oldRoot: Uint8Array
  newRoot: Uint8Array
  proof: readonly Uint8Array[]
}

function verifyTrivial(claim: ConsistencyClaim): void {
  if (claim.proof.length > 0) fail('TREE_PROOF_LENGTH', 'Equal or empty trees take an empty consistency proof')
  const expected = claim.oldSize === 0 ? emptyTreeRoot() : claim.newRoot
  if (!equalBytes(claim.oldRoot, expected)) fail('TREE_ROOT_MISMATCH', 'The older root is not the root of that tree')
}

/** RFC 9162 §2.1.4.2: the newer tree begins with all of the older one. @throws CodedError when it is not shown */
export function verifyConsistency(claim: ConsistencyClaim): void {
  checkOrder(claim.oldSize, claim.newSize)
  if (claim.oldSize === 0 || claim.oldSize === claim.newSize) return verifyTrivial(claim)
  let at = claim.oldSize - 1
  let last = claim.newSize - 1
  while (at % 2 === 1) {
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  // An older tree that is one complete subtree is its own first node and left out of the proof.
  const isWhole = at === 0
  const steps = isWhole ? claim.proof : claim.proof.slice(1)
  const first = isWhole ? claim.oldRoot : claim.proof[0]
  if (first === undefined) return fail('TREE_PROOF_LENGTH', 'The consistency proof is empty')
  const roots = climb({ at, last, first }, steps)
  if (!equalBytes(roots.old, claim.oldRoot)) fail('TREE_ROOT_MISMATCH', 'The proof does not lead to the older root')
  if (!equalBytes(roots.new, claim.newRoot)) fail('TREE_ROOT_MISMATCH', 'The proof does not lead to the newer root')
}

function climb(
  start: { at: number; last: number; first: Uint8Array },
  steps: readonly Uint8Array[],
): { old: Uint8Array; new: Uint8Array } {
  let { at, last } = start
  let oldHash = start.first
  let newHash = start.first
  for (const step of steps) {
    if (last === 0) fail('TREE_PROOF_LENGTH', 'The consistency proof is too long')
    if (at % 2 === 1 || at === last) {
      oldHash = nodeHash(step, oldHash)
      newHash = nodeHash(step, newHash)
      while (at % 2 === 0 && at !== 0) {
        at /= 2
        last = Math.floor(last / 2)
      }
    } else {
      newHash = nodeHash(newHash, step)
    }
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) fail('TREE_PROOF_LENGTH', 'The consistency proof is too short')
  return { old: oldHash, new: newHash }
}
