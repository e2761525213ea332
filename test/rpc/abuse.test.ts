import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RpcLimits } from '@songhua/node/rpc/limits'
import type { RpcServer } from '@songhua/node/rpc/rpc-server'
import { until } from '../support/devnet.js'
import { ask, createFixtureChain, post, quiet, result, toHex, type FixtureChain } from './fixture-chain.js'

let chain: FixtureChain
const sockets: Socket[] = []
const clients: WebSocket[] = []

beforeAll(async () => {
  chain = await createFixtureChain()
}, 60_000)
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const client of clients.splice(0)) client.terminate()
})
afterAll(() => chain.stop())

interface Target {
  server: RpcServer
  url: string
  wsUrl: string
}

const serve = (limits: Partial<RpcLimits>): Promise<Target> => chain.serve({ limits })

/** What `/metrics` shows as `songhua_rpc_refusals_total{code, limit}`. */
const counted = ({ server }: Target, code: string, limit: string | undefined): number =>
  server.stats().refusals.find((one) => one.code === code && one.limit === limit)?.count ?? 0

async function expectAlive({ url }: Target): Promise<void> {
  expect(await result(url, 'eth_chainId')).toMatch(/^0x/)
}

function open({ server }: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => resolve(socket))
    sockets.push(socket.on('error', reject))
  })
}

/** All that comes until the server closes. */
const textOf = (socket: Socket): { text: string } => {
  const received = { text: '' }
  socket.on('data', (data: Buffer) => (received.text += data.toString()))
  return received
}

async function webSocket({ wsUrl }: Target): Promise<WebSocket> {
  const client = new WebSocket(wsUrl)
  clients.push(client.on('error', () => undefined))
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject))
  return client
}

const closingOf = (client: WebSocket): Promise<{ code: number; reason: string }> =>
  new Promise((resolve) => client.once('close', (code, reason) => resolve({ code, reason: reason.toString() })))

function askOver(client: WebSocket, method: string, params: unknown[] = []): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    client.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as Record<string, unknown>))
    client.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  })
}

/** Past `ws`, which writes whole messages only. */
const streamOf = (client: WebSocket): Socket => (client as unknown as { _socket: Socket })._socket

/** The first `bytes` of a text frame that announces `announced` (RFC 6455 §5.2), masked with zeros. */
function frameStart(announced: number, bytes: number): Buffer {
  const header = Buffer.alloc(14)
  header[0] = 0x81
  header[1] = 0x80 | 127
  header.writeBigUInt64BE(BigInt(announced), 2)
  return Buffer.concat([header, Buffer.alloc(bytes, 0x20)])
}

const request = (method: string, params: unknown[] = []): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const httpRequest = (body: string, length = body.length): string =>
  `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`

describe('one request too large', () => {
  const addresses = Array.from({ length: 257 }, (_, at) => `0x${at.toString(16).padStart(40, '0')}`)
  const slots = Array.from({ length: 1025 }, (_, at) => `0x${at.toString(16).padStart(64, '0')}`)
  const deep = '['.repeat(17) + ']'.repeat(17)
  const attacks: [string, string, Partial<RpcLimits>, { status: number; code: number; reason: string; limit?: keyof RpcLimits }][] = [
    ['a batch of too many', `[${Array.from({ length: 11 }, () => request('eth_chainId')).join()}]`, { batchItemsMax: 10 },
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'batchItemsMax' }],
    ['deep nesting', request('eth_chainId').replace('[]', deep), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'jsonDepthMax' }],
    ['a hundred thousand empty arrays', request('eth_chainId', Array.from({ length: 100_000 }, () => [])), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'jsonValuesMax' }],
    ['a string of megabytes', request('eth_call', [{ data: `0x${'00'.repeat(1_100_000)}` }]), {},
      { status: 413, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'bodyBytesMax' }],
    ['a number of a thousand digits', request('eth_getBlockByNumber', [`0x${'f'.repeat(1000)}`, false]), {},
      { status: 200, code: -32602, reason: 'RPC_INVALID_PARAMS' }],
    ['logs of a range too wide', request('eth_getLogs', [{ fromBlock: '0x0', toBlock: '0x5' }]), { logBlocksMax: 1 },
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'logBlocksMax' }],
    ['logs of too many addresses', request('eth_getLogs', [{ address: addresses }]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'logAddressesMax' }],
    ['logs of too many topics', request('eth_getLogs', [{ topics: [null, slots] }]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'logTopicsMax' }],
    ['an access list of nothing that it should hold', request('eth_call', [{ accessList: Array.from({ length: 15_000 }, () => ({ a: 1 })) }]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'paramValuesMax' }],
    ['an access list of too many addresses', request('eth_call', [{ accessList: addresses.map((address) => ({ address, storageKeys: [] })) }]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'accessListAddressesMax' }],
    ['an access list of too many keys', request('eth_call', [{ accessList: [{ address: addresses[0], storageKeys: slots }] }]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'accessListKeysMax' }],
    ['overrides of too many accounts', request('eth_call', [{}, 'latest', Object.fromEntries(addresses.map((address) => [address, {}]))]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'overrideAccountsMax' }],
    ['overrides of too many slots', request('eth_call', [{}, 'latest', { [addresses[0]!]: { state: Object.fromEntries(slots.map((slot) => [slot, slot])) } }]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'overrideSlotsMax' }],
    ['too many percentiles', request('eth_feeHistory', ['0x1', 'latest', Array.from({ length: 101 }, (_, at) => at / 2)]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'feeHistoryPercentilesMax' }],
    ['tens of thousands of names', request('eth_call', [Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, 0]))]), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'jsonMembersMax' }],
    ['the same key twice', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[],"method":"eth_accounts"}', {},
      { status: 200, code: -32600, reason: 'RPC_INVALID_REQUEST' }],
    ['a proof of too many slots', request('eth_getProof', [addresses[0], slots, 'latest']), {},
      { status: 200, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'proofSlotsMax' }],
    ['an answer larger than an address may leave unread', request('rpc.discover'), { outboundBytesPerAddressMax: 1000 },
      { status: 429, code: -32005, reason: 'RPC_LIMIT_EXCEEDED', limit: 'outboundBytesPerAddressMax' }],
  ]
  it.each(attacks)('%s is refused by name and counted', async (_name, body, limits, { status, code, reason, limit }) => {
    // Two blocks at least, so that a range can be too wide.
    while (chain.head().number < 3) await chain.mine()
    const target = await serve(limits)
    const response = await post(target.url, body)
    const { error } = (await response.json()) as { error: { code: number; data: { limit?: string; code: string } } }
    expect([response.status, error.code, error.data.code, error.data.limit]).toEqual([status, code, reason, limit])
    expect(counted(target, reason, limit)).toBe(1)
    await expectAlive(target)
  })

  it('is no wide fee history: it is answered as far as it may be', async () => {
    const target = await serve({ feeHistoryBlocksMax: 2 })
    while (chain.head().number < 3) await chain.mine()
    const { gasUsedRatio } = await result<{ gasUsedRatio: number[] }>(target.url, 'eth_feeHistory', ['0xffff', 'latest', []])
    expect(gasUsedRatio).toHaveLength(2)
  })
})

describe('many held at a time', () => {
  it('filters: an address has its share, and the rest is for others', async () => {
    const target = await serve({ filtersPerAddressMax: 3 })
    for (let made = 0; made < 3; made++) await result(target.url, 'eth_newBlockFilter')
    expect((await ask(target.url, 'eth_newBlockFilter')).error).toMatchObject({ code: -32005, data: { limit: 'filtersPerAddressMax' } })
    expect(counted(target, 'RPC_LIMIT_EXCEEDED', 'filtersPerAddressMax')).toBe(1)
  })

  it('waits for receipts: beyond the limit nothing is taken, and other requests are answered', async () => {
    const target = await serve({ receiptWaitsMax: 2 })
    const [first, second, third] = [0n, 1n, 2n].map((nonce) => chain.sign({ nonce: nonce + chain.pool.pendingNonce(chain.sign().sender) }))
    const waiting = [first!, second!].map(({ raw }) => ask(target.url, 'eth_sendRawTransactionSync', [toHex(raw), '0xea60']))
    await until('two to wait', () => target.server.stats().receiptWaits === 2)
    const refused = await ask(target.url, 'eth_sendRawTransactionSync', [toHex(third!.raw)])
    expect(refused.error).toMatchObject({ code: -32005, data: { code: 'RPC_LIMIT_EXCEEDED', limit: 'receiptWaitsMax' } })
    expect(chain.pool.has(third!.hash)).toBe(false)
    // A courtesy ends at the limit as well: the plain answer, at once.
    expect(await result(target.url, 'eth_getTransactionReceipt', [first!.hash])).toBe(null)
    await expectAlive(target)
    await chain.mine()
    for (const answer of await Promise.all(waiting)) expect(answer.result).toMatchObject({ status: '0x1' })
    expect(target.server.stats().receiptWaits).toBe(0)
  })

  it('subscriptions over all connections, and those to pending transactions apart', async () => {
    const target = await serve({ subscriptionsMax: 4, pendingSubscriptionsMax: 2 })
    const [one, other] = [await webSocket(target), await webSocket(target)]
    for (const client of [one, other]) await askOver(client, 'eth_subscribe', ['newPendingTransactions'])
    const limitOf = async (client: WebSocket, kind: string): Promise<unknown> =>
      ((await askOver(client, 'eth_subscribe', [kind])) as { error?: { data: { limit: string } } }).error?.data.limit
    expect(await limitOf(one, 'newPendingTransactions')).toBe('pendingSubscriptionsMax')
    for (const client of [one, other]) expect(await limitOf(client, 'newHeads')).toBe(undefined)
    expect(await limitOf(other, 'newHeads')).toBe('subscriptionsMax')
    one.terminate()
    await until('its places to be free', () => target.server.stats().subscriptions === 2)
    expect(await limitOf(other, 'newPendingTransactions')).toBe(undefined)
    expect(counted(target, 'RPC_LIMIT_EXCEEDED', 'subscriptionsMax')).toBe(1)
  })

  it('subscriptions and waits for receipts: an address has its share, and the rest is for others', async () => {
    const target = await serve({ subscriptionsPerAddressMax: 2, pendingSubscriptionsPerAddressMax: 1, receiptWaitsPerAddressMax: 1 })
    const [one, other] = [await webSocket(target), await webSocket(target)]
    const limitOf = async (client: WebSocket, method: string, params: unknown[]): Promise<unknown> =>
      ((await askOver(client, method, params)) as { error?: { data: { limit: string } } }).error?.data.limit
    expect(await limitOf(one, 'eth_subscribe', ['newPendingTransactions'])).toBe(undefined)
    expect(await limitOf(other, 'eth_subscribe', ['newPendingTransactions'])).toBe('pendingSubscriptionsPerAddressMax')
    expect(await limitOf(other, 'eth_subscribe', ['newHeads'])).toBe(undefined)
    expect(await limitOf(one, 'eth_subscribe', ['newHeads'])).toBe('subscriptionsPerAddressMax')
    one.terminate()
    await until('its places to be free', () => target.server.stats().subscriptions === 1)
    expect(await limitOf(other, 'eth_subscribe', ['newPendingTransactions'])).toBe(undefined)

    const [first, second] = [0n, 1n].map((nonce) => chain.sign({ nonce: nonce + chain.pool.pendingNonce(chain.sign().sender) }))
    const waiting = ask(target.url, 'eth_sendRawTransactionSync', [toHex(first!.raw)])
    await until('one to wait', () => target.server.stats().receiptWaits === 1)
    const refused = await ask(target.url, 'eth_sendRawTransactionSync', [toHex(second!.raw)])
    expect(refused.error).toMatchObject({ code: -32005, data: { limit: 'receiptWaitsPerAddressMax' } })
    await chain.mine()
    expect((await waiting).result).toMatchObject({ status: '0x1' })
  })

  it('pipelined requests whose connection closes hold nothing any more, though their answers waited behind another', async () => {
    const target = await serve({ receiptHoldMs: 60_000 })
    const held = await chain.send()
    const socket = await open(target)
    socket.write(httpRequest(request('eth_getTransactionReceipt', [held.hash])) + httpRequest(request('eth_chainId')).repeat(7))
    await until('all to be in hand', () => target.server.stats().httpRequests === 8)
    socket.destroy()
    await until('all to be let go', () => target.server.stats().httpRequests === 0)
    await chain.mine()
    await expectAlive(target)
  })

  it('pipelined requests: those beyond the limit are answered 503, in their place', async () => {
    const target = await serve({ httpRequestsMax: 3 })
    const held = await chain.send()
    const socket = await open(target)
    const received = textOf(socket)
    const body = request('eth_getTransactionReceipt', [held.hash])
    socket.write(httpRequest(body).repeat(8))
    await until('eight answers', () => received.text.split('HTTP/1.1 ').length === 9)
    const statuses = received.text.split('HTTP/1.1 ').slice(1).map((answer) => Number(answer.slice(0, 3)))
    expect(statuses).toEqual([200, 200, 200, 503, 503, 503, 503, 503])
    expect(counted(target, 'RPC_LIMIT_EXCEEDED', 'httpRequestsMax')).toBe(5)
    await chain.mine()
  })
})

describe('slow and silent ones', () => {
  it.each([
    ['headers, byte by byte', 'POST / HTTP/1.1\r\nHost: loc', 'headersReceiveMs'],
    ['headers after a whole request', `${httpRequest(request('eth_chainId'))}POST / HTTP/1.1\r\nHost: loc`, 'headersReceiveMs'],
    ['a body, byte by byte', httpRequest('{"json', 500), 'requestReceiveMs'],
  ])('%s end with 408', async (_name, start, limit) => {
    const limits = { requestReceiveMs: 200, headersReceiveMs: 150, receiveCheckMs: 50 }
    const target = await serve(limits)
    const socket = await open(target)
    const received = textOf(socket)
    socket.write(start)
    const drip = setInterval(() => socket.writable && socket.write('a'), 20)
    await until('it to be cut', () => received.text.includes('408 Request Timeout'))
    clearInterval(drip)
    expect(counted(target, 'HTTP_BROKEN', limit)).toBe(1)
    await expectAlive(target)
  })

  it('connections that say nothing are closed', async () => {
    const target = await serve({ headersReceiveMs: 100, receiveCheckMs: 30 })
    const some = await Promise.all(Array.from({ length: 5 }, () => open(target)))
    for (const socket of some) socket.resume()
    await until('them to be closed', () => some.every(({ destroyed, readableEnded }) => destroyed || readableEnded))
    expect(counted(target, 'CONNECTION_CLOSED', 'headersReceiveMs')).toBe(5)
    await expectAlive(target)
  })

  it('connections of one address are so many and no more', async () => {
    const target = await serve({ connectionsPerAddressMax: 4 })
    const some = await Promise.all(Array.from({ length: 9 }, () => open(target)))
    for (const socket of some) socket.resume()
    await until('the surplus to be closed', () => some.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length === 5)
    expect(counted(target, 'CONNECTION_CLOSED', 'connectionsPerAddressMax')).toBe(5)
  })

  it('bodies that are announced and not sent hold the share of their address, and no more', async () => {
    const target = await serve({ inboundBytesPerAddressMax: 100_000 })
    for (let held = 0; held < 2; held++) (await open(target)).write(httpRequest('{', 50_000))
    await until('two to be held', () => target.server.stats().httpRequests === 2)
    const refused = await post(target.url, request('eth_chainId'))
    expect([refused.status, await refused.json()]).toMatchObject([429, { error: { data: { limit: 'inboundBytesPerAddressMax' } } }])
    expect(counted(target, 'RPC_LIMIT_EXCEEDED', 'inboundBytesPerAddressMax')).toBe(1)
    for (const socket of sockets.splice(0)) socket.destroy()
    await until('it to be given back', () => target.server.stats().httpRequests === 0)
    await expectAlive(target)
  })
})

describe('what is no request', () => {
  const UPGRADE = 'Host: localhost\r\nConnection: Upgrade\r\nUpgrade:'
  it.each([
    ['a path that cannot be decoded', 'GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a path that cannot be decoded, to be upgraded', `GET /%zz HTTP/1.1\r\n${UPGRADE} websocket\r\n\r\n`],
    ['OPTIONS that is no preflight', 'OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['another protocol to upgrade to', `GET / HTTP/1.1\r\n${UPGRADE} h2c\r\n\r\n`],
    ['a handshake without a key', `GET / HTTP/1.1\r\n${UPGRADE} websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`],
  ])('%s is refused in JSON, counted, and nothing for the log', async (_name, text) => {
    const errors: string[] = []
    const target = await chain.serve({ logger: { ...quiet, error: (message) => errors.push(message) } })
    const socket = await open(target)
    const received = textOf(socket)
    socket.write(text)
    await until('the answer', () => received.text.endsWith('}'))
    expect(received.text).toMatch(/^HTTP\/1.1 400 /)
    expect(received.text.toLowerCase()).toContain('content-type: application/json')
    const { error } = JSON.parse(received.text.split('\r\n\r\n')[1]!) as { error: unknown }
    expect(error).toMatchObject({ code: -32600, data: { code: 'RPC_INVALID_REQUEST' } })
    expect(counted(target, 'RPC_INVALID_REQUEST', undefined)).toBe(1)
    if (text.includes('Upgrade')) await until('it to be closed', () => socket.readableEnded || socket.destroyed)
    expect(errors).toEqual([])
    await expectAlive(target)
  })

  it('a client that goes in the middle of its body is no error of the node', async () => {
    const errors: string[] = []
    const target = await chain.serve({ logger: { ...quiet, error: (message) => errors.push(message) } })
    const socket = await open(target)
    await new Promise((written) => socket.write(httpRequest('{"json', 500), written))
    await until('the request', () => target.server.stats().httpRequests === 1)
    socket.resetAndDestroy()
    await until('it to be counted', () => counted(target, 'RPC_CLIENT_GONE', undefined) === 1)
    expect(counted(target, 'RPC_INTERNAL', undefined)).toBe(0)
    expect(errors).toEqual([])
  })
})

describe('a WebSocket', () => {
  it('with messages that never end holds memory within one bound for all, and honest ones are served', async () => {
    const target = await serve({ inboundBytesMax: 800_000, webSocketConnectionsMax: 8 })
    const honest = await webSocket(target)
    const hostile = await Promise.all(Array.from({ length: 6 }, () => webSocket(target)))
    const closings = hostile.map(closingOf)
    for (const client of hostile) streamOf(client).write(frameStart(1_900_000, 300_000))
    const first = await Promise.race(closings)
    expect(first).toMatchObject({ code: 1008, reason: expect.stringContaining('inboundBytesMax') as string })
    await until('the surplus to be closed', () => target.server.stats().webSocketConnections <= 3)
    expect(counted(target, 'WEBSOCKET_CLOSED', 'inboundBytesMax')).toBeGreaterThanOrEqual(4)
    expect(await askOver(honest, 'eth_chainId')).toHaveProperty('result')
  })

  it('whose message takes too long is closed, fragments and pings in between notwithstanding', async () => {
    const target = await serve({ requestReceiveMs: 200 })
    const client = await webSocket(target)
    const closing = closingOf(client)
    const drip = setInterval(() => {
      if (client.readyState !== client.OPEN) return
      client.send('[', { fin: false })
      client.ping()
    }, 30)
    expect(await closing).toMatchObject({ code: 1008, reason: expect.stringContaining('requestReceiveMs') as string })
    clearInterval(drip)
    expect(counted(target, 'WEBSOCKET_CLOSED', 'requestReceiveMs')).toBe(1)
  })

  it('that pings now and then is answered and stays, long as it may be silent', async () => {
    const target = await serve({ requestReceiveMs: 100 })
    const client = await webSocket(target)
    let pongs = 0
    client.on('pong', () => pongs++)
    for (let sent = 1; sent <= 8; sent++) {
      client.ping(Buffer.alloc(sent * 10))
      await until('the pong', () => pongs === sent)
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
    expect(await askOver(client, 'eth_chainId')).toHaveProperty('result')
    expect(counted(target, 'WEBSOCKET_CLOSED', 'requestReceiveMs')).toBe(0)
  })

  it('that floods with pings is closed', async () => {
    const target = await serve({ pingsBurst: 5, pingsPerSecondMax: 1 })
    const client = await webSocket(target)
    const closing = closingOf(client)
    for (let sent = 0; sent < 100; sent++) client.ping()
    expect(await closing).toMatchObject({ code: 1008, reason: expect.stringContaining('pingsPerSecondMax') as string })
    expect(counted(target, 'WEBSOCKET_CLOSED', 'pingsPerSecondMax')).toBe(1)
  })

  it('whose message is too long is closed with 1009, and counted by the limit', async () => {
    const target = await serve({})
    const client = await webSocket(target)
    const closing = closingOf(client)
    client.send(Buffer.alloc(3 * 1024 * 1024, 0x20))
    expect(await closing).toMatchObject({ code: 1009 })
    await until('it to be counted', () => counted(target, 'WEBSOCKET_CLOSED', 'messageBytesMax') === 1)
    expect(counted(target, 'WEBSOCKET_BROKEN', undefined)).toBe(0)
  })

  it('beyond those of its address is refused with 429', async () => {
    const target = await serve({ webSocketConnectionsPerAddressMax: 2 })
    await webSocket(target)
    await webSocket(target)
    await expect(webSocket(target)).rejects.toThrow('429')
    expect(counted(target, 'RPC_LIMIT_EXCEEDED', 'webSocketConnectionsPerAddressMax')).toBe(1)
  })
})

describe('what was set aside', () => {
  it('says so to its sender', async () => {
    const target = await serve({})
    const dear = await chain.send()
    chain.pool.setAside(dear.hash, chain.head().number + 9, 'it ran 1300 ms')
    const status = await result(target.url, 'songhua_getTransactionStatus', [dear.hash])
    const untilBlock = `0x${(chain.head().number + 9).toString(16)}`
    expect(status).toEqual({ status: 'pending', setAside: { untilBlock, reason: 'it ran 1300 ms' } })
    expect(await result(target.url, 'eth_getTransactionReceipt', [dear.hash])).toBe(null)
    expect(chain.pool.metrics()).toMatchObject({ pool_set_aside_total: 1 })
    while (chain.pool.has(dear.hash)) await chain.mine()
    expect(await result(target.url, 'songhua_getTransactionStatus', [dear.hash])).toMatchObject({ status: 'final' })
    expect(await result(target.url, 'songhua_getTransactionStatus', [`0x${'12'.repeat(32)}`])).toEqual({ status: 'unknown' })
  })
})
