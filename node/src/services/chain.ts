import { type Block, checkTransactionsRoot } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { type HeaderRules, checkHeader, createHeader } from '@songhua/sdk/protocol/header-rules'
import type { HistoryNode } from '@songhua/sdk/protocol/history-tree'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import { verifySeals } from '@songhua/sdk/protocol/seals'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { createHub } from '../base/hub.js'
import { createSerialQueue } from '../base/serial-queue.js'
import type { NodeStore, StateDiff } from '../trie/state.js'
import { type BlockOutcome, type BlockResult, type ChainHead, advanceHead, blockResult, checkResult } from './block-work.js'

/** Everything that is stored with a block, in one atomic and durable batch. */
export interface ChainCommit {
  readonly block: Block
  readonly receipts: Receipt[]
  readonly diff: StateDiff
  readonly trieNodes: Map<Hash, Uint8Array>
  readonly head: ChainHead
  readonly historyNodes: HistoryNode[]
}

/** Where blocks are kept. */
export interface ChainStore {
  readonly nodes: NodeStore
  /** MUST be durable when it resolves, and all or nothing. */
  commitBlock(commit: ChainCommit): Promise<void>
}

/** A block whose transactions are to be run on the head's state. */
export interface BlockFrame {
  readonly number: number
  readonly timestamp: number
  readonly coinbase: Address
}

export interface Packed extends BlockOutcome {
  readonly transactions: Transaction[]
}

/** Runs transactions on the head's state; changes nothing. */
export interface BlockRunner {
  /** @throws CodedError naming the transaction when one of them cannot stand in the block */
  run(frame: BlockFrame, transactions: Transaction[]): Promise<BlockOutcome>
  /** Takes from the pool what fits and runs until `deadlineMs`, by the clock. */
  pack(frame: BlockFrame, deadlineMs: number): Promise<Packed>
}

export interface ChainOptions {
  readonly rules: HeaderRules
  readonly head: ChainHead
  /** Told of exceptions of those who listen to the chain. */
  readonly onListenerError: (error: unknown) => void
}

/** A block has become final here. */
export interface BlockImported {
  readonly head: ChainHead
  readonly block: Block
  readonly receipts: Receipt[]
  readonly diff: StateDiff
}

export interface BuildRequest {
  readonly coinbase: Address
  readonly round: number
  readonly blockTimeMs: number
  /** When to stop packing, by the clock. */
  readonly deadlineMs: number
  /** An empty block is wanted, whatever the pool holds. */
  readonly empty?: boolean
}

/** The one who knows the head, builds on it, checks proposals for it, and makes sealed blocks final. */
export interface Chain {
  head(): ChainHead
  onBlock(listener: (event: BlockImported) => void): () => void
  build(request: BuildRequest): Promise<Block>
  /**
   * Every rule but the seals, the turn and the clock. The result is kept until the next head, so that the block is
   * not executed again when its seals arrive.
   * @throws CodedError saying which rule
   */
  check(block: Block): Promise<void>
  /**
   * Seals, rules, execution, one durable batch. A block at or below the head is known and nothing is done.
   * @throws CodedError `CHAIN_GAP`, `CHAIN_FORK` or that of the rule
   */
  importSealed(block: Block): Promise<'imported' | 'known'>
}

/** Results of proposals for the next height: one for each digest. A proposer may equivocate, so there is a limit. */
const RESULTS_MAX = 8

export function createChain(options: ChainOptions, ports: { store: ChainStore; runner: BlockRunner }): Chain {
  const { rules } = options
  const { store, runner } = ports
  const imported = createHub<BlockImported>(options.onListenerError)
  const imports = createSerialQueue()
  /** Running transactions and writing their result never overlap: the flat state is the head's, and only the head's. */
  const state = createSerialQueue()
  const results = new Map<Hash, Promise<BlockResult>>()
  let head = options.head

  const remember = (hash: Hash, result: Promise<BlockResult>): void => {
    const [oldest] = results.keys()
    if (results.size >= RESULTS_MAX && oldest !== undefined) results.delete(oldest)
    results.set(hash, result)
  }

  const resultOf = (outcome: BlockOutcome, transactions: Transaction[], parent: ChainHead): BlockResult =>
    blockResult(outcome, transactions, { store: store.nodes, stateRoot: parent.header.stateRoot })

  const execute = async (block: Block, parent: ChainHead): Promise<BlockResult> => {
    checkHeader(block.header, parent, rules)
    checkTransactionsRoot(block)
    const result = resultOf(await runner.run(block.header, block.transactions), block.transactions, parent)
    checkResult(block.header, result)
    return result
  }

  /** Each digest is executed once, whoever asks first: proposal, re-proposal or sealed block. */
  const executeOnce = (block: Block): Promise<BlockResult> => {
    const hash = blockHash(block.header)
    const started = results.get(hash)
    if (started) return started
    const result = state.run(() => execute(block, head))
    // A failure may have been of the disk: it is not remembered.
    result.catch(() => results.delete(hash))
    remember(hash, result)
    return result
  }

  const build = async (request: BuildRequest): Promise<Block> => {
    const parent = head
    const { coinbase, round, blockTimeMs } = request
    const frame = { number: parent.header.number + 1, timestamp: Math.floor(blockTimeMs / 1000), coinbase }
    const packed = request.empty
      ? { ...(await runner.run(frame, [])), transactions: [] }
      : await runner.pack(frame, request.deadlineMs)
    const result = resultOf(packed, packed.transactions, parent)
    const { nextValidators, roots } = result
    const header = createHeader({ coinbase, round, blockTimeMs, nextValidators, ...roots }, parent, rules)
    remember(blockHash(header), Promise.resolve(result))
    return { header, transactions: packed.transactions }
  }

  const commit = async (block: Block): Promise<'imported' | 'known'> => {
    const { header } = block
    if (header.number <= head.header.number) return knownOrFork(header)
    if (header.number > head.header.number + 1) {
      throw new CodedError('CHAIN_GAP', `Block ${header.number} cannot follow block ${head.header.number}`)
    }
    verifySeals(header, head.validators)
    const { receipts, diff, trieNodes } = await executeOnce(block)
    const next = advanceHead(head, block)
    await state.run(async () => {
      await store.commitBlock({ block, receipts, diff, trieNodes, ...next })
      head = next.head
      results.clear()
    })
    imported.emit({ head, block, receipts, diff })
    return 'imported'
  }

  const knownOrFork = (header: Header): 'known' => {
    if (header.number === head.header.number && blockHash(header) !== head.hash) {
      const hashes = { number: header.number, ours: head.hash, other: blockHash(header) }
      throw new CodedError('CHAIN_FORK', `Another block ${header.number} than the final one`, { details: hashes })
    }
    return 'known'
  }

  return {
    head: () => head,
    onBlock: (listener) => imported.subscribe(listener),
    build: (request) => state.run(() => build(request)),
    check: async (block) => void (await executeOnce(block)),
    importSealed: (block) => imports.run(() => commit(block)),
  }
}
