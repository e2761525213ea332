import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/devnet.js'
import { ask, type AskOptions, createFixture, type Fixture } from './http-fixture.js'

const SHORT = { headersReceiveMs: 150, requestReceiveMs: 300, receiveCheckMs: 50 }
let fixture: Fixture
let token: string
beforeAll(async () => {
  fixture = await createFixture({ limits: { streamsPerKeyMax: 1 } })
  ;({ token } = fixture.key())
})
afterAll(() => fixture.stop())

const counted = (code: string, limit?: string): number =>
  fixture.refusals().find((one) => one.code === code && one.limit === limit)?.count ?? 0
/** Writes, reads until the connection is closed. */
const raw = (text: string, port = fixture.port): Promise<string> =>
  new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (data: Buffer) => (received += data.toString())).on('end', () => resolve(received)).on('error', reject)
  })

it('answers OPTIONS of nothing in its own words where browsers of others may call, too', async () => {
  const own = await createFixture({ corsOrigins: ['https://a.example'] })
  for (const path of ['/v1/nothing', '/']) {
    const refused = await ask(`${own.url}${path}`, { method: 'OPTIONS' })
    expect([refused.status, refused.json.error.code]).toEqual([404, 'ROUTE_UNKNOWN'])
  }
  await own.stop()
})

describe('what a client can do wrong is its own mistake', () => {
  it.each<[what: string, path: string, request: AskOptions, status: number, code: string]>([
    ['OPTIONS of nothing', '/v1/nothing', { method: 'OPTIONS' }, 404, 'ROUTE_UNKNOWN'],
    ['OPTIONS of the root', '/', { method: 'OPTIONS' }, 404, 'ROUTE_UNKNOWN'],
    ['a name with a zero byte', '/docs/static/%00', {}, 404, 'ROUTE_UNKNOWN'],
    ['a range that ends before it begins', '/docs/static/swagger-ui.css', { headers: { range: 'bytes=5-1' } }, 416, 'RANGE_INVALID'],
    ['a method that the path does not take, before its body', '/v1/records', { method: 'PATCH', body: '' }, 405, 'METHOD_NOT_ALLOWED'],
    ['a path that there is not, before its body', '/v1/nothing', { method: 'POST', body: '{' }, 404, 'ROUTE_UNKNOWN'],
    ['a key twice beside a long text', '/v1/records', { body: `{"a":"${'\\"'.repeat(950_000)}","b":{"c":1,"\\u0063":2}}` }, 400, 'JSON_DUPLICATE_KEY'],
  ])('%s', async (_what, path, request, status, code) => {
    const refused = await ask(`${fixture.url}${path}`, { token, ...request })
    expect([refused.status, refused.json.error.code]).toEqual([status, code])
    expect(counted('GATEWAY_INTERNAL')).toBe(0)
    expect(fixture.errors).toEqual([])
  })

  it('says which types a door reads, one by one', async () => {
    const refused = await ask(`${fixture.url}/v1/records`, { token, body: '{}', headers: { 'content-type': 'application/json, text/csv' } })
    expect([refused.status, refused.json.error.details.expected]).toEqual([415, 'application/json | text/csv'])
    expect(refused.json.error.message).toBe('content-type "application/json, text/csv" is not one that is read here: application/json | text/csv')
  })

  it.each([['with a key', () => `POST /v1/records HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n`], ['without a key', () => 'POST /v1/verify HTTP/1.1\r\n']])(
    'goes away in the middle of a body, %s', async (_what, start) => {
      const before = counted('REQUEST_ABORTED')
      const socket = connect(fixture.port, '127.0.0.1', () => socket.write(`${start()}Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`, () => setTimeout(() => socket.destroy(), 50)))
      await until('it to be seen', () => counted('REQUEST_ABORTED') === before + 1)
      expect(counted('GATEWAY_INTERNAL')).toBe(0)
      expect(fixture.errors).toEqual([])
    },
  )
})

describe('a limit that was met is named', () => {
  const csv: AskOptions = { headers: { 'content-type': 'text/csv' } }
  it.each<[limit: string, code: string, path: string, request: AskOptions]>([
    ['smallBodyBytesMax', 'BODY_TOO_LARGE', '/v1/webhooks', { body: 'a'.repeat(20_000) }],
    ['verifyBodyBytesMax', 'BODY_TOO_LARGE', '/v1/verify', { body: 'a'.repeat(2_100_000) }],
    ['recordsPerRequestMax', 'TOO_MANY_RECORDS', '/v1/records', { body: { records: Array.from({ length: 10_001 }, () => 0) } }],
    ['recordsPerRequestMax', 'TOO_MANY_RECORDS', '/v1/records?schema=government.licence', { ...csv, body: `XK_WSH\n${'1\n'.repeat(10_001)}` }],
    ['jsonDepthMax', 'JSON_TOO_DEEP', '/v1/records', { body: '['.repeat(65) }],
    ['jsonValuesMax', 'JSON_TOO_MANY_VALUES', '/v1/records', { body: `[${'0,'.repeat(1_000_000)}0]` }],
    ['verifyValuesMax', 'JSON_TOO_MANY_VALUES', '/v1/verify', { body: `[${'0,'.repeat(70_000)}0]` }],
    ['verifyHistoryCharactersMax', 'EVIDENCE_TOO_LARGE', '/v1/verify', { body: { evidence: { validatorHistory: ['a'.repeat(500_000)] } } }],
  ])('%s: %s', async (limit, code, path, request) => {
    const before = counted(code, limit)
    const refused = await ask(`${fixture.url}${path}`, { token, ...request })
    expect([refused.json.error.code, refused.json.error.details.limit]).toEqual([code, limit])
    expect(refused.json.error.details.max).toBeGreaterThan(0)
    expect(refused.json.error.message).toContain(String(refused.json.error.details.max))
    expect(counted(code, limit)).toBe(before + 1)
  })

  it('where a body comes in chunks', async () => {
    const body = `POST /v1/webhooks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\n${'a'.repeat(0x5000)}\r\n`
    expect(await raw(body)).toMatch(/^HTTP\/1.1 413 [^]*"code":"BODY_TOO_LARGE"[^]*"limit":"smallBodyBytesMax","max":16384/)
  })

  it('where streams are too many', async () => {
    const ends = new AbortController()
    const stream = (): Promise<Response> => fetch(`${fixture.url}/v1/stream`, { headers: { authorization: `Bearer ${token}` }, signal: ends.signal })
    await stream()
    expect(await (await stream()).json()).toMatchObject({ error: { code: 'STREAMS_TOO_MANY', details: { limit: 'streamsPerKeyMax', max: 1 } } })
    expect(counted('STREAMS_TOO_MANY', 'streamsPerKeyMax')).toBe(1)
    ends.abort()
  })

  it.each<[limit: string | undefined, code: string, status: number, text: () => string]>([
    ['headersReceiveMs', 'REQUEST_SLOW', 408, () => 'GET /v1/status HTTP/1.1\r\nHost: l'],
    ['headersReceiveMs', 'REQUEST_SLOW', 408, () => 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/status HTTP/1.1\r\nHost: l'],
    ['requestReceiveMs', 'REQUEST_SLOW', 408, () => `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`],
    ['headerBytesMax', 'HEADERS_TOO_LARGE', 431, () => `GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    [undefined, 'HTTP_BROKEN', 400, () => 'NONSENSE\r\n\r\n'],
  ])('before there is a request: %s, %s', async (limit, code, status, text) => {
    const own = await createFixture({ keyFile: fixture.keyFile(), limits: SHORT })
    const answer = await raw(text(), own.port)
    const [head = '', body = ''] = answer.slice(answer.lastIndexOf('HTTP/1.1')).split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*content-type: application/json`, 'i'))
    expect(JSON.parse(body)).toMatchObject({ error: { code, ...(limit === undefined ? {} : { details: { limit } }) } })
    await own.stop()
    expect(own.refusals().filter((one) => one.code !== 'REQUEST_ABORTED')).toEqual([{ code, limit, count: 1 }])
  })
})
