import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import type { RpcLimits } from '@songhua/node/rpc/limits'
import type { RpcPorts } from '@songhua/node/rpc/ports'
import type { RpcServer } from '@songhua/node/rpc/rpc-server'
import { until } from '../support/devnet.js'
import { ask, createFixtureChain, result, SENDER, type FixtureChain } from './fixture-chain.js'

const DATA_BYTES = 100_000
/** Of the pool below, with one that would not fit beside it. */
const ONE_AT_A_TIME = { longAnswersBytesMax: 1_300_000 }
let chain: FixtureChain

beforeAll(async () => {
  chain = await createFixtureChain()
  for (let sent = 0; sent < 4; sent++) await chain.send({ data: new Uint8Array(DATA_BYTES) })
  await chain.mine()
  for (let sent = 0; sent < 5; sent++) await chain.send({ data: new Uint8Array(DATA_BYTES).fill(sent), gasLimit: 2_000_000n })
}, 60_000)
afterAll(() => chain.stop())

/** Longer than an answer keeps the thread before others get their turn, however fast the machine is. */
const READING_MS = 8

/** The chain's pool, of which reading the content takes a while, as when it is full. */
const slowPool = (): Pick<RpcPorts, 'pool'> => {
  const { pool } = chain.ports
  return {
    pool: {
      ...pool,
      content: () => {
        const endMs = performance.now() + READING_MS
        while (performance.now() < endMs);
        return pool.content()
      },
    },
  }
}

const counted = (server: RpcServer, code: string, limit?: keyof RpcLimits): number =>
  server.stats().refusals.find((one) => one.code === code && one.limit === limit)?.count ?? 0

interface Content {
  pending: Record<string, Record<string, { input: string }>>
  queued: object
}

const httpRequest = (method: string): string => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] })
  return `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject)
  })

describe('answers far longer than their request', () => {
  it('are whole, however many are asked for at a time, and are made one after another', async () => {
    const { server, url } = await chain.serve({ limits: ONE_AT_A_TIME }, slowPool())
    let waitingMost = 0
    const watch = setInterval(() => (waitingMost = Math.max(waitingMost, server.stats().longAnswersWaiting)), 1)
    const answers = await Promise.all(Array.from({ length: 20 }, () => result<Content>(url, 'txpool_content')))
    clearInterval(watch)
    expect(waitingMost).toBeGreaterThan(2)
    for (const { pending, queued } of answers) {
      expect(queued).toEqual({})
      const inputs = Object.values(pending[SENDER]!).map(({ input }) => input)
      expect(inputs.map((input) => input.slice(0, 6))).toEqual(['0x0000', '0x0101', '0x0202', '0x0303', '0x0404'])
      expect(inputs.every((input) => input.length === 2 + 2 * DATA_BYTES)).toBe(true)
    }
    expect(server.stats().longAnswersWaiting).toBe(0)
  })

  it.each([
    ['txpool_content', []],
    ['eth_getBlockByNumber', ['0x1', true]],
  ])('%s is refused by name before it is made when it would be too long', async (method, params) => {
    const { server, url } = await chain.serve({ limits: { responseBytesMax: 700_000 } })
    const { error } = await ask(url, method, params)
    expect(error).toMatchObject({ code: -32005, data: { limit: 'responseBytesMax' } })
    expect(error!.message).toContain('would be longer than 700000 bytes')
    expect(counted(server, 'RPC_LIMIT_EXCEEDED', 'responseBytesMax')).toBe(1)
    expect(await result(url, 'eth_getBlockByNumber', ['0x1', false])).toMatchObject({ number: '0x1' })
  })

  it('receipts are, of a block and of one transaction', async () => {
    const { url } = await chain.serve({ limits: { responseBytesMax: 4000 } })
    const { error } = await ask(url, 'eth_getBlockReceipts', ['0x1'])
    expect(error).toMatchObject({ code: -32005, data: { limit: 'responseBytesMax' } })
    const { transactions } = await result<{ transactions: string[] }>(url, 'eth_getBlockByNumber', ['0x1', false])
    expect(await result(url, 'eth_getTransactionReceipt', [transactions[0]])).toMatchObject({ blockNumber: '0x1' })
  })

  it('are waited for by so many of one address, and no more', async () => {
    const { server, url } = await chain.serve({ limits: { ...ONE_AT_A_TIME, longAnswersWaitingPerAddressMax: 3 } }, slowPool())
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url, 'txpool_content')))
    const refused = answers.filter(({ error }) => error !== undefined)
    expect(refused.length).toBeGreaterThan(0)
    for (const { error } of refused) expect(error).toMatchObject({ code: -32005, data: { limit: 'longAnswersWaitingPerAddressMax' } })
    expect(counted(server, 'RPC_LIMIT_EXCEEDED', 'longAnswersWaitingPerAddressMax')).toBe(refused.length)
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(4)
  })

  it('are not made for clients that have gone', async () => {
    const { server, url } = await chain.serve({ limits: ONE_AT_A_TIME }, slowPool())
    const socket = await open(server.port)
    await new Promise((written) => socket.write(httpRequest('txpool_content').repeat(60), written))
    socket.resetAndDestroy()
    await until('the first to be refused', () => counted(server, 'RPC_CLIENT_GONE') > 0)
    await until('none to wait', () => server.stats().longAnswersWaiting === 0 && server.stats().requestsInFlight === 0)
    expect(counted(server, 'RPC_INTERNAL')).toBe(0)
    expect(await result(url, 'txpool_content')).toHaveProperty('pending')
  })

  it('show a whole block as its hash lists it', async () => {
    const { url } = await chain.serve()
    const hashes = await result<{ hash: string; transactions: string[] }>(url, 'eth_getBlockByNumber', ['0x1', false])
    const whole = await result<{ hash: string; transactions: { hash: string; input: string }[] }>(url, 'eth_getBlockByHash', [hashes.hash, true])
    expect({ ...whole, transactions: whole.transactions.map(({ hash }) => hash) }).toEqual(hashes)
    expect(whole.transactions[0]!.input).toBe(bytesToHex(new Uint8Array(DATA_BYTES)))
  })
})
