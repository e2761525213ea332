import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import {
  type Address,
  type Hash,
  type Hex,
  bigintToBytes,
  bytesToHex,
  concatBytes,
  hexToBytes,
  padLeft,
  utf8ToBytes,
} from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { bloomOf } from '@songhua/sdk/protocol/bloom'
import type { EvidenceVerdict } from '@songhua/sdk/protocol/evidence-verdict'
import { type AnchoredRecords, type RefreshProofs, assembleEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { ANCHOR_CONTRACT, ANCHOR_EVENT } from '@songhua/sdk/protocol/evidence-receipt'
import { type Header, encodeHeader } from '@songhua/sdk/protocol/header'
import { type JsonObject } from '@songhua/sdk/protocol/json-fields'
import { createHashReader, createNodeReader, inclusionProof, leafHash, treeRoot } from '@songhua/sdk/protocol/merkle-tree'
import { orderedTrieProof, orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { type Log, type Receipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { checkpointOf, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { MEMBERS, type Member, VALIDATORS, createTestChain, member, sealedBy } from './support.js'

// ----------------------------------------------------------------------------------------------------- records

export interface TestRecord {
  envelope: JsonObject
  payload: Uint8Array
  salt: Uint8Array
}

export const ISSUER = '黑龙江省营商环境建设监督局'

export function record(index: number, changes: JsonObject = {}): TestRecord {
  const payload = utf8ToBytes(`{"XK_WSH":"黑营许〔2026〕${index}号"}`)
  const salt = Uint8Array.from({ length: 32 }, (_, at) => (at * 7 + index) & 255)
  const salted = concatBytes(salt, payload)
  const digestOf = (algorithm: string): string => createHash(algorithm).update(salted).digest('hex')
  const envelope = {
    id: `01995d3c-7a00-7000-8000-${index.toString(16).padStart(12, '0')}`,
    family: 'government',
    schema: { id: 'government.licence', version: '1.0.0' },
    subject: '91230100MA1B00000X',
    issuer: ISSUER,
    payloadDigests: { sha256: digestOf('sha256'), sm3: digestOf('sm3') },
    created: '2026-11-23T08:00:00.000Z',
    retention: 'permanent',
    proof: [],
    ...changes,
  }
  return { envelope, payload, salt }
}

export const records = (count: number): TestRecord[] => Array.from({ length: count }, (_, at) => record(at))

export const leavesOf = (batch: readonly TestRecord[]): Uint8Array[] =>
  batch.map(({ envelope }) => leafHash(utf8ToBytes(canonicalize(envelope)!)))

export function rootOf(batch: readonly TestRecord[]): Hash {
  return bytesToHex(treeRoot(createHashReader(leavesOf(batch)), batch.length))
}

// ---------------------------------------------------------------------------------------------------- receipts

export const SENDER: Address = '0x00000000000000000000000000000000000abcde'
export const OTHER_CONTRACT: Address = '0x00000000000000000000000000000000000c0de0'
const word = (value: bigint): Uint8Array => padLeft(bigintToBytes(value), 32)

export function anchorLog(root: Hash, size: number, family = 1n): Log {
  const batchId = keccak256Hex(hexToBytes(root))
  const topics = [ANCHOR_EVENT, bytesToHex(padLeft(hexToBytes(SENDER), 32)), batchId, root]
  return { address: ANCHOR_CONTRACT, topics, data: concatBytes(word(BigInt(size)), word(family)) }
}

export const otherLog: Log = { address: OTHER_CONTRACT, topics: [ANCHOR_EVENT], data: utf8ToBytes('another') }

export function receiptOf(logs: Log[], status: 0 | 1 = 1): Receipt {
  return { type: 2, status, cumulativeGasUsed: 50_000n, logsBloom: bloomOf(logs), logs }
}

/** Transaction 2 of 20 anchors the batch, by the second of its three logs. */
export function blockReceipts(batch: readonly TestRecord[], family = 1n): Receipt[] {
  const receipts = Array.from({ length: 20 }, () => receiptOf([]))
  const neighbour = anchorLog(keccak256Hex(utf8ToBytes('another batch')), batch.length)
  receipts[2] = receiptOf([otherLog, anchorLog(rootOf(batch), batch.length, family), neighbour])
  return receipts
}

// ------------------------------------------------------------------------------------------------------- chain

const [A, B, C, D] = MEMBERS as [Member, Member, Member, Member]
export const FIRST_SET = MEMBERS
/** A leaves, E comes at block 5; B leaves, F comes at block 12. */
export const SECOND_SET = ordered([B, C, D, member('e')])
export const THIRD_SET = ordered([C, D, member('e'), member('f')])
export const FIRST_CHANGE = 5
export const SECOND_CHANGE = 12
/** One in the reign of each set. */
export const ANCHOR_BLOCKS = [3, 8, 15] as const
export const HEIGHT = 20
export { A as RETIRED }

function ordered(members: Member[]): Member[] {
  return members.sort((a, b) => (a.address < b.address ? -1 : 1))
}

const addresses = (members: readonly Member[]): Address[] => members.map(({ address }) => address)

export interface EvidenceChain {
  headers: Header[]
  hashes: Hash[]
  batch: TestRecord[]
  receipts: Receipt[]
  proofs: RefreshProofs
  /** The whole batch of that block. */
  anchored(blockNumber: number): AnchoredRecords
  bundle(blockNumber: number, leafIndex?: number): EvidenceBundle
  trustAnchor(...checkpoints: number[]): JsonObject
}

/** Who seals a block: the set that its parent lists. */
export function setOf(number: number): Member[] {
  if (number <= FIRST_CHANGE) return FIRST_SET
  return number <= SECOND_CHANGE ? SECOND_SET : THIRD_SET
}

/** Twenty blocks, each sealed by a quorum of three; two changes of the validators; the same batch in three blocks. */
export function createEvidenceChain(batch = records(7), family = 1n): EvidenceChain {
  const chain = createTestChain()
  const receipts = blockReceipts(batch, family)
  for (let number = 1; number <= HEIGHT; number++) {
    const hasReceipts = (ANCHOR_BLOCKS as readonly number[]).includes(number)
    const header = chain.next({
      nextValidators: addresses(setOf(number + 1)),
      round: number % 3,
      ...(hasReceipts ? { receiptsRoot: orderedTrieRoot(receipts.map(encodeReceipt)) } : {}),
    })
    chain.append(sealedBy(header, setOf(number).slice(0, 3)))
  }
  const { headers, hashes } = chain
  const proofs = proofsOf(headers, hashes)
  const anchored = (blockNumber: number): AnchoredRecords => ({
    chain: { chainId: 230099, genesisHash: hashes[0]! },
    leaves: leavesOf(batch),
    block: { header: headers[blockNumber]!, receipts, transactionIndex: 2 },
    validatorHistory: proofs.validatorHistory(blockNumber),
  })
  return {
    headers,
    hashes,
    batch,
    receipts,
    proofs,
    anchored,
    bundle: (blockNumber, leafIndex = 4) => assembleEvidence(anchored(blockNumber), batch[leafIndex]!.envelope, leafIndex),
    trustAnchor: (...checkpoints) => ({
      ...trustAnchorToJson({
        chainId: 230099,
        genesisHeader: headers[0]!,
        checkpoints: checkpoints.map((height) => checkpointOf(headers[height]!)),
      }),
    }),
  }
}

function proofsOf(headers: Header[], hashes: Hash[]): RefreshProofs {
  const readNode = createNodeReader(hashes.map((hash) => hexToBytes(hash)))
  return {
    header: (number) => headers[number]!,
    historyPath: ({ number, size }) => inclusionProof(readNode, { index: number, size }).map(bytesToHex),
    validatorHistory: (before) =>
      [FIRST_CHANGE, SECOND_CHANGE].filter((number) => number < before).map((number) => headers[number]!),
  }
}

/** The bundle of a block 1 made to measure, sealed by the genesis set; log and transaction as in `blockReceipts`. */
export function bundleOfReceipts(batch: readonly TestRecord[], receipts: Receipt[]): EvidenceBundle {
  const chain = createTestChain()
  const honest = blockReceipts(batch)
  const rootWith = (list: Receipt[]): Hash => orderedTrieRoot(list.map(encodeReceipt))
  const part = (list: Receipt[], sealed: Header): AnchoredRecords => ({
    chain: { chainId: 230099, genesisHash: chain.hashes[0]! },
    leaves: leavesOf(batch),
    block: { header: sealed, receipts: list, transactionIndex: 2 },
    validatorHistory: [],
  })
  const good = assembleEvidence(part(honest, chain.next({ receiptsRoot: rootWith(honest) })), batch[4]!.envelope, 4)
  const header = sealByQuorum(chain.next({ receiptsRoot: rootWith(receipts), nextValidators: VALIDATORS }))
  return { ...good, header: headerHex(header), anchor: { ...good.anchor, receiptProof: receiptProofOf(receipts, 2) } }
}

export const headerHex = (header: Header): Hex => bytesToHex(encodeHeader(header))

export function receiptProofOf(receipts: readonly Receipt[], index: number): Hex[] {
  return orderedTrieProof(receipts.map(encodeReceipt), index).map(bytesToHex)
}

export const sealByQuorum = (header: Header): Header => sealedBy(header, MEMBERS.slice(0, 3))

// ----------------------------------------------------------------------------------------------------- verdicts

/** The steps that failed of themselves, with their codes. */
export function failures(verdict: EvidenceVerdict): Record<string, string> {
  const failed = verdict.steps.filter(({ ok, code }) => !ok && code !== 'STEP_NOT_REACHED')
  return Object.fromEntries(failed.map(({ step, code }) => [step, code]))
}

/** All codes, in the order of the steps. */
export function codes(verdict: EvidenceVerdict): string[] {
  return verdict.steps.map(({ code }) => code)
}

/** One bit of one byte changed. */
export function flipped(hex: Hex, byte: number): Hex {
  const bytes = hexToBytes(hex)
  const at = byte < 0 ? bytes.length + byte : byte
  bytes[at]! ^= 1
  return bytesToHex(bytes)
}
