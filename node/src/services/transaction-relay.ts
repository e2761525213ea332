import type { Hash } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { decodeRlp, encodeRlp, readBytes, readList } from '@songhua/sdk/protocol/rlp'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createSerialQueue } from '../base/serial-queue.js'
import { type TokenBucket, createTokenBucket } from '../base/token-bucket.js'
import { type RecentMap, createRecentMap } from './recent-map.js'

/** A transaction as it travels; `raw` is its EIP-2718 encoding. */
export interface RelayedTransaction {
  readonly hash: Hash
  readonly raw: Uint8Array
}

export interface RelayPeer {
  readonly id: string
  /** Followers propose nothing: they are sent no transactions, and theirs are passed on. */
  readonly follower: boolean
}

export interface RelayNetwork {
  peers(): readonly RelayPeer[]
  send(peerId: string, channel: 'transactions', payload: Uint8Array): boolean
  onMessage(channel: 'transactions', listener: (peer: RelayPeer, payload: Uint8Array) => void): () => void
  onPeer(listener: (event: { type: 'up' | 'down' | 'head'; peer: RelayPeer }) => void): () => void
  penalise(peerId: string, code: string, points: number): void
}

export interface RelayPool {
  has(hash: Hash): boolean
  /** Decodes, checks and keeps. @throws CodedError (rejects) with the reason of a refusal */
  addRemote(raw: Uint8Array): Promise<void>
  /** What waits for a block, oldest first. */
  pending(): Iterable<RelayedTransaction>
}

export interface RelayOptions {
  /** Told of transactions that every connected validator has been sent, by this node or by who brought them. */
  readonly onSent?: (hashes: readonly Hash[]) => void
  /** New transactions of other nodes that are looked into in a second, at least 32. */
  readonly checkedPerSecond?: number
}

export interface RelayPorts {
  readonly network: RelayNetwork
  readonly pool: RelayPool
  readonly clock: Clock
  readonly logger: Logger
}

/** Carries new transactions to the other validators, one hop, each once to each peer. */
export interface TransactionRelay {
  start(): void
  stop(): void
  /** New in the pool of this node, from its own clients. */
  announce(transactions: readonly RelayedTransaction[]): void
  /** All that is pending, again, to all: with a round change, so that nobody times out alone. */
  resendPending(): void
  /** When every connected validator had been sent it, in ms; undefined when not, or long ago. */
  sentAt(hash: Hash): number | undefined
  metrics(): Record<string, number>
}

/** Small frames of a moment leave together: the cost is in each frame. */
const WINDOW_MS = 3
const BATCH_COUNT_MAX = 512
const BATCH_BYTES_MAX = 512 * 1024
/** Pending transactions sent again in one go. */
const RESEND_COUNT_MAX = 4_096
const RESEND_BYTES_MAX = 8 * 1024 * 1024
const KNOWN_PER_PEER_MAX = 4_096
const SENT_REMEMBERED_MAX = 16_384
/** Batches of one peer that wait while an earlier one is checked. */
const INBOX_BATCHES_MAX = 32
/** Senders recovered, 83 µs each, after which other work gets its turn. */
const ADDED_PER_TURN = 32
/**
 * New transactions a second that are looked into, for all peers together and in turn: a third of a core. The others wait
 * in the bounded inbox of whoever sent them.
 */
const CHECKED_PER_SECOND = 4_000

/** Points: a batch that is no batch, and one of which the greater part no sender could take for valid. */
const PENALTIES = { TRANSACTIONS_MALFORMED: 50, TRANSACTIONS_INVALID: 10 } as const

/** Refusals that the sender could foresee. The others depend on the state, the room or the disk of this node. */
const BLAMED = /^(TX_|RLP_|SIGNATURE_|POOL_(OVERSIZED|UNPROTECTED|WRONG_CHAIN|INIT_CODE|INTRINSIC_GAS|ABOVE_BLOCK_GAS))/

type Outcome = 'added' | 'refused' | 'invalid'

interface PeerState {
  /** True: the peer has it from elsewhere; false: this node sent it. */
  readonly known: RecentMap<Hash, boolean>
  readonly inbox: Uint8Array[]
  isBusy: boolean
}

export function createTransactionRelay(options: RelayOptions, ports: RelayPorts): TransactionRelay {
  return new Relay(options, ports)
}

export function encodeTransactionBatch(raws: readonly Uint8Array[]): Uint8Array {
  return encodeRlp([...raws])
}

/** @throws CodedError of the encoding */
export function decodeTransactionBatch(payload: Uint8Array): Uint8Array[] {
  const items = readList(decodeRlp(payload, { maxDepth: 1, maxItems: BATCH_COUNT_MAX + 1 }), 'transactions')
  return items.map((item, index) => readBytes(item, `transactions[${index}]`).slice())
}

class Relay implements TransactionRelay {
  readonly #options: RelayOptions
  readonly #ports: RelayPorts
  readonly #peers = new Map<string, PeerState>()
  readonly #sent = createRecentMap<Hash, number>(SENT_REMEMBERED_MAX)
  readonly #counters: Record<string, number> = {}
  readonly #subscriptions: (() => void)[] = []
  readonly #checks: TokenBucket
  /** One turn at a time, each peer's in the order in which it asked. */
  readonly #turns = createSerialQueue()
  #checkedInTurn = 0
  #waiting: RelayedTransaction[] = []
  #cancelFlush: (() => void) | undefined
  #stopped = true

  constructor(options: RelayOptions, ports: RelayPorts) {
    this.#options = options
    this.#ports = ports
    const perSecond = options.checkedPerSecond ?? CHECKED_PER_SECOND
    this.#checks = createTokenBucket({ perSecond, burst: 2 * perSecond }, ports.clock.now())
  }

  start(): void {
    const { network } = this.#ports
    this.#stopped = false
    this.#subscriptions.push(
      network.onMessage('transactions', (peer, payload) => this.#onBatch(peer, payload)),
      network.onPeer(({ type, peer }) => {
        if (type === 'up' && !peer.follower) this.#send(peer, this.#pending())
        if (type === 'down') this.#forget(peer.id)
      }),
    )
  }

  stop(): void {
    this.#stopped = true
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    for (const end of this.#subscriptions.splice(0)) end()
  }

  announce(transactions: readonly RelayedTransaction[]): void {
    this.#waiting.push(...transactions)
    if (this.#waiting.length >= BATCH_COUNT_MAX) this.#flush()
    else this.#cancelFlush ??= this.#ports.clock.after(WINDOW_MS, () => this.#flush())
  }

  resendPending(): void {
    this.#count('relay_resends')
    const pending = this.#pending()
    for (const peer of this.#validators()) {
      const { known } = this.#stateOf(peer.id)
      // What the peer itself brought it has; what was sent it may have refused when its pool was full.
      this.#send(peer, pending.filter(({ hash }) => known.get(hash) !== true), true)
    }
    this.#markSent(pending.map(({ hash }) => hash))
  }

  sentAt(hash: Hash): number | undefined {
    return this.#sent.get(hash)
  }

  metrics(): Record<string, number> {
    return { ...this.#counters }
  }

  #count(name: string, amount = 1): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + amount
  }

  #validators(): RelayPeer[] {
    return this.#ports.network.peers().filter(({ follower }) => !follower)
  }

  #stateOf(peerId: string): PeerState {
    const state = this.#peers.get(peerId) ?? { known: createRecentMap(KNOWN_PER_PEER_MAX), inbox: [], isBusy: false }
    this.#peers.set(peerId, state)
    return state
  }

  /** What a peer has left behind is not looked into: it may have been banned for it. */
  #forget(peerId: string): void {
    const batches = this.#peers.get(peerId)?.inbox.splice(0).length ?? 0
    if (batches > 0) this.#count('relay_batches_dropped', batches)
    this.#peers.delete(peerId)
  }

  #pending(): RelayedTransaction[] {
    const found: RelayedTransaction[] = []
    let bytes = 0
    for (const transaction of this.#ports.pool.pending()) {
      bytes += transaction.raw.length
      if (bytes > RESEND_BYTES_MAX || found.length >= RESEND_COUNT_MAX) break
      found.push(transaction)
    }
    return found
  }

  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const transactions = this.#waiting.splice(0)
    if (this.#stopped || transactions.length === 0) return
    for (const peer of this.#validators()) this.#send(peer, transactions)
    this.#markSent(transactions.map(({ hash }) => hash))
  }

  #markSent(hashes: readonly Hash[]): void {
    const now = this.#ports.clock.now()
    const fresh = hashes.filter((hash) => this.#sent.get(hash) === undefined)
    for (const hash of fresh) this.#sent.set(hash, now)
    if (fresh.length > 0) this.#options.onSent?.(fresh)
  }

  /** In batches, leaving out what the peer knows unless `again`. */
  #send(peer: RelayPeer, transactions: readonly RelayedTransaction[], again = false): void {
    const { known } = this.#stateOf(peer.id)
    const wanted = again ? transactions : transactions.filter(({ hash }) => known.get(hash) === undefined)
    for (let at = 0; at < wanted.length; ) {
      const end = batchEnd(wanted, at)
      const batch = wanted.slice(at, end)
      at = end
      if (!this.#ports.network.send(peer.id, 'transactions', encodeTransactionBatch(batch.map(({ raw }) => raw)))) {
        return this.#count('relay_batches_unsent')
      }
      for (const { hash } of batch) if (known.get(hash) === undefined) known.set(hash, false)
      this.#count('relay_transactions_out', batch.length)
    }
  }

  #onBatch(peer: RelayPeer, payload: Uint8Array): void {
    const state = this.#stateOf(peer.id)
    if (state.inbox.length >= INBOX_BATCHES_MAX) return this.#count('relay_batches_dropped')
    state.inbox.push(payload)
    if (!state.isBusy) void this.#work(peer, state)
  }

  async #work(peer: RelayPeer, state: PeerState): Promise<void> {
    state.isBusy = true
    for (let payload = state.inbox.shift(); payload !== undefined && !this.#stopped; payload = state.inbox.shift()) {
      await this.#takeIn(peer, state, payload)
    }
    state.isBusy = false
  }

  async #takeIn(peer: RelayPeer, { known }: PeerState, payload: Uint8Array): Promise<void> {
    const { network, pool, logger } = this.#ports
    let raws: Uint8Array[]
    try {
      raws = decodeTransactionBatch(payload)
    } catch (error) {
      logger.debug('a batch of transactions cannot be read', { peer: peer.id, error: messageOf(error) })
      return network.penalise(peer.id, 'TRANSACTIONS_MALFORMED', PENALTIES.TRANSACTIONS_MALFORMED)
    }
    const all = raws.map((raw) => ({ hash: keccak256Hex(raw), raw }))
    for (const { hash } of all) known.set(hash, true)
    const fresh = all.filter(({ hash }) => !pool.has(hash))
    this.#count('relay_transactions_in', all.length)
    const outcomes = await this.#addAll(fresh)
    const added = fresh.filter((_transaction, index) => outcomes[index] === 'added')
    this.#count('relay_transactions_added', added.length)
    const invalid = outcomes.filter((outcome) => outcome === 'invalid').length
    if (invalid > 0) this.#count('relay_transactions_invalid', invalid)
    this.#count('relay_transactions_refused', outcomes.filter((outcome) => outcome === 'refused').length)
    if (2 * invalid > fresh.length) {
      network.penalise(peer.id, 'TRANSACTIONS_INVALID', PENALTIES.TRANSACTIONS_INVALID)
    }
    // A validator has sent it to all the others itself.
    if (peer.follower) this.announce(added)
    else this.#markSent(added.map(({ hash }) => hash))
  }

  async #addAll(transactions: readonly RelayedTransaction[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (let at = 0; at < transactions.length; at += ADDED_PER_TURN) {
      const turn = transactions.slice(at, at + ADDED_PER_TURN)
      outcomes.push(...(await this.#turns.run(() => this.#addTurn(turn))))
    }
    return outcomes
  }

  async #addTurn(turn: readonly RelayedTransaction[]): Promise<Outcome[]> {
    const { clock } = this.#ports
    const waitMs = this.#checks.waitMs(clock.now(), turn.length)
    if (waitMs > 0) this.#count('relay_checks_delayed')
    this.#checkedInTurn += turn.length
    if (waitMs > 0 || this.#checkedInTurn > ADDED_PER_TURN) {
      await new Promise<void>((resolve) => void clock.after(waitMs, resolve))
      this.#checkedInTurn = turn.length
    }
    this.#checks.spend(clock.now(), turn.length)
    return Promise.all(turn.map(({ raw }) => this.#addOne(raw)))
  }

  async #addOne(raw: Uint8Array): Promise<Outcome> {
    try {
      await this.#ports.pool.addRemote(raw)
      return 'added'
    } catch (error) {
      if (!isCodedError(error)) this.#ports.logger.error('a transaction could not be kept', { error: messageOf(error) })
      return isCodedError(error) && BLAMED.test(error.code) ? 'invalid' : 'refused'
    }
  }
}

function batchEnd(transactions: readonly RelayedTransaction[], start: number): number {
  let bytes = 0
  let end = start
  while (end < transactions.length && end - start < BATCH_COUNT_MAX) {
    bytes += transactions[end]!.raw.length
    if (bytes > BATCH_BYTES_MAX && end > start) break
    end += 1
  }
  return end
}
