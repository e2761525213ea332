import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/devnet.js'
import { ask, createFixture, type Fixture } from './http-fixture.js'

let fixture: Fixture
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await fixture.stop()
})

/** Sends requests one behind the other on one connection, and reads nothing. */
const pipeline = (requests: readonly string[], localAddress = '127.0.0.1'): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: fixture.port, host: '127.0.0.1', localAddress }, () => socket.write(requests.join(''), () => resolve(socket)))
    sockets.push(socket.on('error', reject).pause())
  })
const get = (path: string, token?: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`
const times = (count: number, request: string): string[] => Array.from({ length: count }, () => request)
const counted = (code: string, limit: string): number =>
  fixture.refusals().find((one) => one.code === code && one.limit === limit)?.count ?? 0

describe('answers that nobody reads', () => {
  it('hold the share of their address, not that of others, until their connection closes', async () => {
    fixture = await createFixture({ limits: { outboundBytesPerAddressMax: 300_000, heartbeatMs: 100 } })
    const { token } = fixture.key()
    const { length } = (await ask(`${fixture.url}/v1/openapi.json`)).text
    const fitting = Math.floor(300_000 / (length + 4096))
    // A stream without an end keeps back all that come behind it.
    const socket = await pipeline([get('/v1/stream', token), ...times(fitting + 2, get('/v1/openapi.json'))])
    await until('the surplus to be refused', () => counted('RATE_LIMITED', 'outboundBytesPerAddressMax') === 2)
    const refused = await ask(`${fixture.url}/v1/openapi.json`)
    expect([refused.status, refused.json.error.code, refused.json.error.details.limit]).toEqual([429, 'RATE_LIMITED', 'outboundBytesPerAddressMax'])
    expect([refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual(['1', 'close'])
    expect((await ask(`${fixture.url}/v1/records`, { token })).status).toBe(200)
    const other = await pipeline([get('/v1/openapi.json')], '127.0.0.2')
    other.resume()
    await until('another address to be answered', () => other.bytesRead > length)
    // Of a connection that is full, the gateway reads nothing: it learns with the next heartbeat that it is gone.
    socket.destroy()
    await until('the room to be there again', async () => (await ask(`${fixture.url}/v1/openapi.json`)).status === 200)
  })

  it('hold the share of their key, and those of all keys what there is for keys', async () => {
    fixture = await createFixture({ limits: { outboundBytesPerKeyMax: 20_000, outboundBytesMax: 30_000 } })
    const [hostile, honest] = [fixture.key(), fixture.key()]
    await pipeline([get('/v1/stream', hostile.token), ...times(7, get('/v1/records', hostile.token))])
    await until('the surplus to be refused', () => counted('RATE_LIMITED', 'outboundBytesPerKeyMax') === 3)
    expect((await ask(`${fixture.url}/v1/records`, { token: honest.token })).status).toBe(200)
    await pipeline([get('/v1/stream', honest.token), ...times(5, get('/v1/records', honest.token))])
    await until('the surplus of both to be refused', () => counted('GATEWAY_BUSY', 'outboundBytesMax') === 2)
    expect((await ask(`${fixture.url}/v1/status`)).status).toBe(200)
  })

  it('are refused even where they are refusals themselves, in the words of the catalogue', async () => {
    fixture = await createFixture({ limits: { outboundBytesPerAddressMax: 4200 } })
    const refused = await ask(`${fixture.url}/v1/nothing`)
    expect([refused.status, refused.json.error.code, refused.json.error.details.limit]).toEqual([429, 'RATE_LIMITED', 'outboundBytesPerAddressMax'])
  })
})

describe('requests of one connection', () => {
  it('are so many at one time and no more', async () => {
    fixture = await createFixture({ limits: { requestsPerConnectionMax: 4 } })
    const { token } = fixture.key()
    const whole = await pipeline(times(4, get('/v1/status')))
    whole.resume()
    await until('four to be answered', () => whole.bytesRead > 4 * 200)
    expect(whole.destroyed).toBe(false)
    const cut = await pipeline([get('/v1/stream', token), ...times(40, get('/v1/status'))])
    cut.resume()
    await until('the connection to be closed', () => cut.destroyed || cut.readableEnded)
    expect(counted('CONNECTION_CLOSED', 'requestsPerConnectionMax')).toBe(1)
    expect((await ask(`${fixture.url}/v1/status`)).status).toBe(200)
  })
})

describe('what a pipelined request has announced', () => {
  it('is free again when its connection closes before its turn to be answered', async () => {
    fixture = await createFixture({ limits: { inboundBytesPerKeyMax: 100_000 } })
    const { token } = fixture.key()
    const announce = `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{`
    const socket = await pipeline([get('/v1/stream', token), announce])
    const submit = () => ask(`${fixture.url}/v1/records`, { token, body: JSON.stringify({ records: [] }).padEnd(20_000) })
    await until('the share to be held', async () => (await submit()).status === 429)
    socket.destroy()
    await until('it to be free', async () => (await submit()).status === 400)
  })
})
