import { type Hex, bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { commitSealDigest, headerWithRound, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { keccak256Hex, signDigest } from '@songhua/sdk/protocol/crypto'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { decodeExtraData, encodeExtraData, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { type Header, encodeHeader, headerToRlp } from '@songhua/sdk/protocol/header'
import { orderedTrieProof, orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { type Receipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import { trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { type NegativeCase, chain, good, goodWith, negativeCases } from './evidence-cases-support.js'
import {
  OTHER_CONTRACT,
  THIRD_SET,
  anchorLog,
  blockReceipts,
  bundleOfReceipts,
  flipped,
  headerHex,
  otherLog,
  receiptOf,
  receiptProofOf,
  rootOf,
  sealByQuorum,
} from './evidence-support.js'
import { MEMBERS, createTestChain, member, sealedBy } from './support.js'

export const OTHER_GENESIS = keccak256Hex(utf8ToBytes('another genesis'))

/** What is wrong with the block: the receipt, the header, its chain, its seals. */
export function blockCases(): NegativeCase[] {
  return [...receiptCases(), ...proofCases(), ...headerCases(), ...chainCases(), ...sealCases()]
}

const { batch } = chain
const root = rootOf(batch)
const log = anchorLog(root, 7)

/** Whoever holds the keys can make a block of any receipts; the bundle of it must still be refused. */
function receiptCases(): NegativeCase[] {
  const withReceipt = (receipt: Receipt): EvidenceBundle => {
    const receipts = blockReceipts(batch)
    receipts[2] = receipt
    return bundleOfReceipts(batch, receipts)
  }
  const withLog = (changes: Partial<typeof log>): EvidenceBundle =>
    withReceipt(receiptOf([otherLog, { ...log, ...changes }]))
  const transfer = keccak256Hex(utf8ToBytes('Transfer()'))
  return negativeCases('receipt', [
    ['a transaction that failed', 'RECEIPT_FAILED', withReceipt(receiptOf([otherLog, log], 0))],
    ['bytes that are no receipt', 'RECEIPT_ENCODING', bundleOfValue(new Uint8Array(64))],
    ['a receipt of an unknown type', 'RECEIPT_ENCODING',
      bundleOfValue(concatBytes(Uint8Array.of(3), encodeReceipt(receiptOf([otherLog, log])).subarray(1)))],
    ['a receipt with a byte more', 'RECEIPT_ENCODING',
      bundleOfValue(concatBytes(encodeReceipt(receiptOf([otherLog, log])), Uint8Array.of(0)))],
    ['a log of another contract', 'RECEIPT_CONTRACT', withLog({ address: OTHER_CONTRACT })],
    ['a log of another event', 'RECEIPT_EVENT', withLog({ topics: [transfer, ...log.topics.slice(1)] })],
    ['an anonymous log', 'RECEIPT_EVENT', withLog({ topics: [] })],
    ['a log with a topic less', 'RECEIPT_LOG_FORM', withLog({ topics: log.topics.slice(0, 3) })],
    ['a log with a byte more', 'RECEIPT_LOG_FORM', withLog({ data: concatBytes(log.data, Uint8Array.of(0)) })],
    ['a sender of 32 bytes', 'RECEIPT_LOG_FORM', withLog({ topics: [log.topics[0]!, root, ...log.topics.slice(2)] })],
    ['an anchored tree of another size', 'RECEIPT_SIZE', withReceipt(receiptOf([otherLog, anchorLog(root, 8)]))],
    ['an anchored tree of another family', 'RECEIPT_FAMILY',
      withReceipt(receiptOf([otherLog, anchorLog(root, 7, 3n)]))],
    ['a family above a byte', 'RECEIPT_FAMILY', withReceipt(receiptOf([otherLog, anchorLog(root, 7, 257n)]))],
    ['an anchored tree of another root', 'INCLUSION_ROOT',
      withReceipt(receiptOf([otherLog, anchorLog(transfer, 7)]))],
  ])
}

/** A block whose third receipt is these bytes. */
function bundleOfValue(value: Uint8Array): EvidenceBundle {
  const values = [chain.receipts[0]!, chain.receipts[1]!].map(encodeReceipt).concat(value)
  const header = sealByQuorum(createTestChain().next({ receiptsRoot: orderedTrieRoot(values) }))
  const receiptProof = orderedTrieProof(values, 2).map(bytesToHex)
  const bundle = bundleOfReceipts(batch, blockReceipts(batch))
  return { ...bundle, header: headerHex(header), anchor: { ...bundle.anchor, receiptProof } }
}

function proofCases(): NegativeCase[] {
  const withAnchor = (changes: Partial<EvidenceBundle['anchor']>): EvidenceBundle =>
    goodWith({ anchor: { ...good.anchor, ...changes } })
  const { receiptProof } = good.anchor
  const [top, ...below] = receiptProof as [Hex, ...Hex[]]
  const absent = receiptProofOf(chain.receipts, 19).slice(0, 2)
  return negativeCases('receipt proof', [
    ['the neighbour’s log', 'INCLUSION_ROOT', withAnchor({ logIndex: 2 })],
    ['the other contract’s log', 'RECEIPT_CONTRACT', withAnchor({ logIndex: 0 })],
    ['a log index counted over the block', 'RECEIPT_LOG_INDEX', withAnchor({ logIndex: 3 })],
    ['another transaction of the block', 'RECEIPT_LOG_INDEX',
      withAnchor({ transactionIndex: 7, receiptProof: receiptProofOf(chain.receipts, 7) })],
    ['the proof under another index', 'RECEIPT_PROOF', withAnchor({ transactionIndex: 130 })],
    ['the proof under the largest index', 'RECEIPT_PROOF', withAnchor({ transactionIndex: Number.MAX_SAFE_INTEGER })],
    ['a transaction that the block has not', 'RECEIPT_ABSENT',
      withAnchor({ transactionIndex: 20, receiptProof: absent })],
    ['a truncated proof', 'RECEIPT_PROOF', withAnchor({ receiptProof: receiptProof.slice(0, -1) })],
    ['a lengthened proof', 'RECEIPT_PROOF', withAnchor({ receiptProof: [...receiptProof, top] })],
    ['a reordered proof', 'RECEIPT_PROOF', withAnchor({ receiptProof: [...below, top] })],
    ['a proof off by a bit', 'RECEIPT_PROOF', withAnchor({ receiptProof: [flipped(top, 9), ...below] })],
    ['no proof', 'RECEIPT_PROOF', withAnchor({ receiptProof: [] })],
  ])
}

const header = chain.headers[15]!

function headerCases(): NegativeCase[] {
  const tampered = (changes: Partial<Header>): EvidenceBundle =>
    goodWith({ header: headerHex({ ...header, ...changes }) })
  const { seals, round } = decodeExtraData(header.extraData)
  const otherRound = headerWithSeals(headerWithRound(header, round + 1), seals)
  const fields = headerToRlp(header)
  const ofFields = (changed: typeof fields): EvidenceBundle => goodWith({ header: bytesToHex(encodeRlp(changed)) })
  const padded = fields.map((field, at) => (at === 8 ? Uint8Array.of(0, 15) : field))
  const vote = encodeRlp([new Uint8Array(32), [], [new Uint8Array(20), new Uint8Array(0)], new Uint8Array(0), []])
  return negativeCases('header', [
    ['a later time', 'SEALS_UNKNOWN_SIGNER', tampered({ timestamp: header.timestamp + 1 })],
    ['another history', 'SEALS_UNKNOWN_SIGNER', tampered({ parentBeaconBlockRoot: OTHER_GENESIS })],
    ['another receiptsRoot', ['SEALS_UNKNOWN_SIGNER', 'RECEIPT_PROOF'], tampered({ receiptsRoot: OTHER_GENESIS })],
    ['another round', 'SEALS_UNKNOWN_SIGNER', goodWith({ header: headerHex(otherRound) })],
    ['another block’s header', 'HEADER_BLOCK_NUMBER', goodWith({ header: headerHex(chain.headers[16]!) })],
    ['a truncated header', 'HEADER_ENCODING', goodWith({ header: good.header.slice(0, -2) as Hex })],
    ['a header with a byte more', 'HEADER_ENCODING', goodWith({ header: `${good.header}00` })],
    ['a header with a field less', 'HEADER_ENCODING', ofFields(fields.slice(0, -1))],
    ['a header with a field more', 'HEADER_ENCODING', ofFields([...fields, new Uint8Array(32)])],
    ['a number with a zero in front', 'HEADER_ENCODING', ofFields(padded)],
    ['extraData with a vote', 'HEADER_ENCODING', tampered({ extraData: vote })],
    ['extraData that is none', 'HEADER_ENCODING', tampered({ extraData: new Uint8Array(32) })],
    ['an empty header', 'HEADER_ENCODING', goodWith({ header: '0x' })],
    ['the genesis', 'HEADER_ENCODING', goodWith({ header: headerHex(chain.headers[0]!) })],
  ])
}

function chainCases(): NegativeCase[] {
  const extraData = decodeExtraData(header.extraData)
  const vanity = vanityOf(OTHER_GENESIS, 1_800_000_015_000)
  const moved = { ...header, extraData: encodeExtraData({ ...extraData, vanity, seals: [] }) }
  const ofOtherChain = goodWith({ header: headerHex(sealedBy(moved, THIRD_SET.slice(0, 3))) })
  const genesis = chain.headers[0]!
  const twin = { chainId: 230099, genesisHeader: { ...genesis, timestamp: genesis.timestamp + 1 }, checkpoints: [] }
  const trustAnchor = trustAnchorToJson(twin)
  return negativeCases('chain', [
    ['a header that the same keys sealed on another chain', 'CHAIN_VANITY', ofOtherChain],
    ['a whole bundle of another chain with the same keys', 'CHAIN_GENESIS', chain.bundle(3), { trustAnchor }],
    ['a bundle of another chain id', 'CHAIN_ID', goodWith({ chain: { ...good.chain, chainId: 230000 } })],
    ['a bundle of another genesis', 'CHAIN_GENESIS', goodWith({ chain: { ...good.chain, genesisHash: OTHER_GENESIS } })],
  ])
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function highTwin(seal: Uint8Array): Uint8Array {
  const s = (ORDER - BigInt(bytesToHex(seal.subarray(32, 64)))).toString(16).padStart(64, '0')
  return concatBytes(seal.subarray(0, 32), hexToBytes(`0x${s}`), Uint8Array.of(1 - seal[64]!))
}

function sealCases(): NegativeCase[] {
  const unsealed = headerWithRound(header, 0)
  const digest = commitSealDigest(unsealed)
  const [a, b, c, d] = THIRD_SET.map(({ privateKey }) => signDigest(digest, privateKey)) as [
    Uint8Array, Uint8Array, Uint8Array, Uint8Array,
  ]
  const stranger = signDigest(digest, member('stranger').privateKey)
  const sealed = (...seals: Uint8Array[]): EvidenceBundle =>
    goodWith({ header: bytesToHex(encodeHeader(headerWithSeals(unsealed, seals))) })
  const former = MEMBERS.find(({ address }) => !THIRD_SET.some((now) => now.address === address))!
  const byFormer = signDigest(digest, former.privateKey)
  const ethereumParity = concatBytes(c.subarray(0, 64), Uint8Array.of(27 + c[64]!))
  return negativeCases('seals', [
    ['none', 'SEALS_BELOW_QUORUM', sealed()],
    ['one below a quorum', 'SEALS_BELOW_QUORUM', sealed(a, b)],
    ['a signer twice', 'SEALS_DUPLICATE_SIGNER', sealed(a, b, b)],
    ['a signer twice beside a quorum', 'SEALS_DUPLICATE_SIGNER', sealed(a, b, c, c)],
    ['a high-s twin', 'SEALS_HIGH_S', sealed(a, b, highTwin(c))],
    ['a high-s twin beside its signature', 'SEALS_HIGH_S', sealed(a, b, c, highTwin(c))],
    ['more seals than validators', 'SEALS_TOO_MANY', sealed(a, b, c, d, a)],
    ['zeros', 'SEALS_MALFORMED', sealed(a, b, new Uint8Array(65))],
    ['a parity of 27', 'SEALS_MALFORMED', sealed(a, b, ethereumParity)],
    ['a stranger', 'SEALS_UNKNOWN_SIGNER', sealed(a, b, stranger)],
    ['a stranger beside a quorum', 'SEALS_UNKNOWN_SIGNER', sealed(a, b, c, stranger)],
    ['a validator retired since', 'SEALS_RETIRED_SIGNER', sealed(a, b, byFormer)],
    ['a validator retired before a known checkpoint', 'SEALS_RETIRED_SIGNER', sealed(a, b, byFormer),
      { trustAnchor: chain.trustAnchor(14) }],
    ['a seal of 64 bytes', 'HEADER_ENCODING', sealed(a, b, c.subarray(0, 64))],
  ])
}
