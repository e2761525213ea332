import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { AccountView } from './admission.js'

/** One transaction in the pool. */
export interface PoolEntry {
  readonly transaction: Transaction
  /** Whose quota its sender shares. */
  group: string | undefined
  /** Of an administrator who governs: it has room and a share of blocks of its own. */
  isGovernance: boolean
  /** Position in the order of arrival over the whole pool. */
  readonly arrival: number
  readonly arrivedMs: number
  /** Handed to this node by its sender, and so acknowledged by it. */
  readonly isLocal: boolean
  /** Most that it can cost its sender, in wei. */
  readonly cost: bigint
  /** Executable: all lower nonces are here or used, and the balance covers them and this one. Otherwise it waits. */
  isExecutable: boolean
  /** When it last became executable or began to wait. */
  sinceMs: number
  /** Not offered for blocks below this height; 0 when it never was set aside. */
  asideUntilHeight: number
  /** Why it was set aside, for its sender. */
  asideReason: string | undefined
}

/** Why the chain would not take a transaction now, or ever, from its sender. */
export interface Hold {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Entries whose class has just changed. */
export interface Settled {
  readonly promoted: PoolEntry[]
  readonly demoted: PoolEntry[]
}

/** The transactions of one account by nonce: `nonce` to `executableEnd` (exclusive) executable, the others waiting. */
export class SenderQueue {
  readonly address: Address
  /** Next nonce of the account in the state. */
  nonce: bigint
  balance: bigint
  /** First nonce that is not executable. */
  executableEnd: bigint
  bytes = 0
  /** When one of its transactions was last used, in the order of arrival over the whole pool; 0 when none was. */
  servedAt = 0
  /** Of all entries together, in wei. */
  cost = 0n
  /** Gas limits of all entries together. */
  gas = 0n
  /** Why the first entry cannot stand in the next block, though it is executable; the others wait behind it. */
  held: Hold | undefined
  readonly #entries = new Map<bigint, PoolEntry>()
  /** An executable entry was taken out: the executable range may have a hole. */
  #isTorn = false

  constructor(address: Address, account: AccountView) {
    this.address = address
    this.nonce = account.nonce
    this.balance = account.balance
    this.executableEnd = account.nonce
  }

  get size(): number {
    return this.#entries.size
  }

  get executableCount(): number {
    return Number(this.executableEnd - this.nonce)
  }

  at(nonce: bigint): PoolEntry | undefined {
    return this.#entries.get(nonce)
  }

  /** The next to execute. */
  first(): PoolEntry | undefined {
    return this.executableEnd > this.nonce ? this.#entries.get(this.nonce) : undefined
  }

  /** Ascending by nonce. */
  entries(): PoolEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.transaction.nonce < b.transaction.nonce ? -1 : 1))
  }

  /** In the place and class of the entry with the same nonce, if there is one; `settle` must follow. */
  put(entry: PoolEntry): PoolEntry | undefined {
    const { nonce } = entry.transaction
    const replaced = this.take(nonce)
    if (replaced !== undefined) entry.isExecutable = replaced.isExecutable
    this.#entries.set(nonce, entry)
    this.bytes += entry.transaction.raw.length
    this.cost += entry.cost
    this.gas += entry.transaction.gasLimit
    return replaced
  }

  /** `settle` must follow. */
  take(nonce: bigint): PoolEntry | undefined {
    const entry = this.#entries.get(nonce)
    if (entry === undefined) return undefined
    this.#entries.delete(nonce)
    this.bytes -= entry.transaction.raw.length
    this.cost -= entry.cost
    this.gas -= entry.transaction.gasLimit
    if (nonce >= this.nonce && nonce < this.executableEnd) this.#isTorn = true
    return entry
  }

  /** Follows the account to the head's state; `settle` must follow. @returns the entries whose nonce has been used */
  follow(account: AccountView): PoolEntry[] {
    this.balance = account.balance
    if (account.nonce <= this.nonce) return []
    const used = this.#usedBelow(account.nonce)
    this.nonce = account.nonce
    for (const { transaction } of used) this.take(transaction.nonce)
    return used
  }

  #usedBelow(nonce: bigint): PoolEntry[] {
    const isShort = nonce - this.nonce <= BigInt(this.#entries.size)
    if (!isShort) return [...this.#entries.values()].filter(({ transaction }) => transaction.nonce < nonce)
    return this.#range(this.nonce, nonce)
  }

  /** Finds anew which entries are executable. @returns those for which that has changed, marked */
  settle(nowMs: number): Settled {
    const known = this.executableEnd > this.nonce ? this.executableEnd : this.nonce
    const end = this.#findExecutableEnd(known)
    const promoted = this.#range(known, end)
    const demoted = this.#range(end, known)
    for (const entry of promoted) mark(entry, true, nowMs)
    for (const entry of demoted) mark(entry, false, nowMs)
    this.executableEnd = end
    return { promoted, demoted }
  }

  /** With enough money for everything (the rule, fees being zero) and nothing taken out the known end only moves up. */
  #findExecutableEnd(known: bigint): bigint {
    const isFunded = this.cost <= this.balance
    let end = isFunded && !this.#isTorn ? known : this.nonce
    this.#isTorn = false
    let spent = 0n
    for (let entry = this.#entries.get(end); entry !== undefined; entry = this.#entries.get(end)) {
      spent += entry.cost
      if (!isFunded && spent > this.balance) break
      end++
    }
    return end
  }

  #range(from: bigint, to: bigint): PoolEntry[] {
    const entries: PoolEntry[] = []
    for (let nonce = from; nonce < to; nonce++) {
      const entry = this.#entries.get(nonce)
      if (entry !== undefined) entries.push(entry)
    }
    return entries
  }
}

function mark(entry: PoolEntry, isExecutable: boolean, nowMs: number): void {
  entry.isExecutable = isExecutable
  entry.sinceMs = nowMs
}
