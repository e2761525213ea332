import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { type AccountView, type AdmissionRules, checkAdmission, transactionCost } from './admission.js'
import { fairOrder, isOffered } from './fair-order.js'
import { type TxPoolLimits, resolveLimits } from './limits.js'
import { type PoolFill, checkPlace, findVictims } from './place.js'
import { refusal } from './refusal.js'
import { type Hold, type PoolEntry, SenderQueue } from './sender-queue.js'

export interface TxPoolOptions extends Partial<TxPoolLimits> {
  readonly chainId: bigint
  readonly blockGasLimit: bigint
}

/** What the policy makes of a sender. */
export interface Standing {
  /** With whom the sender is counted together; undefined: alone. */
  readonly group?: string | undefined
  /** Of an administrator who governs. */
  readonly isGovernance?: boolean | undefined
}

export interface Arrival extends Standing {
  /** The sender's account at the head; an account that does not exist has nonce and balance 0 and no code. */
  readonly account: AccountView
  readonly nowMs: number
  /** Handed to this node by its sender rather than by another node. */
  readonly isLocal: boolean
  /** Asked last: a further condition of the chain, which throws what it refuses. @param pending what is here beside this one */
  readonly permit?: ((pending: PendingWork) => void) | undefined
}

/** Gas limits and bytes of transactions. */
export interface Work {
  readonly gas: bigint
  readonly bytes: bigint
}

/** Of the sender, and of its whole group: of the sender when it has none. */
export interface PendingWork {
  readonly own: Work
  readonly group: Work
}

const NO_WORK: Work = { gas: 0n, bytes: 0n }

/** A transaction that was dropped, and why. */
export interface Revoked {
  readonly transaction: Transaction
  readonly reason: Hold
}

/** Whether a transaction can stand in the next block; undefined: it can. */
export type Judge = (transaction: Transaction) => Hold | undefined

export interface Added {
  readonly isExecutable: boolean
  /** The transaction with the same nonce whose place it took. */
  readonly replaced: Transaction | undefined
  /** Waiting transactions that had to make room. */
  readonly evicted: Transaction[]
}

export interface HeadUpdate {
  /** Accounts that the block changed; null when the account is gone. */
  readonly accounts: ReadonlyMap<Address, AccountView | null>
  readonly nowMs: number
}

export interface HeadResult {
  /** Their nonces have been used: by themselves, or by another transaction of their sender. */
  readonly used: Transaction[]
  /** They have waited longer than the limit. */
  readonly expired: Transaction[]
}

export interface PoolStatus {
  /** Executable transactions, those set aside included. */
  readonly pending: number
  /** Waiting for a lower nonce or for funds. */
  readonly queued: number
  readonly bytes: number
}

/** Why a transaction is kept out of blocks, and below which height. */
export interface Aside {
  readonly untilHeight: number
  readonly reason: string
}

export interface PoolContent {
  readonly pending: Transaction[]
  readonly queued: Transaction[]
}

/**
 * Transactions between acceptance and a block. Deterministic: the same calls give the same pool; time is an argument.
 *
 * - An executable transaction never leaves but by being used or replaced by its sender, or because its sender has lost
 *   the right to send it: when the pool is full, new ones are refused. Waiting ones make room for executable ones
 *   (longest waiting first) and end after a lifetime.
 * - The limits are never exceeded, except by what `restore` brings back.
 */
export class TxPool {
  readonly #limits: TxPoolLimits
  readonly #rules: AdmissionRules
  readonly #queues = new Map<Address, SenderQueue>()
  /** In order of arrival. */
  readonly #entries = new Map<Hash, PoolEntry>()
  /** Those not executable, longest waiting first. */
  readonly #waiting = new Map<Hash, PoolEntry>()
  /** Of all entries, by the group whose quota they share. */
  readonly #groups = new Map<string, Work>()
  #bytes = 0
  #arrivals = 0
  #oldestOffered: { height: number; sinceMs: number | undefined } | undefined

  constructor({ chainId, blockGasLimit, ...limits }: TxPoolOptions) {
    this.#limits = resolveLimits(limits)
    this.#rules = { chainId, blockGasLimit, maxTransactionBytes: this.#limits.maxTransactionBytes }
  }

  /** @throws CodedError with a `PoolRefusalCode`; the pool is then unchanged */
  add(transaction: Transaction, arrival: Arrival): Added {
    if (this.has(transaction.hash)) throw refusal('POOL_ALREADY_KNOWN', transaction.hash)
    checkAdmission(transaction, arrival.account, this.#rules)
    const queue = this.#queueOf(transaction.sender, arrival)
    const candidate = { transaction, queue, ...arrival }
    checkPlace(candidate, this.#limits)
    arrival.permit?.(this.#pendingBeside(queue, transaction.nonce, arrival.group))
    const evicted = findVictims(candidate, this.#fill(), this.#limits).map((entry) => this.#drop(entry))
    const { entry, replaced } = this.#insert(transaction, queue, arrival)
    // It has just been found good: what its predecessor was held for does not count for it.
    if (queue.first() === entry) this.#hold(queue, undefined)
    return { isExecutable: entry.isExecutable, replaced: replaced?.transaction, evicted }
  }

  /**
   * Brings back a transaction that this pool held before a restart, in its old order. It was accepted once, so the
   * limits, the balance and the age of what it replaces do not count; `trim` must follow the last one.
   * @returns false when its nonce has been used since, or it is here already
   */
  restore(transaction: Transaction, arrival: Arrival): boolean {
    const isStale = transaction.nonce < arrival.account.nonce || transaction.chainId !== this.#rules.chainId
    if (isStale || this.has(transaction.hash)) return false
    this.#insert(transaction, this.#queueOf(transaction.sender, arrival), arrival)
    return true
  }

  /** Drops waiting transactions that are too old or above the limits. @returns them */
  trim(nowMs: number): Transaction[] {
    const dropped = this.#expire(nowMs)
    for (const entry of this.#waiting.values()) {
      if (this.#entries.size <= this.#limits.maxTransactions && this.#bytes <= this.#limits.maxBytes) break
      dropped.push(this.#drop(entry))
    }
    return dropped
  }

  /** Follows the chain by one or more blocks. */
  onHead({ accounts, nowMs }: HeadUpdate): HeadResult {
    const used: Transaction[] = []
    for (const [address, account] of accounts) {
      const queue = this.#queues.get(address)
      if (queue !== undefined && account !== null) used.push(...this.#follow(queue, account, nowMs))
    }
    // Whoever comes now comes after those who have just been served.
    this.#arrivals++
    this.#oldestOffered = undefined
    return { used, expired: this.#expire(nowMs) }
  }

  /**
   * Judges the first executable transaction of each sender anew. Those of whoever is held are not offered for blocks,
   * and stay; a transaction behind the first is judged when its turn comes.
   */
  hold(judge: Judge): void {
    for (const queue of this.#queues.values()) {
      const first = queue.first()
      this.#hold(queue, first && judge(first.transaction))
    }
  }

  /** Drops every transaction that is judged not to be its sender's to send; those behind it wait. */
  revoke(judge: Judge, nowMs: number): Revoked[] {
    const revoked: Revoked[] = []
    for (const entry of this.#entries.values()) {
      const reason = judge(entry.transaction)
      if (reason !== undefined) revoked.push({ transaction: this.#drop(entry), reason })
    }
    for (const { transaction: { sender } } of revoked) {
      const queue = this.#queues.get(sender)
      if (queue !== undefined) this.#settle(queue, nowMs)
    }
    return revoked
  }

  /** Brings up to date what the policy, which has changed, makes of each sender. */
  renewStandings(standingOf: (transaction: Transaction) => Standing): void {
    for (const entry of this.#entries.values()) {
      const { group, isGovernance = false } = standingOf(entry.transaction)
      this.#weigh(entry, -1n)
      entry.group = group
      this.#weigh(entry, 1n)
      entry.isGovernance = isGovernance
    }
  }

  /** Why a transaction that is executable is in no block: it, or one before it, is held. */
  heldFor(hash: Hash): Hold | undefined {
    const entry = this.#entries.get(hash)
    return entry?.isExecutable ? this.#queues.get(entry.transaction.sender)?.held : undefined
  }

  /** Keeps a transaction, and with it its sender's later ones, out of the blocks below `untilHeight`. */
  setAside(hash: Hash, untilHeight: number, reason?: string): void {
    const entry = this.#entries.get(hash)
    if (entry === undefined) return
    entry.asideUntilHeight = untilHeight
    entry.asideReason = reason
    this.#oldestOffered = undefined
  }

  /** Of a transaction that was set aside and has no block yet. */
  asideOf(hash: Hash): Aside | undefined {
    const entry = this.#entries.get(hash)
    if (entry === undefined || entry.asideUntilHeight === 0) return undefined
    return { untilHeight: entry.asideUntilHeight, reason: entry.asideReason ?? '' }
  }

  /** For the block at `height`, lazily; see {@link fairOrder}. */
  executable(height: number): Iterable<Transaction> {
    return fairOrder(this.#queues.values(), { height, blockGasLimit: this.#rules.blockGasLimit })
  }

  /** Since when, in ms, there has been something to put into the block at `height`; undefined: there is nothing. */
  executableSince(height: number): number | undefined {
    if (this.#oldestOffered?.height !== height) {
      this.#oldestOffered = { height, sinceMs: this.#findOldestOffered(height) }
    }
    return this.#oldestOffered.sinceMs
  }

  has(hash: Hash): boolean {
    return this.#entries.has(hash)
  }

  get(hash: Hash): Transaction | undefined {
    return this.#entries.get(hash)?.transaction
  }

  /** Everything with its class and arrival, in order of arrival. */
  entries(): IterableIterator<Readonly<PoolEntry>> {
    return this.#entries.values()
  }

  /** Next nonce of the account counting its executable transactions; undefined when none of its are here. */
  pendingNonce(address: Address): bigint | undefined {
    return this.#queues.get(address)?.executableEnd
  }

  status(): PoolStatus {
    const queued = this.#waiting.size
    return { pending: this.#entries.size - queued, queued, bytes: this.#bytes }
  }

  /** By sender in order of first arrival, each ascending by nonce; of one sender when given. */
  content(address?: Address): PoolContent {
    const queues = address === undefined ? [...this.#queues.values()] : [this.#queues.get(address)]
    const entries = queues.flatMap((queue) => queue?.entries() ?? [])
    return {
      pending: entries.filter(({ isExecutable }) => isExecutable).map(({ transaction }) => transaction),
      queued: entries.filter(({ isExecutable }) => !isExecutable).map(({ transaction }) => transaction),
    }
  }

  /** The sender's queue at the head; one that is new is kept only when something is put into it. */
  #queueOf(sender: Address, { account, nowMs }: Arrival): SenderQueue {
    const queue = this.#queues.get(sender)
    if (queue === undefined) return new SenderQueue(sender, account)
    this.#follow(queue, account, nowMs)
    return this.#queues.get(sender) ?? new SenderQueue(sender, account)
  }

  #fill(): PoolFill {
    return { transactions: this.#entries.size, bytes: this.#bytes, waiting: this.#waiting }
  }

  #insert(transaction: Transaction, queue: SenderQueue, { nowMs, isLocal, group, isGovernance = false }: Arrival) {
    const entry: PoolEntry = {
      transaction, group, isGovernance, arrival: this.#arrivals++, arrivedMs: nowMs, isLocal, cost: transactionCost(transaction),
      isExecutable: false, sinceMs: nowMs, asideUntilHeight: 0, asideReason: undefined,
    }
    const replaced = queue.put(entry)
    if (replaced !== undefined) this.#forget(replaced)
    this.#queues.set(queue.address, queue)
    this.#entries.set(transaction.hash, entry)
    this.#bytes += transaction.raw.length
    this.#weigh(entry, 1n)
    if (!entry.isExecutable) this.#waiting.set(transaction.hash, entry)
    this.#settle(queue, nowMs)
    return { entry, replaced }
  }

  /** @returns the transactions whose nonce the account has used */
  #follow(queue: SenderQueue, account: AccountView, nowMs: number): Transaction[] {
    if (account.nonce <= queue.nonce && account.balance === queue.balance) return []
    const used = queue.follow(account)
    if (used.length > 0) queue.servedAt = this.#arrivals
    for (const entry of used) this.#forget(entry)
    this.#settle(queue, nowMs)
    this.#release(queue)
    return used.map(({ transaction }) => transaction)
  }

  #settle(queue: SenderQueue, nowMs: number): void {
    const { promoted, demoted } = queue.settle(nowMs)
    for (const { transaction } of promoted) this.#waiting.delete(transaction.hash)
    for (const entry of demoted) this.#waiting.set(entry.transaction.hash, entry)
    // What is promoted now is younger than the oldest: only a first one, or a demotion, changes that.
    if (demoted.length > 0 || this.#oldestOffered?.sinceMs === undefined) this.#oldestOffered = undefined
  }

  #expire(nowMs: number): Transaction[] {
    const expired: Transaction[] = []
    const bornMs = nowMs - this.#limits.waitingLifetimeS * 1000
    for (const entry of this.#waiting.values()) {
      if (entry.sinceMs > bornMs) break
      expired.push(this.#drop(entry))
    }
    return expired
  }

  #hold(queue: SenderQueue, held: Hold | undefined): void {
    if ((queue.held === undefined) !== (held === undefined)) this.#oldestOffered = undefined
    queue.held = held
  }

  /** For waiting entries; of the executable ones, `settle` must follow. */
  #drop(entry: PoolEntry): Transaction {
    const { transaction } = entry
    const queue = this.#queues.get(transaction.sender)
    queue?.take(transaction.nonce)
    this.#forget(entry)
    if (queue !== undefined) this.#release(queue)
    return transaction
  }

  #forget(entry: PoolEntry): void {
    const { transaction } = entry
    this.#weigh(entry, -1n)
    this.#entries.delete(transaction.hash)
    this.#waiting.delete(transaction.hash)
    this.#bytes -= transaction.raw.length
    this.#oldestOffered = undefined
  }

  #weigh({ group, transaction: { gasLimit, raw } }: PoolEntry, sign: 1n | -1n): void {
    if (group === undefined) return
    const { gas, bytes } = this.#groups.get(group) ?? NO_WORK
    const now = { gas: gas + sign * gasLimit, bytes: bytes + sign * BigInt(raw.length) }
    if (now.bytes === 0n) this.#groups.delete(group)
    else this.#groups.set(group, now)
  }

  /** What the sender and its group have here, but for the transaction whose place is taken. */
  #pendingBeside(queue: SenderQueue, nonce: bigint, group: string | undefined): PendingWork {
    const replaced = queue.at(nonce)
    const own = { gas: queue.gas, bytes: BigInt(queue.bytes) }
    const less = ({ gas, bytes }: Work): Work =>
      replaced === undefined ? { gas, bytes } : { gas: gas - replaced.transaction.gasLimit, bytes: bytes - BigInt(replaced.transaction.raw.length) }
    if (group === undefined) return { own: less(own), group: less(own) }
    const all = this.#groups.get(group) ?? NO_WORK
    return { own: less(own), group: replaced?.group === group ? less(all) : all }
  }

  #release(queue: SenderQueue): void {
    if (queue.size === 0) this.#queues.delete(queue.address)
  }

  #findOldestOffered(height: number): number | undefined {
    let oldestMs: number | undefined
    for (const queue of this.#queues.values()) {
      const first = queue.first()
      if (first === undefined || queue.held !== undefined || !isOffered(first, height)) continue
      if (oldestMs === undefined || first.sinceMs < oldestMs) oldestMs = first.sinceMs
    }
    return oldestMs
  }
}
