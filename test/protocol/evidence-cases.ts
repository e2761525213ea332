import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { type AnchoredRecords, assembleEvidence, refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import { envelopeLeaf } from '@songhua/sdk/protocol/evidence-envelope'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { blockCases } from './evidence-cases-block.js'
import { formatCases } from './evidence-cases-format.js'
import { KNOWN_ISSUERS, bundleWithProofs, proofBy, recordCases } from './evidence-cases-record.js'
import { type NegativeCase, type PositiveCase, chain, good } from './evidence-cases-support.js'
import { trustCases } from './evidence-cases-trust.js'
import { ANCHOR_BLOCKS, ISSUER, SENDER, blockReceipts, createEvidenceChain, records } from './evidence-support.js'
import { type Member, MEMBERS, createTestChain, member, sealedBy } from './support.js'

/** Bundles that any verifier of `songhua.evidence/1` must refuse, and such as it must accept. */

export const NEGATIVE_CASES: readonly NegativeCase[] = [
  ...formatCases(),
  ...recordCases(),
  ...blockCases(),
  ...trustCases(),
]

export const POSITIVE_CASES: readonly PositiveCase[] = [
  ...batchCases(),
  ...setCases(),
  ...checkpointCases(),
  ...issuerCases(),
  ...textCases(),
]

function positive(what: string, source: unknown, rest: Partial<PositiveCase> = {}): PositiveCase {
  return { what, source, trustAnchor: chain.trustAnchor(), input: {}, ...rest }
}

/** Every leaf of trees of many shapes, with its payload. */
function batchCases(): PositiveCase[] {
  return [1, 2, 3, 4, 5, 7, 8, 13, 16, 33].flatMap((size) => {
    const batch = records(size)
    const whole = createEvidenceChain(batch)
    return batch.map(({ payload, salt }, at) =>
      positive(`leaf ${at} of ${size}`, whole.bundle(8, at), { input: { payload, salt } }),
    )
  })
}

/** Blocks that sets of all sizes sealed, by the smallest quorum and by all. */
function setCases(): PositiveCase[] {
  const reigns = ANCHOR_BLOCKS.map((number) => positive(`block ${number} of the reign of its set`, chain.bundle(number)))
  const sizes = [1, 2, 3, 4, 5, 6, 7, 16, 64].flatMap((size) => [
    positive(`a quorum of ${size}`, bundleSealedBy(size, Math.ceil((2 * size) / 3))),
    positive(`all of ${size}`, bundleSealedBy(size, size)),
  ])
  return [...reigns, ...sizes]
}

/** Block 1 brings a set of `size`; so many of them seal block 2, which anchors. */
function bundleSealedBy(size: number, sealers: number): EvidenceBundle {
  const test = createTestChain()
  const members = Array.from({ length: size }, (_, at) => member(`validator ${at}`)).sort(byAddress)
  const nextValidators = members.map(({ address }) => address)
  test.append(sealedBy(test.next({ nextValidators }), MEMBERS.slice(0, 3)))
  const receipts = blockReceipts(chain.batch)
  const receiptsRoot = orderedTrieRoot(receipts.map(encodeReceipt))
  const header = sealedBy(test.next({ nextValidators, receiptsRoot }), members.slice(0, sealers))
  const anchored: AnchoredRecords = {
    chain: { chainId: 230099, genesisHash: test.hashes[0]! },
    leaves: chain.batch.map(({ envelope }) => envelopeLeaf(envelope)),
    block: { header, receipts, transactionIndex: 2 },
    validatorHistory: [test.headers[1]!],
  }
  return assembleEvidence(anchored, chain.batch[4]!.envelope, 4)
}

function byAddress(a: Member, b: Member): number {
  return a.address < b.address ? -1 : 1
}

function checkpointCases(): PositiveCase[] {
  const old = chain.bundle(3)
  const under = (height: number): EvidenceBundle => refreshEvidence(old, { height, proofs: chain.proofs })
  const anchored = (...heights: number[]): Partial<PositiveCase> => ({ trustAnchor: chain.trustAnchor(...heights) })
  const short = { ...good, validatorHistory: good.validatorHistory.slice(1) }
  return [
    positive('a checkpoint at the very block', chain.bundle(8), anchored(8)),
    ...[4, 5, 6, 12, 14].map((height) => positive(`a checkpoint at ${height} below the block`, good, anchored(height))),
    positive('a history that begins after the checkpoint', short, anchored(6)),
    positive('a path into the newest checkpoint', under(18), anchored(6, 18)),
    positive('a path into an older checkpoint', under(6), anchored(4, 6, 18)),
    positive('a path into the next block', under(4), anchored(4)),
    positive('a path into the head, by its seals', under(20)),
    positive('a path into the head, above a checkpoint', under(20), anchored(2)),
  ]
}

function issuerCases(): PositiveCase[] {
  const withIssuers = { input: { issuers: KNOWN_ISSUERS } }
  const byAccount = { input: { issuers: { [ISSUER]: { accounts: [SENDER] } } } }
  return [
    positive('a record signed by its issuer', bundleWithProofs([proofBy('issuer')]), withIssuers),
    positive('a signature whose keys are not known', bundleWithProofs([proofBy('issuer')])),
    positive('a proof of another algorithm', bundleWithProofs([{ algorithm: 'sm2-sm3', value: 'x' }]), withIssuers),
    positive('a record anchored by its issuer', bundleWithProofs([]), byAccount),
  ]
}

/** White space, order of keys, escapes, case of digits and reserved parts change nothing. */
function textCases(): PositiveCase[] {
  const text = JSON.stringify(good)
  const reversed = Object.fromEntries(Object.entries(good).reverse())
  const upper = (hex: Hash): string => `0x${hex.slice(2).toUpperCase()}`
  return [
    positive('keys in another order, with white space', JSON.stringify(reversed, null, 2)),
    positive('an escaped key', text.replace('"family"', '"\\u0066amily"')),
    positive('upper-case digits', { ...good, chain: { ...good.chain, genesisHash: upper(good.chain.genesisHash) } }),
    positive('an upper-case header', text.replace(good.header, `0x${good.header.slice(2).toUpperCase()}`)),
    positive('reserved parts', { ...good, timestampTokens: [bytesToHex(new Uint8Array(8))], status: { at: 1 } }),
  ]
}
