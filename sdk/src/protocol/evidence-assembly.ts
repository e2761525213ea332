import { type Hash, bytesToHex, equalBytes } from './bytes.js'
import { CodedError, messageOf } from './errors.js'
import { RECORD_FAMILIES, envelopeLeaf, readEnvelope } from './evidence-envelope.js'
import {
  EVIDENCE_VERSION,
  type EvidenceBundle,
  MAX_VALIDATOR_HISTORY,
  type VouchingHeader,
} from './evidence-format.js'
import { createHeaderReader } from './evidence-header.js'
import { ANCHOR_CONTRACT, ANCHOR_EVENT, type AnchoredBatch, proveAnchoredBatch, readAnchoredBatch } from './evidence-receipt.js'
import { type Header, encodeHeader } from './header.js'
import { verifyAncestor } from './history-tree.js'
import type { JsonObject } from './json-fields.js'
import { type MerkleTree, createMerkleTree } from './merkle-tree.js'
import { orderedTrieProof, orderedTrieRoot } from './ordered-trie.js'
import { type Log, type Receipt, encodeReceipt } from './receipt.js'

export type AssemblyErrorCode =
  | 'ASSEMBLY_RECEIPTS'
  | 'ASSEMBLY_NO_ANCHOR'
  | 'ASSEMBLY_LEAF'
  | 'ASSEMBLY_FAMILY'
  | 'ASSEMBLY_LEAF_INDEX'
  | 'REFRESH_HEIGHT'
  | 'REFRESH_PROOFS'

/** An anchored batch and its block: what bundles are cut from. Of the records, their leaves are enough. */
export interface AnchoredRecords {
  readonly chain: { readonly chainId: number; readonly genesisHash: Hash }
  /** Leaf hashes in the order of the batch, 32 bytes each: `envelopeLeaf` of each envelope. */
  readonly leaves: readonly Uint8Array[]
  readonly block: {
    /** With its seals. */
    readonly header: Header
    /** All of the block, in order. */
    readonly receipts: readonly Receipt[]
    /** The transaction that anchored the batch. */
    readonly transactionIndex: number
  }
  /** Headers below the block at which the validators changed, oldest first, with their seals. */
  readonly validatorHistory: readonly Header[]
}

/**
 * The bundle of the record at that place of the batch.
 * @param envelope a JSON object, as it was when its leaf was made
 * @throws CodedError `ASSEMBLY_LEAF_INDEX`; `ASSEMBLY_LEAF` when another envelope has that place; `ASSEMBLY_FAMILY`; a
 *   `LEAF_` code for an envelope that cannot be proved
 */
export type CutBundle = (envelope: object, leafIndex: number) => EvidenceBundle

function fail(code: AssemblyErrorCode, message: string, cause?: unknown): never {
  throw new CodedError(code, message, { cause })
}

/**
 * Cuts the bundles of one batch; tree and receipt proof are made once.
 * @throws CodedError `ASSEMBLY_RECEIPTS` or `ASSEMBLY_NO_ANCHOR` when block, transaction and leaves do not belong together
 */
export function createEvidenceAssembler(records: AnchoredRecords): CutBundle {
  const { leaves } = records
  const tree = createMerkleTree(leaves)
  const batch: Batch = { ...sharedPart(records, bytesToHex(tree.root)), leaves, pathOf: hexPaths(tree) }
  return (envelope, leafIndex) => cutBundle(envelope as JsonObject, leafIndex, batch)
}

/** One bundle; for many of one batch see `createEvidenceAssembler`. @throws CodedError as that and `CutBundle` do */
export function assembleEvidence(records: AnchoredRecords, envelope: object, leafIndex: number): EvidenceBundle {
  return createEvidenceAssembler(records)(envelope, leafIndex)
}

/** What all bundles of one batch have in common, as their JSON has it; and the leaves, of which each has a path. */
export interface SharedEvidence extends Pick<EvidenceBundle, 'chain' | 'anchor' | 'header' | 'validatorHistory'> {
  readonly leaves: readonly Uint8Array[]
}

/**
 * Cuts the bundles of a batch that another has proved: this tree's root is the one that the receipt anchored. Header and
 * receipt are not verified here; verify one bundle, and all of them stand on the same ground.
 * @throws CodedError `ASSEMBLY_NO_ANCHOR` when the receipt anchored another tree; a `RECEIPT_`, `HEADER_` or `RLP_` code
 */
export function createEvidenceCutter({ leaves, ...shared }: SharedEvidence): CutBundle {
  const tree = createMerkleTree(leaves)
  const { header } = createHeaderReader(1).read(shared.header)
  const batch = proveAnchoredBatch(header.receiptsRoot, shared.anchor)
  if (batch.root !== bytesToHex(tree.root) || batch.size !== BigInt(leaves.length)) {
    const what = `The receipt anchored ${batch.size} records with root ${batch.root}`
    fail('ASSEMBLY_NO_ANCHOR', `${what}; these ${leaves.length} leaves have another`)
  }
  const whole: Batch = { shared, batch, leaves, pathOf: hexPaths(tree) }
  return (envelope, leafIndex) => cutBundle(envelope as JsonObject, leafIndex, whole)
}

type SharedPart = Pick<Batch, 'shared' | 'batch'>

function sharedPart({ chain, block, leaves, validatorHistory }: AnchoredRecords, root: Hash): SharedPart {
  const { header, receipts, transactionIndex } = block
  const encoded = receipts.map(encodeReceipt)
  if (orderedTrieRoot(encoded) !== header.receiptsRoot) {
    fail('ASSEMBLY_RECEIPTS', `These ${receipts.length} receipts are not those of block ${header.number}`)
  }
  const logs = receipts[transactionIndex]?.logs ?? []
  const logIndex = logs.findIndex((log) => isAnchorOf(log, { root, size: BigInt(leaves.length) }))
  if (logIndex === -1) {
    const what = `Transaction ${transactionIndex} of block ${header.number}`
    fail('ASSEMBLY_NO_ANCHOR', `${what} anchored no batch of ${leaves.length} records with root ${root}`)
  }
  const receiptProof = orderedTrieProof(encoded, transactionIndex).map(bytesToHex)
  return {
    batch: readAnchoredBatch(logs[logIndex]!),
    shared: {
      chain,
      anchor: { blockNumber: header.number, transactionIndex, logIndex, receiptProof },
      header: bytesToHex(encodeHeader(header)),
      validatorHistory: validatorHistory.map((change) => bytesToHex(encodeHeader(change))),
    },
  }
}

function isAnchorOf(log: Log, tree: { root: Hash; size: bigint }): boolean {
  if (log.address !== ANCHOR_CONTRACT || log.topics[0] !== ANCHOR_EVENT) return false
  const { root, size } = readAnchoredBatch(log)
  return root === tree.root && size === tree.size
}

interface Batch {
  readonly shared: Omit<SharedEvidence, 'leaves'>
  readonly batch: AnchoredBatch
  readonly leaves: readonly Uint8Array[]
  readonly pathOf: (leafIndex: number) => Hash[]
}

/** Each node is written once, however many paths it is on: all but the lowest are on many. */
function hexPaths(tree: MerkleTree): (leafIndex: number) => Hash[] {
  const written = new Map<Uint8Array, Hash>()
  const hexOf = (node: Uint8Array): Hash => {
    const known = written.get(node)
    if (known !== undefined) return known
    const hex = bytesToHex(node)
    written.set(node, hex)
    return hex
  }
  return (leafIndex) => tree.path(leafIndex).map(hexOf)
}

/** What is cut verifies: the leaf is made anew from the envelope, whoever brought it. */
function checkRecord(envelope: JsonObject, leafIndex: number, { leaves, batch }: Batch): void {
  const leaf = leaves[leafIndex]
  if (leaf === undefined) fail('ASSEMBLY_LEAF_INDEX', `The batch of ${leaves.length} has no leaf ${leafIndex}`)
  const { id, family } = readEnvelope(envelope)
  if (!equalBytes(envelopeLeaf(envelope), leaf)) {
    fail('ASSEMBLY_LEAF', `The envelope of record ${id} is not the one that leaf ${leafIndex} was made of`)
  }
  if (batch.family === BigInt(RECORD_FAMILIES[family])) return
  fail('ASSEMBLY_FAMILY', `Record ${id} is of family ${family}; the batch was anchored for ${batch.family}`)
}

function cutBundle(envelope: JsonObject, leafIndex: number, batch: Batch): EvidenceBundle {
  checkRecord(envelope, leafIndex, batch)
  const { shared, leaves, pathOf } = batch
  return {
    version: EVIDENCE_VERSION,
    chain: shared.chain,
    envelope,
    inclusion: { treeSize: leaves.length, leafIndex, path: pathOf(leafIndex) },
    anchor: shared.anchor,
    header: shared.header,
    validatorHistory: shared.validatorHistory,
  }
}

// ----------------------------------------------------------------------------------------------------- refresh

/** What a node answers for a refresh. Whoever asks over a network fetches the three first: all follow from heights. */
export interface RefreshProofs {
  /** With seals. */
  header(number: number): Header
  /** From block `number` to the root over `size` blocks: `proveBlock` of the history tree. */
  historyPath(claim: { number: number; size: number }): readonly Hash[]
  /** Headers with a change of the validators, above block 0 and below `before`, oldest first, with seals. */
  validatorHistory(before: number): readonly Header[]
}

/**
 * The same record, receipt and header, proved under a later header: a checkpoint of the trust anchors that will judge
 * it, or the head. Serves a bundle too that is not valid under those as it stands.
 * @param under.height of the later header, above the bundle's block
 * @throws CodedError `REFRESH_HEIGHT`; `REFRESH_PROOFS` when the answers do not prove the bundle's header
 */
export function refreshEvidence(
  bundle: EvidenceBundle,
  under: { height: number; proofs: RefreshProofs },
): EvidenceBundle {
  const { height, proofs } = under
  const { blockNumber } = bundle.anchor
  if (!Number.isSafeInteger(height) || height <= blockNumber) {
    fail('REFRESH_HEIGHT', `Block ${blockNumber} cannot be proved under block ${height}: it must be a later one`)
  }
  const header = proofs.header(height)
  const path = proofs.historyPath({ number: blockNumber, size: height })
  checkPath(bundle, { header, path, height })
  const changes = proofs.validatorHistory(height)
  if (changes.length > MAX_VALIDATOR_HISTORY) {
    fail('REFRESH_PROOFS', `${changes.length} changes of validators; a bundle takes ${MAX_VALIDATOR_HISTORY}`)
  }
  const checkpointPath: VouchingHeader = { header: bytesToHex(encodeHeader(header)), path }
  const validatorHistory = changes.map((change) => bytesToHex(encodeHeader(change)))
  return { ...bundle, validatorHistory, checkpointPath }
}

function checkPath(bundle: EvidenceBundle, later: { header: Header; path: readonly Hash[]; height: number }): void {
  const { header, path, height } = later
  try {
    const own = createHeaderReader(1).read(bundle.header)
    if (header.number !== height) fail('REFRESH_PROOFS', `Asked for header ${height}, got ${header.number}`)
    verifyAncestor(header, { number: own.header.number, hash: own.hash, path })
  } catch (error) {
    fail('REFRESH_PROOFS', messageOf(error), error)
  }
}
