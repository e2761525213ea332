import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { bloomOf } from '@songhua/sdk/protocol/bloom'
import { type Hash, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import { EMPTY_FRONTIER, type HistoryFrontier, appendHash, frontierRoot } from '@songhua/sdk/protocol/history-tree'
import { orderedTrieRoot } from '@songhua/sdk/protocol/ordered-trie'
import { INITIAL_ROTATION, type Rotation, advanceRotation } from '@songhua/sdk/protocol/proposer'
import { encodeReceipt } from '@songhua/sdk/protocol/receipt'
import { followTip } from '../services/sync-verify.js'
import type { StoreReader } from '../storage/chain-store.js'
import { openChainTable } from '../storage/open-store.js'
import { createStoreReader } from '../storage/store.js'
import { type StateFigures, verifyFlatState } from '../storage/verify-state.js'

export interface ChainFigures extends StateFigures {
  readonly blocks: number
  readonly transactions: number
}

export interface VerifyOptions {
  readonly genesisHash: Hash
  readonly onProgress?: (block: number, head: number) => void
}

/**
 * Reads the chain of a stopped node from the genesis to the head, and everything that was derived from it: hashes, links,
 * seals by the set of each height, roots of transactions, receipts and history, indexes, the turn of proposers, and the
 * flat state against the head's state root. Nothing is executed again: what the quorum sealed is what is compared.
 * @throws CodedError `STORE_DAMAGED` or another `STORE_` code, naming block and part
 */
export async function verifyChainFolder(folder: string, options: VerifyOptions): Promise<ChainFigures> {
  const table = await openChainTable(folder)
  try {
    const store = createStoreReader(table)
    const head = store.head()
    if (head === undefined) return { blocks: 0, transactions: 0, accounts: 0, slots: 0, trieNodes: 0 }
    const transactions = verifyBlocks(store, options)
    const state = await verifyFlatState(table, store.state, head.header.stateRoot)
    return { blocks: head.header.number + 1, transactions, ...state }
  } catch (error) {
    if (isCodedError(error) && error.code.startsWith('STORE_')) throw error
    throw new CodedError('STORE_INCONSISTENT', `${folder}: ${messageOf(error)}`, { details: { folder }, cause: error })
  } finally {
    await table.close()
  }
}

interface Place {
  readonly hash: Hash
  readonly validators: readonly `0x${string}`[]
  readonly frontier: HistoryFrontier
  readonly rotation: Rotation
}

function verifyBlocks(store: StoreReader, { genesisHash, onProgress }: VerifyOptions): number {
  const head = store.head()!
  const last = head.header.number
  let place: Place | undefined
  let transactions = 0
  for (let number = 0; number <= last; number++) {
    place = verifyHeader(store, number, place)
    if (number === 0) expect(0, 'the genesis hash', place.hash, genesisHash)
    transactions += verifyBody(store, number)
    onProgress?.(number, last)
  }
  const derived = ({ hash, frontier, rotation }: Pick<Place, 'hash' | 'frontier' | 'rotation'>): string =>
    textOf([hash, frontier, rotation])
  expect(last, 'the head record', derived(head), derived(place!))
  return transactions
}

const textOf = (value: unknown): string => JSON.stringify(value)

function verifyHeader(store: StoreReader, number: number, parent: Place | undefined): Place {
  const header = required(store.header(number), number, 'the header')
  const hash = blockHash(header)
  expect(number, 'the index of hashes', store.hashAt(number), hash)
  expect(number, 'the index of numbers', store.numberOf(hash), number)
  if (parent !== undefined) verifyPlace(header, parent)
  const { frontier, nodes } = appendHash(parent?.frontier ?? EMPTY_FRONTIER, hash)
  for (const node of nodes) expect(number, 'the history tree', store.historyNode(node.level, node.index), node.hash)
  const { validators } = decodeExtraData(header.extraData)
  const turn = parent && { validators: parent.validators, height: number, coinbase: header.coinbase }
  return { hash, validators, frontier, rotation: turn ? advanceRotation(parent.rotation, turn) : INITIAL_ROTATION }
}

function verifyPlace(header: Header, parent: Place): void {
  const { number } = header
  try {
    followTip({ number: number - 1, hash: parent.hash, validators: parent.validators }, header)
  } catch (error) {
    throw inconsistent(number, messageOf(error), error)
  }
  expect(number, 'the history root', header.parentBeaconBlockRoot, frontierRoot(parent.frontier))
}

/** @returns how many transactions it has */
function verifyBody(store: StoreReader, number: number): number {
  const { transactionsRoot, receiptsRoot, logsBloom } = store.header(number)!
  const body = required(store.body(number), number, 'the list of transactions')
  const receipts = required(store.receipts(number), number, 'the list of receipts')
  expect(number, 'the root of transactions', orderedTrieRoot(body), transactionsRoot)
  expect(number, 'the root of receipts', orderedTrieRoot(receipts.map(encodeReceipt)), receiptsRoot)
  expect(number, 'the logs bloom', bytesToHex(bloomOf(receipts.flatMap(({ logs }) => logs))), bytesToHex(logsBloom))
  for (const [index, raw] of body.entries()) {
    const found = store.transactionLocation(keccak256Hex(raw))
    expect(number, `the index of transaction ${index}`, textOf(found), textOf({ number, index }))
  }
  return body.length
}

function required<T>(value: T | undefined, number: number, what: string): T {
  if (value === undefined) throw inconsistent(number, `${what} is missing`)
  return value
}

function expect(number: number, what: string, stored: unknown, right: unknown): void {
  if (stored !== right) throw inconsistent(number, `${what} is ${String(stored)}, it must be ${String(right)}`)
}

function inconsistent(number: number, what: string, cause?: unknown): CodedError {
  const message = `block ${number}: ${what}; songhua repair moves the store away, and the node fetches it anew`
  return new CodedError('STORE_INCONSISTENT', message, { details: { number }, cause })
}
