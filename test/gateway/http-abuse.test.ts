import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import { until } from '../support/devnet.js'
import { LICENCE } from '../records/samples.js'
import { ask, createFixture, type Fixture, OTHER_ISSUER } from './http-fixture.js'

let fixture: Fixture
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await fixture.stop()
})

const open = (port: number, localAddress = '127.0.0.1'): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress }, () => resolve(socket))
    sockets.push(socket.on('error', reject))
  })
const closedOf = (some: readonly Socket[]): number => some.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length
/** A client whose socket is closed as soon as it is open may wait for ever. */
const isUp = async (): Promise<boolean> =>
  (await fetch(`${fixture.url}/v1/status`, { signal: AbortSignal.timeout(500) })).status === 200

describe('sockets', () => {
  it('of one address are so many and no more, and others get in', async () => {
    fixture = await createFixture({ limits: { connectionsPerAddressMax: 3 } })
    const some = await Promise.all(Array.from({ length: 6 }, () => open(fixture.port)))
    for (const socket of some) socket.resume()
    await until('the surplus to be closed', () => closedOf(some) === 3)
    for (const socket of some) socket.destroy()
    await until('it to answer', isUp)
  })

  it('that say nothing are closed', async () => {
    fixture = await createFixture({ limits: { headersReceiveMs: 200, receiveCheckMs: 50 } })
    const some = await Promise.all(Array.from({ length: 4 }, () => open(fixture.port)))
    for (const socket of some) socket.resume()
    await until('the silent ones to be closed', () => closedOf(some) === 4)
    expect(await isUp()).toBe(true)
  })
})

/** What `/metrics` shows as `songhua_gateway_refusals_total{code, limit}`. */
const counted = (code: string, limit?: string): number =>
  fixture.refusals().find((one) => one.code === code && one.limit === limit)?.count ?? 0

/** Announces a body and sends a part of it. */
async function announce(path: string, headers: string, bytes: number, sent = 1): Promise<void> {
  const socket = await open(fixture.port)
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n${'{'.padEnd(sent)}`)
}

/** All that comes back until the connection is closed, or says nothing more. */
async function told(request: string, localAddress = '127.0.0.1'): Promise<string> {
  const socket = await open(fixture.port, localAddress)
  let received = ''
  socket.on('data', (data: Buffer) => (received += data.toString()))
  socket.write(request)
  await until('an answer', () => received.endsWith('}') || socket.readableEnded)
  return received
}

describe('bodies of callers without a key', () => {
  it('that are announced and not sent hold nothing', async () => {
    fixture = await createFixture({ limits: { inboundBytesAnonymousMax: 100_000, inboundBytesPerAddressMax: 100_000 } })
    for (let sent = 0; sent < 16; sent++) await announce('/v1/verify', '', 90_000)
    expect((await ask(`${fixture.url}/v1/verify`, { body: { evidence: {}, trustAnchor: {} } })).status).toBe(200)
    expect(fixture.refusals()).toEqual([])
  })

  it('hold the share of their address as they come, and other addresses have theirs', async () => {
    fixture = await createFixture({ limits: { inboundBytesPerAddressMax: 100_000 } })
    for (let sent = 0; sent < 3; sent++) await announce('/v1/verify', '', 50_000, 45_000)
    await until('the third to be refused', () => counted('RATE_LIMITED', 'inboundBytesPerAddressMax') === 1)
    const refused = await ask(`${fixture.url}/v1/verify`, { body: { evidence: 'a'.repeat(20_000) } })
    expect([refused.status, refused.json.error.details.limit]).toEqual([429, 'inboundBytesPerAddressMax'])
    const text = JSON.stringify({ evidence: 'a'.repeat(20_000), salt: 'x' })
    expect(await told(`POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`, '127.0.0.2')).toContain('REQUEST_INVALID')
  })

  it('hold what is there for all of them, and nothing of what is there for others', async () => {
    fixture = await createFixture({ limits: { inboundBytesAnonymousMax: 100_000 } })
    const { token } = fixture.key()
    for (let sent = 0; sent < 3; sent++) await announce('/v1/verify', '', 50_000, 45_000)
    await until('the third to be refused', () => counted('GATEWAY_BUSY', 'inboundBytesAnonymousMax') === 1)
    const taken = await ask(`${fixture.url}/v1/records`, { token, body: { schema: 'government.licence', payload: LICENCE } })
    expect(taken.status).toBe(202)
  })

  it('have a short time to come', async () => {
    fixture = await createFixture({ limits: { anonymousReceiveMs: 150 } })
    const answer = await told('POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{')
    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*connection: close[^]*"code":"REQUEST_SLOW"[^]*"limit":"anonymousReceiveMs","max":150/)
    expect(counted('REQUEST_SLOW', 'anonymousReceiveMs')).toBe(1)
  })
})

describe('bodies that are announced and not sent', () => {
  it('hold the share of their key, and the next key has its own', async () => {
    fixture = await createFixture({ limits: { inboundBytesPerKeyMax: 100_000 } })
    const [hostile, honest] = [fixture.key(), fixture.key()]
    for (let sent = 0; sent < 3; sent++) await announce('/v1/records', `Authorization: Bearer ${hostile.token}\r\n`, 50_000)
    await until('the third to be refused', () => counted('RATE_LIMITED', 'inboundBytesPerKeyMax') === 1)
    const body = { schema: 'government.licence', payload: LICENCE }
    const refused = await ask(`${fixture.url}/v1/records`, { token: hostile.token, body })
    expect([refused.status, refused.json.error.details.limit, refused.headers.get('retry-after')]).toEqual([429, 'inboundBytesPerKeyMax', '1'])
    expect((await ask(`${fixture.url}/v1/records`, { token: honest.token, body })).status).toBe(202)
  })
})

describe('slow ones', () => {
  it.each([
    ['headers', 'POST /v1/records HTTP/1.1\r\nHost: l', { headersReceiveMs: 150, receiveCheckMs: 50 }, 'headersReceiveMs'],
    ['bodies', 'POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
      { headersReceiveMs: 150, requestReceiveMs: 200, receiveCheckMs: 50 }, 'requestReceiveMs'],
  ])('of %s, byte by byte, end with 408 and are counted', async (_what, start, limits, limit) => {
    fixture = await createFixture({ limits })
    const socket = await open(fixture.port)
    let received = ''
    socket.on('data', (data: Buffer) => (received += data.toString()))
    socket.write(start)
    const drip = setInterval(() => socket.writable && socket.write('a'), 20)
    await until('it to be cut', () => received !== '')
    clearInterval(drip)
    expect(received).toContain('408 Request Timeout')
    expect(counted('REQUEST_SLOW', limit)).toBe(1)
    expect(await isUp()).toBe(true)
  })
})

describe('refusals', () => {
  it.each([
    ['a type that nobody reads', { headers: { 'content-type': 'text/xml' }, body: '<a/>' }, 415, 'CONTENT_TYPE'],
    ['nesting without end', { body: '['.repeat(5000) + ']'.repeat(5000) }, 400, 'JSON_TOO_DEEP'],
    ['more records than one request may have', { body: { records: Array.from({ length: 10_001 }, () => ({})) } }, 413, 'TOO_MANY_RECORDS'],
  ] as const)('are counted by code: %s', async (_name, request, status, code) => {
    fixture = await createFixture()
    const { token } = fixture.key()
    const refused = await ask(`${fixture.url}/v1/records`, { token, ...request })
    expect([refused.status, refused.json.error.code]).toEqual([status, code])
    expect(fixture.refusals().filter((one) => one.code === code).map(({ count }) => count)).toEqual([1])
  })

  it('are counted: streams beyond the share of a key', async () => {
    fixture = await createFixture({ limits: { streamsPerKeyMax: 2 } })
    const { token } = fixture.key()
    const headers = { authorization: `Bearer ${token}` }
    const ends = new AbortController()
    const stream = (): Promise<Response> => fetch(`${fixture.url}/v1/stream?cursor=0`, { headers, signal: ends.signal })
    expect((await Promise.all([stream(), stream()])).map(({ status }) => status)).toEqual([200, 200])
    expect((await stream()).status).toBe(429)
    expect(fixture.refusals().find(({ code }) => code === 'STREAMS_TOO_MANY')?.count).toBe(1)
    ends.abort()
  })

  it('are counted: a cursor that was never given out', async () => {
    fixture = await createFixture()
    const { token } = fixture.key()
    expect((await ask(`${fixture.url}/v1/stream?cursor=forged`, { token })).json.error.code).toBe('CURSOR_INVALID')
    expect(counted('CURSOR_INVALID')).toBe(1)
  })
})

describe('a body', () => {
  it('of more values than there may be is refused before it is parsed', async () => {
    fixture = await createFixture({ limits: { jsonValuesMax: 1000 } })
    const { token } = fixture.key()
    const body = { records: Array.from({ length: 1001 }, () => ({})) }
    const refused = await ask(`${fixture.url}/v1/records`, { token, body })
    expect([refused.status, refused.json.error.code]).toEqual([413, 'JSON_TOO_MANY_VALUES'])
    expect(refused.json.error.details).toEqual({ limit: 'jsonValuesMax', max: 1000 })
    expect(counted('JSON_TOO_MANY_VALUES', 'jsonValuesMax')).toBe(1)
  })

  it.each([
    ['bytes', { payload: '中'.repeat(700_000) }, 'RECORD_TOO_LARGE', 'recordBytesMax'],
    ['values', { payload: Array.from({ length: 131_073 }, () => 0) }, 'JSON_TOO_MANY_VALUES', 'recordValuesMax'],
  ])('with a record of more %s than a payload may have is refused before that is parsed', async (_what, record, code, limit) => {
    fixture = await createFixture()
    const { token } = fixture.key()
    for (const body of [record, { records: [{}, record] }]) {
      const refused = await ask(`${fixture.url}/v1/records`, { token, body })
      expect([refused.status, refused.json.error.code, refused.json.error.details.limit]).toEqual([413, code, limit])
    }
    expect(counted(code, limit)).toBe(2)
  })

  it('of more mistakes than anybody reads is judged so far and no further, and leaves others their turns', async () => {
    fixture = await createFixture()
    const { token } = fixture.key()
    const unknown = Object.fromEntries(Array.from({ length: 63 }, (_, at) => [`k${at}`, 0]))
    const body = JSON.stringify({ records: Array.from({ length: 10_000 }, () => unknown) })
    let turns = 0
    const turn = setInterval(() => turns++, 1)
    const refused = await ask(`${fixture.url}/v1/records`, { token, body })
    clearInterval(turn)
    const { code, violations, moreViolations } = refused.json.error as unknown as { code: string; violations: { path: string }[]; moreViolations: number }
    expect([refused.status, code, violations.length]).toEqual([400, 'REQUEST_INVALID', GATEWAY_LIMITS.violationsMax])
    expect(violations.at(-1)!.path).toMatch(/^\/records\/15\//)
    expect(moreViolations).toBeLessThan(130)
    expect(turns).toBeGreaterThan(5)
  })

  it('of many bad records comes back with each row, and no more violations than anybody reads', async () => {
    fixture = await createFixture()
    const { token } = fixture.key()
    const bad = { schema: 'government.licence', payload: {} }
    const refused = await ask(`${fixture.url}/v1/records`, { token, body: { records: Array.from({ length: 500 }, () => bad) } })
    expect([refused.status, refused.json.error.code]).toEqual([422, 'SUBMISSION_REFUSED'])
    const rows = refused.json.error.rows as unknown as { row: number; violations: unknown[] }[]
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 500 }, (_, at) => at + 1))
    const told = rows.reduce((sum, { violations }) => sum + violations.length, 0)
    expect(told).toBe(GATEWAY_LIMITS.violationsMax)
    expect(rows[0]!.violations.length).toBeGreaterThan(5)
    // The rest is counted.
    const each = rows[0]!.violations.length
    expect(rows.at(-1)).toMatchObject({ violations: [], moreViolations: each })
  })
})

describe('what the caller may not have', () => {
  it('is the payload of another issuer, unless a scope of its own says so', async () => {
    fixture = await createFixture()
    const { token } = fixture.key()
    const accepted = await ask(`${fixture.url}/v1/records`, { token, body: { schema: 'government.licence', payload: LICENCE } })
    const payloadFor = async (...scopes: Parameters<Fixture['key']>[0] & object) =>
      ask(`${fixture.url}/v1/records/${accepted.json.id}/payload`, { token: fixture.key(scopes, OTHER_ISSUER).token })
    expect((await payloadFor('payload:read')).status).toBe(404)
    const seen = await payloadFor('payload:read', 'records:read-all')
    expect([seen.status, seen.json.error.code, seen.json.error.details.scope]).toEqual([403, 'SCOPE_MISSING', 'payload:read-all'])
    expect((await payloadFor('payload:read', 'records:read-all', 'payload:read-all')).status).toBe(200)
  })
})

describe('a disk that cannot be written', () => {
  it.each(['STORE_WRITE_FAILED', 'KEY_RING_IO'])('is told as what it is, with a time to come back: %s', async (code) => {
    fixture = await createFixture({
      parts: { intake: { accept: () => Promise.reject(new CodedError(code, 'no space left on device')), anchored: () => Promise.resolve(false) } },
    })
    const { token } = fixture.key()
    const refused = await ask(`${fixture.url}/v1/records`, { token, body: { schema: 'government.licence', payload: LICENCE } })
    expect([refused.status, refused.json.error.code, refused.headers.get('retry-after')]).toEqual([503, 'GATEWAY_STORAGE', '5'])
    expect(JSON.stringify(refused.json)).not.toContain('no space')
  })
})
