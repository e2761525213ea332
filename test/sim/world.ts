import { type Block, decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { blockHash } from '@songhua/sdk/protocol/block-hash'
import { BLOOM_BYTES } from '@songhua/sdk/protocol/bloom'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { CodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { EMPTY_FRONTIER, appendHash } from '@songhua/sdk/protocol/history-tree'
import { INITIAL_ROTATION } from '@songhua/sdk/protocol/proposer'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { readEnvelope } from '@songhua/node/consensus/envelope'
import type { MessageKind } from '@songhua/node/consensus/messages'
import type { Logger } from '@songhua/node/base/logger'
import type { Prng } from '@songhua/node/base/prng'
import { type BlockOutcome, type ChainHead, headOf } from '@songhua/node/services/block-work'
import { type Chain, createChain } from '@songhua/node/services/chain'
import { createConsensusDriver } from '@songhua/node/services/consensus'
import type { ConsensusDriver, ConsensusListener, ConsensusPorts } from '@songhua/node/services/consensus-ports'
import { recoverSafety } from '@songhua/node/signer/recovery'
import { createValidatorSigner } from '@songhua/node/signer/signer'
import { emptyStateDiff } from '@songhua/node/trie/state'
import { MemoryLog } from '../signer/memory-log.js'
import { type Council, genesisOf } from '../sync/chain.js'
import { TIMING, councilOfSize } from '../consensus/fixture.js'
import { VirtualClock, seededPrng } from './virtual-clock.js'

/** What the links do to messages; all of it is decided by the seed. */
export interface LinkRules {
  readonly delayMs: { readonly min: number; readonly max: number }
  /** Share of the messages that are lost. */
  readonly loss: number
  /** Whether a message may pass from one node to the other at this moment. */
  readonly passes: (from: number, to: number, kind: MessageKind | 'block' | 'transaction') => boolean
}

export interface WorldOptions {
  readonly n: number
  readonly seed?: number
  readonly links?: Partial<LinkRules>
  /** How long a sync of the disk takes. */
  readonly diskMs?: number
  /** Nodes behind fetch blocks after this grace, as the node's own sync does; undefined: never. */
  readonly syncGraceMs?: number | undefined
  /** Nodes that do not vote, after the validators. */
  readonly followers?: number
  /** Validators of which two copies run with one key and two disks (Twins, arXiv 2004.10617); the copies come last. */
  readonly twins?: readonly number[]
}

export interface Delivery {
  readonly kind: Parameters<LinkRules['passes']>[2]
  readonly arrive: () => void
}

/** Whoever messages are sent to. */
export interface Station {
  readonly at: number
  readonly address: Address
  readonly isUp: boolean
  /** Grows with each restart; what was on its way to an earlier life is lost. */
  readonly life: number
  /** The bytes of a message, as if `from` had sent them. */
  hear(from: Address, bytes: Uint8Array): void
}

/** When every run begins, ms since 1970; the genesis is 50 s older. */
export const START_MS = 1_700_000_050_000
const RULES = { gasLimit: 30_000_000n, minBlockPeriodMs: TIMING.minBlockPeriodMs }
const quietLogger: Logger = {
  debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quietLogger,
}

/**
 * A whole backbone in one process: the node's own driver, signer and chain, over a virtual clock, links that lose and
 * delay, and disks that forget what was not synced. A run is its seed. Every import is compared with what all the other
 * nodes have ever imported, so that no test can miss a fork.
 */
export class World {
  readonly clock = new VirtualClock(START_MS)
  readonly prng: Prng
  readonly council: Council
  readonly genesis: Header
  readonly nodes: SimulatedNode[]
  /** Speakers that run no node. */
  readonly strangers: Station[] = []
  readonly decidedHashes = new Map<number, Hash>()
  readonly fatal: unknown[] = []
  links: LinkRules
  readonly options: WorldOptions
  messages = 0

  constructor(options: WorldOptions) {
    this.options = options
    this.prng = seededPrng(options.seed ?? 1)
    this.council = councilOfSize(options.n)
    this.genesis = genesisOf(this.council)
    this.links = { delayMs: { min: 1, max: 5 }, loss: 0, passes: () => true, ...options.links }
    const singles = Array.from({ length: options.n + (options.followers ?? 0) }, (_, at) => at)
    this.nodes = [...singles, ...(options.twins ?? [])].map((key, at) => new SimulatedNode(this, { at, key }))
    for (const node of this.nodes) node.boot()
  }

  node(at: number): SimulatedNode {
    return this.nodes[at]!
  }

  get alive(): SimulatedNode[] {
    return this.nodes.filter((node) => node.isUp)
  }

  /** Hands a transaction to these nodes (to all, unless told), at once. */
  submit(transaction: Transaction, to: readonly SimulatedNode[] = this.alive): void {
    for (const node of to) node.addTransaction(transaction)
  }

  /** Runs until `isDone`; fails after `limitMs` of virtual time. */
  async until(isDone: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.clock.now() + limitMs
    while (!isDone()) {
      if (this.clock.now() > endMs) throw new Error(`not done after ${limitMs} ms: ${this.describe()}`)
      if (!(await this.clock.next())) throw new Error(`nothing will ever happen: ${this.describe()}`)
      if (this.fatal.length > 0) throw this.fatal[0]
    }
  }

  async untilHeight(height: number, limitMs: number, nodes: readonly SimulatedNode[] = this.alive): Promise<void> {
    await this.until(() => nodes.every((node) => node.height >= height), limitMs)
  }

  async run(ms: number): Promise<void> {
    const endMs = this.clock.now() + ms
    let isOver = false
    this.clock.after(ms, () => (isOver = true))
    await this.until(() => isOver || this.clock.now() > endMs, ms + 1)
  }

  get stations(): Station[] {
    return [...this.nodes, ...this.strangers]
  }

  say(from: Station, to: Station, bytes: Uint8Array): void {
    this.deliver(from, to, { kind: readEnvelope(bytes).kind, arrive: () => to.hear(from.address, bytes) })
  }

  deliver(from: Station, to: Station, { kind, arrive }: Delivery): void {
    // Nobody has a link to the holder of its own key.
    if (from.address === to.address) return
    this.messages++
    const { delayMs, loss, passes } = this.links
    if (!passes(from.at, to.at, kind) || this.prng.next() < loss) return
    const { life } = to
    this.clock.after(delayMs.min + Math.floor(this.prng.next() * (delayMs.max - delayMs.min)), () => {
      if (to.isUp && to.life === life) arrive()
    })
  }

  /** No two nodes ever import different blocks at one height. */
  noteImport(head: ChainHead, node: SimulatedNode): void {
    const { number } = head.header
    const known = this.decidedHashes.get(number)
    if (known !== undefined && known !== head.hash) this.fatal.push(new Error(`fork at height ${number} on node ${node.at}`))
    this.decidedHashes.set(number, head.hash)
  }

  describe(): string {
    return this.nodes
      .map((node) => (node.isUp ? `${node.at}: height ${node.height}, ${JSON.stringify(node.driver.status())}` : `${node.at}: down`))
      .join('\n')
  }
}

/** One node: what is on its disk outlives its lives. */
export class SimulatedNode implements Station {
  readonly world: World
  readonly at: number
  readonly address: Address
  readonly log: MemoryLog
  readonly blocks: Block[] = []
  readonly penalties: CodedError[] = []
  /** Whom it has penalised. */
  readonly blamed = new Set<Address>()
  driver!: ConsensusDriver
  chain!: Chain
  isUp = false
  life = 0
  /** A slow disk under the chain. */
  beforeCommit: () => Promise<void> = () => Promise.resolve()
  #stored: ChainHead
  #pool = new Map<Hash, { transaction: Transaction; sinceMs: number }>()
  #listener: ConsensusListener | undefined
  readonly #addedListeners = new Set<() => void>()
  readonly #privateKey: Uint8Array | undefined

  constructor(world: World, { at, key }: { at: number; key: number }) {
    this.world = world
    this.at = at
    const validator = world.council.addresses[key]
    this.address = validator ?? `0x${(0xf000 + at).toString(16).padStart(40, '0')}`
    this.#privateKey = validator && world.council.keys.get(validator)
    const { diskMs } = world.options
    const sync = (): Promise<void> => {
      const { life } = this
      if (diskMs === undefined) return Promise.resolve()
      // A node that dies before its disk is done never hears of it, and nothing was written.
      return new Promise((resume) => world.clock.after(diskMs, () => this.life === life && this.isUp && resume()))
    }
    this.log = new MemoryLog(sync)
    const hash = blockHash(world.genesis)
    const { frontier } = appendHash(EMPTY_FRONTIER, hash)
    this.#stored = headOf({ header: world.genesis, hash, frontier, rotation: INITIAL_ROTATION })
  }

  get height(): number {
    return this.#stored.header.number
  }

  boot(): void {
    this.life++
    this.isUp = true
    this.chain = this.#createChain()
    const { clock } = this.world
    const driver = createConsensusDriver(
      {
        genesisHash: blockHash(this.world.genesis),
        timing: TIMING,
        protocolVersionAt: () => 1,
        protocolVersionMax: 1,
        logger: quietLogger,
        onFatal: (error) => this.world.fatal.push(error),
      },
      { chain: this.chain, work: this.#work(), transport: this.#transport(), signer: this.#signer(), clock },
    )
    this.driver = driver
    driver.start()
    for (const other of this.world.nodes ?? []) {
      if (other.address === this.address || !other.isUp) continue
      other.#listener?.onPeerUp(this.address, this.height)
      this.#listener?.onPeerUp(other.address, other.height)
    }
  }

  /** kill -9: what is not on disk is gone, and so is every transaction (the pool's journal is another test's). */
  kill(): void {
    this.isUp = false
    this.life++
    this.#listener = undefined
    this.#addedListeners.clear()
    this.#pool = new Map()
    void this.driver.stop()
  }

  addTransaction(transaction: Transaction): void {
    if (this.#pool.has(transaction.hash)) return
    this.#pool.set(transaction.hash, { transaction, sinceMs: this.world.clock.now() })
    for (const listener of this.#addedListeners) listener()
  }

  hear(from: Address, bytes: Uint8Array): void {
    this.#listener?.onMessage(from, bytes)
  }

  #signer() {
    if (this.#privateKey === undefined) return undefined
    const recovery = recoverSafety({
      log: this.log.found,
      headNumber: this.height,
      decodeBlock: (bytes) => decodeBlock(bytes),
    })
    return createValidatorSigner({ privateKey: this.#privateKey, recovery }, this.log)
  }

  #createChain(): Chain {
    const { world } = this
    const outcomeOf = (transactions: Transaction[]): BlockOutcome => ({
      receipts: transactions.map(({ type }) => ({
        type, status: 1, cumulativeGasUsed: 21_000n, logsBloom: new Uint8Array(BLOOM_BYTES), logs: [],
      })),
      gasUsed: BigInt(21_000 * transactions.length),
      logsBloom: new Uint8Array(BLOOM_BYTES),
      diff: emptyStateDiff(),
      nextValidators: world.council.addresses,
    })
    const { life } = this
    const chain = createChain(
      {
        rules: { ...RULES, genesisHash: blockHash(world.genesis) },
        head: this.#stored,
        protocol: { versionAt: () => 1, max: 1 },
        onListenerError: (error) => world.fatal.push(error),
      },
      {
        store: {
          nodes: { getNode: () => undefined },
          commitBlock: async ({ block, head }) => {
            await this.beforeCommit()
            // Who died meanwhile has written nothing, and never hears of it.
            if (this.life !== life) return new Promise<never>(() => undefined)
            this.#stored = head
            this.blocks[head.header.number] = block
          },
        },
        runner: {
          run: (_frame, transactions) => Promise.resolve(outcomeOf(transactions)),
          pack: () => {
            const transactions = [...this.#pool.values()].map(({ transaction }) => transaction)
            return Promise.resolve({ ...outcomeOf(transactions), transactions })
          },
        },
      },
    )
    chain.onBlock(({ head, block }) => {
      if (this.life === life) this.#afterImport(head, block)
    })
    return chain
  }

  #afterImport(head: ChainHead, block: Block): void {
    const { world } = this
    world.noteImport(head, this)
    for (const { hash } of block.transactions) this.#pool.delete(hash)
    const { syncGraceMs } = world.options
    if (syncGraceMs === undefined) return
    for (const other of world.nodes) {
      if (other === this) continue
      const arrive = (): void => void world.clock.after(syncGraceMs, () => void other.fetchFrom(this))
      world.deliver(this, other, { kind: 'block', arrive })
    }
  }

  /** Sync in miniature: everything that the other has and we do not. */
  async fetchFrom(other: SimulatedNode): Promise<void> {
    if (!this.isUp || !this.world.links.passes(other.at, this.at, 'block')) return
    const { chain } = this
    for (let number = this.height + 1; number <= other.height; number++) {
      await chain.importSealed(decodeBlock(encodeBlock(other.blocks[number]!)))
    }
  }

  #work(): ConsensusPorts['work'] {
    return {
      executableSince: () => {
        const since = [...this.#pool.values()].map(({ sinceMs }) => sinceMs)
        return since.length === 0 ? undefined : Math.min(...since)
      },
      onAdded: (listener) => {
        this.#addedListeners.add(listener)
        return () => this.#addedListeners.delete(listener)
      },
      resendPending: () => {
        for (const other of this.world.nodes) {
          for (const { transaction } of this.#pool.values()) {
            if (other === this) continue
            this.world.deliver(this, other, { kind: 'transaction', arrive: () => other.addTransaction(transaction) })
          }
        }
      },
      get: (hash) => this.#pool.get(hash)?.transaction,
    }
  }

  #transport(): ConsensusPorts['transport'] {
    const { world, life } = this
    const send = (other: Station, bytes: Uint8Array): void => {
      if (other === this || this.life !== life) return
      world.say(this, other, bytes)
    }
    const holdersOf = <T extends Station>(of: readonly T[], address: Address): T[] =>
      of.filter((one) => one.address === address)
    return {
      subscribe: (listener) => {
        this.#listener = listener
        return () => {
          if (this.#listener === listener) this.#listener = undefined
        }
      },
      broadcast: (bytes, { except }) => {
        for (const other of world.stations) if (!except.includes(other.address)) send(other, bytes)
      },
      send: (to, bytes) => {
        for (const other of holdersOf(world.stations, to)) send(other, bytes)
      },
      sendBlock: (to, height) => {
        const block = this.blocks[height]
        for (const node of block ? holdersOf(world.nodes, to) : []) {
          const arrive = (): void => {
            if (node.height === height - 1) void node.chain.importSealed(decodeBlock(encodeBlock(block!)))
          }
          world.deliver(this, node, { kind: 'block', arrive })
        }
      },
      penalise: (peer, error) => {
        this.blamed.add(peer)
        this.penalties.push(error)
      },
    }
  }
}

