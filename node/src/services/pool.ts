import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { type Transaction, decodeTransaction, parseTransaction } from '@songhua/sdk/protocol/transaction'
import type { Clock } from '../base/clock.js'
import { type Hub, createHub } from '../base/hub.js'
import type { Logger } from '../base/logger.js'
import type { HeadGate } from '../permission/head-gate.js'
import { refusalToError } from '../permission/refusal.js'
import type { AccountView } from '../txpool/admission.js'
import {
  JOURNAL_RECORD_OVERHEAD_BYTES, type JournalRecord, decodeJournalRecord, encodeJournalRecord,
} from '../txpool/journal-record.js'
import { refusal } from '../txpool/refusal.js'
import type { Hold } from '../txpool/sender-queue.js'
import {
  type Added, type Aside, type PendingWork, type PoolContent, type PoolStatus, type Standing, TxPool, type TxPoolOptions,
} from '../txpool/tx-pool.js'
import { createRecentMap } from './recent-map.js'

/** Where the pool's transactions survive a crash. */
export interface PoolJournal {
  /** What was in it at start, oldest first. */
  readonly payloads: readonly Uint8Array[]
  /** Bytes that could not be read at start. */
  readonly droppedBytes: number
  sizeBytes(): number
  /** Resolves when the record is durable; concurrent appends share one sync. */
  append(record: Uint8Array): Promise<void>
  /** Replaces everything appended before this call; `live` is asked after those appends and before any later one. */
  compact(live: () => Iterable<Uint8Array>): Promise<void>
}

export interface PoolPorts {
  readonly journal: PoolJournal
  /** The account at the head; undefined when it does not exist. */
  readonly accountOf: (address: Address) => AccountView | undefined
  /** Permissions and quotas at the head. Undefined: nobody is held to any, as on a chain without the system contracts. */
  readonly permission: HeadGate | undefined
  /** Why this node takes nothing from senders now; undefined: it does. */
  readonly refusal?: () => CodedError | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** What a block that has become final means for those who wait. */
export interface PoolHead {
  /** Of the block, s. */
  readonly timestamp: number
  /** Accounts that it changed; null: the account is gone. */
  readonly accounts: ReadonlyMap<Address, AccountView | null>
  /** What it changed: contract → slot → value. */
  readonly storage: ReadonlyMap<Address, ReadonlyMap<Hash, bigint>>
}

/**
 * The transaction pool of a node: the pure pool with its journal.
 *
 * What `submit` has acknowledged is final or still here after any crash, unless its sender replaces it or loses the
 * right to send it, or it waits (for a lower nonce, or for funds that have gone) longer than a lifetime or than a full
 * pool allows.
 */
export interface Pool {
  /**
   * Takes a transaction from its sender. Resolves when it is durable.
   * @throws CodedError with a `PoolRefusalCode`, a `PermissionCode`, the code of a bad encoding, `POOL_JOURNAL_FAILED`, or that of
   *   `refusal`
   */
  submit(raw: Uint8Array): Promise<Hash>
  /** Takes a transaction from another node; journalled, but not waited for. @throws as `submit` (rejects) */
  addRemote(raw: Uint8Array): Promise<void>
  onHead(head: PoolHead): void
  /** Keeps a transaction, and its sender's later ones, out of the blocks below `untilHeight`. */
  setAside(hash: Hash, untilHeight: number, reason?: string): void
  /** Of a transaction that was set aside and has no block yet. */
  asideOf(hash: Hash): Aside | undefined
  /** Why a transaction, which is here, waits for a quota, or was dropped when its sender lost the right to send it. */
  refusalOf(hash: Hash): Hold | undefined

  /** For the block at `height`, in fair order, lazily. */
  executable(height: number): Iterable<Transaction>
  /** Since when, by the clock, there has been something to put into the block at `height`; undefined: nothing. */
  executableSince(height: number): number | undefined
  /** Everything that has no block yet, oldest first. */
  pending(): Iterable<Transaction>
  has(hash: Hash): boolean
  get(hash: Hash): Transaction | undefined
  /** Next nonce of the account, counting its executable transactions here. */
  pendingNonce(address: Address): bigint
  content(address?: Address): PoolContent
  status(): PoolStatus
  /** Each new transaction, once; `isLocal` when its sender gave it to this node. The answer ends the subscription. */
  onAdded(listener: (transaction: Transaction, isLocal: boolean) => void): () => void
  /** A quota has come back, without a block: what waited for it may be offered now. The answer ends the subscription. */
  onReleased(listener: () => void): () => void
  /** No quota is waited for any more. */
  stop(): void
  metrics(): Record<string, number>
}

export interface PoolOptions extends TxPoolOptions {
  /** A journal below this many bytes is not worth compacting (default 4 MiB, some 10,000 transactions). */
  readonly compactFromBytes?: number
}

const COMPACT_FROM_BYTES = 4 * 1024 * 1024
/** Dropped transactions whose reason can be asked for. */
const DROPPED_REMEMBERED_MAX = 4_096

/**
 * Reads the journal and is then at the head.
 * @throws CodedError `POOL_BAD_LIMIT`, `POOL_JOURNAL_VERSION`
 */
export function createPool(options: PoolOptions, ports: PoolPorts): Pool {
  const pool = new JournalledPool(options, ports)
  pool.replay()
  return pool
}

class JournalledPool implements Pool {
  readonly #ports: PoolPorts
  readonly #pool: TxPool
  readonly #added: Hub<{ transaction: Transaction; isLocal: boolean }>
  /** Appends that are not durable yet. */
  readonly #appends = new Map<Hash, Promise<void>>()
  /** In the pool, but the journal failed. */
  readonly #unjournalled = new Map<Hash, JournalRecord>()
  readonly #dropped = createRecentMap<Hash, Hold>(DROPPED_REMEMBERED_MAX)
  readonly #counters = { added: 0, refused: 0, replaced: 0, evicted: 0, expired: 0, dropped: 0, compactions: 0, setAside: 0 }
  readonly #released: Hub<void>
  /** When the quotas come back for which something waits, and how to wait for it no more. */
  #release: { readonly atMs: number; readonly cancel: () => void } | undefined
  #isCompacting = false
  readonly #compactFromBytes: number
  /** Raised after a failure. */
  #compactionFloorBytes: number

  constructor({ compactFromBytes, ...options }: PoolOptions, ports: PoolPorts) {
    this.#ports = ports
    this.#pool = new TxPool(options)
    this.#compactFromBytes = compactFromBytes ?? COMPACT_FROM_BYTES
    this.#compactionFloorBytes = this.#compactFromBytes
    const onError = (error: unknown): void => ports.logger.error('a listener to the pool failed', { error: messageOf(error) })
    this.#added = createHub(onError)
    this.#released = createHub(onError)
  }

  replay(): void {
    const { journal, logger, clock } = this.#ports
    for (const bytes of journal.payloads) this.#restore(decodeJournalRecord(bytes))
    const dropped = this.#pool.trim(clock.now())
    this.#counters.expired += dropped.length
    // A crash may have come between a change of the policy and the compaction that forgets what it made void.
    if (this.#dropRevoked() > 0) void this.#compact()
    this.#holdBack()
    const fields = { records: journal.payloads.length, droppedBytes: journal.droppedBytes, ...this.status() }
    if (journal.droppedBytes > 0) logger.warn('a part of the transaction journal could not be read', fields)
    else if (journal.payloads.length > 0) logger.info('transaction journal read', fields)
    this.#compactWhenDue()
  }

  /** What has been used since costs no recovery; the sender of everything else is recovered anew, whatever the record says. */
  #restore({ raw, sender, arrivedMs, isLocal }: JournalRecord): void {
    try {
      const { nonce } = parseTransaction(raw)
      if (nonce < this.#accountOf(sender).nonce) return
      const transaction = decodeTransaction(raw)
      const standing = this.#standingOf(transaction, this.#ports.clock.now())
      this.#pool.restore(transaction, { account: this.#accountOf(transaction.sender), nowMs: arrivedMs, isLocal, ...standing })
    } catch (error) {
      if (!isCodedError(error)) throw error
      this.#ports.logger.error('a journalled transaction is not one', { sender, error: error.message })
    }
  }

  async submit(raw: Uint8Array): Promise<Hash> {
    const hash = keccak256Hex(raw)
    const refused = this.#ports.refusal?.()
    if (refused !== undefined) throw refused
    if (this.#pool.has(hash)) {
      // Whoever is told "already known" counts on it as on an acknowledgement.
      await (this.#appends.get(hash) ?? this.#appendAgain(hash))
      throw refusal('POOL_ALREADY_KNOWN', hash)
    }
    await this.#add(raw, true)
    return hash
  }

  addRemote(raw: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      // The node that passed it on has it on disk; that ours failed is in the log.
      this.#add(raw, false).catch(() => undefined)
      resolve()
    })
  }

  /** Adds at once, throwing what refuses it. @returns when it is durable */
  #add(raw: Uint8Array, isLocal: boolean): Promise<void> {
    const transaction = decodeTransaction(raw)
    const nowMs = this.#ports.clock.now()
    this.#count(this.#admit(transaction, nowMs, isLocal))
    const durable = this.#append({ raw: transaction.raw, sender: transaction.sender, arrivedMs: nowMs, isLocal }, transaction.hash)
    this.#added.emit({ transaction, isLocal })
    return durable
  }

  #admit(transaction: Transaction, nowMs: number, isLocal: boolean): Added {
    const permit = (pending: PendingWork): void => {
      const reason = this.#ports.permission?.check(transaction, nowMs, pending)
      if (reason !== undefined) throw refusalToError(reason)
    }
    try {
      return this.#pool.add(transaction, { account: this.#accountOf(transaction.sender), nowMs, isLocal, ...this.#standingOf(transaction, nowMs), permit })
    } catch (error) {
      if (isCodedError(error)) this.#counters.refused++
      throw error
    }
  }

  #standingOf(transaction: Transaction, nowMs: number): Standing {
    const { permission } = this.#ports
    return { group: permission?.groupOf(transaction.sender, nowMs), isGovernance: permission?.isGovernance(transaction, nowMs) }
  }

  #count({ replaced, evicted }: Added): void {
    this.#counters.added++
    this.#counters.evicted += evicted.length
    if (replaced !== undefined) {
      this.#counters.replaced++
      this.#unjournalled.delete(replaced.hash)
    }
    for (const { hash, sender, nonce } of evicted) {
      this.#unjournalled.delete(hash)
      this.#ports.logger.warn('a waiting transaction made room in the full pool', { hash, sender, nonce: nonce.toString() })
    }
  }

  async #append(record: JournalRecord, hash: Hash): Promise<void> {
    const { journal, logger } = this.#ports
    const durable = journal.append(encodeJournalRecord(record)).catch((error: unknown) => {
      this.#unjournalled.set(hash, record)
      logger.error('a transaction could not be journalled', { hash, error: messageOf(error) })
      throw new CodedError('POOL_JOURNAL_FAILED',
        `${hash} is not on disk (${messageOf(error)}); it may be executed, but a crash can lose it: send it again`, { cause: error })
    })
    this.#appends.set(hash, durable)
    try {
      await durable
    } finally {
      this.#appends.delete(hash)
      this.#compactWhenDue()
    }
  }

  async #appendAgain(hash: Hash): Promise<void> {
    const record = this.#unjournalled.get(hash)
    if (record === undefined) return
    this.#unjournalled.delete(hash)
    await this.#append(record, hash)
  }

  #compactWhenDue(): void {
    const { pending, queued, bytes } = this.#pool.status()
    const liveBytes = bytes + (pending + queued) * JOURNAL_RECORD_OVERHEAD_BYTES
    const dueBytes = Math.max(this.#compactionFloorBytes, 2 * liveBytes)
    if (!this.#isCompacting && this.#ports.journal.sizeBytes() >= dueBytes) void this.#compact()
  }

  async #compact(): Promise<void> {
    const { journal, logger } = this.#ports
    if (this.#isCompacting) return
    this.#isCompacting = true
    try {
      await journal.compact(() => this.#liveRecords())
      this.#counters.compactions++
      this.#compactionFloorBytes = this.#compactFromBytes
    } catch (error) {
      // Not with every append anew: a full disk does not empty itself.
      this.#compactionFloorBytes = 2 * journal.sizeBytes()
      logger.error('the transaction journal could not be compacted', { error: messageOf(error) })
    }
    this.#isCompacting = false
  }

  *#liveRecords(): Iterable<Uint8Array> {
    for (const { transaction: { raw, sender }, arrivedMs, isLocal } of this.#pool.entries()) {
      yield encodeJournalRecord({ raw, sender, arrivedMs, isLocal })
    }
  }

  onHead(head: PoolHead): void {
    const { used, expired } = this.#pool.onHead({ accounts: head.accounts, nowMs: this.#ports.clock.now() })
    for (const { hash } of [...used, ...expired]) this.#unjournalled.delete(hash)
    this.#counters.expired += expired.length
    for (const { hash, sender, nonce } of expired) {
      this.#ports.logger.warn('a transaction has waited too long and is dropped', { hash, sender, nonce: nonce.toString() })
    }
    if (this.#ports.permission?.onBlock(head) === true) this.#followPolicy()
    this.#holdBack()
  }

  #followPolicy(): void {
    if (this.#dropRevoked() > 0) void this.#compact()
    const nowMs = this.#ports.clock.now()
    this.#pool.renewStandings((transaction) => this.#standingOf(transaction, nowMs))
  }

  /** Quotas come back, so nothing is dropped for them; but nobody must wait for a block that cannot be made of it. */
  #holdBack(): void {
    const { permission, clock } = this.#ports
    if (permission === undefined) return
    const nowMs = clock.now()
    let resetsAt: unknown
    this.#pool.hold((transaction) => {
      const reason = permission.check(transaction, nowMs)
      resetsAt ??= reason?.details.resetsAt
      return reason
    })
    this.#releaseAt(typeof resetsAt === 'number' ? resetsAt * 1000 : undefined)
  }

  /** All quotas come back at the same time. A chain that is idle then would make no block by which to find it out. */
  #releaseAt(atMs: number | undefined): void {
    if (atMs === this.#release?.atMs) return
    this.#release?.cancel()
    this.#release = undefined
    if (atMs === undefined) return
    const { clock } = this.#ports
    const cancel = clock.after(atMs - clock.now(), () => {
      this.#release = undefined
      this.#holdBack()
      this.#released.emit()
    })
    this.#release = { atMs, cancel }
  }

  /** @returns how many. In the journal they would come back with the next start, when their sender may have its right again. */
  #dropRevoked(): number {
    const { permission, clock, logger } = this.#ports
    if (permission === undefined) return 0
    const nowMs = clock.now()
    const revoked = this.#pool.revoke((transaction) => permission.checkRight(transaction, nowMs), nowMs)
    for (const { transaction: { hash, sender, nonce }, reason } of revoked) {
      this.#unjournalled.delete(hash)
      this.#dropped.set(hash, reason)
      logger.warn('a transaction is dropped: its sender may not send it any more', {
        hash, sender, nonce: nonce.toString(), code: reason.code, reason: reason.message,
      })
    }
    this.#counters.dropped += revoked.length
    return revoked.length
  }

  #accountOf(address: Address): AccountView {
    return this.#ports.accountOf(address) ?? EMPTY_ACCOUNT
  }

  setAside(hash: Hash, untilHeight: number, reason?: string): void {
    this.#counters.setAside++
    this.#pool.setAside(hash, untilHeight, reason)
  }

  asideOf(hash: Hash): Aside | undefined {
    return this.#pool.asideOf(hash)
  }

  refusalOf(hash: Hash): Hold | undefined {
    return this.#pool.has(hash) ? this.#pool.heldFor(hash) : this.#dropped.get(hash)
  }

  executable(height: number): Iterable<Transaction> {
    return this.#pool.executable(height)
  }

  executableSince(height: number): number | undefined {
    return this.#pool.executableSince(height)
  }

  *pending(): Iterable<Transaction> {
    for (const { transaction } of this.#pool.entries()) yield transaction
  }

  has(hash: Hash): boolean {
    return this.#pool.has(hash)
  }

  get(hash: Hash): Transaction | undefined {
    return this.#pool.get(hash)
  }

  pendingNonce(address: Address): bigint {
    return this.#pool.pendingNonce(address) ?? this.#accountOf(address).nonce
  }

  content(address?: Address): PoolContent {
    return this.#pool.content(address)
  }

  status(): PoolStatus {
    return this.#pool.status()
  }

  onAdded(listener: (transaction: Transaction, isLocal: boolean) => void): () => void {
    return this.#added.subscribe(({ transaction, isLocal }) => listener(transaction, isLocal))
  }

  onReleased(listener: () => void): () => void {
    return this.#released.subscribe(listener)
  }

  stop(): void {
    this.#releaseAt(undefined)
  }

  metrics(): Record<string, number> {
    const { pending, queued, bytes } = this.status()
    const counters = Object.entries(this.#counters).map(([name, value]) => [`pool_${name === 'setAside' ? 'set_aside' : name}_total`, value] as const)
    return { pool_pending: pending, pool_queued: queued, pool_bytes: bytes, pool_journal_bytes: this.#ports.journal.sizeBytes(), ...Object.fromEntries(counters) }
  }
}
