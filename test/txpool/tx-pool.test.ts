import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { type BlockTurn, turnOf } from '@songhua/node/txpool/block-turn'
import type { TxPoolLimits } from '@songhua/node/txpool/limits'
import { type PendingWork, TxPool } from '@songhua/node/txpool/tx-pool'
import { beforeEach, describe, expect, it } from 'vitest'
import { BLOCK_GAS_LIMIT, CHAIN_ID, account, sender, transactionOf } from './transactions.js'

const [ALICE, BOB, CAROL, DAVE] = [sender(1), sender(2), sender(3), sender(4)]
const NAMES = ' abcd'
const SECOND = 1000

function createTestPool(limits: Partial<TxPoolLimits> = {}) {
  const pool = new TxPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT, ...limits })
  let nowMs = 0
  return {
    pool,
    at: (timeMs: number): void => void (nowMs = timeMs),
    add: (transaction: Transaction, view = account(), isLocal = true) => pool.add(transaction, { account: view, nowMs, isLocal }),
    order: (height = 1): string[] =>
      [...pool.executable(height)].map(({ sender: from, nonce }) => `${NAMES[Number(from)]}${nonce}`),
  }
}

const refusalOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isCodedError(error)) return `${error.code} ${error.message}`
    throw error
  }
  return 'accepted'
}

describe('TxPool admission', () => {
  const cases: [string, Partial<Transaction>, Partial<ReturnType<typeof account>>, string][] = [
    ['a pre-EIP-155 signature', { chainId: undefined }, {}, 'POOL_UNPROTECTED only replay-protected (EIP-155) transactions'],
    ['another chain', { chainId: 1n }, {}, 'POOL_WRONG_CHAIN invalid chain id for signer: have 1, want 230099'],
    ['a used nonce', { nonce: 4n }, { nonce: 5n }, 'POOL_NONCE_TOO_LOW nonce too low: next nonce 5, tx nonce 4'],
    ['a far nonce', { nonce: 1025n }, {}, 'POOL_NONCE_GAP nonce too high: next nonce 0, tx nonce 1025'],
    ['gas above the block', { gasLimit: BLOCK_GAS_LIMIT + 1n }, {}, 'POOL_ABOVE_BLOCK_GAS exceeds block gas limit: gas 30000001'],
    ['gas below 21000', { gasLimit: 20_999n }, {}, 'POOL_INTRINSIC_GAS intrinsic gas too low: gas 20999, minimum needed 21000'],
    ['gas below its data', { data: Uint8Array.of(0, 1), gasLimit: 21_019n }, {}, 'minimum needed 21020'],
    ['gas below its creation', { to: undefined, data: new Uint8Array(33), gasLimit: 53_135n }, {}, 'minimum needed 53136'],
    ['gas below its access list', { accessList: [{ address: ALICE, storageKeys: [`0x${'00'.repeat(32)}`] }] }, {}, 'minimum needed 25300'],
    ['too much init code', { to: undefined, data: new Uint8Array(49_153), gasLimit: 9_000_000n }, {}, 'POOL_INIT_CODE_TOO_LARGE max initcode size exceeded: code size 49153, limit 49152'],
    ['too many bytes', { raw: new Uint8Array(131_073) }, {}, 'POOL_OVERSIZED oversized data: transaction size 131073, limit 131072'],
    ['a contract as sender', {}, { codeHash: `0x${'11'.repeat(32)}` }, 'POOL_SENDER_HAS_CODE sender not an eoa'],
    ['value without funds', { value: 11n }, { balance: 10n }, 'POOL_INSUFFICIENT_FUNDS insufficient funds for gas * price + value: address 0x0000000000000000000000000000000000000001 have 10 want 11 (overshot 1)'],
    ['a price without funds', { maxFeePerGas: 1n }, { balance: 20_999n }, 'want 21000 (overshot 1)'],
  ]
  it.each(cases)('refuses %s', (_what, fields, view, reason) => {
    const { pool, add } = createTestPool()
    expect(refusalOf(() => add(transactionOf(ALICE, 0, fields), { ...account(), ...view }))).toContain(reason)
    expect(pool.status()).toEqual({ pending: 0, queued: 0, bytes: 0 })
  })

  it('accepts the last value of each bound', () => {
    const { add } = createTestPool()
    const accepted: [Partial<Transaction>, bigint][] = [
      [{ gasLimit: BLOCK_GAS_LIMIT }, 0n],
      [{ to: undefined, data: new Uint8Array(49_152), gasLimit: 9_000_000n }, 0n],
      [{ raw: new Uint8Array(131_072) }, 0n],
      [{ value: 10n }, 10n],
    ]
    accepted.forEach(([fields, balance], index) => add(transactionOf(sender(100 + index), 0, fields), account(0, balance)))
    expect(add(transactionOf(BOB, 1023), account()).isExecutable).toBe(false)
  })

  it('refuses the same transaction twice', () => {
    const { add } = createTestPool()
    const transaction = transactionOf(ALICE, 0)
    add(transaction)
    expect(refusalOf(() => add(transaction))).toBe(`POOL_ALREADY_KNOWN already known: ${transaction.hash}`)
  })

  it('refuses what the account cannot pay together with what it has here', () => {
    const { add } = createTestPool()
    add(transactionOf(ALICE, 0, { value: 6n }), account(0, 10n))
    expect(refusalOf(() => add(transactionOf(ALICE, 1, { value: 5n }), account(0, 10n))))
      .toContain('have 10 want 11 for all its transactions (overshot 1)')
    expect(add(transactionOf(ALICE, 1, { value: 4n }), account(0, 10n)).isExecutable).toBe(true)
  })

  it('refuses unknown and senseless limits by name', () => {
    for (const [name, value] of [['maxBytes', 0], ['replaceAfterS', 1.5], ['maxTransactions', NaN], ['maxMonkeys', 1]]) {
      expect(() => createTestPool({ [name as string]: value as number })).toThrow(`pool.${name}`)
    }
  })
})

describe('TxPool nonces', () => {
  it('are executable while they are contiguous, and promoted when the missing one comes', () => {
    const { pool, add, order } = createTestPool()
    expect([add(transactionOf(ALICE, 7), account(5)), add(transactionOf(ALICE, 5), account(5))].map((added) => added.isExecutable))
      .toEqual([false, true])
    expect(pool.pendingNonce(ALICE)).toBe(6n)
    expect(pool.status()).toEqual({ pending: 1, queued: 1, bytes: 200 })
    add(transactionOf(ALICE, 6), account(5))
    expect(pool.pendingNonce(ALICE)).toBe(8n)
    expect(order()).toEqual(['a5', 'a6', 'a7'])
    expect(pool.pendingNonce(BOB)).toBeUndefined()
  })

  it('leave when they are used, also by transactions that were never here', () => {
    const { pool, add } = createTestPool()
    const [first, second, third] = [0, 1, 2].map((nonce) => transactionOf(ALICE, nonce)) as [Transaction, Transaction, Transaction]
    for (const transaction of [first, second, third]) add(transaction)
    expect(pool.onHead({ accounts: new Map([[ALICE, account(2)], [BOB, account(9)]]), nowMs: 0 }).used).toEqual([first, second])
    expect(pool.content()).toEqual({ pending: [third], queued: [] })
    expect(pool.onHead({ accounts: new Map([[ALICE, account(1000)]]), nowMs: 0 }).used).toEqual([third])
    expect(pool.status()).toEqual({ pending: 0, queued: 0, bytes: 0 })
  })

  it('that waited become executable when the chain reaches them', () => {
    const { pool, add, order } = createTestPool()
    add(transactionOf(ALICE, 3))
    expect(order()).toEqual([])
    pool.onHead({ accounts: new Map([[ALICE, account(3)]]), nowMs: 0 })
    expect(order()).toEqual(['a3'])
  })

  it('wait when the balance has gone, and go on when it is back', () => {
    const { pool, add, order } = createTestPool()
    for (const nonce of [0, 1, 2]) add(transactionOf(ALICE, nonce, { value: nonce === 1 ? 5n : 0n }), account(0, 5n))
    pool.onHead({ accounts: new Map([[ALICE, account(0, 4n)]]), nowMs: 0 })
    expect(order()).toEqual(['a0'])
    expect(pool.status()).toMatchObject({ pending: 1, queued: 2 })
    expect(pool.pendingNonce(ALICE)).toBe(1n)
    pool.onHead({ accounts: new Map([[ALICE, account(0, 5n)]]), nowMs: 0 })
    expect(order()).toEqual(['a0', 'a1', 'a2'])
  })

  it('may come in any order up to the account’s limit, the missing one last', () => {
    const { add, order } = createTestPool({ maxAccountTransactions: 4 })
    for (const nonce of [3, 2, 1]) add(transactionOf(ALICE, nonce))
    expect(refusalOf(() => add(transactionOf(ALICE, 4)))).toContain('POOL_ACCOUNT_LIMIT account limit exceeded')
    add(transactionOf(ALICE, 0))
    expect(order()).toEqual(['a0', 'a1', 'a2', 'a3'])
  })
})

describe('TxPool replacement', () => {
  let test: ReturnType<typeof createTestPool>
  let first: Transaction
  beforeEach(() => {
    test = createTestPool({ replaceAfterS: 60 })
    first = transactionOf(ALICE, 0)
    test.add(first)
    test.add(transactionOf(ALICE, 1))
  })

  it('is refused while the first is young, with the time left, whatever the fee', () => {
    test.at(59_001)
    const dear = transactionOf(ALICE, 0, { maxFeePerGas: 1n })
    expect(refusalOf(() => test.add(dear, account(0, 21_000n))))
      .toBe(`POOL_REPLACEMENT_TOO_EARLY replacement transaction underpriced: ${first.hash} with nonce 0 may be replaced in 1 s (fees do not count)`)
  })

  it('takes the place of the first when that is old enough', () => {
    test.at(60_000)
    const second = transactionOf(ALICE, 0)
    expect(test.add(second)).toEqual({ isExecutable: true, replaced: first, evicted: [] })
    expect(test.pool.has(first.hash)).toBe(false)
    expect(test.order()).toEqual(['a0', 'a1'])
    expect(test.pool.status()).toEqual({ pending: 2, queued: 0, bytes: 200 })
  })

  it('passed on by another node may come a little before, because its first came later here', () => {
    test.at(55_000)
    expect(test.add(transactionOf(ALICE, 0), account(), false).replaced).toBe(first)
  })

  it('that costs more than there is leaves the first in place', () => {
    test.at(60_000)
    expect(refusalOf(() => test.add(transactionOf(ALICE, 0, { value: 1n }), account()))).toContain('POOL_INSUFFICIENT_FUNDS')
    expect(test.pool.has(first.hash)).toBe(true)
  })
})

describe('TxPool order', () => {
  it('is by arrival, one of each account in turn', () => {
    const { add, order } = createTestPool()
    for (let nonce = 0; nonce < 4; nonce++) add(transactionOf(ALICE, nonce))
    add(transactionOf(BOB, 0))
    add(transactionOf(CAROL, 0))
    add(transactionOf(BOB, 1))
    expect(order()).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3'])
  })

  it('takes one of each account in turn over blocks too, so that dear ones keep nobody waiting', () => {
    const { pool, add, order } = createTestPool()
    for (const from of [ALICE, BOB]) for (let nonce = 0; nonce < 4; nonce++) add(transactionOf(from, nonce))
    add(transactionOf(CAROL, 0))
    add(transactionOf(CAROL, 1))
    const blocks: string[] = []
    // Each fills a block.
    for (let height = 1; pool.status().pending > 0; height++) {
      const [next] = pool.executable(height)
      blocks.push(order(height)[0]!)
      pool.onHead({ accounts: new Map([[next!.sender, account(Number(next!.nonce) + 1)]]), nowMs: 0 })
      if (height === 1) add(transactionOf(DAVE, 0))
    }
    expect(blocks).toEqual(['a0', 'b0', 'c0', 'a1', 'd0', 'b1', 'c1', 'a2', 'b2', 'a3', 'b3'])
  })

  it('passes over an account whose next transaction went while a block was packed', () => {
    const { pool, add } = createTestPool()
    for (const nonce of [0, 1]) for (const from of [ALICE, BOB]) add(transactionOf(from, nonce))
    const taken: string[] = []
    for (const { sender: from, nonce } of pool.executable(1)) {
      taken.push(`${from.slice(-1)}:${nonce}`)
      if (taken.length === 1) pool.onHead({ accounts: new Map([[BOB, account(2)]]), nowMs: 0 })
    }
    expect(taken).toEqual(['1:0', '1:1'])
  })

  it('leaves out what is set aside and its followers until the height, then puts it first', () => {
    const { pool, add, order } = createTestPool()
    const dear = transactionOf(BOB, 0)
    add(transactionOf(ALICE, 0))
    add(dear)
    add(transactionOf(BOB, 1))
    pool.setAside(dear.hash, 10)
    expect(order(9)).toEqual(['a0'])
    expect(order(10)).toEqual(['b0', 'a0', 'b1'])
    expect(pool.status().pending).toBe(3)
    pool.setAside(`0x${'99'.repeat(32)}`, 10)
  })

  it('tells since when there has been something to do', () => {
    const { pool, add, at } = createTestPool()
    expect(pool.executableSince(1)).toBeUndefined()
    at(5)
    add(transactionOf(ALICE, 1))
    expect(pool.executableSince(1)).toBeUndefined()
    at(7)
    const filler = transactionOf(ALICE, 0)
    add(filler)
    expect(pool.executableSince(1)).toBe(7)
    at(8)
    add(transactionOf(BOB, 0))
    expect(pool.executableSince(1)).toBe(7)
    pool.setAside(filler.hash, 3)
    expect(pool.executableSince(1)).toBe(8)
    expect(pool.executableSince(3)).toBe(7)
    pool.onHead({ accounts: new Map([[ALICE, account(2)], [BOB, account(1)]]), nowMs: 9 })
    expect(pool.executableSince(3)).toBeUndefined()
  })
})

describe('TxPool limits', () => {
  it('a full pool refuses; it evicts nothing executable, and nothing for what would wait', () => {
    const { pool, add } = createTestPool({ maxTransactions: 2 })
    add(transactionOf(ALICE, 0))
    const waiting = transactionOf(BOB, 5)
    add(waiting)
    expect(refusalOf(() => add(transactionOf(CAROL, 1)))).toContain('POOL_FULL txpool is full')
    expect(add(transactionOf(CAROL, 0)).evicted).toEqual([waiting])
    expect(refusalOf(() => add(transactionOf(BOB, 0)))).toContain('POOL_FULL')
    expect(pool.status()).toEqual({ pending: 2, queued: 0, bytes: 200 })
  })

  it('the longest waiting make room first, and none go when that would not be enough', () => {
    const { pool, add } = createTestPool({ maxBytes: 426 })
    const old = transactionOf(ALICE, 9)
    add(old)
    add(transactionOf(ALICE, 8))
    add(transactionOf(BOB, 0))
    add(transactionOf(BOB, 1))
    expect(refusalOf(() => add(transactionOf(CAROL, 0, { raw: new Uint8Array(301) })))).toContain('POOL_FULL')
    expect(pool.status()).toEqual({ pending: 2, queued: 2, bytes: 400 })
    expect(add(transactionOf(CAROL, 0)).evicted).toEqual([old])
  })

  it('what a transaction completes is not evicted for it', () => {
    const { add, order } = createTestPool({ maxTransactions: 3 })
    add(transactionOf(BOB, 9))
    add(transactionOf(ALICE, 1))
    add(transactionOf(ALICE, 2))
    add(transactionOf(ALICE, 0))
    expect(order()).toEqual(['a0', 'a1', 'a2'])
  })

  it('an account’s bytes are bounded; its highest waiting ones make room for its next', () => {
    const { pool, add } = createTestPool({ maxAccountBytes: 300 })
    const [second, third] = [transactionOf(ALICE, 2), transactionOf(ALICE, 3)]
    add(second)
    add(third)
    add(transactionOf(ALICE, 1))
    expect(refusalOf(() => add(transactionOf(ALICE, 4)))).toContain('POOL_ACCOUNT_LIMIT')
    expect(add(transactionOf(ALICE, 0)).evicted).toEqual([third])
    expect(pool.pendingNonce(ALICE)).toBe(3n)
    expect(refusalOf(() => add(transactionOf(ALICE, 3)))).toContain('POOL_ACCOUNT_LIMIT')
  })

  it('waiting ends after its lifetime, executable ones stay for ever', () => {
    const { pool, add, at } = createTestPool({ waitingLifetimeS: 10 })
    const gapped = transactionOf(ALICE, 1)
    add(gapped)
    add(transactionOf(BOB, 0))
    at(5 * SECOND)
    add(transactionOf(CAROL, 1))
    expect(pool.onHead({ accounts: new Map(), nowMs: 10 * SECOND }).expired).toEqual([gapped])
    expect(pool.onHead({ accounts: new Map(), nowMs: 10_000 * SECOND }).expired).toHaveLength(1)
    expect(pool.status()).toEqual({ pending: 1, queued: 0, bytes: 100 })
  })
})

/** A height with this turn. */
const heightOf = (turn: BlockTurn): number => Array.from({ length: 20 }, (_, index) => index + 1).find((height) => turnOf(height) === turn)!

describe('administrators who govern', () => {
  const govern = (pool: TxPool, transaction: Transaction): void =>
    void pool.add(transaction, { account: account(), nowMs: 0, isLocal: true, isGovernance: true })

  it('have room in a pool that others have filled, each as much as 8 transactions and 32 KiB', () => {
    const { pool, add } = createTestPool({ maxTransactions: 160 })
    for (let nonce = 0; nonce < 150; nonce++) add(transactionOf(ALICE, nonce))
    expect(refusalOf(() => add(transactionOf(BOB, 0)))).toContain('POOL_FULL')
    expect(refusalOf(() => govern(pool, transactionOf(BOB, 1)))).toContain('POOL_FULL')
    expect(refusalOf(() => govern(pool, transactionOf(CAROL, 0, { raw: new Uint8Array(32 * 1024 + 1) })))).toContain('POOL_FULL')
    for (let nonce = 0; nonce < 8; nonce++) govern(pool, transactionOf(BOB, nonce))
    expect(refusalOf(() => govern(pool, transactionOf(BOB, 8)))).toContain('POOL_FULL')
    govern(pool, transactionOf(CAROL, 0, { raw: new Uint8Array(32 * 1024) }))
    expect(refusalOf(() => govern(pool, transactionOf(CAROL, 1)))).toContain('POOL_FULL')
    govern(pool, transactionOf(DAVE, 0))
    expect(refusalOf(() => govern(pool, transactionOf(sender(5), 0)))).toContain('POOL_FULL')
    expect(pool.status().pending).toBe(160)
  })

  it('leave others the place that they have: what replaces a transaction takes no more room, however full the reserve is', () => {
    const { pool, add, at } = createTestPool({ maxTransactions: 160 })
    for (let nonce = 0; nonce < 150; nonce++) add(transactionOf(ALICE, nonce))
    for (let nonce = 0; nonce < 8; nonce++) govern(pool, transactionOf(BOB, nonce))
    at(10_000 * SECOND)
    expect(add(transactionOf(ALICE, 3, { gasLimit: 30_000n })).evicted).toEqual([])
    expect(pool.add(transactionOf(BOB, 7, { gasLimit: 30_000n }), { account: account(), nowMs: 10_000 * SECOND, isLocal: true, isGovernance: true }).evicted).toEqual([])
    expect(pool.status().pending).toBe(158)
  })

  it('have room of the pool\'s bytes too', () => {
    const { pool, add } = createTestPool({ maxBytes: 1_600 })
    add(transactionOf(ALICE, 0, { raw: new Uint8Array(1_500) }))
    expect(refusalOf(() => add(transactionOf(BOB, 0)))).toContain('POOL_FULL')
    govern(pool, transactionOf(BOB, 0))
    expect(pool.status().bytes).toBe(1_600)
  })

  it('come into blocks before a flood of many accounts, one of each, up to half a block\'s gas', () => {
    const { pool, add, order } = createTestPool()
    add(transactionOf(ALICE, 0))
    add(transactionOf(ALICE, 1))
    for (const [from, gasLimit] of [[BOB, BLOCK_GAS_LIMIT / 2n], [CAROL, 21_000n]] as const) govern(pool, transactionOf(from, 0, { gasLimit }))
    govern(pool, transactionOf(BOB, 1))
    expect(order()).toEqual(['b0', 'a0', 'c0', 'a1', 'b1'])
    pool.onHead({ accounts: new Map([[BOB, account(1)]]), nowMs: 0 })
    expect(order()).toEqual(['c0', 'b1', 'a0', 'a1'])
  })

  it('who ask for more than that share come first in some blocks alone, and keep no other one out', () => {
    const { pool, add, order } = createTestPool()
    add(transactionOf(ALICE, 0))
    govern(pool, transactionOf(BOB, 0, { gasLimit: BLOCK_GAS_LIMIT / 2n + 1n }))
    govern(pool, transactionOf(CAROL, 0))
    expect(order(heightOf('governing'))).toEqual(['b0', 'a0', 'c0'])
    expect(order(heightOf('aside'))).toEqual(['c0', 'a0', 'b0'])
  })

  it('leave some blocks to whoever came first, so that one who needs a whole block gets it', () => {
    const { pool, add, order } = createTestPool()
    add(transactionOf(ALICE, 0, { gasLimit: BLOCK_GAS_LIMIT }))
    govern(pool, transactionOf(BOB, 0))
    const dear = transactionOf(CAROL, 0)
    add(dear)
    pool.setAside(dear.hash, 1)
    expect(order(heightOf('arrival'))).toEqual(['a0', 'b0'])
    pool.onHead({ accounts: new Map([[ALICE, account(1)], [BOB, account(1)]]), nowMs: 0 })
    // Nothing else is there: an empty block would serve nobody.
    expect(order(heightOf('arrival'))).toEqual(['c0'])
  })

  it('are those who govern by the present policy, whatever it was when they sent', () => {
    const { pool, add, order } = createTestPool()
    add(transactionOf(ALICE, 0))
    govern(pool, transactionOf(BOB, 0))
    add(transactionOf(CAROL, 0))
    pool.renewStandings(({ sender: from }) => ({ isGovernance: from === CAROL }))
    expect(order()).toEqual(['c0', 'a0', 'b0'])
  })

  it('and what was set aside let each other through, block by block', () => {
    const { pool, add, order } = createTestPool()
    const dear = transactionOf(ALICE, 0)
    for (const one of [dear, transactionOf(ALICE, 1), transactionOf(DAVE, 0)]) add(one)
    govern(pool, transactionOf(BOB, 0))
    pool.setAside(dear.hash, 1)
    expect(order(heightOf('governing'))).toEqual(['b0', 'd0'])
    expect(order(heightOf('aside'))).toEqual(['a0', 'b0', 'd0', 'a1'])
    pool.onHead({ accounts: new Map([[BOB, account(1)]]), nowMs: 0 })
    expect(order(heightOf('governing'))).toEqual(['a0', 'd0', 'a1'])
  })
})

describe('the turns of blocks', () => {
  it('are half for what was set aside, a quarter each for who governs and for who came first, of all and of every n-th block', () => {
    for (const step of [1, 2, 3, 4, 5, 7, 13, 64]) {
      const turns = Array.from({ length: 4_000 }, (_, index) => turnOf(1 + index * step))
      const shareOf = (turn: BlockTurn): number => turns.filter((one) => one === turn).length / turns.length
      expect(shareOf('aside'), `every ${step}`).toBeCloseTo(0.5, 1)
      expect(shareOf('governing'), `every ${step}`).toBeCloseTo(0.25, 1)
    }
  })
})

describe('TxPool restore', () => {
  it('brings back more than the limits and less than the balance, drops what was used, and trims only what waits', () => {
    const { pool, order } = createTestPool({ maxTransactions: 2 })
    const restore = (transaction: Transaction, view = account()) => pool.restore(transaction, { account: view, nowMs: 1, isLocal: true })
    expect(restore(transactionOf(ALICE, 0), account(1))).toBe(false)
    for (const nonce of [0, 1, 2]) expect(restore(transactionOf(BOB, nonce))).toBe(true)
    const [unfunded, funded] = [transactionOf(CAROL, 0, { value: 1n }), transactionOf(DAVE, 0, { value: 1n })]
    expect(restore(unfunded)).toBe(true)
    expect(restore(funded, account(0, 1n))).toBe(true)
    expect(restore(funded, account(0, 1n))).toBe(false)
    expect(pool.trim(2)).toEqual([unfunded])
    expect(order()).toEqual(['b0', 'd0', 'b1', 'b2'])
  })

  it('lets the later of two with one nonce stand, as it did before', () => {
    const { pool } = createTestPool()
    const [first, second] = [transactionOf(ALICE, 0), transactionOf(ALICE, 0)]
    for (const transaction of [first, second]) pool.restore(transaction, { account: account(), nowMs: 0, isLocal: true })
    expect(pool.content()).toEqual({ pending: [second], queued: [] })
  })
})

describe('what those who share a quota have in the pool', () => {
  it('is told to the condition, follows every way in and out, and is nobody else\'s', () => {
    const pool = new TxPool({ chainId: CHAIN_ID, blockGasLimit: BLOCK_GAS_LIMIT })
    const told: PendingWork[] = []
    const add = (transaction: Transaction, group: string, nowMs = 0): PendingWork => {
      pool.add(transaction, { account: account(), nowMs, isLocal: true, group, permit: (pending) => void told.push(pending) })
      return told.at(-1)!
    }
    const size = BigInt(transactionOf(ALICE, 0).raw.length)
    expect(add(transactionOf(ALICE, 0), 'newcomers')).toEqual({ own: { gas: 0n, bytes: 0n }, group: { gas: 0n, bytes: 0n } })
    expect(add(transactionOf(BOB, 0), 'newcomers')).toEqual({ own: { gas: 0n, bytes: 0n }, group: { gas: 21_000n, bytes: size } })
    expect(add(transactionOf(CAROL, 0), 'bureau').group.gas).toBe(0n)
    expect(add(transactionOf(BOB, 1), 'newcomers')).toEqual({ own: { gas: 21_000n, bytes: size }, group: { gas: 42_000n, bytes: 2n * size } })
    // In the place of its own: what it replaces does not count.
    expect(add(transactionOf(ALICE, 0, { gasLimit: 30_000n }), 'newcomers', 61 * SECOND)).toEqual({ own: { gas: 0n, bytes: 0n }, group: { gas: 42_000n, bytes: 2n * size } })
    pool.onHead({ accounts: new Map([[BOB, account(2)]]), nowMs: 62 * SECOND })
    expect(add(transactionOf(DAVE, 0), 'newcomers').group).toEqual({ gas: 30_000n, bytes: size })
    pool.revoke(({ sender: from }) => (from === ALICE ? { code: 'GONE', message: 'gone', details: {} } : undefined), 63 * SECOND)
    expect(add(transactionOf(DAVE, 1), 'newcomers').group).toEqual({ gas: 21_000n, bytes: size })
    // Carol's move to the newcomers is all that the policy changes.
    pool.renewStandings(() => ({ group: 'newcomers' }))
    expect(add(transactionOf(DAVE, 2), 'newcomers').group).toEqual({ gas: 63_000n, bytes: 3n * size })
    expect(add(transactionOf(ALICE, 0), 'bureau', 64 * SECOND).group).toEqual({ gas: 0n, bytes: 0n })
  })
})
