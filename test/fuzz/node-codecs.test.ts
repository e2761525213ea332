import fc from 'fast-check'
import { beforeAll } from 'vitest'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import * as rows from '@songhua/node/gateway/rows'
import { type ControlMessage, decodeControl, encodeControl } from '@songhua/node/network/control'
import {
  decodeRangeAnswer, decodeRangeRequest, encodeRangeAnswer, encodeRangeRequest,
} from '@songhua/node/services/sync-messages'
import { decodeTransactionBatch, encodeTransactionBatch } from '@songhua/node/services/transaction-relay'
import * as store from '@songhua/node/storage/codecs'
import { decodeNode, encodeBranch, encodeExtension, encodeLeaf, type TrieNode } from '@songhua/node/trie/node'
import { decodeJournalRecord, encodeJournalRecord } from '@songhua/node/txpool/journal-record'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import * as any from './arbitraries.js'
import { describeCodec } from './decoder.js'

beforeAll(async () => {
  await installNativeCrypto()
})

const atStart = (): number => 0
const first = (): number => 1
const FIELDS = /^(RLP_|INTEGER_RANGE$)/
const ROWS = /^(RLP_|INTEGER_RANGE$|GATEWAY_STORE_DAMAGED$)/

// ------------------------------------------------------------------------------------------------ what peers send

/** Control characters of a stranger's text are taken out, so what is brought back has none. */
const text = (maxLength: number) => fc.string({ maxLength }).map((all) => all.replace(/\p{C}/gu, ' '))
const head = fc.record({ number: any.number, hash: any.hash })
const addresses = fc.array(text(60), { maxLength: 8 })
const hello = fc.record({
  genesisHash: any.hash,
  chainId: any.number,
  protocolVersions: fc.record({ min: any.number, max: any.number }),
  head,
  software: text(100),
  follower: fc.boolean(),
  addresses,
  knownPeers: fc.array(fc.record({ id: text(60), addresses }), { maxLength: 4 }),
})

describeCodec<ControlMessage>({
  name: 'a control message: hello, head, ping, goodbye',
  values: fc.oneof(
    hello.map((one) => ({ type: 'hello' as const, hello: one })),
    fc.constant({ type: 'accept' as const }),
    fc.record({ type: fc.constant('goodbye' as const), code: text(60), message: text(300) }),
    head.map((one) => ({ type: 'head' as const, head: one })),
    fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), nonce: any.number }),
  ),
  encode: encodeControl,
  decode: decodeControl,
  codes: /^MESSAGE_MALFORMED$/,
  rlpFrom: first,
  regressions: [['a text that is no UTF-8, three times as long when read as when measured', `0x03e2a0${'ff'.repeat(32)}80`]],
})

describeCodec({
  name: 'a request for blocks',
  values: fc.record({ from: any.number, count: fc.integer({ min: 1, max: 128 }) }),
  encode: encodeRangeRequest,
  decode: decodeRangeRequest,
  codes: /^(RLP_|SYNC_REQUEST_INVALID$|INTEGER_RANGE$)/,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a range of blocks',
  values: fc.array(any.bytesUpTo(60).map(encodeRlp), { maxLength: 128 }),
  encode: encodeRangeAnswer,
  decode: decodeRangeAnswer,
  codes: FIELDS,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a batch of transactions',
  values: fc.array(any.bytesUpTo(100), { maxLength: 20 }),
  encode: encodeTransactionBatch,
  decode: decodeTransactionBatch,
  codes: FIELDS,
  isCanonical: true,
  rlpFrom: atStart,
})

// --------------------------------------------------------------------------------------------- what lies on the disk

describeCodec({
  name: 'a record of the pool\'s journal',
  values: fc
    .record({ arrivedMs: any.number, isLocal: fc.boolean(), key: any.privateKey, raw: any.bytesUpTo(100) })
    .filter(({ raw }) => raw.length > 0)
    .map(({ key, ...rest }) => ({ ...rest, sender: privateKeyToAddress(key) })),
  encode: encodeJournalRecord,
  decode: decodeJournalRecord,
  codes: /^(POOL_JOURNAL_VERSION|INTEGER_RANGE)$/,
  isCanonical: true,
})

const missed = fc
  .array(fc.tuple(any.address, fc.record({ streak: any.number, skipUntil: any.number })), { maxLength: 5 })
  .map((entries) => Object.fromEntries(entries))

describeCodec({
  name: 'the stored head',
  values: fc.record({
    number: any.number,
    hash: any.hash,
    rotation: fc.record({ missed, lastProposer: fc.option(any.address, { nil: undefined }) }),
    frontier: fc.record({ size: any.number, peaks: fc.array(any.hash, { maxLength: 20 }) }),
  }),
  encode: store.encodeHead,
  decode: store.decodeHead,
  codes: FIELDS,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a stored body',
  values: fc.array(any.bytesUpTo(100), { maxLength: 10 }),
  encode: store.encodeBody,
  decode: store.decodeBody,
  codes: FIELDS,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'stored receipts',
  values: fc.array(any.receipt, { maxLength: 3 }),
  encode: store.encodeReceipts,
  decode: store.decodeReceipts,
  codes: /^(RLP_|RECEIPT_|INTEGER_RANGE$)/,
  isCanonical: true,
  rlpFrom: atStart,
})

describeCodec({
  name: 'a transaction\'s place',
  values: fc.record({ number: any.number, index: any.number }),
  encode: store.encodeLocation,
  decode: store.decodeLocation,
  codes: FIELDS,
  isCanonical: true,
  rlpFrom: atStart,
})

const path = fc.array(fc.constantFrom(...'0123456789abcdef'), { maxLength: 64 }).map((digits) => digits.join(''))
const reference = any.bytesOf(32).map(encodeRlp)

function encodeNode(node: TrieNode): Uint8Array {
  switch (node.kind) {
    case 'leaf': return encodeLeaf(node)
    case 'extension': return encodeExtension(node.path, node.child as Uint8Array)
    case 'branch': return encodeBranch(node.children as (Uint8Array | undefined)[], node.value)
  }
}

describeCodec<TrieNode>({
  name: 'a node of the state trie',
  values: fc.oneof(
    fc.record({ kind: fc.constant('leaf' as const), path, value: any.bytesUpTo(100) }),
    fc.record({ kind: fc.constant('extension' as const), path: path.filter((digits) => digits !== ''), child: reference }),
    fc.record({
      kind: fc.constant('branch' as const),
      children: fc.array(fc.option(reference, { nil: undefined }), { minLength: 16, maxLength: 16 }),
      value: fc.option(any.bytesUpTo(60).filter(({ length }) => length > 0), { nil: undefined }),
    }),
  ),
  encode: encodeNode,
  decode: decodeNode,
  codes: /^TRIE_NODE_INVALID$/,
  rlpFrom: atStart,
})

// ------------------------------------------------------------------------------------------------ the gateway's rows

describeCodec<rows.RecordRow>({
  name: 'a record row',
  values: fc.record({
    envelope: any.bytesUpTo(200),
    leaf: any.bytesOf(32),
    issuerTag: any.bytesOf(16),
    acceptedAtMs: any.number,
    acceptedBy: text(20),
    slot: fc.option(any.number, { nil: undefined }),
    bytesSoFar: any.number,
  }),
  encode: rows.encodeRecordRow,
  decode: rows.decodeRecordRow,
  codes: FIELDS,
  rlpFrom: atStart,
})

describeCodec<rows.CustodyRow>({
  name: 'a custody row',
  values: fc.record(
    {
      hold: fc.record({ reason: text(20), sinceMs: any.number, by: text(20), issuer: text(20) }),
      erased: fc.record({ atMs: any.number, by: text(20) }),
    },
    { requiredKeys: [] },
  ),
  encode: rows.encodeCustodyRow,
  decode: rows.decodeCustodyRow,
  codes: FIELDS,
  rlpFrom: atStart,
})

const pastOutcome: fc.Arbitrary<rows.PastOutcome> = fc.oneof(
  fc.uuid().map((id) => ({ id })),
  fc.record({
    code: fc.constantFrom('RECORD_INVALID' as const, 'RECORD_DUPLICATE' as const, 'ISSUER_NOT_ALLOWED' as const),
    existingId: fc.option(fc.uuid(), { nil: undefined }),
  }),
)

describeCodec<rows.IdempotencyRow>({
  name: 'an idempotency row',
  values: fc.record({ fingerprint: any.bytesOf(32), expiresMs: any.number, outcomes: fc.array(pastOutcome, { maxLength: 5 }) }),
  encode: rows.encodeIdempotencyRow,
  decode: rows.decodeIdempotencyRow,
  codes: ROWS,
  rlpFrom: atStart,
})

describeCodec<rows.BatchRow>({
  name: 'a batch row',
  values: fc.record({
    family: fc.constant('government' as const),
    first: any.number,
    last: fc.constant(9),
    batchId: any.hash,
    root: any.hash,
    closedAtMs: any.number,
    raw: any.bytesUpTo(100),
    nonce: any.uint(64),
    hashes: fc.array(any.hash, { maxLength: 3 }),
  }),
  encode: rows.encodeBatchRow,
  decode: (bytes) => rows.decodeBatchRow({ family: 'government', seq: 9 }, bytes),
  codes: FIELDS,
  rlpFrom: atStart,
})

describeCodec<rows.AnchorRow>({
  name: 'an anchor row',
  values: fc.record({
    blockNumber: any.number,
    transactionIndex: any.number,
    logIndex: any.number,
    receiptProof: fc.array(any.hexOf(40), { maxLength: 3 }),
    header: any.bytesUpTo(100),
    changes: fc.array(any.number, { maxLength: 3 }),
    transactionHash: any.hash,
  }),
  encode: rows.encodeAnchorRow,
  decode: rows.decodeAnchorRow,
  codes: FIELDS,
  rlpFrom: atStart,
})

const place = fc.record({ family: fc.constantFrom('government' as const, 'trace' as const, 'credit' as const), seq: any.number })

describeCodec<rows.EventRow>({
  name: 'an event row',
  values: fc.oneof(
    fc
      .record({ place, type: fc.constant('record.anchored' as const), atMs: any.number, first: any.number, batchId: any.hash, blockNumber: any.number })
      .map(({ place: { family, seq }, ...rest }) => ({ ...rest, family, last: seq })),
    fc.record({ type: fc.constantFrom('record.erased' as const, 'record.held' as const), atMs: any.number, place, by: text(20) }),
  ),
  encode: rows.encodeEventRow,
  decode: rows.decodeEventRow,
  codes: ROWS,
  rlpFrom: atStart,
  regressions: [
    ['a family that there is not, and a seq that no number holds', '0xcd018089ffffffffffffffffff80'],
    ['a type that there is not, taken for record.anchored', '0xf10980890100000000000000010102a00000000000000000000000000000000000000000000000000000000000000000'],
  ],
})
