import { type Hash, bytesToHex, hexToBytes } from './bytes.js'
import { type Header } from './header.js'
import {
  type ReadNode,
  consistencyProof,
  emptyTreeRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from './merkle-tree.js'

/**
 * The tree over the hashes of all blocks, block n as leaf n. Header N holds the root over blocks 0 … N − 1, so that any
 * header proves any earlier block, and of two headers one proves that it extends the other's history.
 */

/** The right edge of the tree: all that appending and the root need. */
export interface HistoryFrontier {
  /** Blocks in the tree. */
  readonly size: number
  /** Roots of the complete subtrees, largest first: one for each 1 in the binary form of `size`. */
  readonly peaks: Hash[]
}

/** A complete subtree: it never changes again. Level 0 holds leaf hashes. */
export interface HistoryNode {
  readonly level: number
  readonly index: number
  readonly hash: Hash
}

/** Storage's port: a complete subtree's hash, undefined when it has none. */
export type ReadHistoryNode = (level: number, index: number) => Hash | undefined

export const EMPTY_FRONTIER: HistoryFrontier = { size: 0, peaks: [] }

/**
 * Appends the next block.
 * @returns the new frontier, and the nodes that became complete (the leaf first): what storage must keep for proofs
 */
export function appendHash(
  frontier: HistoryFrontier,
  blockHash: Hash,
): { frontier: HistoryFrontier; nodes: HistoryNode[] } {
  const peaks = [...frontier.peaks]
  let hash = leafHash(hexToBytes(blockHash))
  let index = frontier.size
  const nodes: HistoryNode[] = [{ level: 0, index, hash: bytesToHex(hash) }]
  for (let level = 1; index % 2 === 1; level++) {
    index = (index - 1) / 2
    hash = nodeHash(hexToBytes(peaks.pop()!), hash)
    nodes.push({ level, index, hash: bytesToHex(hash) })
  }
  peaks.push(bytesToHex(hash))
  return { frontier: { size: frontier.size + 1, peaks }, nodes }
}

/** RFC 9162 §2.1.1: the root over all blocks of the frontier. */
export function frontierRoot(frontier: HistoryFrontier): Hash {
  if (frontier.peaks.length === 0) return bytesToHex(emptyTreeRoot())
  const [smallest, ...larger] = frontier.peaks.map((peak) => hexToBytes(peak)).reverse()
  return bytesToHex(larger.reduce((root, peak) => nodeHash(peak, root), smallest!))
}

function toReadNode(readNode: ReadHistoryNode): ReadNode {
  return (level, index) => {
    const hash = readNode(level, index)
    return hash === undefined ? undefined : hexToBytes(hash)
  }
}

/** The path from a block up to the root over `size` blocks. @throws CodedError `TREE_INDEX` or `TREE_NODE_MISSING` */
export function proveBlock(
  readNode: ReadHistoryNode,
  claim: { number: number; size: number },
): Hash[] {
  return inclusionProof(toReadNode(readNode), { index: claim.number, size: claim.size }).map(bytesToHex)
}

export interface BlockInclusion {
  /** The block that is proved. */
  number: number
  blockHash: Hash
  /** Blocks under the root: the number of the header that holds it. */
  size: number
  root: Hash
  path: readonly Hash[]
}

/** @throws CodedError with a `TREE_` code when the path does not lead to the root */
export function verifyBlockInclusion(proof: BlockInclusion): void {
  verifyInclusion({
    leaf: leafHash(hexToBytes(proof.blockHash)),
    index: proof.number,
    size: proof.size,
    path: proof.path.map((hash) => hexToBytes(hash, 'path')),
    root: hexToBytes(proof.root),
  })
}

/** This header's history holds that earlier block. @throws CodedError with a `TREE_` code */
export function verifyAncestor(
  header: Header,
  ancestor: { number: number; hash: Hash; path: readonly Hash[] },
): void {
  const { number, hash, path } = ancestor
  verifyBlockInclusion({ number, blockHash: hash, path, size: header.number, root: header.parentBeaconBlockRoot })
}

/** The history of `newSize` blocks begins with that of `oldSize` blocks. */
export function proveHistoryExtends(
  readNode: ReadHistoryNode,
  sizes: { oldSize: number; newSize: number },
): Hash[] {
  return consistencyProof(toReadNode(readNode), sizes).map(bytesToHex)
}

/** The later header's history begins with the earlier header's. @throws CodedError with a `TREE_` code */
export function verifyHistoryExtends(earlier: Header, later: Header, proof: readonly Hash[]): void {
  verifyConsistency({
    oldSize: earlier.number,
    newSize: later.number,
    oldRoot: earlier.number === 0 ? emptyTreeRoot() : hexToBytes(earlier.parentBeaconBlockRoot),
    newRoot: hexToBytes(later.parentBeaconBlockRoot),
    proof: proof.map((hash) => hexToBytes(hash, 'proof')),
  })
}
