import { type Account, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { transactionsRootOf } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { bloomOf } from '@songhua/sdk/protocol/bloom'
import {
  type Address, type Hash, ZERO_ADDRESS, ZERO_HASH, bytesToHex, hexToBytes, padLeft,
} from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { encodeExtraData, vanityOf } from '@songhua/sdk/protocol/extra-data'
import { EMPTY_OMMERS_HASH, type Header, QBFT_DIFFICULTY, QBFT_MIX_HASH } from '@songhua/sdk/protocol/header'
import { EMPTY_FRONTIER, appendHash, frontierRoot } from '@songhua/sdk/protocol/history-tree'
import { INITIAL_ROTATION } from '@songhua/sdk/protocol/proposer'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { type Log, type Receipt, encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import type { BlockCommit, ChainStore } from '@songhua/node/storage/chain-store'
import { type StateDiff, emptyStateDiff } from '@songhua/node/trie/state'
import { updateStateTrie } from '@songhua/node/trie/state-trie'

export const VALIDATOR: Address = `0x${'ab'.repeat(20)}`
export const addressOf = (index: number): Address => bytesToHex(padLeft(Uint8Array.of(0xaa, index), 20))
export const slotOf = (index: number): Hash => bytesToHex(padLeft(Uint8Array.of(index), 32))
const KEY = hexToBytes(`0x${'11'.repeat(32)}`)

export const accountOf = (nonce: number, code?: Uint8Array): Account => ({
  nonce: BigInt(nonce),
  balance: 10n ** 18n,
  storageRoot: EMPTY_TRIE_ROOT,
  codeHash: code === undefined ? EMPTY_CODE_HASH : keccak256Hex(code),
})

export function transactionOf(nonce: number, data: Uint8Array = new Uint8Array(100)): Transaction {
  const type = nonce % 2 === 0 ? 2 : 0
  return signTransaction({ type, chainId: 230099, nonce, gasLimit: 100_000, to: VALIDATOR, data }, KEY)
}

export function receiptOf(index: number, logs: Log[] = []): Receipt {
  return { type: 2, status: 1, cumulativeGasUsed: 50_000n * BigInt(index + 1), logsBloom: bloomOf(logs), logs }
}

export const logOf = (address: Address): Log =>
  ({ address, topics: [slotOf(1), slotOf(2)], data: Uint8Array.of(1, 2, 3) })

export interface Contents {
  transactions?: Transaction[]
  receipts?: Receipt[]
  diff?: Partial<StateDiff>
  /** Makes another genesis. */
  timestamp?: number
}

function headerOf(store: ChainStore, contents: Contents, stateRoot: Hash): Header {
  const parent = store.head()
  const number = parent === undefined ? 0 : parent.header.number + 1
  const timestamp = contents.timestamp ?? 1_800_000_000 + number
  const vanity = parent === undefined ? new Uint8Array(32) : vanityOf(store.hashAt(0)!, timestamp * 1000)
  const receipts = contents.receipts ?? []
  const seals = number === 0 ? [] : [new Uint8Array(65).fill(7)]
  return {
    parentHash: parent?.hash ?? ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    coinbase: number === 0 ? ZERO_ADDRESS : VALIDATOR,
    stateRoot,
    transactionsRoot: transactionsRootOf(contents.transactions ?? []),
    receiptsRoot: orderedTrieRoot(receipts.map(encodeReceipt)),
    logsBloom: bloomOf(receipts.flatMap(({ logs }) => logs)),
    difficulty: QBFT_DIFFICULTY,
    number,
    gasLimit: 30_000_000n,
    gasUsed: receipts.at(-1)?.cumulativeGasUsed ?? 0n,
    timestamp,
    extraData: encodeExtraData({ vanity, validators: [VALIDATOR], round: 0, seals }),
    mixHash: QBFT_MIX_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: parent === undefined ? ZERO_HASH : frontierRoot(parent.frontier),
  }
}

/** The commit that puts a block with these contents upon the store's head. */
export function nextCommit(store: ChainStore, contents: Contents = {}): BlockCommit {
  const parent = store.head()
  const diff = { ...emptyStateDiff(), ...contents.diff }
  const trie = updateStateTrie(store.state, parent?.header.stateRoot ?? EMPTY_TRIE_ROOT, diff)
  const header = headerOf(store, contents, trie.root)
  const hash = blockHash(header)
  const { frontier, nodes } = appendHash(parent?.frontier ?? EMPTY_FRONTIER, hash)
  const rotation = parent === undefined ? INITIAL_ROTATION
    : { lastProposer: VALIDATOR, missed: { [addressOf(header.number % 5)]: { streak: header.number, skipUntil: 900 } } }
  return {
    block: { header, transactions: contents.transactions ?? [] },
    receipts: contents.receipts ?? [],
    diff: { ...diff, accounts: trie.accounts },
    trieNodes: trie.nodes,
    head: { header, hash, rotation, frontier },
    historyNodes: nodes,
  }
}

export async function commitNext(store: ChainStore, contents: Contents = {}): Promise<BlockCommit> {
  const commit = nextCommit(store, contents)
  await store.commitBlock(commit)
  return commit
}
