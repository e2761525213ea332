import { type Block, checkTransactionsRoot } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { type HeaderRules, checkHeader, createHeader } from '@songhua/sdk/protocol/header-rules'
import type { HistoryNode } from '@songhua/sdk/protocol/history-tree'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { crashPoint } from '../base/crash-points.js'
import { type Hub, createHub } from '../base/hub.js'
import { createSerialQueue } from '../base/serial-queue.js'
import { type ProtocolSchedule, changeBeyond, versionAt } from '../permission/protocol-schedule.js'
import type { NodeStore, StateDiff } from '../trie/state.js'
import { type BlockOutcome, type BlockResult, type ChainHead, advanceHead, blockResult, checkResult } from './block-work.js'
import { verifySeals } from './proven-seals.js'

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
  /** Versions of the protocol as the head's state schedules them, and the highest that this program knows. */
  readonly protocol: { read(): ProtocolSchedule; readonly max: number }
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
}

/** The one who knows the head, builds on it, checks proposals for it, and makes sealed blocks final. */
export interface Chain {
  head(): ChainHead
  /** What the state of the head says of versions of the protocol: the next block's is settled. */
  protocol(): ProtocolSchedule
  /** The last block whose rules this program knows, as far as the head's state tells; none can be built or imported above it. */
  supportedUpTo(): number
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
  /** From now on a block is stored when `until` its number has resolved; when that rejects, so does its import. */
  holdImports(until: (number: number) => Promise<void>): void
}

/** Results of proposals for the next height: one for each digest. A proposer may equivocate, so there is a limit. */
const RESULTS_MAX = 8

interface KnownResult {
  /** The body that was found to be the header's. */
  readonly transactions: readonly Transaction[]
  readonly result: Promise<BlockResult>
}

export interface ChainPorts {
  readonly store: ChainStore
  readonly runner: BlockRunner
}

export function createChain(options: ChainOptions, ports: ChainPorts): Chain {
  return new StoredChain(options, ports)
}

class StoredChain implements Chain {
  readonly #rules: HeaderRules
  readonly #protocol: ChainOptions['protocol']
  readonly #ports: ChainPorts
  readonly #imported: Hub<BlockImported>
  readonly #imports = createSerialQueue()
  /** Running transactions and writing their result never overlap: the flat state is the head's, and only the head's. */
  readonly #state = createSerialQueue()
  readonly #results = new Map<Hash, KnownResult>()
  #head: ChainHead
  #schedule: ProtocolSchedule
  #mayStore: (number: number) => Promise<void> = () => Promise.resolve()

  constructor({ rules, head, protocol, onListenerError }: ChainOptions, ports: ChainPorts) {
    this.#rules = rules
    this.#protocol = protocol
    this.#head = head
    this.#schedule = protocol.read()
    this.#ports = ports
    this.#imported = createHub(onListenerError)
  }

  head(): ChainHead {
    return this.#head
  }

  protocol(): ProtocolSchedule {
    return this.#schedule
  }

  supportedUpTo(): number {
    return (changeBeyond(this.#schedule, this.#protocol.max)?.height ?? Infinity) - 1
  }

  onBlock(listener: (event: BlockImported) => void): () => void {
    return this.#imported.subscribe(listener)
  }

  holdImports(until: (number: number) => Promise<void>): void {
    this.#mayStore = until
  }

  build(request: BuildRequest): Promise<Block> {
    return this.#state.run(() => this.#build(request))
  }

  async check(block: Block): Promise<void> {
    await this.#executeOnce(block)
  }

  importSealed(block: Block): Promise<'imported' | 'known'> {
    return this.#imports.run(() => this.#commit(block))
  }

  async #build({ coinbase, round, blockTimeMs, deadlineMs }: BuildRequest): Promise<Block> {
    const parent = this.#head
    this.#checkProtocol(parent.header.number + 1)
    const frame = { number: parent.header.number + 1, timestamp: Math.floor(blockTimeMs / 1000), coinbase }
    const packed = await this.#ports.runner.pack(frame, deadlineMs)
    const result = this.#resultOf(packed, packed.transactions)
    const { nextValidators, roots } = result
    const header = createHeader({ coinbase, round, blockTimeMs, nextValidators, ...roots }, parent, this.#rules)
    this.#remember(blockHash(header), { transactions: packed.transactions, result: Promise.resolve(result) })
    return { header, transactions: packed.transactions }
  }

  /** Each digest is executed once, whoever asks first: proposal, re-proposal or sealed block. */
  async #executeOnce(block: Block): Promise<BlockResult> {
    const hash = blockHash(block.header)
    const started = this.#results.get(hash)
    // The digest covers the header alone: a body that came by another way must be the one that it names.
    if (started?.transactions !== block.transactions) checkTransactionsRoot(block)
    if (started) return started.result
    const result = this.#state.run(() => this.#execute(block))
    // A failure may have been of the disk: it is not remembered.
    result.catch(() => this.#results.delete(hash))
    this.#remember(hash, { transactions: block.transactions, result })
    return result
  }

  async #execute(block: Block): Promise<BlockResult> {
    const { header, transactions } = block
    this.#checkProtocol(header.number)
    checkHeader(header, this.#head, this.#rules)
    const result = this.#resultOf(await this.#ports.runner.run(header, transactions), transactions)
    checkResult(header, result)
    return result
  }

  /** A block under rules that this program does not know can be neither checked nor built. */
  #checkProtocol(height: number): void {
    const version = versionAt(this.#schedule, height)
    if (version <= this.#protocol.max) return
    const message = `Block ${height} needs protocol version ${version}; this program knows ${this.#protocol.max}: update it`
    throw new CodedError('CHAIN_PROTOCOL_VERSION', message, { details: { height, version } })
  }

  #resultOf(outcome: BlockOutcome, transactions: Transaction[]): BlockResult {
    return blockResult(outcome, transactions, { store: this.#ports.store.nodes, stateRoot: this.#head.header.stateRoot })
  }

  #remember(hash: Hash, known: KnownResult): void {
    const [oldest] = this.#results.keys()
    if (this.#results.size >= RESULTS_MAX && oldest !== undefined) this.#results.delete(oldest)
    this.#results.set(hash, known)
  }

  async #commit(block: Block): Promise<'imported' | 'known'> {
    const { header } = block
    if (header.number <= this.#head.header.number) return this.#knownOrFork(header)
    if (header.number > this.#head.header.number + 1) {
      throw new CodedError('CHAIN_GAP', `Block ${header.number} cannot follow block ${this.#head.header.number}`)
    }
    verifySeals(header, this.#head.validators)
    const { receipts, diff, trieNodes } = await this.#executeOnce(block)
    const next = advanceHead(this.#head, block)
    await this.#mayStore(header.number)
    await this.#state.run(async () => {
      crashPoint('block.before-batch')
      await this.#ports.store.commitBlock({ block, receipts, diff, trieNodes, ...next })
      crashPoint('block.after-batch')
      this.#head = next.head
      // Before anybody else may run: the two are of one state.
      this.#schedule = this.#protocol.read()
      this.#results.clear()
    })
    this.#imported.emit({ head: next.head, block, receipts, diff })
    crashPoint('block.imported')
    return 'imported'
  }

  #knownOrFork(header: Header): 'known' {
    const { hash, header: ours } = this.#head
    const other = blockHash(header)
    if (header.number === ours.number && other !== hash) {
      const details = { number: header.number, ours: hash, other }
      throw new CodedError('CHAIN_FORK', `Another block ${header.number} than the final one`, { details })
    }
    return 'known'
  }
}
