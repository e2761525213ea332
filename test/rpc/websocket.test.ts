import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hexToBytes, type Address } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { id as selectorHash } from 'ethers'
import { createHeadFeed } from '@songhua/node/rpc/head-feed'
import { callData, compileProbe, createFixtureChain, quiet, result, type FixtureChain } from './fixture-chain.js'

interface Message {
  id?: unknown
  result?: unknown
  error?: { code: number; message: string; data?: { limit?: string } }
  method?: string
  params?: { subscription: string; result: unknown }
}

/** A client that keeps what it receives, in order. */
class Client {
  readonly messages: (Message | Message[])[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #wakes = new Set<() => void>()
  readonly socket: WebSocket
  #id = 0

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers })
    this.socket.on('message', (text: Buffer) => {
      this.messages.push(JSON.parse(text.toString()) as Message)
      for (const wake of this.#wakes) wake()
    })
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
    this.socket.on('error', () => undefined)
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject))
    return this
  }

  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wakes.delete(wake)
          resolve()
        }
        this.#wakes.add(wake)
      })
    }
  }

  async ask(method: string, params: unknown[] = []): Promise<Message> {
    const id = ++this.#id
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return this.until(() => this.messages.find((one): one is Message => !Array.isArray(one) && one.id === id))
  }

  pushed(subscription: unknown): unknown[] {
    const pushes = this.messages.flatMap((one) => (!Array.isArray(one) && one.params ? [one.params] : []))
    return pushes.filter((push) => push.subscription === subscription).map((push) => push.result)
  }

  /** Waits for at least `count`. */
  notifications(subscription: unknown, count: number): Promise<unknown[]> {
    return this.until(() => (this.pushed(subscription).length >= count ? this.pushed(subscription) : undefined))
  }
}

let chain: FixtureChain
let url: string
let wsUrl: string
let probe: Address
const clients: Client[] = []

async function client(at = wsUrl): Promise<Client> {
  const made = new Client(at)
  clients.push(made)
  return made.open()
}

beforeAll(async () => {
  chain = await createFixtureChain()
  ;({ url, wsUrl } = await chain.serve({
    limits: { subscriptionsPerConnectionMax: 4, messageBytesMax: 50_000, batchItemsMax: 1000 },
  }))
  const deploy = await chain.send({ to: undefined, data: hexToBytes(compileProbe().bytecode), gasLimit: 3_000_000n })
  await chain.mine()
  probe = (await result<{ contractAddress: Address }>(url, 'eth_getTransactionReceipt', [deploy.hash])).contractAddress
}, 60_000)
afterEach(() => {
  for (const one of clients.splice(0)) one.socket.terminate()
})
afterAll(() => chain.stop())

const storeMany = (count: bigint): Uint8Array => callData(selectorHash('storeMany(uint256)').slice(0, 10), count)

describe('requests over WebSocket', () => {
  it('answers at / and at /ws, singly and in batches', async () => {
    for (const at of [wsUrl, `${wsUrl}/ws`]) {
      const one = await client(at)
      expect(await one.ask('eth_chainId')).toMatchObject({ result: '0x382d3' })
      one.socket.send(
        JSON.stringify([
          { jsonrpc: '2.0', id: 'x', method: 'net_version' },
          { jsonrpc: '2.0', id: 'y', method: 'none' },
        ]),
      )
      expect(await one.until(() => one.messages.find(Array.isArray))).toMatchObject([
        { id: 'x', result: '230099' },
        { id: 'y', error: { code: -32601 } },
      ])
    }
  })

  it('answers garbage and lives on', async () => {
    const one = await client()
    for (const garbage of ['', '{', '[]', Buffer.from([0xff, 0x00]), '"x"']) one.socket.send(garbage)
    await one.until(() => (one.messages.length >= 5 ? true : undefined))
    expect(one.messages.map((message) => (message as Message).error?.code).sort()).toEqual([
      -32600, -32600, -32700, -32700, -32700,
    ])
    expect(await one.ask('eth_chainId')).toMatchObject({ result: '0x382d3' })
  })

  it('answers a flood of requests, each once', async () => {
    const one = await client()
    for (let id = 1; id <= 3000; id++)
      one.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_blockNumber' }))
    await one.until(() => (one.messages.length >= 3000 ? true : undefined))
    expect(new Set(one.messages.map((message) => (message as Message).id)).size).toBe(3000)
  })

  it('closes on a message above the limit', async () => {
    const one = await client()
    one.socket.send(' '.repeat(60_000))
    expect((await one.closed).code).toBe(1009)
  })

  it('refuses foreign hosts, foreign origins and connections above the limit', async () => {
    const refused = (at: string, headers: Record<string, string>): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(at, { headers })
        socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)))
        socket.on('error', (error) => resolve(error.message))
        socket.on('open', () => resolve('open'))
        clients.push({ socket } as Client)
      })
    expect(await refused(wsUrl, { host: 'evil.example' })).toContain('403')
    expect(await refused(wsUrl, { origin: 'https://evil.example' })).toContain('403')
    const { wsUrl: narrow } = await chain.serve({
      corsOrigins: ['https://good.example'],
      limits: { webSocketConnectionsMax: 1 },
    })
    expect(await refused(narrow, { origin: 'https://good.example' })).toBe('open')
    expect(await refused(narrow, {})).toContain('503')
  })

  it('closes a client that does not read', async () => {
    const { wsUrl: narrow, server } = await chain.serve({ limits: { bufferedBytesMax: 200_000 } })
    const socket = connect(Number(new URL(narrow).port), '127.0.0.1')
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    const key = Buffer.alloc(16, 1).toString('base64')
    socket.write(
      `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
    await new Promise((resolve) => socket.once('data', resolve))
    socket.pause()
    const payload = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'rpc.discover' }))
    const frame = Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
    for (let sent = 0; sent < 1000; sent++) socket.write(frame)
    while (server.stats().webSocketConnections > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    socket.resume()
    await closed
  })

  it('closes clients that are slow together before they fill the memory', async () => {
    const limits = { outboundBytesMax: 2_000_000, webSocketConnectionsMax: 8 }
    const { wsUrl: narrow, server } = await chain.serve({ limits })
    const slow = await Promise.all(Array.from({ length: 4 }, () => client(narrow)))
    for (const { socket } of slow) {
      socket.pause()
      // Some 6 MB, half of what one client may leave unread.
      for (let sent = 0; sent < 100; sent++) {
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: sent, method: 'rpc.discover' }))
      }
    }
    const quick = await client(narrow)
    // Within its share a client that reads is answered all the while.
    for (let asked = 0; asked < 100; asked++) expect(await quick.ask('eth_chainId')).toHaveProperty('result')
    while (server.stats().webSocketConnections > 4) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await quick.ask('eth_chainId')).toHaveProperty('result')
  })

  it('refuses requests that come faster than they are answered, by their bytes', async () => {
    const { wsUrl: narrow } = await chain.serve({ limits: { inboundBytesMax: 100_000, webSocketConnectionsMax: 8 } })
    const flood = await client(narrow)
    const pad = 'x'.repeat(20_000)
    for (let id = 0; id < 20; id++) {
      flood.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'web3_clientVersion', pad }))
    }
    await flood.until(() => (flood.messages.length >= 20 ? true : undefined))
    const refused = flood.messages.filter((message) => !Array.isArray(message) && message.error)
    for (const one of refused) {
      expect(one).toMatchObject({ id: null, error: { code: -32005, data: { limit: 'inboundBytesMax' } } })
    }
    expect(await flood.ask('web3_clientVersion')).toHaveProperty('result')
  })
})

describe('stopping', () => {
  it('closes connections, also one that does not answer, and answers those who wait', async () => {
    const { wsUrl: at, url: http, server } = await chain.serve()
    const one = await client(at)
    const mute = await client(at)
    mute.socket.pause()
    const waiting = result(http, 'eth_sendRawTransactionSync', [
      `0x${Buffer.from(chain.sign().raw).toString('hex')}`,
      50_000,
    ])
    const settled = waiting.then(
      () => 'receipt',
      (error: Error) => error.message,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    await server.stop()
    expect((await one.closed).code).toBe(1001)
    expect(await settled).toContain('4 the transaction is durable in the pool and in no block yet')
    await chain.mine()
  })
})

describe('subscriptions', () => {
  it('tells every head once and in order, when several come at a time too', async () => {
    const one = await client()
    const { result: id } = await one.ask('eth_subscribe', ['newHeads'])
    const before = chain.head().number
    for (let count = 0; count < 5; count++) await chain.mine()
    const heads = (await one.notifications(id, 5)) as { number: string; hash: string; parentHash: string }[]
    expect(heads.map(({ number }) => Number(number))).toEqual([1, 2, 3, 4, 5].map((step) => before + step))
    expect(heads.at(-1)?.hash).toBe(chain.head().hash)
    expect(heads[1]?.parentHash).toBe(heads[0]?.hash)
    expect(heads[0]).not.toHaveProperty('transactions')
  })

  it('tells heads that the chain skipped when it reported', async () => {
    let report = (): void => undefined
    const start = chain.head().number
    const feed = createHeadFeed(
      { ...chain.ports.chain, onHead: (listener) => ((report = listener), () => undefined) },
      quiet,
    )
    const seen: number[] = []
    feed.subscribe(({ number }) => seen.push(number))
    for (let count = 0; count < 3; count++) await chain.mine()
    report()
    report()
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([start + 1, start + 2, start + 3])
    feed.stop()
  })

  it('tells logs of a block in order, by address and topic', async () => {
    const one = await client()
    const { result: all } = await one.ask('eth_subscribe', ['logs', { address: probe }])
    const { result: third } = await one.ask('eth_subscribe', [
      'logs',
      { topics: [null, null, `0x${'2'.padStart(64, '0')}`] },
    ])
    const { result: none } = await one.ask('eth_subscribe', ['logs', { address: `0x${'99'.repeat(20)}` }])
    await chain.send({ to: probe, data: storeMany(3n) })
    await chain.send({ to: probe, data: storeMany(2n), key: new Uint8Array(32).fill(2) })
    await chain.mine()
    const logs = (await one.notifications(all, 5)) as { logIndex: string; blockHash: string; removed: boolean }[]
    expect(logs.map(({ logIndex }) => logIndex)).toEqual(['0x0', '0x1', '0x2', '0x3', '0x4'])
    expect(logs.every(({ blockHash, removed }) => blockHash === chain.head().hash && !removed)).toBe(true)
    expect(one.pushed(third)).toHaveLength(1)
    expect(one.pushed(none)).toEqual([])
    expect(logs).toEqual(await result(url, 'eth_getLogs', [{ blockHash: chain.head().hash }]))
  })

  it('tells transactions as they enter the pool, by hash or whole', async () => {
    const one = await client()
    const { result: hashes } = await one.ask('eth_subscribe', ['newPendingTransactions'])
    const { result: whole } = await one.ask('eth_subscribe', ['newPendingTransactions', true])
    const sent = await chain.send()
    expect(await one.notifications(hashes, 1)).toEqual([sent.hash])
    expect(await one.notifications(whole, 1)).toMatchObject([
      { hash: sent.hash, blockHash: null, from: privateKeyToAddress(new Uint8Array(32).fill(1)) },
    ])
    await chain.mine()
  })

  it('names a subscription before it tells of it, inside a batch too', async () => {
    const one = await client()
    const subscribe = { jsonrpc: '2.0', id: 'sub', method: 'eth_subscribe', params: ['newPendingTransactions'] }
    const raw = chain.sign().raw
    const send = {
      jsonrpc: '2.0',
      id: 'send',
      method: 'eth_sendRawTransaction',
      params: [`0x${Buffer.from(raw).toString('hex')}`],
    }
    one.socket.send(JSON.stringify([subscribe, send]))
    const batch = await one.until(() => one.messages.find((message): message is Message[] => Array.isArray(message)))
    await one.notifications(batch[0]?.result, 1)
    expect(one.messages.findIndex(Array.isArray)).toBeLessThan(one.messages.findIndex((message) => 'params' in message))
    await chain.mine()
  })

  it('ends with unsubscribe and with the connection', async () => {
    const one = await client()
    const { result: id } = await one.ask('eth_subscribe', ['newHeads'])
    expect(await one.ask('eth_unsubscribe', [id])).toMatchObject({ result: true })
    expect(await one.ask('eth_unsubscribe', [id])).toMatchObject({ error: { code: -32000 } })
    await chain.mine()
    await one.ask('eth_chainId')
    expect(one.pushed(id)).toEqual([])
    const two = await client()
    await two.ask('eth_subscribe', ['newHeads'])
    two.socket.terminate()
    await two.closed
    await chain.mine()
  })

  it('refuses too many, unknown kinds, bad options, and HTTP', async () => {
    const one = await client()
    for (let count = 0; count < 4; count++)
      expect(await one.ask('eth_subscribe', ['newHeads'])).toHaveProperty('result')
    expect(await one.ask('eth_subscribe', ['newHeads'])).toMatchObject({
      error: { code: -32005, data: { limit: 'subscriptionsPerConnectionMax' } },
    })
    expect(await one.ask('eth_subscribe', ['weather'])).toMatchObject({ error: { code: -32602 } })
    expect(await one.ask('eth_subscribe', ['newHeads', {}])).toMatchObject({ error: { code: -32602 } })
    expect(await one.ask('eth_subscribe', ['logs', { address: 5 }])).toMatchObject({
      error: { code: -32602, data: { path: 'options.address' } },
    })
    expect(await one.ask('eth_subscribe', ['logs', { since: '0x1' }])).toMatchObject({ error: { code: -32602 } })
    await expect(result(url, 'eth_subscribe', ['newHeads'])).rejects.toThrow('-32601 notifications not supported')
  })
})
