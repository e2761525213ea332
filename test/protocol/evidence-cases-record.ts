import { type Hash, bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { canonicalEnvelope } from '@songhua/sdk/protocol/evidence-envelope'
import { ISSUER_ALGORITHM, envelopeSigningDigest } from '@songhua/sdk/protocol/evidence-issuer'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { leafHash, nodeHash } from '@songhua/sdk/protocol/merkle-tree'
import { type NegativeCase, chain, good, goodWith, negativeCases } from './evidence-cases-support.js'
import {
  ISSUER,
  SENDER,
  anchorLog,
  blockReceipts,
  bundleOfReceipts,
  flipped,
  otherLog,
  receiptOf,
  record,
  records,
  rootOf,
} from './evidence-support.js'
import { member } from './support.js'

/** What is wrong with the record itself: its place in the tree, its envelope, its payload, its issuer. */
export function recordCases(): NegativeCase[] {
  return [...inclusionCases(), ...leafCases(), ...payloadCases(), ...issuerCases()]
}

function inclusionCases(): NegativeCase[] {
  const { path } = good.inclusion
  const [near, middle, far] = path as [Hash, Hash, Hash]
  const withInclusion = (changes: Partial<EvidenceBundle['inclusion']>): EvidenceBundle =>
    goodWith({ inclusion: { ...good.inclusion, ...changes } })
  const leaf = leafHash(canonicalEnvelope(good.envelope))
  const aboveLeaf = bytesToHex(nodeHash(leaf, hexToBytes(near)))
  return negativeCases('inclusion', [
    ['a truncated path', 'INCLUSION_PATH_SHORT', withInclusion({ path: path.slice(0, -1) })],
    ['a path truncated at its start', 'INCLUSION_PATH_SHORT', withInclusion({ path: path.slice(1) })],
    ['no path', 'INCLUSION_PATH_SHORT', withInclusion({ path: [] })],
    ['a path lengthened at its end', 'INCLUSION_PATH_LONG', withInclusion({ path: [...path, near] })],
    ['a path lengthened at its start', 'INCLUSION_PATH_LONG', withInclusion({ path: [near, ...path] })],
    ['a reordered path', 'INCLUSION_ROOT', withInclusion({ path: [middle, near, far] })],
    ['a path upside down', 'INCLUSION_ROOT', withInclusion({ path: [far, middle, near] })],
    ['a sibling off by a bit', 'INCLUSION_ROOT', withInclusion({ path: [flipped(near, 0), middle, far] })],
    ['a sibling swapped for the leaf’s own hash', 'INCLUSION_ROOT',
      withInclusion({ path: [bytesToHex(leaf), middle, far] })],
    ['a sibling swapped for the node above', 'INCLUSION_ROOT', withInclusion({ path: [aboveLeaf, middle, far] })],
    ['the neighbour’s index', 'INCLUSION_ROOT', withInclusion({ leafIndex: 5 })],
    ['the index of another subtree', 'INCLUSION_ROOT', withInclusion({ leafIndex: 0 })],
    ['an index with a shorter path', 'INCLUSION_PATH_LONG', withInclusion({ leafIndex: 6 })],
    ['an index outside the tree', 'INCLUSION_INDEX', withInclusion({ leafIndex: 7 })],
    ['a larger tree, its path as long', 'RECEIPT_SIZE', withInclusion({ treeSize: 8 })],
    ['a smaller tree', ['RECEIPT_SIZE', 'INCLUSION_PATH_LONG'], withInclusion({ treeSize: 5 })],
    ['the largest tree', ['RECEIPT_SIZE', 'INCLUSION_PATH_SHORT'],
      withInclusion({ treeSize: Number.MAX_SAFE_INTEGER })],
    ['a tree of none', ['RECEIPT_SIZE', 'INCLUSION_INDEX'], withInclusion({ treeSize: 0 })],
    ['the level above the leaves (second pre-image)', 'RECEIPT_SIZE',
      withInclusion({ treeSize: 4, leafIndex: 2, path: path.slice(1) })],
    ['the level above the leaves, anchored as a tree of four', 'INCLUSION_ROOT', secondPreImage()],
    ['another record of the issuer', 'INCLUSION_ROOT', goodWith({ envelope: record(5).envelope })],
    ['an envelope that holds a number', 'LEAF_ENVELOPE', goodWith({ envelope: { ...good.envelope, note: [{ odd: 1e21 }] } })],
    ['an envelope with a field more', 'INCLUSION_ROOT', goodWith({ envelope: { ...good.envelope, note: '' } })],
    ['__proto__ as a key of the envelope', 'INCLUSION_ROOT',
      JSON.stringify(good).replace('"proof":[]', '"__proto__":{"valid":true},"proof":[]')],
  ])
}

function secondPreImage(): EvidenceBundle {
  const receipts = blockReceipts(chain.batch)
  receipts[2] = receiptOf([otherLog, anchorLog(rootOf(chain.batch), 4)])
  const bundle = bundleOfReceipts(chain.batch, receipts)
  return { ...bundle, inclusion: { treeSize: 4, leafIndex: 2, path: bundle.inclusion.path.slice(1) } }
}

function leafCases(): NegativeCase[] {
  const withEnvelope = (changes: object): EvidenceBundle => goodWith({ envelope: { ...good.envelope, ...changes } })
  const digest = 'ab'.repeat(32)
  return negativeCases('leaf', [
    ['an envelope of another family', 'LEAF_ENVELOPE', withEnvelope({ family: 'medical' })],
    ['an envelope of a family that every object has', 'LEAF_ENVELOPE', withEnvelope({ family: 'toString' })],
    ['an envelope without digests', 'LEAF_ENVELOPE', withEnvelope({ payloadDigests: {} })],
    ['upper-case digests', 'LEAF_ENVELOPE',
      withEnvelope({ payloadDigests: { sha256: digest.toUpperCase(), sm3: digest } })],
    ['an issuer that is no text', 'LEAF_ENVELOPE', withEnvelope({ issuer: 7 })],
    ['a schema without version', 'LEAF_ENVELOPE', withEnvelope({ schema: { id: 'government.licence' } })],
    ['a name without end', 'LEAF_ENVELOPE', withEnvelope({ id: 'x'.repeat(513) })],
    ['a proof that is no list', 'LEAF_ENVELOPE', withEnvelope({ proof: {} })],
    ['an envelope of 100 kB', 'LEAF_TOO_LARGE', withEnvelope({ note: 'x'.repeat(100_000) })],
    ['an envelope of 70 kB in UTF-8', 'LEAF_TOO_LARGE', withEnvelope({ note: '松'.repeat(23_400) })],
  ])
}

function payloadCases(): NegativeCase[] {
  const { payload, salt } = chain.batch[4]!
  const off = (bytes: Uint8Array, at: number): Uint8Array => hexToBytes(flipped(bytesToHex(bytes), at))
  const longSalt = concatBytes(salt, payload.slice(0, 1))
  const batch = [...chain.batch]
  const { envelope } = batch[4]!
  const payloadDigests = { ...(envelope.payloadDigests as object), sm3: '00'.repeat(32) }
  batch[4] = { ...batch[4]!, envelope: { ...envelope, payloadDigests } }
  const lying = bundleOfReceipts(batch, blockReceipts(batch))
  return negativeCases('payload', [
    ['a payload off by a byte', 'PAYLOAD_SHA256', good, { input: { payload: off(payload, 3), salt } }],
    ['a payload a byte short', 'PAYLOAD_SHA256', good, { input: { payload: payload.slice(1), salt } }],
    ['a payload a byte longer', 'PAYLOAD_SHA256', good, { input: { payload: concatBytes(payload, salt.slice(0, 1)), salt } }],
    ['no bytes of payload', 'PAYLOAD_SHA256', good, { input: { payload: new Uint8Array(0), salt } }],
    ['another record’s payload', 'PAYLOAD_SHA256', good, { input: { payload: chain.batch[5]!.payload, salt } }],
    ['a salt off by a byte', 'PAYLOAD_SHA256', good, { input: { payload, salt: off(salt, 31) } }],
    ['a byte moved from payload to salt', 'PAYLOAD_SALT_LENGTH', good, { input: { payload: payload.slice(1), salt: longSalt } }],
    ['a salt a byte short', 'PAYLOAD_SALT_LENGTH', good, { input: { payload, salt: salt.slice(1) } }],
    ['no salt', 'PAYLOAD_SALT_MISSING', good, { input: { payload } }],
    ['a salt alone', 'PAYLOAD_MISSING', good, { input: { salt } }],
    ['a lying SM3 digest beside the right SHA-256 one', 'PAYLOAD_SM3', lying, { input: { payload, salt } }],
  ])
}

/** A bundle of block 1 whose record 4 carries these issuer proofs. */
export function bundleWithProofs(proof: unknown[]): EvidenceBundle {
  const batch = records(7)
  batch[4] = record(4, { proof })
  return bundleOfReceipts(batch, blockReceipts(batch))
}

/** An issuer proof over record 4, or another envelope, by the member of that name. */
export function proofBy(name: string, envelope = record(4).envelope): { algorithm: string; keyId: string; value: string } {
  const signature = signDigest(envelopeSigningDigest(envelope), member(name).privateKey)
  return { algorithm: ISSUER_ALGORITHM, keyId: 'key-1', value: bytesToHex(signature).slice(2) }
}

export const KNOWN_ISSUERS = { [ISSUER]: { signers: [member('issuer').address], accounts: [SENDER] } }

function issuerCases(): NegativeCase[] {
  const input = { issuers: KNOWN_ISSUERS }
  const byIssuer = proofBy('issuer')
  const zeros = { ...byIssuer, value: '00'.repeat(65) }
  const notes = bytesToHex(utf8ToBytes('no signature')).slice(2)
  const signature = (proofs: unknown[]): EvidenceBundle => bundleWithProofs(proofs)
  return negativeCases('issuer', [
    ['another’s signature', 'ISSUER_SIGNATURE', signature([proofBy('somebody')]), { input }],
    ['a signature over another envelope', 'ISSUER_SIGNATURE', signature([proofBy('issuer', record(5).envelope)]), { input }],
    ['a good signature and a bad one', 'ISSUER_SIGNATURE', signature([byIssuer, zeros]), { input }],
    ['a signature too short', 'ISSUER_PROOF', signature([{ ...byIssuer, value: notes }]), { input }],
    ['a signature with 0x', 'ISSUER_PROOF', signature([{ ...byIssuer, value: `0x${byIssuer.value}` }]), { input }],
    ['a signature in a list', 'ISSUER_PROOF', signature([{ ...byIssuer, value: [byIssuer.value] }]), { input }],
    ['a proof without algorithm', 'ISSUER_PROOF', signature([null]), { input }],
    ['nine proofs', 'ISSUER_PROOF', signature(Array.from({ length: 9 }, () => ({ algorithm: 'x' }))), { input }],
    ['a malformed proof, whoever is known', 'ISSUER_PROOF', signature([{ ...byIssuer, value: notes }])],
  ])
}
