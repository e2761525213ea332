import type { Block } from '@songhua/sdk/protocol/block'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import type { HistoryFrontier, HistoryNode } from '@songhua/sdk/protocol/history-tree'
import type { Rotation } from '@songhua/sdk/protocol/proposer'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { NodeStore, StateDiff, StateReader } from '../trie/state.js'
import type { TransactionLocation } from './codecs.js'

/** The last stored block, and what the next one is built from. */
export interface StoredHead {
  readonly header: Header
  readonly hash: Hash
  readonly rotation: Rotation
  /** The history tree over all blocks, this one included. */
  readonly frontier: HistoryFrontier
}

/** A block with every consequence: what one atomic, synced batch writes. */
export interface BlockCommit {
  readonly block: Block
  readonly receipts: readonly Receipt[]
  /** `accounts` must be those of `updateStateTrie`: complete, with their new storage roots. */
  readonly diff: StateDiff
  readonly trieNodes: ReadonlyMap<Hash, Uint8Array>
  readonly head: StoredHead
  readonly historyNodes: readonly HistoryNode[]
}

/** Sealed blocks and states, read synchronously (5–15 µs a key). Undefined means that it is not stored. */
export interface StoreReader {
  /** Undefined only before the genesis is committed. */
  head(): StoredHead | undefined
  header(number: number): Header | undefined
  hashAt(number: number): Hash | undefined
  numberOf(hash: Hash): number | undefined
  /** Raw transactions in order. */
  body(number: number): Uint8Array[] | undefined
  receipts(number: number): Receipt[] | undefined
  transactionLocation(hash: Hash): TransactionLocation | undefined
  /** A complete subtree of the history tree. */
  historyNode(level: number, index: number): Hash | undefined
  /** Each block's logs bloom, ascending, both ends included; ends early at the last stored block. For searches. */
  blooms(first: number, last: number): Iterable<{ number: number; logsBloom: Uint8Array }>
  /** The flat state, and the nodes of every state. While a commit is under way the flat state may be either one. */
  readonly state: StateReader & NodeStore
  /** Of the table's caches, outside V8's heap; bytes. */
  memoryBytes(): number
  close(): Promise<void>
}

export interface ChainStore extends StoreReader {
  /**
   * Resolves when the block and all that follows from it are on disk; nothing of it is there before. The first commit
   * is the genesis; after it, one block at a time, each upon the head.
   * @throws CodedError `STORE_COMMIT_ORDER`, `STORE_WRITE_FAILED`
   */
  commitBlock(commit: BlockCommit): Promise<void>
}
