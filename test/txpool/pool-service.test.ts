import { type Account, EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { type Transaction, signTransaction } from '@songhua/sdk/protocol/transaction'
import type { Logger } from '@songhua/node/base/logger'
import { type Pool, type PoolJournal, createPool } from '@songhua/node/services/pool'
import { decodeJournalRecord, encodeJournalRecord } from '@songhua/node/txpool/journal-record'
import { describe, expect, it } from 'vitest'
import { BLOCK_GAS_LIMIT, CHAIN_ID, account, headOf, sender } from './transactions.js'

const COMPACT_FROM_BYTES = 40_000
const keyOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const addressOf = (number: number): Address => privateKeyToAddress(keyOf(number))
const signed = (number: number, nonce: number, fields: { data?: Uint8Array; chainId?: bigint } = {}): Transaction =>
  signTransaction({ chainId: CHAIN_ID, nonce, gasLimit: 3_000_000n, to: sender(7), ...fields }, keyOf(number))

/** A disk that syncs when it is told to, and forgets what was not synced when the power goes. */
function createManualJournal(durable: Uint8Array[] = []) {
  let unsynced: { record: Uint8Array; resolve: () => void; reject: (error: Error) => void }[] = []
  const compactions: number[] = []
  const journal: PoolJournal = {
    append: (record) => new Promise((resolve, reject) => unsynced.push({ record, resolve, reject })),
    payloads: [...durable],
    droppedBytes: 0,
    sizeBytes: () => [...durable, ...unsynced.map(({ record }) => record)].reduce((sum, { length }) => sum + length, 0),
    compact: (live) => {
      durable.splice(0, durable.length, ...live())
      compactions.push(durable.length)
      return Promise.resolve()
    },
  }
  return {
    journal, durable, compactions,
    sync() {
      durable.push(...unsynced.map(({ record }) => record))
      for (const { resolve } of unsynced) resolve()
      unsynced = []
    },
    fail() {
      for (const { reject } of unsynced) reject(new Error('ENOSPC: no space left on device'))
      unsynced = []
    },
  }
}

function createQuietLogger(lines: string[] = []): Logger {
  const log = (message: string): void => void lines.push(message)
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger }
  return logger
}

function start(disk: ReturnType<typeof createManualJournal>, accounts: Map<Address, Account> = new Map(), nowMs = 1_000) {
  const lines: string[] = []
  const pool = createPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT, compactFromBytes: COMPACT_FROM_BYTES }, {
    journal: disk.journal, accountOf: (address) => accounts.get(address), permission: undefined, clock: { now: () => nowMs, after: () => () => undefined }, logger: createQuietLogger(lines),
  })
  return { pool, lines }
}

/** Whether a promise has settled by the next turns of the event loop. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const pending = new Promise((resolve) => setImmediate(() => resolve('pending')))
  return String(await Promise.race([promise.then(() => 'resolved', () => 'rejected'), pending]))
}

const hashes = (pool: Pool): Hash[] => [...pool.pending()].map(({ hash }) => hash)

describe('the pool service', () => {
  it('acknowledges when the journal has synced, and lets others know of the transaction before', async () => {
    const disk = createManualJournal()
    const { pool } = start(disk)
    const seen: [Hash, boolean][] = []
    const end = pool.onAdded(({ hash }, isLocal) => seen.push([hash, isLocal]))
    const transaction = signed(1, 0)
    const submitted = pool.submit(transaction.raw)
    expect(await stateOf(submitted)).toBe('pending')
    expect(seen).toEqual([[transaction.hash, true]])
    expect(pool.executableSince(1)).toBe(1_000)
    disk.sync()
    expect(await submitted).toBe(transaction.hash)
    end()
    const remote = signed(1, 1)
    await pool.addRemote(remote.raw)
    expect(seen).toHaveLength(1)
    expect(pool.pendingNonce(addressOf(1))).toBe(2n)
    expect(pool.pendingNonce(addressOf(2))).toBe(0n)
    expect(pool.metrics()).toMatchObject({ pool_pending: 2, pool_added_total: 2, pool_refused_total: 0 })
  })

  it('says "already known" only when what it knows is durable', async () => {
    const disk = createManualJournal()
    const { pool } = start(disk)
    const { raw } = signed(1, 0)
    await pool.addRemote(raw)
    const again = pool.submit(raw)
    expect(await stateOf(again)).toBe('pending')
    disk.sync()
    await expect(again).rejects.toMatchObject({ code: 'POOL_ALREADY_KNOWN' })
  })

  it('does not acknowledge what the disk did not take, and tries again when it is sent again', async () => {
    const disk = createManualJournal()
    const { pool, lines } = start(disk)
    const { raw, hash } = signed(1, 0)
    const submitted = pool.submit(raw)
    disk.fail()
    await expect(submitted).rejects.toMatchObject({ code: 'POOL_JOURNAL_FAILED', message: expect.stringContaining('ENOSPC') as string })
    expect(lines).toContain('a transaction could not be journalled')
    const again = pool.submit(raw)
    expect(await stateOf(again)).toBe('pending')
    disk.sync()
    await expect(again).rejects.toMatchObject({ code: 'POOL_ALREADY_KNOWN' })
    expect(hashes(start(createManualJournal(disk.durable)).pool)).toEqual([hash])
  })

  it('refuses with the reason, and journals nothing of it', async () => {
    const disk = createManualJournal()
    const { pool } = start(disk, new Map([[addressOf(1), account(5)]]))
    const refused: [Uint8Array, string][] = [
      [signed(1, 4).raw, 'POOL_NONCE_TOO_LOW'],
      [signed(1, 5, { chainId: 1n }).raw, 'POOL_WRONG_CHAIN'],
      [Uint8Array.of(), 'TX_EMPTY'],
      [Uint8Array.of(3, 0xc0), 'TX_TYPE'],
      [new Uint8Array(200_000).fill(0xf8), 'TX_TOO_LARGE'],
    ]
    for (const [raw, code] of refused) {
      await expect(pool.submit(raw)).rejects.toMatchObject({ code })
      await expect(pool.addRemote(raw)).rejects.toMatchObject({ code })
    }
    disk.sync()
    expect(disk.durable).toEqual([])
    expect(pool.metrics()).toMatchObject({ pool_refused_total: 4, pool_pending: 0 })
  })

  it('a listener that fails harms nobody', async () => {
    const disk = createManualJournal()
    const { pool, lines } = start(disk)
    pool.onAdded(() => { throw new Error('listener') })
    const submitted = pool.submit(signed(1, 0).raw)
    disk.sync()
    await submitted
    expect(lines).toContain('a listener to the pool failed')
  })
})

describe('the pool service after a crash', () => {
  it('holds everything acknowledged that has no block yet, in its order, with its age', async () => {
    const disk = createManualJournal()
    const { pool } = start(disk)
    const kept = [signed(1, 1), signed(2, 0), signed(1, 2)]
    for (const { raw } of [signed(1, 0), ...kept]) {
      const submitted = pool.submit(raw)
      disk.sync()
      await submitted
    }
    void pool.submit(signed(3, 0).raw)
    const { pool: revived, lines } = start(createManualJournal(disk.durable), new Map([[addressOf(1), account(1)]]), 30_000)
    expect(hashes(revived)).toEqual(kept.map(({ hash }) => hash))
    expect(revived.status()).toMatchObject({ pending: 3, queued: 0 })
    expect(revived.executableSince(1)).toBe(1_000)
    expect(lines).toEqual(['transaction journal read'])
    await expect(revived.submit(signed(2, 0, { data: Uint8Array.of(1) }).raw))
      .rejects.toMatchObject({ code: 'POOL_REPLACEMENT_TOO_EARLY', details: { leftMs: 31_000 } })
  })

  it('keeps what its account cannot pay any more, waiting', async () => {
    const disk = createManualJournal()
    const rich = new Map([[addressOf(1), { ...EMPTY_ACCOUNT, balance: 10n }]])
    const { pool } = start(disk, rich)
    const transaction = signTransaction({ chainId: CHAIN_ID, nonce: 0, gasLimit: 21_000n, to: sender(7), value: 10n }, keyOf(1))
    const submitted = pool.submit(transaction.raw)
    disk.sync()
    await submitted
    const { pool: revived } = start(createManualJournal(disk.durable))
    expect(revived.status()).toMatchObject({ pending: 0, queued: 1 })
    revived.onHead(headOf(rich))
    expect(revived.status()).toMatchObject({ pending: 1, queued: 0 })
  })

  it('believes no journal about who signed', () => {
    const { raw, hash } = signed(1, 0)
    const forged = encodeJournalRecord({ arrivedMs: 1, isLocal: true, sender: sender(9), raw })
    const garbage = encodeJournalRecord({ arrivedMs: 1, isLocal: true, sender: sender(9), raw: Uint8Array.of(1, 2, 3) })
    const { pool, lines } = start(createManualJournal([garbage, forged]))
    expect(hashes(pool)).toEqual([hash])
    expect(pool.content(addressOf(1)).pending).toHaveLength(1)
    expect(lines).toContain('a journalled transaction is not one')
  })

  it('refuses the journal of a newer program', () => {
    const record = encodeJournalRecord({ arrivedMs: 1, isLocal: true, sender: sender(1), raw: Uint8Array.of(1) })
    expect(() => start(createManualJournal([Uint8Array.of(2, ...record.subarray(1))])).pool)
      .toThrow(expect.objectContaining({ code: 'POOL_JOURNAL_VERSION' }) as Error)
    expect(() => decodeJournalRecord(record.subarray(0, 30))).toThrow('30 bytes')
    expect(decodeJournalRecord(record)).toEqual({ arrivedMs: 1, isLocal: true, sender: sender(1), raw: Uint8Array.of(1) })
  })

  it('compacts the journal to what is alive', async () => {
    const disk = createManualJournal()
    const { pool } = start(disk)
    const data = new Uint8Array(1_000)
    for (let nonce = 0; nonce < 45; nonce++) {
      const submitted = pool.submit(signed(1, nonce, { data }).raw)
      disk.sync()
      await submitted
      // All but every tenth get their block at once.
      if (nonce % 10 !== 9) pool.onHead(headOf(new Map([[addressOf(1), account(nonce + 1)]])))
    }
    expect(disk.compactions).toHaveLength(1)
    expect(disk.durable.length).toBeLessThan(15)
    const view = new Map([[addressOf(1), account(45)]])
    expect(hashes(start(createManualJournal(disk.durable), view).pool)).toEqual(hashes(pool))
    const last = pool.submit(signed(1, 45).raw)
    disk.sync()
    await last
    expect(hashes(start(createManualJournal(disk.durable), view).pool)).toEqual(hashes(pool))
    expect(hashes(pool)).toHaveLength(1)
  })
})
