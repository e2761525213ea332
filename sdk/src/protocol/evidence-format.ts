import { type Hash, type Hex, isHex } from './bytes.js'
import { failEvidence, orFailEvidence } from './evidence-codes.js'
import { readEvidenceJson } from './evidence-json.js'
import {
  type JsonObject,
  failField,
  readHashField,
  readInteger,
  readObject,
  readShape,
} from './json-fields.js'

/** The file that proves a record. `validatorHistory` and `checkpointPath` are explained in `evidence-chain`. */
export interface EvidenceBundle {
  readonly version: typeof EVIDENCE_VERSION
  readonly chain: { readonly chainId: number; readonly genesisHash: Hash }
  readonly envelope: JsonObject
  /** RFC 9162 §2.1.3: the path from the leaf up. */
  readonly inclusion: { readonly treeSize: number; readonly leafIndex: number; readonly path: readonly Hash[] }
  readonly anchor: {
    readonly blockNumber: number
    readonly transactionIndex: number
    /** Within this receipt, not within the block. */
    readonly logIndex: number
    /** Merkle Patricia nodes from the header's receiptsRoot down. */
    readonly receiptProof: readonly Hex[]
  }
  /** RLP with seals. */
  readonly header: Hex
  /** RLP with seals: the headers at which the validators changed, oldest first. */
  readonly validatorHistory: readonly Hex[]
  readonly checkpointPath?: VouchingHeader
  /** Reserved, not checked: RFC 3161 tokens in base64. */
  readonly timestampTokens?: readonly string[]
  /** Reserved, not checked: proofs of the current state. */
  readonly status?: JsonObject
}

/** A later header, and the path of the bundle's header into its history root (RFC 9162 §2.1.3). */
export interface VouchingHeader {
  /** RLP with seals; the checkpoint's own header where it is to be proved under a checkpoint. */
  readonly header: Hex
  readonly path: readonly Hash[]
}

export const EVIDENCE_VERSION = 'songhua.evidence/1'

/** A tree of 2^53 leaves has 53. */
export const MAX_PATH_NODES = 64
/** A receipt's key has at most 5 bytes; each nibble a branch and an extension. */
export const MAX_RECEIPT_PROOF_NODES = 20
/** Changes of the validator set in one bundle. */
export const MAX_VALIDATOR_HISTORY = 1024
/** A header of 64 validators and 64 seals has some 6,400 bytes. */
export const MAX_HEADER_BYTES = 8 * 1024
/** Receipts are bounded by the block's gas; this is far above. */
export const MAX_PROOF_NODE_BYTES = 1024 * 1024
export const MAX_TIMESTAMP_TOKENS = 8
const MAX_TOKEN_CHARACTERS = 64 * 1024

const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER }

/**
 * @param source the text of the file, or what `JSON.parse` made of it
 * @throws CodedError with a `FORMAT_` code
 */
export function parseEvidence(source: unknown): EvidenceBundle {
  const json = readEvidenceJson(source)
  return orFailEvidence('FORMAT_FIELD', () => readBundle(json))
}

function readBundle(json: unknown): EvidenceBundle {
  // The version first: a later one may have other keys.
  const { version } = readObject(json, 'evidence')
  if (typeof version === 'string' && version !== EVIDENCE_VERSION) {
    failEvidence('FORMAT_VERSION', `version is "${version.slice(0, 64)}"; this verifier knows "${EVIDENCE_VERSION}"`)
  }
  const bundle = readShape(json, '', {
    required: ['version', 'chain', 'envelope', 'inclusion', 'anchor', 'header', 'validatorHistory'],
    optional: ['checkpointPath', 'timestampTokens', 'status'],
  })
  if (version !== EVIDENCE_VERSION) failField('JSON_TYPE', 'version', `must be "${EVIDENCE_VERSION}"`)
  const { checkpointPath, timestampTokens, status } = bundle
  return {
    version: EVIDENCE_VERSION,
    chain: readChain(bundle.chain),
    envelope: readObject(bundle.envelope, 'envelope'),
    inclusion: readInclusion(bundle.inclusion),
    anchor: readAnchor(bundle.anchor),
    header: readHeader(bundle.header, 'header'),
    validatorHistory: readList(bundle.validatorHistory, 'validatorHistory', MAX_VALIDATOR_HISTORY).map((header, at) =>
      readHeader(header, `validatorHistory[${at}]`),
    ),
    ...(checkpointPath === undefined ? {} : { checkpointPath: readVouchingHeader(checkpointPath) }),
    ...(timestampTokens === undefined ? {} : { timestampTokens: readTokens(timestampTokens) }),
    ...(status === undefined ? {} : { status: readObject(status, 'status') }),
  }
}

function readChain(value: unknown): EvidenceBundle['chain'] {
  const chain = readShape(value, 'chain', { required: ['chainId', 'genesisHash'] })
  return {
    chainId: readInteger(chain.chainId, 'chain.chainId', { ...COUNT, min: 1 }),
    genesisHash: readHashField(chain.genesisHash, 'chain.genesisHash'),
  }
}

function readInclusion(value: unknown): EvidenceBundle['inclusion'] {
  const inclusion = readShape(value, 'inclusion', { required: ['treeSize', 'leafIndex', 'path'] })
  return {
    treeSize: readInteger(inclusion.treeSize, 'inclusion.treeSize', COUNT),
    leafIndex: readInteger(inclusion.leafIndex, 'inclusion.leafIndex', COUNT),
    path: readPath(inclusion.path, 'inclusion.path'),
  }
}

function readAnchor(value: unknown): EvidenceBundle['anchor'] {
  const anchor = readShape(value, 'anchor', {
    required: ['blockNumber', 'transactionIndex', 'logIndex', 'receiptProof'],
  })
  const path = 'anchor.receiptProof'
  return {
    blockNumber: readInteger(anchor.blockNumber, 'anchor.blockNumber', { ...COUNT, min: 1 }),
    transactionIndex: readInteger(anchor.transactionIndex, 'anchor.transactionIndex', COUNT),
    logIndex: readInteger(anchor.logIndex, 'anchor.logIndex', COUNT),
    receiptProof: readList(anchor.receiptProof, path, MAX_RECEIPT_PROOF_NODES).map((node, at) =>
      readHex(node, `${path}[${at}]`, MAX_PROOF_NODE_BYTES),
    ),
  }
}

function readVouchingHeader(value: unknown): VouchingHeader {
  const vouching = readShape(value, 'checkpointPath', { required: ['header', 'path'] })
  return {
    header: readHeader(vouching.header, 'checkpointPath.header'),
    path: readPath(vouching.path, 'checkpointPath.path'),
  }
}

function readTokens(value: unknown): string[] {
  return readList(value, 'timestampTokens', MAX_TIMESTAMP_TOKENS).map((token, at) => {
    const isToken = typeof token === 'string' && token.length <= MAX_TOKEN_CHARACTERS
    return isToken ? token : failField('JSON_TYPE', `timestampTokens[${at}]`, 'must be a token in base64')
  })
}

function readList(value: unknown, path: string, max: number): unknown[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', path, 'must be a list')
  if (value.length > max) failField('JSON_RANGE', path, `has ${value.length} entries; at most ${max}`)
  return value
}

function readPath(value: unknown, path: string): Hash[] {
  return readList(value, path, MAX_PATH_NODES).map((hash, at) => readHashField(hash, `${path}[${at}]`))
}

function readHeader(value: unknown, path: string): Hex {
  return readHex(value, path, MAX_HEADER_BYTES)
}

/** Stays hexadecimal: the verifier knows headers that it has seen by their text. */
function readHex(value: unknown, path: string, maxBytes: number): Hex {
  if (typeof value === 'string' && value.length > 2 + 2 * maxBytes) {
    return failField('JSON_RANGE', path, `has more than ${maxBytes} bytes`)
  }
  return isHex(value) ? value : failField('JSON_TYPE', path, 'must be 0x and an even number of hexadecimal digits')
}
