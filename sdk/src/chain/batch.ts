import { type Address, type Hash, concatBytes, hexToBytes, numberToBytes, padLeft, utf8ToBytes } from '../protocol/bytes.js'
import { keccak256, keccak256Hex } from '../protocol/crypto.js'
import { RECORD_FAMILIES, type RecordFamily } from '../protocol/evidence-envelope.js'

/** One tree of records of one family, as `RecordAnchor` takes it. */
export interface BatchTree {
  /** RFC 9162 root over the leaves, 32 bytes. */
  readonly root: Hash
  /** Leaves, at least one. */
  readonly size: number
  readonly family: RecordFamily
}

/**
 * Enough for one `RecordAnchor.anchor`: it takes some 50,000. On a chain without fees a limit above what is used costs
 * nothing but room in the block.
 */
export const ANCHOR_GAS_LIMIT = 100_000n

const BATCH_DOMAIN = utf8ToBytes('songhua.batch/1')
const selectorOf = (signature: string): Uint8Array => keccak256(utf8ToBytes(signature)).subarray(0, 4)
const ANCHOR_SELECTOR = selectorOf('anchor(bytes32,bytes32,uint64,uint8)')
const ANCHOR_OF_SELECTOR = selectorOf('anchorOf(address,bytes32)')
const WORD_BYTES = 32
const SIZE_BYTES = 8

/**
 * keccak256 of `songhua.batch/1` ‖ root ‖ size (uint64) ‖ family (uint8). It follows from the batch alone: whoever sends
 * the same batch a second time, after a crash or a lost answer, is refused by the contract instead of anchoring it twice.
 */
export function batchIdOf({ root, size, family }: BatchTree): Hash {
  const sizeBytes = padLeft(numberToBytes(size), SIZE_BYTES)
  return keccak256Hex(concatBytes(BATCH_DOMAIN, hexToBytes(root, 'root'), sizeBytes, familyBytes(family, 1)))
}

/** The calldata of `RecordAnchor.anchor(batchId, root, size, family)`. */
export function anchorCall({ batchId, root, size, family }: BatchTree & { readonly batchId: Hash }): Uint8Array {
  return concatBytes(
    ANCHOR_SELECTOR,
    hexToBytes(batchId, 'batchId'),
    hexToBytes(root, 'root'),
    padLeft(numberToBytes(size), WORD_BYTES),
    familyBytes(family, WORD_BYTES),
  )
}

/** The calldata of `RecordAnchor.anchorOf(sender, batchId)`: 32 bytes, zero for a batch that is not anchored. */
export function anchorOfCall({ sender, batchId }: { readonly sender: Address; readonly batchId: Hash }): Uint8Array {
  const account = padLeft(hexToBytes(sender, 'sender'), WORD_BYTES)
  return concatBytes(ANCHOR_OF_SELECTOR, account, hexToBytes(batchId, 'batchId'))
}

function familyBytes(family: RecordFamily, length: number): Uint8Array {
  return padLeft(numberToBytes(RECORD_FAMILIES[family]), length)
}
