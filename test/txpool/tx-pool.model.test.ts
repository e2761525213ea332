// Random lives of a small pool, held after every step to what must always be true of it.
import fc from 'fast-check'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { turnOf } from '@songhua/node/txpool/block-turn'
import { isPoolRefusal } from '@songhua/node/txpool/refusal'
import type { PoolEntry } from '@songhua/node/txpool/sender-queue'
import { TxPool } from '@songhua/node/txpool/tx-pool'
import { expect, it } from 'vitest'
import { BLOCK_GAS_LIMIT, CHAIN_ID, account, sender, transactionOf } from './transactions.js'

const LIMITS = {
  maxTransactions: 12, maxBytes: 1_500, maxAccountTransactions: 6, maxAccountBytes: 700, maxTransactionBytes: 250,
  maxNonceGap: 5, replaceAfterS: 3, waitingLifetimeS: 8,
}
const SENDERS = [1, 2, 3, 4, 5].map(sender)

type Step =
  | { kind: 'add'; who: number; offset: number; value: number; bytes: number; isLocal: boolean; isGovernance: boolean }
  | { kind: 'head'; changes: { who: number; used: number; balance: number }[] }
  | { kind: 'wait'; seconds: number }
  | { kind: 'setAside'; pick: number; heights: number }
  | { kind: 'block' }
  | { kind: 'hold'; whom: number[] }
  | { kind: 'revoke'; who: number; every: number }
  | { kind: 'policy'; governing: number[] }

const who = fc.nat(SENDERS.length - 1)
const add = fc.record({
  kind: fc.constant('add' as const), who, offset: fc.integer({ min: -1, max: 7 }), value: fc.constantFrom(0, 0, 0, 1, 5),
  bytes: fc.integer({ min: 60, max: 260 }), isLocal: fc.boolean(), isGovernance: fc.boolean(),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: add, weight: 12 },
  { arbitrary: fc.record({ kind: fc.constant('add' as const), who, offset: fc.constant(0), value: fc.constant(0), bytes: fc.constant(100), isLocal: fc.constant(true), isGovernance: fc.boolean() }), weight: 4 },
  { arbitrary: fc.record({
    kind: fc.constant('head' as const),
    changes: fc.array(fc.record({ who, used: fc.nat(3), balance: fc.nat(12) }), { maxLength: 3 }),
  }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(6) }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('setAside' as const), pick: fc.nat(20), heights: fc.nat(3) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('block' as const) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('hold' as const), whom: fc.uniqueArray(who, { maxLength: 3 }) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('revoke' as const), who, every: fc.integer({ min: 1, max: 3 }) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('policy' as const), governing: fc.uniqueArray(who, { maxLength: 2 }) }), weight: 1 },
)

const reason = { code: 'QUOTA_ACCOUNT_GAS', message: 'used up', details: {} }

class World {
  readonly pool = new TxPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT, ...LIMITS })
  readonly accounts = new Map(SENDERS.map((address) => [address, account(0, 8n)]))
  /** Whose first transaction was found not to fit the next block. */
  readonly held = new Set<Address>()
  nowMs = 0
  height = 1

  /** @returns the hashes that the pool says have left, and how */
  run(action: Step): Map<Hash, string> {
    switch (action.kind) {
      case 'add': return this.#add(action)
      case 'head': return this.#head(action.changes.map(({ who: at, used, balance }) => ({ address: SENDERS[at]!, used, balance })))
      case 'wait': this.nowMs += action.seconds * 1000; return new Map()
      case 'setAside': {
        const entry = [...this.pool.entries()].at(action.pick)
        if (entry) this.pool.setAside(entry.transaction.hash, this.height + action.heights)
        return new Map()
      }
      case 'block': return this.#block()
      case 'hold': return this.#hold(new Set(action.whom.map((at) => SENDERS[at]!)))
      case 'revoke': {
        const isRevoked = ({ sender: from, nonce }: Transaction): boolean => from === SENDERS[action.who] && Number(nonce) % action.every === 0
        const revoked = this.pool.revoke((one) => (isRevoked(one) ? reason : undefined), this.nowMs)
        return new Map(revoked.map(({ transaction: { hash } }) => [hash, 'revoked']))
      }
      case 'policy': {
        this.pool.renewStandings(({ sender: from }) => ({ isGovernance: action.governing.includes(SENDERS.indexOf(from)) }))
        return new Map()
      }
      default: return action satisfies never
    }
  }

  #add({ who: at, offset, value, bytes, isLocal, isGovernance }: Step & { kind: 'add' }): Map<Hash, string> {
    const address = SENDERS[at]!
    const view = this.accounts.get(address)!
    const nonce = Number(this.pool.pendingNonce(address) ?? view.nonce) + offset
    if (nonce < 0) return new Map()
    const transaction = transactionOf(address, nonce, { value: BigInt(value), raw: new Uint8Array(bytes) })
    const before = [...this.pool.entries()]
    try {
      const { replaced, evicted, isExecutable } = this.pool.add(transaction, { account: view, nowMs: this.nowMs, isLocal, isGovernance })
      if (isExecutable && transaction.nonce === view.nonce) this.held.delete(address)
      return new Map([...evicted.map((one) => [one.hash, 'evicted'] as const), ...(replaced ? [[replaced.hash, 'replaced'] as const] : [])])
    } catch (error) {
      if (!isPoolRefusal(error)) throw error
      expect([...this.pool.entries()]).toEqual(before)
      return new Map()
    }
  }

  #head(changes: { address: Address; used: number; balance: number }[]): Map<Hash, string> {
    this.height++
    for (const { address, used, balance } of changes) {
      this.accounts.set(address, account(Number(this.accounts.get(address)!.nonce) + used, BigInt(balance)))
    }
    const accounts = new Map(changes.map(({ address }) => [address, this.accounts.get(address)!]))
    const { used, expired } = this.pool.onHead({ accounts, nowMs: this.nowMs })
    return new Map([...used.map(({ hash }) => [hash, 'used'] as const), ...expired.map(({ hash }) => [hash, 'expired'] as const)])
  }

  /** A block with the first three of the pool's order. */
  #block(): Map<Hash, string> {
    const packed = [...this.pool.executable(this.height)].slice(0, 3)
    return this.#head(SENDERS.map((address) => ({
      address, used: packed.filter((one) => one.sender === address).length, balance: Number(this.accounts.get(address)!.balance),
    })).filter(({ used }) => used > 0))
  }

  #hold(whom: ReadonlySet<Address>): Map<Hash, string> {
    this.held.clear()
    for (const { transaction: { sender: from }, isExecutable } of this.pool.entries()) {
      if (isExecutable && whom.has(from)) this.held.add(from)
    }
    this.pool.hold(({ sender: from }) => (whom.has(from) ? reason : undefined))
    return new Map()
  }

  check(): void {
    const entries = [...this.pool.entries()]
    for (const address of this.held) if (!entries.some(({ transaction }) => transaction.sender === address)) this.held.delete(address)
    for (const { transaction: { hash, sender: from }, isExecutable } of entries) {
      expect(this.pool.heldFor(hash)).toBe(isExecutable && this.held.has(from) ? reason : undefined)
    }
    this.#checkLimits(entries)
    for (const address of SENDERS) this.#checkSender(address, entries.filter(({ transaction }) => transaction.sender === address))
    this.#checkOrder(entries)
  }

  #checkLimits(entries: readonly Readonly<PoolEntry>[]): void {
    const bytes = entries.reduce((sum, { transaction }) => sum + transaction.raw.length, 0)
    const pending = entries.filter(({ isExecutable }) => isExecutable).length
    expect(this.pool.status()).toEqual({ pending, queued: entries.length - pending, bytes })
    expect(entries.length).toBeLessThanOrEqual(LIMITS.maxTransactions)
    expect(bytes).toBeLessThanOrEqual(LIMITS.maxBytes)
  }

  #checkSender(address: Address, entries: readonly Readonly<PoolEntry>[]): void {
    const { nonce, balance } = this.accounts.get(address)!
    const byNonce = new Map(entries.map((entry) => [entry.transaction.nonce, entry]))
    expect(byNonce.size).toBe(entries.length)
    expect(entries.length).toBeLessThanOrEqual(LIMITS.maxAccountTransactions)
    expect(entries.reduce((sum, { transaction }) => sum + transaction.raw.length, 0)).toBeLessThanOrEqual(LIMITS.maxAccountBytes)
    let [next, spent] = [nonce, 0n]
    for (let entry = byNonce.get(next); entry && spent + entry.cost <= balance; entry = byNonce.get(next)) {
      spent += entry.cost
      next++
    }
    for (const { transaction, isExecutable } of entries) {
      expect(isExecutable).toBe(transaction.nonce < next)
      expect(transaction.nonce).toBeGreaterThanOrEqual(nonce)
    }
    if (entries.length > 0) expect(this.pool.pendingNonce(address)).toBe(next)
    expect(this.pool.content(address).pending.map((one) => one.nonce)).toEqual(Array.from({ length: Number(next - nonce) }, (_, at) => nonce + BigInt(at)))
  }

  /** Whole for each account, in nonce order, and nobody two ahead of another who still has some. */
  #checkOrder(entries: readonly Readonly<PoolEntry>[]): void {
    const order = [...this.pool.executable(this.height)]
    const due = SENDERS.map((address) => this.#offeredBy(address, entries))
    const firstOf = (own: readonly Transaction[]): Readonly<PoolEntry> | undefined => entries.find(({ transaction }) => transaction === own[0])
    const firsts = due.flatMap((own) => firstOf(own) ?? [])
    const leavesOutAside = {
      aside: false,
      governing: firsts.some(({ isGovernance, asideUntilHeight }) => isGovernance && asideUntilHeight === 0),
      arrival: firsts.some(({ asideUntilHeight }) => asideUntilHeight === 0),
    }[turnOf(this.height)]
    const offered = leavesOutAside ? due.map((own) => this.#neverAside(own, entries)) : due
    expect(order.length).toBe(offered.flat().length)
    for (const own of offered) expect(order.filter(({ sender: from }) => from === own[0]?.sender)).toEqual(own)
    const given = SENDERS.map(() => 0)
    for (const transaction of order) {
      const at = SENDERS.indexOf(transaction.sender)
      const waitingTurns = given.filter((count, other) => other !== at && count < offered[other]!.length)
      expect(given[at]).toBeLessThanOrEqual(Math.min(...waitingTurns, Infinity))
      given[at]!++
    }
    expect(this.pool.executableSince(this.height)).toBe(firsts.length > 0 ? Math.min(...firsts.map(({ sinceMs }) => sinceMs)) : undefined)
  }

  #neverAside(own: readonly Transaction[], entries: readonly Readonly<PoolEntry>[]): Transaction[] {
    const aside = own.findIndex((one) => entries.some(({ transaction, asideUntilHeight }) => transaction === one && asideUntilHeight > 0))
    return own.slice(0, aside < 0 ? own.length : aside)
  }

  #offeredBy(address: Address, entries: readonly Readonly<PoolEntry>[]): Transaction[] {
    const own = entries
      .filter(({ transaction, isExecutable }) => transaction.sender === address && isExecutable)
      .sort((a, b) => Number(a.transaction.nonce - b.transaction.nonce))
    if (this.held.has(address)) return []
    const aside = own.findIndex(({ asideUntilHeight }) => asideUntilHeight > this.height)
    return own.slice(0, aside < 0 ? own.length : aside).map(({ transaction }) => transaction)
  }
}

it('holds its invariants through random lives', () => {
  const left = new Map<string, number>()
  fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
    const world = new World()
    for (const action of steps) {
      const before = new Map([...world.pool.entries()].map(({ transaction, isExecutable }) => [transaction.hash, isExecutable]))
      const gone = world.run(action)
      world.check()
      // Nothing leaves silently, and what was executable leaves only by its nonce's use, its sender's replacement or a lost right.
      for (const [hash, wasExecutable] of before) {
        expect(world.pool.has(hash)).toBe(!gone.has(hash))
        if (wasExecutable && gone.has(hash)) expect(['used', 'replaced', 'revoked']).toContain(gone.get(hash))
      }
      for (const how of gone.values()) left.set(how, (left.get(how) ?? 0) + 1)
    }
  }), { numRuns: 80 })
  // The lives are rich enough to mean something.
  for (const how of ['used', 'replaced', 'evicted', 'expired', 'revoked']) expect(left.get(how) ?? 0, how).toBeGreaterThan(0)
})

it('after a restart holds again everything that was executable, and everything else unless it is too old', () => {
  fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
    const world = new World()
    for (const action of steps) world.run(action)
    const revived = new TxPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT, ...LIMITS })
    for (const { transaction, arrivedMs, isLocal } of world.pool.entries()) {
      revived.restore(transaction, { account: world.accounts.get(transaction.sender)!, nowMs: arrivedMs, isLocal })
    }
    revived.trim(world.nowMs)
    const all = new Set([...revived.entries()].map(({ transaction }) => transaction))
    for (const { transaction, isExecutable, arrivedMs } of world.pool.entries()) {
      const isYoung = arrivedMs + LIMITS.waitingLifetimeS * 1000 > world.nowMs
      if (isExecutable || isYoung) expect(all.has(transaction)).toBe(true)
    }
    expect(revived.content().pending).toEqual(expect.arrayContaining(world.pool.content().pending))
  }), { numRuns: 80 })
})
