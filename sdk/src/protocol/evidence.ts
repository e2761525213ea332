import { bytesToHex, concatBytes, equalBytes, hexToBytes } from './bytes.js'
import { sha256, sm3 } from './crypto.js'
import { type ChainContext, type Vouching, checkVouching, findVouching } from './evidence-chain.js'
import { EVIDENCE_MEANING, type EvidenceCode, failEvidence, orFailEvidence } from './evidence-codes.js'
import { type EvidenceEnvelope, RECORD_FAMILIES, SALT_BYTES, envelopeLeaf, readEnvelope } from './evidence-envelope.js'
import { type EvidenceBundle, parseEvidence } from './evidence-format.js'
import { type HeaderReader, type ReadHeader, createHeaderReader, isOfChain } from './evidence-header.js'
import { type IssuerStanding, type KnownIssuers, issuerStanding } from './evidence-issuer.js'
import { type AnchoredBatch, proveAnchoredBatch } from './evidence-receipt.js'
import {
  type EvidenceFacts,
  type EvidenceHorizon,
  type EvidenceVerdict,
  type Passed,
  createReport,
  found,
} from './evidence-verdict.js'
import { rootFromInclusion } from './merkle-tree.js'
import { type TrustAnchor, parseTrustAnchor } from './trust-anchor.js'

export interface EvidenceInput {
  /** The record's payload as it was recorded, byte for byte; with its salt. */
  readonly payload?: Uint8Array
  /** 32 bytes. */
  readonly salt?: Uint8Array
  /** Of whose keys and accounts the verifier knows. */
  readonly issuers?: KnownIssuers
}

export interface EvidenceVerifier {
  /** @param source the text of the file, or what `JSON.parse` made of it. Never throws. */
  verify(source: unknown, input?: EvidenceInput): EvidenceVerdict
}

/** Each takes some 10 kB; one of 64 validators up to 30 kB. */
export const DEFAULT_CACHED_HEADERS = 512

/**
 * Seals that one bundle may have checked, some seconds of work: 128 changes of 64 validators since the newest
 * checkpoint, or a thousand of 8. Seals known from bundles before do not count.
 */
export const DEFAULT_MAX_SEALS = 8192

export interface VerifierOptions {
  /** Fewer where strangers choose both bundle and trust anchor, and somebody waits. */
  readonly maxSeals?: number
}

/**
 * Verifies many bundles against one trust anchor; headers and their seals are checked once.
 * @param trustAnchor as `parseTrustAnchor` gives it
 */
export function createEvidenceVerifier(
  trustAnchor: TrustAnchor,
  options: VerifierOptions & { readonly maxCachedHeaders?: number } = {},
): EvidenceVerifier {
  const reader = createHeaderReader(options.maxCachedHeaders ?? DEFAULT_CACHED_HEADERS)
  const max = options.maxSeals ?? DEFAULT_MAX_SEALS
  return {
    verify: (source, input = {}) => verify(source, input, { trustAnchor, reader, seals: { max, left: max } }),
  }
}

/**
 * Verifies one bundle. No I/O, and never throws on bad input: each step says what it found.
 * @param options.trustAnchor the text of its file, or what `JSON.parse` made of it
 */
export function verifyEvidence(
  source: unknown,
  options: EvidenceInput & VerifierOptions & { trustAnchor: unknown },
): EvidenceVerdict {
  const report = createReport()
  const trustAnchor = report.run('format', () => ({
    code: 'FORMAT_OK',
    value: orFailEvidence('FORMAT_TRUST_ANCHOR', () => parseTrustAnchor(options.trustAnchor)),
  }))
  if (trustAnchor === undefined) return report.verdict(() => undefined)
  return createEvidenceVerifier(trustAnchor, options).verify(source, options)
}

// ------------------------------------------------------------------------------------------------------- steps

/** Steps run in the order of their needs; the verdict lists them in the order of `EVIDENCE_STEPS`. */
function verify(source: unknown, input: EvidenceInput, context: ChainContext): EvidenceVerdict {
  const report = createReport()
  const bundle = report.run('format', () => ({ code: 'FORMAT_OK', value: parseEvidence(source) }))
  if (bundle === undefined) return report.verdict(() => undefined)
  const { trustAnchor, reader } = context
  const leaf = report.run('leaf', () => ({ code: 'LEAF_OK', value: readLeaf(bundle) }))
  const payload = report.run('payload', () => checkPayload(found(leaf).envelope, input))
  const header = report.run('header', () => ({ code: 'HEADER_OK', value: readOwnHeader(bundle, reader) }))
  const batch = report.run('receipt', () => ({
    code: 'RECEIPT_OK',
    value: checkBatch(proveAnchoredBatch(found(header).header.receiptsRoot, bundle.anchor), bundle, leaf),
  }))
  report.run('inclusion', () => checkInclusion(bundle, leaf, batch))
  report.run('chain', () => checkChain(bundle, header, trustAnchor))
  const by = report.run('validators', () => {
    const value = findVouching(bundle, found(header), context)
    return { code: value.proof === 'checkpoint' ? 'VALIDATORS_BY_CHECKPOINT' : 'VALIDATORS_OK', value }
  })
  report.run('seals', () => checkSeals(bundle, { header: found(header), by: found(by), context }))
  const standing = report.run('issuer', () => checkIssuer(bundle, { leaf, batch, input }))
  return report.verdict(() => factsOf(bundle, { leaf, header, batch, by, standing, payload }))
}

interface Leaf {
  readonly envelope: EvidenceEnvelope
  readonly hash: Uint8Array
}

function readLeaf(bundle: EvidenceBundle): Leaf {
  return { envelope: readEnvelope(bundle.envelope), hash: envelopeLeaf(bundle.envelope) }
}

function checkPayload(envelope: EvidenceEnvelope, input: EvidenceInput): Passed<EvidenceFacts['payload']> {
  const { payload, salt } = input
  if (payload === undefined && salt === undefined) return { code: 'PAYLOAD_NOT_GIVEN', value: 'not given' }
  if (payload === undefined) return failEvidence('PAYLOAD_MISSING', 'A salt was given without its payload')
  if (salt === undefined) return failEvidence('PAYLOAD_SALT_MISSING', 'A payload was given without its salt')
  const isBytes = payload instanceof Uint8Array && salt instanceof Uint8Array
  if (!isBytes) failEvidence('PAYLOAD_TYPE', 'Payload and salt must be Uint8Array')
  if (salt.length !== SALT_BYTES) failEvidence('PAYLOAD_SALT_LENGTH', `The salt has ${salt.length} bytes, not 32`)
  const salted = concatBytes(salt, payload)
  const digests = envelope.payloadDigests
  checkDigest('PAYLOAD_SHA256', sha256(salted), digests.sha256)
  checkDigest('PAYLOAD_SM3', sm3(salted), digests.sm3)
  return { code: 'PAYLOAD_OK', value: 'verified' }
}

function checkDigest(code: 'PAYLOAD_SHA256' | 'PAYLOAD_SM3', digest: Uint8Array, recorded: string): void {
  const digits = bytesToHex(digest).slice(2)
  if (digits !== recorded) failEvidence(code, `Payload and salt give ${digits}; recorded was ${recorded}`)
}

function readOwnHeader(bundle: EvidenceBundle, reader: HeaderReader): ReadHeader {
  const own = orFailEvidence('HEADER_ENCODING', () => reader.read(bundle.header))
  const { blockNumber } = bundle.anchor
  if (own.header.number === blockNumber) return own
  return failEvidence('HEADER_BLOCK_NUMBER', `The header is of block ${own.header.number}, not ${blockNumber}`)
}

function checkBatch(batch: AnchoredBatch, bundle: EvidenceBundle, leaf: Leaf | undefined): AnchoredBatch {
  const { treeSize } = bundle.inclusion
  if (batch.size !== BigInt(treeSize)) {
    failEvidence('RECEIPT_SIZE', `The anchored tree has ${batch.size} leaves; the bundle says ${treeSize}`)
  }
  const family = RECORD_FAMILIES[found(leaf).envelope.family]
  if (batch.family !== BigInt(family)) {
    failEvidence('RECEIPT_FAMILY', `Anchored for family ${batch.family}; the envelope is of ${family}`)
  }
  return batch
}

/** Nodes of the path of a leaf: one for each level at which it has a sibling. */
function pathLength(index: number, size: number): number {
  let length = 0
  for (let at = index, last = size - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at % 2 === 1 || at < last) length++
  }
  return length
}

function checkInclusion(
  bundle: EvidenceBundle,
  leaf: Leaf | undefined,
  batch: AnchoredBatch | undefined,
): Passed<undefined> {
  const { treeSize, leafIndex, path } = bundle.inclusion
  if (leafIndex >= treeSize) failEvidence('INCLUSION_INDEX', `Leaf ${leafIndex} of a tree of ${treeSize}`)
  const length = pathLength(leafIndex, treeSize)
  const problem = `The path has ${path.length} nodes; leaf ${leafIndex} of ${treeSize} takes ${length}`
  if (path.length < length) failEvidence('INCLUSION_PATH_SHORT', problem)
  if (path.length > length) failEvidence('INCLUSION_PATH_LONG', problem)
  const nodes = path.map((hash) => hexToBytes(hash))
  const root = rootFromInclusion({ index: leafIndex, size: treeSize, hash: found(leaf).hash }, nodes)
  const anchored = found(batch).root
  if (!equalBytes(root, hexToBytes(anchored))) {
    failEvidence('INCLUSION_ROOT', `The path leads to ${bytesToHex(root)}; anchored was ${anchored}`)
  }
  return { code: 'INCLUSION_OK', value: undefined }
}

function checkChain(
  bundle: EvidenceBundle,
  header: ReadHeader | undefined,
  anchor: TrustAnchor,
): Passed<undefined> {
  const { chainId, genesisHash } = bundle.chain
  if (chainId !== anchor.chainId) {
    failEvidence('CHAIN_ID', `The bundle is of chain ${chainId}; the trust anchor of ${anchor.chainId}`)
  }
  if (genesisHash !== anchor.genesisHash) {
    failEvidence('CHAIN_GENESIS', `The bundle's genesis is ${genesisHash}; the trust anchor's ${anchor.genesisHash}`)
  }
  if (!isOfChain(found(header), genesisHash)) {
    failEvidence('CHAIN_VANITY', `Block ${bundle.anchor.blockNumber} names another genesis in its vanity`)
  }
  return { code: 'CHAIN_OK', value: undefined }
}

function checkSeals(
  bundle: EvidenceBundle,
  proof: { header: ReadHeader; by: Vouching; context: ChainContext },
): Passed<undefined> {
  checkVouching(bundle, proof.header, proof)
  return { code: proof.by.proof === 'checkpoint' ? 'SEALS_BY_CHECKPOINT' : 'SEALS_OK', value: undefined }
}

const ISSUER_CODES = {
  signed: 'ISSUER_SIGNED',
  organisation: 'ISSUER_ORGANISATION',
  unproven: 'ISSUER_UNPROVEN',
} as const satisfies Record<IssuerStanding, EvidenceCode>

function checkIssuer(
  { envelope }: EvidenceBundle,
  known: { leaf: Leaf | undefined; batch: AnchoredBatch | undefined; input: EvidenceInput },
): Passed<IssuerStanding> {
  const { leaf, batch, input } = known
  const claim = { envelope, read: found(leaf).envelope, sender: found(batch).sender, issuers: input.issuers ?? {} }
  const standing = issuerStanding(claim)
  return { code: ISSUER_CODES[standing], value: standing }
}

// ------------------------------------------------------------------------------------------------------- facts

interface Findings {
  leaf: Leaf | undefined
  header: ReadHeader | undefined
  batch: AnchoredBatch | undefined
  by: Vouching | undefined
  standing: IssuerStanding | undefined
  payload: EvidenceFacts['payload'] | undefined
}

function factsOf(bundle: EvidenceBundle, findings: Findings): EvidenceFacts {
  const { envelope, hash } = found(findings.leaf)
  const own = found(findings.header)
  const { batchId, root, sender } = found(findings.batch)
  const { inclusion, anchor } = bundle
  return {
    proves: 'existence',
    inForce: 'unproven',
    meaning: EVIDENCE_MEANING,
    recordId: envelope.id,
    family: envelope.family,
    schema: envelope.schema,
    issuer: { name: envelope.issuer, standing: found(findings.standing) },
    payload: found(findings.payload),
    leafHash: bytesToHex(hash),
    batch: { id: batchId, root, size: inclusion.treeSize, leafIndex: inclusion.leafIndex, sender },
    ...bundle.chain,
    block: {
      number: own.header.number,
      hash: own.hash,
      timeMs: own.blockTimeMs,
      transactionIndex: anchor.transactionIndex,
      logIndex: anchor.logIndex,
    },
    horizon: horizonOf(found(findings.by)),
    unchecked: (['timestampTokens', 'status'] as const).filter((part) => bundle[part] !== undefined),
  }
}

function horizonOf(by: Vouching): EvidenceHorizon {
  const { number } = by.header.header
  if (by.proof === 'checkpoint') return { proof: 'checkpoint', height: number }
  return { proof: 'validators', fromHeight: by.fromHeight, sealedHeight: number }
}
