// The pool on a real file: what was acknowledged is there after the process has vanished at any moment.
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Account } from '@songhua/sdk/protocol/account'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import type { Logger } from '@songhua/node/base/logger'
import { type Pool, createPool } from '@songhua/node/services/pool'
import { openJournal } from '@songhua/node/storage/journal'
import { afterAll, describe, expect, it } from 'vitest'
import { BLOCK_GAS_LIMIT, CHAIN_ID, account, headOf, sender } from './transactions.js'

const folder = mkdtempSync(join(tmpdir(), 'songhua-pool-'))
afterAll(() => rmSync(folder, { recursive: true }))

const KEY = new Uint8Array(32).fill(1)
const ALICE = privateKeyToAddress(KEY)
const signed = (nonce: number, bytes = 0): { raw: Uint8Array; hash: Hash } =>
  signTransaction({ chainId: CHAIN_ID, nonce, gasLimit: 3_000_000n, to: sender(7), data: new Uint8Array(bytes) }, KEY)

async function open(path: string, accounts: Map<Address, Account> = new Map()) {
  const lines: string[] = []
  const log = (message: string): void => void lines.push(message)
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger }
  const journal = await openJournal(path)
  const pool = createPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT, compactFromBytes: 40_000 }, {
    journal, accountOf: (address) => accounts.get(address), permission: undefined, clock: { now: () => 1_000, after: () => () => undefined }, logger,
  })
  return { pool, journal, lines }
}

const hashes = (pool: Pool): Hash[] => [...pool.pending()].map(({ hash }) => hash)

describe('the pool on a real journal', () => {
  it('has after a crash every acknowledged transaction, whatever was being written', async () => {
    const path = join(folder, 'crash.journal')
    const { pool, journal } = await open(path)
    const acknowledged = await Promise.all(Array.from({ length: 20 }, (_, nonce) => pool.submit(signed(nonce).raw)))
    const safeBytes = statSync(path).size
    await pool.submit(signed(20).raw)
    await journal.close()
    const wholeBytes = statSync(path).size
    for (const bytes of [safeBytes, safeBytes + 1, safeBytes + 12, wholeBytes - 1]) {
      const torn = join(folder, `torn-${bytes}.journal`)
      copyFileSync(path, torn)
      truncateSync(torn, bytes)
      const revived = await open(torn)
      expect(hashes(revived.pool)).toEqual(acknowledged)
      expect(revived.lines[0]).toBe(bytes === safeBytes ? 'transaction journal read' : 'a part of the transaction journal could not be read')
      await expect(revived.pool.submit(signed(20).raw)).resolves.toBe(signed(20).hash)
      await revived.journal.close()
    }
  })

  it('shrinks to what is alive, with submissions going on, and loses none of them', async () => {
    const path = join(folder, 'compact.journal')
    const { pool, journal } = await open(path)
    for (let nonce = 0; nonce < 60; nonce += 6) {
      const submissions = Array.from({ length: 6 }, (_, at) => pool.submit(signed(nonce + at, 1_000).raw))
      await Promise.all(submissions.slice(0, 3))
      pool.onHead(headOf(new Map([[ALICE, account(nonce + 3)]])))
      await Promise.all(submissions)
    }
    await journal.close()
    expect(pool.metrics().pool_compactions_total).toBeGreaterThan(0)
    expect(statSync(path).size).toBeLessThan(45_000)
    const revived = await open(path, new Map([[ALICE, account(57)]]))
    expect(hashes(revived.pool)).toEqual([57, 58, 59].map((nonce) => signed(nonce, 1_000).hash))
    await revived.journal.close()
  })
})
