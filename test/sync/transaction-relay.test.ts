import type { Hash } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { systemClock } from '@songhua/node/base/clock'
import {
  createTransactionRelay, encodeTransactionBatch, type RelayedTransaction, type TransactionRelay,
} from '@songhua/node/services/transaction-relay'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, memoryLogger, sleep, startNode, stopAll, stopNode, type TestNode, until } from '../network/support.js'

const relays: TransactionRelay[] = []

afterEach(async () => {
  for (const relay of relays.splice(0)) relay.stop()
  await stopAll()
})

interface RelayNode extends TestNode {
  relay: TransactionRelay
  pool: Map<Hash, Uint8Array>
  sent: Hash[]
  refusal: (raw: Uint8Array) => string | undefined
}

/** Relay does not look into transactions: any bytes will do. */
const transactionOf = (seed: number, bytes = 150): RelayedTransaction => {
  const raw = new Uint8Array(bytes).fill(seed & 0xff)
  raw[0] = 2
  raw[1] = seed >> 8
  raw[2] = seed & 0xff
  return { hash: keccak256Hex(raw), raw }
}

type RelayNodeOptions = { follower?: boolean; checkedPerSecond?: number }

async function relayNode(seed: number, { checkedPerSecond, ...options }: RelayNodeOptions = {}): Promise<RelayNode> {
  const node = await startNode({ seed, ...options })
  const pool = new Map<Hash, Uint8Array>()
  const sent: Hash[] = []
  const full = Object.assign(node, { pool, sent, refusal: () => undefined }) as unknown as RelayNode
  full.relay = createTransactionRelay(
    { onSent: (hashes) => void sent.push(...hashes), ...(checkedPerSecond === undefined ? {} : { checkedPerSecond }) },
    {
      network: node.network,
      pool: {
        has: (hash) => pool.has(hash),
        addRemote: (raw) => {
          const code = full.refusal(raw)
          if (code !== undefined) return Promise.reject(new CodedError(code, code))
          pool.set(keccak256Hex(raw), raw)
          return Promise.resolve()
        },
        pending: () => [...pool].map(([hash, raw]) => ({ hash, raw })),
      },
      clock: systemClock,
      logger: memoryLogger().logger,
    },
  )
  relays.push(full.relay)
  full.relay.start()
  return full
}

const submit = (node: RelayNode, transactions: RelayedTransaction[]): void => {
  for (const { hash, raw } of transactions) node.pool.set(hash, raw)
  node.relay.announce(transactions)
}

async function mesh(count: number): Promise<RelayNode[]> {
  const nodes = await Promise.all(Array.from({ length: count }, (_, index) => relayNode(index + 1)))
  for (const [index, node] of nodes.entries()) for (const other of nodes.slice(index + 1)) await connect(node, other)
  return nodes
}

describe('transaction relay', () => {
  it('carries the transactions of a moment to every validator in one batch, once', async () => {
    const nodes = await mesh(4)
    const transactions = Array.from({ length: 100 }, (_, i) => transactionOf(i))
    for (const one of transactions) submit(nodes[0]!, [one])
    await until(() => nodes.every(({ pool }) => pool.size === 100))
    expect(nodes[0]!.network.metrics()['frames_in_transactions']).toBeUndefined()
    for (const node of nodes.slice(1)) {
      expect(node.network.metrics()['frames_in_transactions']).toBe(1)
      expect(node.relay.metrics()['relay_transactions_out']).toBeUndefined()
    }
  })

  it('tells when all have been sent, on both sides', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    const one = transactionOf(1)
    expect(a.relay.sentAt(one.hash)).toBeUndefined()
    submit(a, [one])
    await until(() => b.sent.length === 1)
    expect([a.sent, b.sent]).toEqual([[one.hash], [one.hash]])
    expect(a.relay.sentAt(one.hash)).toBeTypeOf('number')
    expect(b.relay.sentAt(one.hash)).toBeTypeOf('number')
  })

  it('counts as sent with nobody connected, so that a lone validator goes on', async () => {
    const alone = await relayNode(1)
    submit(alone, [transactionOf(1)])
    await until(() => alone.sent.length === 1)
  })

  it('passes on what comes from a follower, and sends followers nothing', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    const follower = await relayNode(9, { follower: true })
    await connect(follower, a)
    await sleep(100)
    submit(follower, [transactionOf(7)])
    await until(() => b.pool.size === 1, 'the other validator to have it')
    submit(b, [transactionOf(8)])
    await until(() => a.pool.size === 2)
    await sleep(50)
    expect(follower.pool.size).toBe(1)
  })

  it('sends what is pending to a validator that comes back', async () => {
    const a = await relayNode(1)
    submit(a, Array.from({ length: 700 }, (_, i) => transactionOf(i)))
    await sleep(20)
    const b = await relayNode(2)
    await connect(b, a)
    await until(() => b.pool.size === 700)
    await stopNode(b)
    submit(a, [transactionOf(9999)])
    await until(() => a.network.peers().length === 0)
    const again = await relayNode(2)
    await connect(again, a)
    await until(() => again.pool.size === 701)
  })

  it('sends all that is pending again when asked, but not to whom it came from', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    submit(a, [transactionOf(1), transactionOf(2)])
    submit(b, [transactionOf(3)])
    await until(() => a.pool.size === 3 && b.pool.size === 3)
    b.pool.clear()
    a.relay.resendPending()
    await until(() => b.pool.size === 2)
    await sleep(50)
    expect([...b.pool.keys()].sort()).toEqual([transactionOf(1).hash, transactionOf(2).hash].sort())
  })

  it('splits what is too much for one batch', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    submit(a, Array.from({ length: 20 }, (_, i) => transactionOf(i, 120_000)))
    await until(() => b.pool.size === 20)
    expect(b.network.metrics()['frames_in_transactions']).toBeGreaterThan(4)
  })

  it('penalises a peer that sends nothing but invalid transactions, not one whose are refused otherwise', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    // Of the pool and of the policy alike: the peer's head may be another by a block.
    const otherwise = ['POOL_NONCE_TOO_LOW', 'PERMISSION_NOT_BOUND', 'PERMISSION_ORGANISATION_SUSPENDED', 'QUOTA_ACCOUNT_GAS']
    for (const [at, code] of otherwise.entries()) {
      b.refusal = () => code
      submit(a, [transactionOf(100 + at)])
      await until(() => b.relay.metrics()['relay_transactions_in'] === at + 1)
      await sleep(50)
    }
    expect(b.relay.metrics()).toMatchObject({ relay_transactions_refused: otherwise.length })
    expect(b.network.metrics()['penalties']).toBeUndefined()
    b.refusal = (raw) => (raw[2] === 3 ? undefined : 'TX_SIGNATURE')
    submit(a, [transactionOf(2), transactionOf(3)])
    await until(() => b.pool.size === 1)
    await sleep(50)
    expect(b.network.metrics()['penalties']).toBeUndefined()
    for (let i = 10; i < 22; i++) {
      submit(a, [transactionOf(i)])
      await sleep(10)
    }
    await until(() => b.network.peers().length === 0, 'the peer to be banned')
    expect(b.network.metrics()['ended_penalised']).toBe(1)
  })

  it.each([
    ['no list', new Uint8Array([0x81, 0x99])],
    ['a list of lists', new Uint8Array([0xc2, 0xc1, 0x01])],
    ['too many', encodeTransactionBatch(Array.from({ length: 513 }, () => new Uint8Array([1, 2])))],
  ])('penalises a batch that cannot be read: %s', async (_what, payload) => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    a.network.broadcast('transactions', payload)
    await until(() => b.network.metrics()['penalties'] === 1)
    expect(b.pool.size).toBe(0)
  })

  it('penalises a batch of which the greater part is invalid, with codes in the counters', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    b.refusal = (raw) => (raw[2]! < 2 ? undefined : 'SIGNATURE_INVALID')
    submit(a, Array.from({ length: 6 }, (_, i) => transactionOf(i)))
    await until(() => b.network.metrics()['penalties_transactions_invalid'] === 1)
    expect(b.pool.size).toBe(2)
    expect(b.relay.metrics()['relay_transactions_invalid']).toBe(4)
  })

  it('looks into so many transactions a second and no more, each peer in its turn', async () => {
    const [a, b] = (await mesh(1)).concat(await relayNode(2, { checkedPerSecond: 50 })) as [RelayNode, RelayNode]
    await connect(a, b)
    const c = await relayNode(3)
    await connect(c, b)
    const flood = 500
    submit(a, Array.from({ length: flood }, (_, i) => transactionOf(i)))
    await until(() => (b.relay.metrics()['relay_checks_delayed'] ?? 0) > 0, 'the rate to be reached')
    submit(c, [transactionOf(60_000)])
    await until(() => b.pool.has(transactionOf(60_000).hash), 'the one of the other peer')
    expect(b.pool.size).toBeLessThan(flood)
  })

  it('looks into nothing that a peer left behind when it went', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    b.relay.stop()
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    let checked = 0
    const held = createTransactionRelay({}, {
      network: b.network,
      pool: { has: () => false, addRemote: () => ((checked += 1), gate), pending: () => [] },
      clock: systemClock,
      logger: memoryLogger().logger,
    })
    relays.push(held)
    held.start()
    for (let i = 0; i < 10; i++) a.network.broadcast('transactions', encodeTransactionBatch([transactionOf(i).raw]))
    await until(() => checked === 1 && b.network.metrics()['frames_in_transactions'] === 10)
    await stopNode(a)
    await until(() => held.metrics()['relay_batches_dropped'] === 9)
    release()
    await sleep(50)
    expect(checked).toBe(1)
  })

  it('drops batches of a peer that floods while earlier ones are checked', async () => {
    const [a, b] = (await mesh(2)) as [RelayNode, RelayNode]
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const { relay } = b
    relay.stop()
    const held = createTransactionRelay({}, {
      network: b.network,
      pool: { has: () => false, addRemote: () => gate, pending: () => [] },
      clock: systemClock,
      logger: memoryLogger().logger,
    })
    relays.push(held)
    held.start()
    for (let i = 0; i < 60; i++) a.network.broadcast('transactions', encodeTransactionBatch([transactionOf(i).raw]))
    await until(() => (held.metrics()['relay_batches_dropped'] ?? 0) > 20)
    release()
  })
})
