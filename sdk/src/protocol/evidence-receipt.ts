import { type Address, type Hash, bytesToBigint, hexToBytes } from './bytes.js'
import { failEvidence, orFailEvidence } from './evidence-codes.js'
import type { EvidenceBundle } from './evidence-format.js'
import { verifyMptProof } from './mpt-proof.js'
import { orderedTrieKey } from './ordered-trie.js'
import { type Log, type Receipt, decodeReceipt } from './receipt.js'

/**
 * From a block's receiptsRoot to the anchored batch. Contract and event are constants of the format
 * `songhua.evidence/1`: the same on every Songhua chain, as the genesis puts `RecordAnchor` at this address.
 */
export const ANCHOR_CONTRACT: Address = '0x0000000000000000000000000000000000230001'
/** keccak256 of `RecordsAnchored(address,bytes32,bytes32,uint64,uint8)`; sender, batch id and root are indexed. */
export const ANCHOR_EVENT: Hash = '0x267daff3b317aa154571155c04fecf365fd9fd0b94774a56907bd517d28baac2'

/** size (uint64) and family (uint8), each in a word of 32 bytes. */
const EVENT_DATA_BYTES = 64

/** What one event of the anchor contract says. */
export interface AnchoredBatch {
  readonly sender: Address
  readonly batchId: Hash
  readonly root: Hash
  readonly size: bigint
  readonly family: bigint
}

/** @throws CodedError with `RECEIPT_CONTRACT`, `RECEIPT_EVENT` or `RECEIPT_LOG_FORM` */
export function readAnchoredBatch(log: Log): AnchoredBatch {
  if (log.address !== ANCHOR_CONTRACT) {
    failEvidence('RECEIPT_CONTRACT', `The log is of ${log.address}, not of ${ANCHOR_CONTRACT}`)
  }
  const [event, sender, batchId, root] = log.topics
  if (event !== ANCHOR_EVENT) failEvidence('RECEIPT_EVENT', `The log's event is ${event ?? 'anonymous'}`)
  const isForm = log.topics.length === 4 && log.data.length === EVENT_DATA_BYTES && /^0x0{24}/.test(sender ?? '')
  if (!isForm || sender === undefined || batchId === undefined || root === undefined) {
    return failEvidence('RECEIPT_LOG_FORM', `The log has ${log.topics.length} topics and ${log.data.length} bytes`)
  }
  return {
    sender: `0x${sender.slice(26)}`,
    batchId,
    root,
    size: bytesToBigint(log.data.subarray(0, 32)),
    family: bytesToBigint(log.data.subarray(32)),
  }
}

/**
 * The event at the bundle's place under this receiptsRoot.
 * @throws CodedError with a `RECEIPT_` code
 */
export function proveAnchoredBatch(receiptsRoot: Hash, anchor: EvidenceBundle['anchor']): AnchoredBatch {
  const receipt = orFailEvidence('RECEIPT_ENCODING', () => decodeReceipt(proveReceipt(receiptsRoot, anchor)))
  return readAnchoredBatch(logOf(receipt, anchor.logIndex))
}

function proveReceipt(root: Hash, anchor: EvidenceBundle['anchor']): Uint8Array {
  const key = orderedTrieKey(anchor.transactionIndex)
  const receipt = orFailEvidence('RECEIPT_PROOF', () =>
    verifyMptProof({ root, key, proof: anchor.receiptProof.map((node) => hexToBytes(node, 'receiptProof')) }),
  )
  return receipt ?? failEvidence('RECEIPT_ABSENT', `The block has no transaction ${anchor.transactionIndex}`)
}

function logOf(receipt: Receipt, index: number): Log {
  if (receipt.status !== 1) failEvidence('RECEIPT_FAILED', 'The receipt has status 0')
  const log = receipt.logs[index]
  return log ?? failEvidence('RECEIPT_LOG_INDEX', `The receipt has ${receipt.logs.length} logs; log ${index} was named`)
}
