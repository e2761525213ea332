import { COUNCIL_ADDRESS, ORGANISATION_REGISTER_ADDRESS, RECORD_ANCHOR_ADDRESS, USAGE_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { NO_LIMIT, ROLE, accountUsageKey, organisationUsageKey, wordOf } from '@songhua/contracts/membership/slots'
import type { Logger } from '@songhua/node/base/logger'
import { createHeadGate } from '@songhua/node/permission/head-gate'
import { type Pool, type PoolJournal, createPool } from '@songhua/node/services/pool'
import type { Account } from '@songhua/sdk/protocol/account'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import { describe, expect, it } from 'vitest'
import {
  BUREAU, MIDNIGHT, NOON, type Registers, type Storage, accountSlot, accountWords, organisationSlot, organisationWord, setUsage,
  stateOfStorage, storageOf, usageSlot,
} from '../permission/registers.js'
import { BLOCK_GAS_LIMIT, CHAIN_ID, account } from './transactions.js'

const keyOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const [CLERK, ROBOT, STRANGER] = [1, 2, 3].map((number) => privateKeyToAddress(keyOf(number))) as [Address, Address, Address]
const limits = { roles: ROLE.anchor | ROLE.deploy, gas: 1_000_000n, bytes: NO_LIMIT }
const BASE: Registers = {
  organisations: { [BUREAU]: { ...limits, gas: 1_500_000n } },
  accounts: { [CLERK]: { organisation: BUREAU, ...limits }, [ROBOT]: { organisation: BUREAU, ...limits } },
}
const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quiet }

/** Of `sender` 1, 2 or 3; an anchor when `to` is not given, a creation when it is undefined. */
function signed(sender: number, nonce: number, fields: { gasLimit?: bigint; to?: Address | undefined } = {}): Transaction {
  return signTransaction({ chainId: CHAIN_ID, nonce, gasLimit: 400_000n, to: RECORD_ANCHOR_ADDRESS, ...fields }, keyOf(sender))
}

interface Bench {
  readonly pool: Pool
  readonly storage: Storage
  readonly accounts: Map<Address, Account>
  readonly durable: Uint8Array[]
  nowMs: number
  /** What is to run, by the time for which it was asked. */
  readonly timers: Map<number, () => void>
  /** A block that wrote these slots and used these nonces. */
  block(changes?: Partial<Record<Address, bigint[]>>, nonces?: [Address, number][]): void
}

/** A pool at the head of a chain whose registers are `storage`; its journal is durable at once. */
function start(registers = BASE, { durable = [], storage = storageOf(registers), nowMs = NOON * 1000 }: { durable?: Uint8Array[]; storage?: Storage; nowMs?: number } = {}): Bench {
  const accounts = new Map<Address, Account>()
  const journal: PoolJournal = {
    payloads: [...durable],
    droppedBytes: 0,
    sizeBytes: () => durable.reduce((sum, { length }) => sum + length, 0),
    append: (record) => Promise.resolve(void durable.push(record)),
    compact: (live) => Promise.resolve(void durable.splice(0, durable.length, ...live())),
  }
  const permission = createHeadGate(stateOfStorage(storage), NOON)
  const timers = new Map<number, () => void>()
  const bench = { storage, accounts, durable, nowMs, timers }
  const after = (delayMs: number, run: () => void): (() => void) => {
    const atMs = bench.nowMs + delayMs
    timers.set(atMs, run)
    return () => timers.delete(atMs)
  }
  const pool = createPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT }, {
    journal, accountOf: (address) => accounts.get(address), permission, clock: { now: () => bench.nowMs, after }, logger: quiet,
  })
  return Object.assign(bench, {
    pool,
    block(changes: Partial<Record<Address, bigint[]>> = {}, nonces: [Address, number][] = []) {
      for (const [address, nonce] of nonces) accounts.set(address, account(nonce))
      const valueOf = (contract: Address, slot: bigint): bigint => storage.get(contract)!.get(wordOf(slot)) ?? 0n
      const changed = Object.entries(changes).map(([contract, slots]) =>
        [contract as Address, new Map((slots ?? []).map((slot): [Hash, bigint] => [wordOf(slot), valueOf(contract as Address, slot)]))] as const)
      pool.onHead({ timestamp: Math.floor(bench.nowMs / 1000), accounts: new Map(nonces.map(([address, nonce]) => [address, account(nonce)])), storage: new Map(changed) })
    },
  })
}

const codeOf = (submitted: Promise<unknown>): Promise<unknown> =>
  submitted.then(() => undefined, (error: { code: string }) => error.code)
function runTimer({ timers }: Bench): void {
  const [[atMs, run]] = [...timers] as [[number, () => void]]
  timers.delete(atMs)
  run()
}

const offered = (pool: Pool): Hash[] => [...pool.executable(1)].map(({ hash }) => hash)

function suspend({ storage }: Bench, status = 2n): bigint {
  const slot = organisationSlot(BUREAU)
  storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(slot), organisationWord({ ...limits, status }))
  return slot
}

/** Both registers' words of what the clerk, and the bureau with it, have used. */
function use({ storage }: Bench, gas: bigint, of: Address = CLERK): bigint[] {
  const keys = [accountUsageKey(of), organisationUsageKey(BUREAU)]
  for (const key of keys) setUsage(storage, key, { gas, bytes: 100n })
  return keys.map(usageSlot)
}

describe('at the pool\'s door', () => {
  it('a sender hears at once what the chain would say', async () => {
    const { pool } = start()
    expect(await codeOf(pool.submit(signed(3, 0).raw))).toBe('PERMISSION_NOT_BOUND')
    await expect(pool.submit(signed(1, 0, { gasLimit: 1_000_001n }).raw)).rejects.toMatchObject({
      code: 'QUOTA_ACCOUNT_GAS', details: { account: CLERK, organisation: BUREAU, limit: 1_000_000n, used: 0n, asked: 1_000_001n, resetsAt: MIDNIGHT },
    })
    expect(pool.metrics()).toMatchObject({ pool_refused_total: 2, pool_pending: 0 })
    const anchors = start({ ...BASE, organisations: { [BUREAU]: { ...limits, roles: ROLE.anchor } } })
    expect(await codeOf(anchors.pool.submit(signed(1, 0, { to: undefined }).raw))).toBe('PERMISSION_ROLE')
    expect(await codeOf(anchors.pool.submit(signed(1, 0).raw))).toBeUndefined()
    const suspended = start({ ...BASE, organisations: { [BUREAU]: { ...limits, status: 2n } } })
    expect(await codeOf(suspended.pool.submit(signed(1, 0).raw))).toBe('PERMISSION_ORGANISATION_SUSPENDED')
  })

  it('what is wrong with the transaction itself is told first', async () => {
    const { pool } = start()
    expect(await codeOf(pool.submit(signTransaction({ chainId: 1n, nonce: 0, gasLimit: 21_000n, to: CLERK }, keyOf(3)).raw))).toBe('POOL_WRONG_CHAIN')
  })

  it('the sender\'s own pending work counts, another\'s does not, and a replaced transaction counts no more', async () => {
    const bench = start()
    const { pool } = bench
    await pool.submit(signed(1, 0).raw)
    await pool.submit(signed(1, 1).raw)
    await expect(pool.submit(signed(1, 2, { gasLimit: 200_001n }).raw)).rejects.toMatchObject({
      code: 'QUOTA_ACCOUNT_GAS', details: { used: 0n, pending: 800_000n, asked: 200_001n },
    })
    await pool.submit(signed(1, 2, { gasLimit: 200_000n }).raw)
    // The organisation's quota would not hold both, but the clerk's may use less than it asks for.
    await pool.submit(signed(2, 0).raw)
    await pool.submit(signed(2, 1).raw)
    bench.nowMs += 61_000
    expect(await codeOf(pool.submit(signed(1, 1, { gasLimit: 400_001n }).raw))).toBe('QUOTA_ACCOUNT_GAS')
    expect(await codeOf(pool.submit(signed(1, 1, { gasLimit: 399_999n }).raw))).toBeUndefined()
  })

  it('the quota is today\'s: after midnight in Beijing it is whole again', async () => {
    const bench = start()
    bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, 1_000_000n) })
    bench.nowMs = MIDNIGHT * 1000 - 1
    expect(await codeOf(bench.pool.submit(signed(1, 0).raw))).toBe('QUOTA_ACCOUNT_GAS')
    bench.nowMs = MIDNIGHT * 1000
    expect(await codeOf(bench.pool.submit(signed(1, 0).raw))).toBeUndefined()
  })

  it('who is bound by a block may send after it', async () => {
    const bench = start()
    expect(await codeOf(bench.pool.submit(signed(3, 0).raw))).toBe('PERMISSION_NOT_BOUND')
    const slot = accountSlot(STRANGER)
    accountWords({ organisation: BUREAU, ...limits }).forEach((word, at) => bench.storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(slot + BigInt(at)), word))
    bench.block({ [ORGANISATION_REGISTER_ADDRESS]: [slot, slot + 1n] })
    expect(await codeOf(bench.pool.submit(signed(3, 0).raw))).toBeUndefined()
  })

  it('holds for what other nodes pass on', async () => {
    const { pool } = start()
    await expect(pool.addRemote(signed(3, 0).raw)).rejects.toMatchObject({ code: 'PERMISSION_NOT_BOUND' })
    await pool.addRemote(signed(1, 0).raw)
    expect(pool.status().pending).toBe(1)
  })
})

describe('a quota that is used up while transactions wait', () => {
  it('keeps them out of blocks, so that nobody waits for one, and says why', async () => {
    const bench = start()
    const { pool } = bench
    const [mine, next, robots] = [signed(1, 0), signed(1, 1), signed(2, 0)]
    for (const { raw } of [mine, next, robots]) await pool.submit(raw)
    expect(offered(pool)).toEqual([mine, robots, next].map(({ hash }) => hash))
    // Another of the bureau's accounts has used nearly everything.
    bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, 1_200_000n, `0x${'99'.repeat(20)}`) })
    expect(offered(pool)).toEqual([])
    expect(pool.executableSince(1)).toBeUndefined()
    expect(pool.status().pending).toBe(3)
    for (const { hash } of [mine, next, robots]) {
      expect(pool.refusalOf(hash)).toMatchObject({ code: 'QUOTA_ORGANISATION_GAS', details: { used: 1_200_000n, resetsAt: MIDNIGHT } })
    }
  })

  it('brings them back with the first block of the next day', async () => {
    const bench = start()
    const { pool } = bench
    const mine = signed(1, 0)
    await pool.submit(mine.raw)
    bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, 1_000_000n) })
    expect(offered(pool)).toEqual([])
    bench.nowMs = (MIDNIGHT - 1) * 1000
    bench.block()
    expect(offered(pool)).toEqual([])
    bench.nowMs = MIDNIGHT * 1000
    bench.block()
    expect(offered(pool)).toEqual([mine.hash])
    expect(pool.executableSince(1)).toBe(NOON * 1000)
    expect(pool.refusalOf(mine.hash)).toBeUndefined()
  })

  it('brings them back at midnight on an idle chain, and tells who makes blocks', async () => {
    const bench = start()
    const { pool, timers } = bench
    const mine = signed(1, 0)
    await pool.submit(mine.raw)
    expect(timers.size).toBe(0)
    for (const gas of [900_000n, 1_000_000n]) bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, gas) })
    expect([...timers.keys()]).toEqual([MIDNIGHT * 1000])
    let releases = 0
    const end = pool.onReleased(() => releases++)
    // A clock may run a timer early.
    bench.nowMs = MIDNIGHT * 1000 - 1
    runTimer(bench)
    expect([offered(pool), [...timers.keys()], releases]).toEqual([[], [MIDNIGHT * 1000], 1])
    bench.nowMs = MIDNIGHT * 1000
    runTimer(bench)
    expect([offered(pool), timers.size, releases]).toEqual([[mine.hash], 0, 2])
    expect(pool.executableSince(1)).toBe(NOON * 1000)
    end()
  })

  it('waits for no midnight when the quota is raised, nor when the pool has stopped', async () => {
    const bench = start()
    await bench.pool.submit(signed(1, 0).raw)
    const slots = use(bench, 1_000_000n)
    bench.block({ [USAGE_REGISTER_ADDRESS]: slots })
    expect(bench.timers.size).toBe(1)
    use(bench, 0n)
    bench.block({ [USAGE_REGISTER_ADDRESS]: slots })
    expect([offered(bench.pool).length, bench.timers.size]).toEqual([1, 0])
    use(bench, 1_000_000n)
    bench.block({ [USAGE_REGISTER_ADDRESS]: slots })
    bench.pool.stop()
    expect(bench.timers.size).toBe(0)
  })

  it('holds none back that fits, and lets a smaller one take the place of one that does not', async () => {
    const bench = start()
    const { pool } = bench
    await pool.submit(signed(1, 0).raw)
    bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, 600_000n) })
    expect(offered(pool)).toHaveLength(1)
    bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, 600_001n) })
    expect(offered(pool)).toEqual([])
    bench.nowMs += 61_000
    const smaller = signed(1, 0, { gasLimit: 100_000n })
    await pool.submit(smaller.raw)
    expect(offered(pool)).toEqual([smaller.hash])
    expect(pool.executableSince(1)).toBe(bench.nowMs)
  })

  it('is found again after a restart', async () => {
    const bench = start()
    await bench.pool.submit(signed(1, 0).raw)
    use(bench, 1_000_000n)
    const again = start(BASE, { durable: bench.durable, storage: bench.storage })
    expect(again.pool.status().pending).toBe(1)
    expect(offered(again.pool)).toEqual([])
    expect(start(BASE, { durable: bench.durable, storage: bench.storage, nowMs: MIDNIGHT * 1000 }).pool.executableSince(1)).toBeDefined()
  })
})

describe('a right that is lost while transactions wait', () => {
  it('takes them out of pool and journal, and the reason can be asked for', async () => {
    const bench = start()
    const { pool } = bench
    const all = [signed(1, 0), signed(1, 1), signed(1, 5, { gasLimit: 100_000n }), signed(2, 0)]
    for (const { raw } of all) await pool.submit(raw)
    bench.block({ [ORGANISATION_REGISTER_ADDRESS]: [suspend(bench)] })
    expect(pool.status()).toEqual({ pending: 0, queued: 0, bytes: 0 })
    expect([offered(pool), pool.executableSince(1), pool.pendingNonce(CLERK)]).toEqual([[], undefined, 0n])
    for (const { hash } of all) expect(pool.refusalOf(hash)).toMatchObject({ code: 'PERMISSION_ORGANISATION_SUSPENDED', details: { organisation: BUREAU } })
    expect(pool.metrics()).toMatchObject({ pool_dropped_total: 4 })
    expect(bench.durable).toEqual([])
    suspend(bench, 1n)
    bench.block({ [ORGANISATION_REGISTER_ADDRESS]: [organisationSlot(BUREAU)] })
    await pool.submit(all[0]!.raw)
    expect([offered(pool), pool.refusalOf(all[0]!.hash)]).toEqual([[all[0]!.hash], undefined])
  })

  it('takes out only what needs it; what stands behind waits for its nonce', async () => {
    const bench = start()
    const { pool } = bench
    const [first, creation, last] = [signed(1, 0), signed(1, 1, { to: undefined }), signed(1, 2, { gasLimit: 100_000n })]
    for (const { raw } of [first, creation, last]) await pool.submit(raw)
    const slot = accountSlot(CLERK)
    const [word] = accountWords({ organisation: BUREAU, ...limits, roles: ROLE.anchor })
    bench.storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(slot), word)
    bench.block({ [ORGANISATION_REGISTER_ADDRESS]: [slot] })
    expect(offered(pool)).toEqual([first.hash])
    expect(pool.content(CLERK)).toEqual({ pending: [first], queued: [last] })
    expect(pool.pendingNonce(CLERK)).toBe(1n)
    const other = signed(1, 1, { gasLimit: 50_000n })
    await pool.submit(other.raw)
    expect(offered(pool)).toEqual([first, other, last].map(({ hash }) => hash))
    expect(pool.pendingNonce(CLERK)).toBe(3n)
  })

  it('is seen at a start, when it was lost while the node was down', async () => {
    const bench = start()
    await bench.pool.submit(signed(1, 0).raw)
    suspend(bench)
    const again = start(BASE, { durable: bench.durable, storage: bench.storage })
    expect(again.pool.status().pending).toBe(0)
    expect(again.pool.refusalOf(signed(1, 0).hash)).toMatchObject({ code: 'PERMISSION_ORGANISATION_SUSPENDED' })
    expect(bench.durable).toEqual([])
  })

  it('is looked for only when a block changed organisations or policy', async () => {
    const bench = start()
    await bench.pool.submit(signed(1, 0).raw)
    suspend(bench)
    bench.block({ [USAGE_REGISTER_ADDRESS]: [] }, [[CLERK, 0]])
    expect(bench.pool.status().pending).toBe(1)
    bench.block({ [ORGANISATION_REGISTER_ADDRESS]: [organisationSlot(BUREAU)] })
    expect(bench.pool.status().pending).toBe(0)
  })
})

describe('an administrator who governs', () => {
  const governed: Registers = { ...BASE, organisations: { [BUREAU]: { ...limits, gas: 1_500_000n, administrator: CLERK } } }

  it('comes first with what it sends to the contracts that govern, though its organisation\'s day is used up, and after a restart', async () => {
    const bench = start(governed)
    const [flood, vote] = [signed(2, 0), signed(1, 0, { to: COUNCIL_ADDRESS })]
    await bench.pool.submit(flood.raw)
    await bench.pool.submit(vote.raw)
    expect(offered(bench.pool)).toEqual([vote.hash, flood.hash])
    expect(offered(start(governed, { durable: [...bench.durable] }).pool)).toEqual([vote.hash, flood.hash])
    bench.block({ [USAGE_REGISTER_ADDRESS]: use(bench, 1_500_000n, ROBOT) })
    expect(offered(bench.pool)).toEqual([vote.hash])
    expect(await codeOf(bench.pool.submit(signed(1, 1).raw))).toBe('QUOTA_ORGANISATION_GAS')
    expect(await codeOf(bench.pool.submit(signed(1, 1, { to: COUNCIL_ADDRESS }).raw))).toBeUndefined()
  })

  it('is who administers now: another\'s vote that waits comes first once it has taken over', async () => {
    const bench = start(governed)
    const all = [signed(1, 0, { to: COUNCIL_ADDRESS }), signed(2, 0, { to: COUNCIL_ADDRESS })]
    for (const { raw } of all) await bench.pool.submit(raw)
    expect(offered(bench.pool)).toEqual([all[0]!.hash, all[1]!.hash])
    const slot = organisationSlot(BUREAU) + 1n
    bench.storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(slot), BigInt(ROBOT))
    bench.block({ [ORGANISATION_REGISTER_ADDRESS]: [slot] })
    expect(offered(bench.pool)).toEqual([all[1]!.hash, all[0]!.hash])
  })

  it('comes in its turn with all else, and so does who is none', async () => {
    const { pool } = start(governed)
    const all = [signed(2, 0, { to: COUNCIL_ADDRESS }), signed(1, 0)]
    for (const { raw } of all) await pool.submit(raw)
    expect(offered(pool)).toEqual(all.map(({ hash }) => hash))
  })
})

describe('newcomers, whose keys cost nothing', () => {
  it('fill the pool together no further than what they may use together in a day', async () => {
    const open: Registers = {
      ...BASE, newcomer: { roles: ROLE.anchor, gas: 900_000n, bytes: NO_LIMIT }, newcomers: { gas: 1_000_000n, bytes: NO_LIMIT },
    }
    const { pool, durable } = start(open)
    await pool.submit(signed(11, 0).raw)
    await pool.submit(signed(12, 0).raw)
    await expect(pool.submit(signed(13, 0).raw)).rejects.toMatchObject({
      code: 'QUOTA_NEWCOMERS_GAS', details: { used: 0n, pending: 800_000n, asked: 400_000n, limit: 1_000_000n },
    })
    await pool.submit(signed(1, 0).raw)
    const again = start(open, { durable: [...durable] })
    await expect(again.pool.submit(signed(13, 0).raw)).rejects.toMatchObject({ code: 'QUOTA_NEWCOMERS_GAS' })
  })
})
