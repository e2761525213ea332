import { type Hash, bytesToHex } from './bytes.js'
import { EMPTY_TRIE_ROOT } from './account.js'
import { keccak256 } from './crypto.js'
import { CodedError } from './errors.js'
import { bytesToNibbles, decodeHexPrefix } from './nibbles.js'
import { type RlpItem, decodeRlp, encodeRlp } from './rlp.js'

export type MptProofErrorCode =
  | 'MPT_PROOF_TOO_LONG'
  | 'MPT_PROOF_INCOMPLETE'
  | 'MPT_PROOF_SURPLUS'
  | 'MPT_PROOF_HASH'
  | 'MPT_PROOF_NODE'

/** A path of 32 bytes has 64 nibbles, each with a branch and an extension at most. */
export const MAX_MPT_PROOF_NODES = 129
/** A branch whose sixteen children all stand inside it, each of at most 31 items. */
const MAX_NODE_ITEMS = 1 + 16 * 32 + 1
const EMPTY_NODE = 0x80

export interface MptProof {
  root: Hash
  /** As the trie has it: hashed by the caller where the trie is a secure one (state, storage). */
  key: Uint8Array
  /** Nodes from the root down; nodes below 32 bytes stand inside their parents. */
  proof: readonly Uint8Array[]
}

function fail(code: MptProofErrorCode, message: string, cause?: unknown): never {
  throw new CodedError(code, message, { cause })
}

function badNode(index: number, reason: string, cause?: unknown): never {
  return fail('MPT_PROOF_NODE', `Node ${index} of the proof ${reason}`, cause)
}

/** What a node says about the next step: go on with `child`, end with `value`, or the key is not there. */
type Step = { child: RlpItem; taken: number } | { value: Uint8Array | undefined }

function bytesOf(item: RlpItem | undefined, index: number): Uint8Array {
  if (item === undefined || Array.isArray(item)) return badNode(index, 'has a list where bytes belong')
  return item
}

function stepInBranch(node: RlpItem[], rest: Uint8Array, index: number): Step {
  const nibble = rest[0]
  if (nibble === undefined) {
    const value = bytesOf(node[16], index)
    return { value: value.length === 0 ? undefined : value }
  }
  return { child: node[nibble]!, taken: 1 }
}

function stepInPath(node: RlpItem[], rest: Uint8Array, index: number): Step {
  let path
  try {
    path = decodeHexPrefix(bytesOf(node[0], index))
  } catch (error) {
    return badNode(index, 'has a path that cannot be read', error)
  }
  const { nibbles, isLeaf } = path
  if (!isLeaf && nibbles.length === 0) badNode(index, 'is an extension without a path')
  if (node[1]!.length === 0) badNode(index, 'leads nowhere')
  const isShared = nibbles.length <= rest.length && nibbles.every((nibble, at) => nibble === rest[at])
  if (!isLeaf) return isShared ? { child: node[1]!, taken: nibbles.length } : { value: undefined }
  if (!isShared || nibbles.length !== rest.length) return { value: undefined }
  return { value: bytesOf(node[1], index) }
}

function stepIn(node: RlpItem, rest: Uint8Array, index: number): Step {
  if (!Array.isArray(node)) return badNode(index, 'is no list')
  if (node.length === 17) return stepInBranch(node, rest, index)
  if (node.length === 2) return stepInPath(node, rest, index)
  return badNode(index, `has ${node.length} items; 2 or 17 belong there`)
}

function decodeNode(encoded: Uint8Array, index: number): RlpItem {
  try {
    return decodeRlp(encoded, { maxItems: MAX_NODE_ITEMS })
  } catch (error) {
    return badNode(index, 'is no RLP', error)
  }
}

/** Hands out the nodes in order, each against the hash that its parent names. */
function createProofReader(proof: readonly Uint8Array[]): { next(hash: Hash): RlpItem; end(): void; index(): number } {
  let used = 0
  return {
    next: (hash) => {
      const encoded = proof[used]
      if (encoded === undefined) return fail('MPT_PROOF_INCOMPLETE', `The proof ends before node ${hash}`)
      if (bytesToHex(keccak256(encoded)) !== hash) fail('MPT_PROOF_HASH', `Node ${used} of the proof is not ${hash}`)
      used++
      return decodeNode(encoded, used - 1)
    },
    end: () => {
      if (used === proof.length) return
      fail('MPT_PROOF_SURPLUS', `${proof.length - used} nodes of the proof are not on the path`)
    },
    index: () => used - 1,
  }
}

function isEmptyTrieProof(proof: readonly Uint8Array[]): boolean {
  return proof.length === 0 || (proof.length === 1 && proof[0]!.length === 1 && proof[0]![0] === EMPTY_NODE)
}

/**
 * The value of a key under a root.
 * @returns undefined when the proof shows that the key is absent
 * @throws CodedError with an `MPT_PROOF_` code when it shows neither
 */
export function verifyMptProof({ root, key, proof }: MptProof): Uint8Array | undefined {
  if (proof.length > MAX_MPT_PROOF_NODES) {
    fail('MPT_PROOF_TOO_LONG', `The proof has ${proof.length} nodes; at most ${MAX_MPT_PROOF_NODES}`)
  }
  if (root === EMPTY_TRIE_ROOT) {
    return isEmptyTrieProof(proof) ? undefined : fail('MPT_PROOF_SURPLUS', 'The proof of an empty trie has no nodes')
  }
  const reader = createProofReader(proof)
  let node = reader.next(root)
  let rest = bytesToNibbles(key)
  for (;;) {
    const step = stepIn(node, rest, reader.index())
    if ('value' in step) {
      reader.end()
      return step.value
    }
    rest = rest.subarray(step.taken)
    if (step.child.length === 0 && !Array.isArray(step.child)) {
      reader.end()
      return undefined
    }
    node = childNode(step.child, reader)
  }
}

function childNode(child: RlpItem, reader: ReturnType<typeof createProofReader>): RlpItem {
  if (Array.isArray(child)) {
    if (encodeRlp(child).length >= 32) badNode(reader.index(), 'holds a child that it must name by hash')
    return child
  }
  if (child.length !== 32) badNode(reader.index(), `names a child by ${child.length} bytes`)
  return reader.next(bytesToHex(child))
}
