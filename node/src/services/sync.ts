import { type Block, decodeBlock } from '@songhua/sdk/protocol/block'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { Clock } from '../base/clock.js'
import { crashPoint } from '../base/crash-points.js'
import type { Logger } from '../base/logger.js'
import { ANSWER_BYTES_MAX, RANGE_BYTES_MAX, decodeRangeAnswer, encodeRangeRequest } from './sync-messages.js'
import { type SyncPeer, type SyncPeers, createSyncPeers } from './sync-peers.js'
import { type BlockServer, type SealedBlocks, createBlockServer } from './sync-server.js'
import { type SealedTip, followTip, headerOfBlock } from './sync-verify.js'

export interface SyncNetwork {
  peers(): readonly SyncPeer[]
  request(peerId: string, body: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array>
  onRequest(listener: (peer: SyncPeer, body: Uint8Array) => Promise<Uint8Array>): void
  onPeer(listener: (event: { type: 'up' | 'down' | 'head'; peer: SyncPeer }) => void): () => void
  onMessage(channel: 'blocks', listener: (peer: SyncPeer, payload: Uint8Array) => void): () => void
  announceHead(head: { number: number; hash: Hash }): void
  penalise(peerId: string, code: string, points: number): void
}

export interface SyncHead {
  readonly header: { readonly number: number }
  readonly hash: Hash
  readonly validators: readonly Address[]
}

export interface SyncChain {
  head(): SyncHead
  /** The last block whose rules this program knows: none above it is asked for. */
  supportedUpTo(): number
  onBlock(listener: (event: { head: SyncHead }) => void): () => void
  /** Verifies, executes, stores; a block at or below the head is `known`. */
  importSealed(block: Block): Promise<'imported' | 'known'>
}

export interface SyncOptions {
  /**
   * How long, in ms, consensus may take to bring the next block by itself before it is fetched; 0 for a follower.
   * A node that is far behind does not wait.
   */
  readonly graceMs: number
  /** A transaction met before, by hash, whose sender need not be recovered again. */
  readonly knownTransaction?: (hash: Hash) => Transaction | undefined
  /** For a progress bar: the first block fetched, the highest known, the newest imported. */
  readonly onProgress?: (progress: { from: number; to: number; current: number }) => void
}

export interface SyncPorts {
  readonly network: SyncNetwork
  readonly chain: SyncChain
  readonly blocks: SealedBlocks
  readonly clock: Clock
  readonly logger: Logger
}

/** This node's disk or software is at fault: its state is not the one that the quorum sealed. */
export interface SyncTrouble {
  readonly code: string
  readonly message: string
}

export interface SyncProgress {
  readonly startingBlock: number
  readonly currentBlock: number
  readonly highestBlock: number
}

/** Brings the chain to the head that peers have, serves blocks to others, and announces each new head. */
export interface Sync {
  start(): void
  stop(): void
  /** As `eth_syncing`: false when no more than a few blocks are missing. */
  isSyncing(): SyncProgress | false
  /** Why the last sealed block could not be imported, though nobody but this node is to blame; until one is. */
  trouble(): SyncTrouble | undefined
  /** The highest block that a trustworthy peer claims, or the own head. */
  highestBlock(): number
  /** Counters since the start. */
  metrics(): Record<string, number>
}

/** Blocks asked for at once. */
const RANGE_BLOCKS = 64
/** Ranges asked for or waiting ahead of the import. */
const RANGES_AHEAD_MAX = 8
/** When so much waits, only the range that the import waits for is asked for. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024
const REQUEST_TIMEOUT_MS = 10_000
/** The range that the import waits for is asked of a second peer after so long. */
const HEDGE_MS = 2_000
const LOOK_EVERY_MS = 1_000
/** Missing blocks from which on consensus is not waited for, and `eth_syncing` reports. */
const FAR_BLOCKS = 4
/** Recovered seals after which other work gets its turn: about 5 ms. */
const SEALS_PER_TURN = 64
/** After an import that failed for no fault of a peer. */
const IMPORT_RETRY_MS = 5_000

const PENALTIES = { SYNC_BAD_BLOCK: 60, SYNC_STALLED: 10, SYNC_EMPTY: 5, SYNC_SHORT: 5, SYNC_REFUSED: 5 } as const

interface Range {
  from: number
  to: number
  readonly asked: Map<string, number>
  got: { readonly peerId: string; readonly blocks: Uint8Array[] } | undefined
}

export function createSync(options: SyncOptions, ports: SyncPorts): Sync {
  return new BlockSync(options, ports)
}

class BlockSync implements Sync {
  readonly #options: SyncOptions
  readonly #ports: SyncPorts
  readonly #peers: SyncPeers
  readonly #server: BlockServer
  readonly #counters: Record<string, number> = {}
  readonly #subscriptions: (() => void)[] = []
  /** Consecutive, the first one next to the head. */
  #ranges: Range[] = []
  #run: { startingBlock: number } | undefined
  #isImporting = false
  #cancelLook: (() => void) | undefined
  #pausedUntilMs = 0
  #pushed: number | undefined
  #trouble: SyncTrouble | undefined
  #stopped = true

  constructor(options: SyncOptions, ports: SyncPorts) {
    this.#options = options
    this.#ports = ports
    this.#server = createBlockServer(ports)
    this.#peers = createSyncPeers({ peers: () => ports.network.peers(), clock: ports.clock })
  }

  start(): void {
    const { network, chain } = this.#ports
    this.#stopped = false
    network.onRequest((peer, body) => this.#server.answer(peer.id, body))
    this.#subscriptions.push(
      network.onPeer(({ type }) => type !== 'down' && this.#lookSoon()),
      network.onMessage('blocks', (peer, payload) => void this.#onPushedBlock(peer, payload)),
      chain.onBlock(({ head }) => network.announceHead({ number: head.header.number, hash: head.hash })),
    )
    this.#lookSoon()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelLook?.()
    for (const end of this.#subscriptions.splice(0)) end()
    this.#ranges = []
  }

  trouble(): SyncTrouble | undefined {
    return this.#trouble
  }

  highestBlock(): number {
    return Math.max(this.#headNumber(), this.#peers.credibleHead())
  }

  isSyncing(): SyncProgress | false {
    const currentBlock = this.#headNumber()
    const highestBlock = this.highestBlock()
    if (this.#run === undefined || highestBlock - currentBlock < FAR_BLOCKS) return false
    return { startingBlock: this.#run.startingBlock, currentBlock, highestBlock }
  }

  metrics(): Record<string, number> {
    return { ...this.#counters, ...this.#server.metrics() }
  }

  #penalise(peerId: string, code: keyof typeof PENALTIES): void {
    this.#count(code.toLowerCase().replace('sync_', ''))
    this.#ports.network.penalise(peerId, code, PENALTIES[code])
  }

  #count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1
  }

  #headNumber(): number {
    return this.#ports.chain.head().header.number
  }

  /** As far up as this program can import. */
  #wanted(height: number): number {
    return Math.min(height, this.#ports.chain.supportedUpTo())
  }

  /** Looks now when a run goes on or much is missing; else consensus has its chance first. */
  #lookSoon(): void {
    const missing = this.#wanted(this.#peers.bestHead()) - this.#headNumber()
    if (missing <= 0 && this.#run === undefined) return
    if (this.#run !== undefined || missing >= FAR_BLOCKS) this.#lookAfter(0)
    else if (this.#cancelLook === undefined) this.#lookAfterGrace()
  }

  /** A head that moves is consensus at work: its next block gets a grace of its own. */
  #lookAfterGrace(): void {
    const head = this.#headNumber()
    this.#cancelLook = this.#ports.clock.after(this.#options.graceMs, () => {
      this.#cancelLook = undefined
      if (this.#options.graceMs > 0 && this.#headNumber() > head) this.#lookSoon()
      else this.#look()
    })
  }

  #lookAfter(delayMs: number): void {
    this.#cancelLook?.()
    if (this.#stopped) return
    this.#cancelLook = this.#ports.clock.after(delayMs, () => {
      this.#cancelLook = undefined
      this.#look()
    })
  }

  #look(): void {
    const head = this.#headNumber()
    const target = this.#wanted(this.#peers.bestHead())
    if (target <= head && !this.#isImporting) {
      // Those who claim more may be standing aside for a while.
      if (this.#wanted(this.#peers.claimedHead()) > head) return this.#lookAfter(LOOK_EVERY_MS)
      return this.#finishRun(head)
    }
    this.#run ??= this.#beginRun(head, target)
    this.#plan(head, target)
    if (this.#ports.clock.now() >= this.#pausedUntilMs) {
      for (const range of this.#ranges.slice(0, this.#isFull() ? 1 : RANGES_AHEAD_MAX)) this.#askFor(range)
      if (!this.#isImporting && this.#ranges[0]?.got !== undefined) void this.#importFirst()
    }
    this.#lookAfter(LOOK_EVERY_MS)
  }

  #beginRun(head: number, target: number): { startingBlock: number } {
    if (target - head >= FAR_BLOCKS) this.#ports.logger.info('fetching blocks', { from: head + 1, to: target })
    return { startingBlock: head }
  }

  #finishRun(head: number): void {
    const run = this.#run
    this.#run = undefined
    this.#ranges = []
    this.#cancelLook?.()
    this.#cancelLook = undefined
    if (run !== undefined && head - run.startingBlock >= FAR_BLOCKS) {
      this.#ports.logger.info('caught up', { head, blocks: head - run.startingBlock })
    }
  }

  /** Ranges from the head up to the target, as far ahead as is allowed. What nobody claims any more is dropped. */
  #plan(head: number, target: number): void {
    const isWanted = ({ from, got, asked }: Range): boolean => got !== undefined || asked.size > 0 || from <= target
    this.#ranges = this.#ranges.filter((range) => range.to > head && isWanted(range))
    if (this.#ranges[0] !== undefined && this.#ranges[0].from > head + 1 && !this.#isImporting) this.#ranges = []
    let next = (this.#ranges.at(-1)?.to ?? head) + 1
    while (this.#ranges.length < RANGES_AHEAD_MAX && next <= target) {
      const to = Math.min(next + RANGE_BLOCKS - 1, target)
      this.#ranges.push({ from: next, to, asked: new Map(), got: undefined })
      next = to + 1
    }
  }

  #isFull(): boolean {
    const bytes = this.#ranges.flatMap(({ got }) => got?.blocks ?? []).reduce((sum, block) => sum + block.length, 0)
    return bytes > WAITING_BYTES_MAX
  }

  #askFor(range: Range): void {
    if (range.got !== undefined) return
    if (range.asked.size > 0 && !this.#isLate(range)) return
    const peer = this.#peers.pick(range.from, new Set(range.asked.keys()))
    if (peer !== undefined) void this.#ask(range, peer)
  }

  #isLate(range: Range): boolean {
    const newestMs = Math.max(...range.asked.values())
    return range === this.#ranges[0] && this.#ports.clock.now() - newestMs >= HEDGE_MS
  }

  async #ask(range: Range, peer: SyncPeer): Promise<void> {
    const { network, clock, logger } = this.#ports
    range.asked.set(peer.id, clock.now())
    this.#peers.began(peer.id)
    const count = Math.min(range.to, peer.head.number) - range.from + 1
    try {
      const body = encodeRangeRequest({ from: range.from, count })
      const answer = await network.request(peer.id, body, { timeoutMs: REQUEST_TIMEOUT_MS })
      this.#take(range, { peerId: peer.id, answer, count })
    } catch (error) {
      this.#peers.ended(peer.id, 'bad')
      this.#judge(peer.id, error)
      logger.debug('a peer did not send blocks', { peer: peer.id, from: range.from, error: messageOf(error) })
    }
    range.asked.delete(peer.id)
    if (!this.#stopped) this.#look()
  }

  /** @throws CodedError of the decoding */
  #take(range: Range, { peerId, answer, count }: { peerId: string; answer: Uint8Array; count: number }): void {
    const blocks = decodeRangeAnswer(answer)
    const isShort = blocks.length < count && answer.length < RANGE_BYTES_MAX
    this.#peers.ended(peerId, isShort ? 'bad' : 'good')
    if (answer.length > ANSWER_BYTES_MAX) return this.#blame(peerId, `an answer of ${answer.length} bytes; at most ${ANSWER_BYTES_MAX}`)
    if (blocks.length > count) return this.#blame(peerId, `${blocks.length} blocks came where ${count} were asked for`)
    if (isShort) this.#penalise(peerId, blocks.length === 0 ? 'SYNC_EMPTY' : 'SYNC_SHORT')
    if (blocks.length > 0) this.#accept(range, peerId, blocks)
  }

  #judge(peerId: string, error: unknown): void {
    if (isCodedError(error, 'REQUEST_TIMEOUT')) this.#penalise(peerId, 'SYNC_STALLED')
    // It claims a head that it does not hand out.
    else if (isCodedError(error, 'REQUEST_REFUSED')) this.#penalise(peerId, 'SYNC_REFUSED')
    else if (isCodedError(error) && error.code.startsWith('RLP_')) this.#blame(peerId, messageOf(error))
  }

  /** The rest of a range that came short becomes a range of its own. */
  #accept(range: Range, peerId: string, blocks: Uint8Array[]): void {
    const index = this.#ranges.indexOf(range)
    if (index < 0 || range.got !== undefined) return
    const last = range.from + blocks.length - 1
    if (last < range.to) {
      this.#ranges.splice(index + 1, 0, { from: last + 1, to: range.to, asked: new Map(), got: undefined })
      range.to = last
    }
    range.got = { peerId, blocks }
    crashPoint('sync.range-received')
  }

  #blame(peerId: string, reason: string): void {
    this.#ports.logger.warn('a peer sent blocks that are not of this chain', { peer: peerId, reason })
    this.#peers.lied(peerId)
    this.#penalise(peerId, 'SYNC_BAD_BLOCK')
  }

  async #importFirst(): Promise<void> {
    const range = this.#ranges[0]!
    const { peerId, blocks } = range.got!
    this.#isImporting = true
    try {
      // The head may have moved into the range while it was on its way.
      const fresh = blocks.slice(Math.max(0, this.#headNumber() + 1 - range.from))
      if (await this.#verify(fresh, peerId)) await this.#importAll(fresh, peerId)
      // What is above the head now could not be imported, and is fetched anew; the rest falls out of the plan.
      if (range.to > this.#headNumber()) range.got = undefined
    } finally {
      this.#isImporting = false
    }
    if (!this.#stopped) this.#look()
  }

  #tip(): SealedTip {
    const { header, hash, validators } = this.#ports.chain.head()
    return { number: header.number, hash, validators }
  }

  /** All headers and seals of a range, before any of it is executed. False: the sender is blamed. */
  async #verify(blocks: readonly Uint8Array[], peerId: string): Promise<boolean> {
    let tip = this.#tip()
    let seals = 0
    try {
      for (const block of blocks) {
        tip = followTip(tip, headerOfBlock(block))
        seals += tip.validators.length
        if (seals < SEALS_PER_TURN) continue
        seals = 0
        await new Promise<void>((resolve) => void this.#ports.clock.after(0, resolve))
      }
      return true
    } catch (error) {
      this.#blame(peerId, messageOf(error))
      return false
    }
  }

  async #importAll(blocks: readonly Uint8Array[], peerId: string): Promise<void> {
    for (const [index, encoded] of blocks.entries()) {
      if (this.#stopped) return
      if (!(await this.#importOne(encoded, peerId))) break
      if (index < blocks.length - 1) crashPoint('sync.block-imported')
      const from = (this.#run?.startingBlock ?? 0) + 1
      this.#options.onProgress?.({ from, to: this.highestBlock(), current: this.#headNumber() })
    }
  }

  /** False when the block could not be imported, whosever fault it was. */
  async #importOne(encoded: Uint8Array, peerId: string): Promise<boolean> {
    const { chain, logger, clock } = this.#ports
    try {
      await chain.importSealed(decodeBlock(encoded, { knownTransaction: this.#options.knownTransaction }))
      this.#trouble = undefined
      return true
    } catch (error) {
      if (isBodyFault(error)) this.#blame(peerId, messageOf(error))
      else {
        // The seals were good: what fails now is this node, its disk or its software, and another peer would not help.
        this.#pausedUntilMs = clock.now() + IMPORT_RETRY_MS
        this.#trouble = { code: isCodedError(error) ? error.code : 'UNKNOWN', message: messageOf(error) }
        logger.error('a sealed block could not be imported', { head: this.#headNumber(), error: messageOf(error) })
      }
      return false
    }
  }

  /** A peer answers a message for an old height with the sealed block. */
  async #onPushedBlock(peer: SyncPeer, payload: Uint8Array): Promise<void> {
    try {
      const header = headerOfBlock(payload)
      const isNext = header.number === this.#headNumber() + 1 && header.number === this.#wanted(header.number)
      const isWanted = isNext && !this.#isImporting && this.#pushed !== header.number
      if (!isWanted) return this.#count('pushes_ignored')
      followTip(this.#tip(), header)
      this.#pushed = header.number
    } catch (error) {
      return this.#blame(peer.id, messageOf(error))
    }
    await this.#importOne(payload, peer.id)
    this.#pushed = undefined
  }
}

/** The header was sealed, the body is not the one it names: the sender's doing. */
function isBodyFault(error: unknown): boolean {
  return isCodedError(error) && /^(BLOCK_(TOO_LARGE|SHAPE|TRANSACTION|TRANSACTIONS_ROOT)|RLP_)/.test(error.code)
}
