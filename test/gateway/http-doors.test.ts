import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GATEWAY_ERRORS } from '@songhua/node/gateway/errors'
import { createGatewayServer } from '@songhua/node/gateway/http/server'
import { SCOPES, type Scope } from '@songhua/node/gateway/model'
import { LICENCE } from '../records/samples.js'
import { ask, createFixture, OTHER_ISSUER, type Fixture } from './http-fixture.js'

let fixture: Fixture
let url: string
let token: string
const BODY = { schema: 'government.licence', payload: LICENCE }

beforeAll(async () => {
  fixture = await createFixture({ corsOrigins: ['https://portal.example'], allowedHosts: ['gateway.example'] })
  ;({ url } = fixture)
  ;({ token } = fixture.key())
})
afterAll(() => fixture.stop())

/** With headers that fetch does not let one set. */
function rawAsk(path: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode!, text }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('API keys', () => {
  it.each([
    ['another secret', () => token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')],
    ['an unknown id', () => `shk_${'a'.repeat(16)}_${token.split('_')[2]}`],
    ['no token of ours', () => 'hello'],
    ['a longer secret', () => `${token}x`],
    ['a revoked key', () => {
      const key = fixture.key()
      fixture.revoke(key.id)
      return key.token
    }],
  ])('refuses %s as it refuses any other', async (_name, wrong) => {
    const answer = await ask(`${url}/v1/records`, { token: wrong() })
    expect(answer.status).toBe(401)
    expect(answer.json).toEqual({ error: { code: 'API_KEY_INVALID', message: 'the API key is not valid' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  it('says so when there is none, or one of another kind', async () => {
    expect((await ask(`${url}/v1/records`)).json.error.code).toBe('API_KEY_MISSING')
    const basic = await ask(`${url}/v1/records`, { headers: { authorization: 'Basic YTpi' } })
    expect(basic.json.error.code).toBe('API_KEY_INVALID')
  })

  it('ends with the key while the server runs', async () => {
    const key = fixture.key()
    expect((await ask(`${url}/v1/records`, { token: key.token })).status).toBe(200)
    fixture.revoke(key.id)
    expect((await ask(`${url}/v1/records`, { token: key.token })).status).toBe(401)
  })

  const ID = '0192b6a0-0000-7000-8000-000000000001'
  it.each<[string, string, Scope, unknown?]>([
    ['POST', '/v1/records', 'records:write', BODY],
    ['GET', '/v1/records', 'records:read'],
    ['GET', `/v1/records/${ID}`, 'records:read'],
    ['GET', `/v1/records/${ID}/evidence`, 'records:read'],
    ['GET', `/v1/records/${ID}/payload`, 'payload:read'],
    ['DELETE', `/v1/records/${ID}/payload`, 'payload:erase'],
    ['PUT', `/v1/records/${ID}/hold`, 'records:hold', { reason: 'x' }],
    ['DELETE', `/v1/records/${ID}/hold`, 'records:hold'],
    ['GET', '/v1/stream', 'records:read'],
    ['POST', '/v1/webhooks', 'webhooks:manage', { url: 'https://a.example/' }],
    ['GET', '/v1/webhooks', 'webhooks:manage'],
    ['GET', '/v1/webhooks/wh_1', 'webhooks:manage'],
    ['DELETE', '/v1/webhooks/wh_1', 'webhooks:manage'],
    ['GET', '/v1/webhooks/wh_1/dead-letters', 'webhooks:manage'],
    ['POST', '/v1/webhooks/wh_1/replay', 'webhooks:manage', { cursor: '0' }],
    ['POST', '/v1/webhooks/wh_1/dead-letters/1/retry', 'webhooks:manage'],
  ])('%s %s needs %s', async (method, path, scope, body) => {
    const others = SCOPES.filter((one) => one !== scope && one !== 'records:read-all')
    const answer = await ask(url + path, { method, token: fixture.key(others).token, ...(body ? { body } : {}) })
    expect(answer.status).toBe(403)
    expect(answer.json.error).toMatchObject({ code: 'SCOPE_MISSING', details: { scope } })
  })

  it('lets nobody in while their file cannot be read, and in again after', async () => {
    const own = await createFixture()
    const key = own.key()
    own.breakKeys()
    const refused = await ask(`${own.url}/v1/records`, { token: key.token })
    expect(refused.status).toBe(503)
    expect(refused.json.error.code).toBe('GATEWAY_KEYS_UNREADABLE')
    const again = own.key()
    expect((await ask(`${own.url}/v1/records`, { token: again.token })).status).toBe(200)
    await own.stop()
  })
})

describe('what belongs to another issuer', () => {
  it('is unknown, whatever one asks of it', async () => {
    const mine = await ask(`${url}/v1/records`, { token, body: BODY })
    const stranger = fixture.key(SCOPES.filter((scope) => scope !== 'records:read-all'), OTHER_ISSUER)
    const asks = [
      ['GET', ''], ['GET', '/evidence'], ['GET', '/payload'], ['DELETE', '/payload'], ['DELETE', '/hold'],
    ] as const
    for (const [method, part] of asks) {
      const answer = await ask(`${url}/v1/records/${mine.json.id}${part}`, { method, token: stranger.token })
      const absent = await ask(`${url}/v1/records/0192b6a0-0000-7000-8000-000000000009${part}`, { method, token: stranger.token })
      expect(answer.status).toBe(404)
      expect(answer.json.error.code).toBe('RECORD_UNKNOWN')
      expect(answer.text.replaceAll(mine.json.id, '')).toBe(absent.text.replaceAll('0192b6a0-0000-7000-8000-000000000009', ''))
    }
    expect(fixture.engine.records.get(mine.json.id)?.payload).toBe('kept')
    const found = await ask(`${url}/v1/records`, { token: stranger.token })
    expect(found.json.records).toEqual([])
    const auditor = fixture.key(['records:read-all'], OTHER_ISSUER)
    expect((await ask(`${url}/v1/records/${mine.json.id}`, { token: auditor.token })).status).toBe(200)
  })
})

describe('bodies', () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    ask(`${url}/v1/records`, { token, body, headers })

  it.each([
    ['half an object', '{"schema": "a"', 400, 'JSON_INVALID'],
    ['nothing', '', 400, 'JSON_INVALID'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22), 400, 'CHARSET_INVALID'],
    ['a hundred thousand brackets', '['.repeat(100_000), 400, 'JSON_TOO_DEEP'],
    ['a key twice', '{"schema":"a","payload":{"b":1,"c":[{"b":2,"\\u0062":3}]}}', 400, 'JSON_DUPLICATE_KEY'],
    ['a way to the prototype', '{"schema":"a","payload":{"__proto__":{"isAdmin":true}}}', 400, 'JSON_FORBIDDEN_KEY'],
    ['a list', '[]', 400, 'REQUEST_INVALID'],
    ['null', 'null', 400, 'REQUEST_INVALID'],
    ['a number', '7', 400, 'REQUEST_INVALID'],
    ['no records', '{"records":[]}', 400, 'REQUEST_INVALID'],
    ['a hundred unknown fields', JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]))), 400, 'REQUEST_INVALID'],
  ])('refuses %s', async (_name, body, status, code) => {
    const answer = await post(body)
    expect([answer.status, answer.json.error.code]).toEqual([status, code])
  })

  it('names the key that is there twice', async () => {
    const answer = await post('{"payload":{"x":{"b":1},"b":"b","b":2},"schema":"a"}')
    expect(answer.json.error.message).toContain('"b"')
  })

  it('names every field of the request that is wrong', async () => {
    const answer = await post('{"schema":5,"payload":{},"issuer":"","surplus":1,"subject":"x"}')
    expect(answer.json.error.violations.map(({ path, code }: { path: string; code: string }) => `${path} ${code}`).sort()).toEqual([
      '/issuer LENGTH', '/schema TYPE', '/subject TYPE', '/surplus UNKNOWN_FIELD',
    ])
    const many = await post('{"records":[{"payload":{}},{"envelope":{},"payload":1}]}')
    expect(many.json.error.violations.map(({ path }: { path: string }) => path)).toEqual(['/records/0/schema', '/records/1/payload'])
  })

  it.each(['text/plain', 'application/xml', 'application/jsonp', 'application/ json', 'multipart/form-data'])('refuses %s', async (type) => {
    const answer = await post('{}', { 'content-type': type })
    expect([answer.status, answer.json.error.code]).toEqual([415, 'CONTENT_TYPE'])
  })

  it('reads none that is compressed', async () => {
    const answer = await post('{}', { 'content-encoding': 'gzip' })
    expect([answer.status, answer.json.error.code]).toEqual([415, 'CONTENT_ENCODING'])
  })

  it('refuses what is announced as too long before receiving it, and stops what only turns out so', async () => {
    const announced = await new Promise<string>((resolve) => {
      const socket = connect(fixture.port, '127.0.0.1', () => {
        socket.write(`POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`)
      })
      socket.once('data', (data) => {
        resolve(data.toString())
        socket.destroy()
      })
    })
    expect(announced).toMatch(/^HTTP\/1.1 413 /)
    expect(announced).toContain('BODY_TOO_LARGE')
    const chunked = await new Promise<number>((resolve, reject) => {
      const sent = request(`${url}/v1/webhooks`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      }, (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
      sent.on('error', reject)
      for (let i = 0; i < 8; i++) sent.write('x'.repeat(4096))
      sent.end()
    })
    expect(chunked).toBe(413)
  })

  it('takes no more than ten thousand records', async () => {
    const records = `{"records":[${Array(10_001).fill('{}').join(',')}]}`
    const answer = await post(records)
    expect(answer.status).toBe(413)
    expect(answer.json.error.code).toBe('TOO_MANY_RECORDS')
  })

  it('has room for so much in all', async () => {
    const own = await createFixture({ limits: { inboundBytesMax: 100 } })
    const answer = await ask(`${own.url}/v1/records`, { token: own.key().token, body: BODY })
    expect([answer.status, answer.json.error.code, answer.headers.get('retry-after')]).toEqual([503, 'GATEWAY_BUSY', '1'])
    await own.stop()
  })
})

describe('paths, methods and queries', () => {
  it('tells a path that is not there from a method that it does not take', async () => {
    expect((await ask(`${url}/v2/records`, { token })).json.error.code).toBe('ROUTE_UNKNOWN')
    const put = await ask(`${url}/v1/records`, { method: 'PUT', token, body: {} })
    expect([put.status, put.json.error.code, put.headers.get('allow')]).toEqual([405, 'METHOD_NOT_ALLOWED', 'POST, GET, HEAD, OPTIONS'])
    const options = await ask(`${url}/v1/records/1`, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
  })

  it('answers HEAD as GET, without the body', async () => {
    const head = await ask(`${url}/v1/status`, { method: 'HEAD' })
    const get = await ask(`${url}/v1/status`)
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
    expect((await ask(`${url}/v1/stream`, { method: 'HEAD', token })).status).toBe(405)
  })

  it.each([
    ['/v1/records?limt=5', 'limt'],
    ['/v1/records?limit=501', 'limit'],
    ['/v1/records?limit=-1', 'limit'],
    ['/v1/records?limit=5&limit=6', 'limit'],
    ['/v1/records?from=yesterday', 'from'],
    ['/v1/records?from=2026-02-30T99:00:00Z', 'from'],
    ['/v1/status?verbose=1', 'verbose'],
    ['/v1/trust-anchor?checkpoint=-4', 'checkpoint'],
  ])('names what is wrong with %s', async (path, field) => {
    const answer = await ask(url + path, { token })
    expect([answer.status, answer.json.error.code, answer.json.error.field]).toEqual([400, 'REQUEST_INVALID', field])
  })

  it.each(['', 'me', 'uscc:', 'passport:1', 'gs1:hello', 'commitment:k:12'])('refuses the subject "%s"', async (subject) => {
    const answer = await ask(`${url}/v1/records?subject=${encodeURIComponent(subject)}`, { token })
    expect(answer.status).toBe(400)
  })

  it('refuses a cursor that it never gave out', async () => {
    expect((await ask(`${url}/v1/records?cursor=zzz`, { token })).json.error.code).toBe('CURSOR_INVALID')
  })
})

describe('languages', () => {
  it.each([
    [undefined, 'en'], ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'], ['en-US,en;q=0.9,zh;q=0.1', 'en'], ['fr', 'en'], ['zh;q=0', 'en'],
    ['*', 'en'], ['zh-Hant', 'zh'],
  ] as const)('%s is answered in %s', async (accepted, language) => {
    const answer = await ask(`${url}/v1/records/unknown`, { token, headers: accepted ? { 'accept-language': accepted } : { 'accept-language': '' } })
    const text = GATEWAY_ERRORS.RECORD_UNKNOWN[language].replace('{id}', 'unknown')
    expect([answer.json.error.message, answer.headers.get('content-language')]).toEqual([text, language])
  })

  it('says what is wrong with a request in Chinese too', async () => {
    const answer = await ask(`${url}/v1/records?limt=5`, { token, headers: { 'accept-language': 'zh' } })
    expect(answer.json.error.message).toBe('请求有误：limt未知')
  })
})

describe('browsers', () => {
  it('reach it under allowed names only', async () => {
    expect((await rawAsk('/v1/status', { host: 'evil.example' })).status).toBe(403)
    expect((await rawAsk('/docs/', { host: 'evil.example' })).text).toContain('HOST_NOT_ALLOWED')
    expect((await rawAsk('/v1/status', { host: 'gateway.example:80' })).status).toBe(200)
    expect((await rawAsk('/v1/status', { host: 'localhost' })).status).toBe(200)
  })

  it('may call from allowed origins only', async () => {
    const preflight = (origin: string) =>
      ask(`${url}/v1/records`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } })
    const good = await preflight('https://portal.example')
    expect(good.headers.get('access-control-allow-origin')).toBe('https://portal.example')
    expect(good.headers.get('access-control-allow-headers')).toBe('authorization')
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('rates', () => {
  it('refuses a key that asks too often, and says when to come back', async () => {
    const own = await createFixture({ limits: { requestsPerSecond: 0.5, requestsBurst: 2 } })
    const [first, second] = [own.key(), own.key()]
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push(await ask(`${own.url}/v1/records`, { token: first.token }))
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(statuses[2]!.headers.get('retry-after')).toBe('2')
    expect(statuses[2]!.json.error).toMatchObject({ code: 'RATE_LIMITED', details: { limit: 'requestsPerSecond', retryAfterS: 2 } })
    expect((await ask(`${own.url}/v1/records`, { token: second.token })).status).toBe(200)
    await own.stop()
  })

  it('counts records, not only requests', async () => {
    const own = await createFixture({ limits: { recordsPerSecond: 1, recordsBurst: 5 } })
    const key = own.key()
    const records = [BODY, BODY, BODY, BODY]
    expect((await ask(`${own.url}/v1/records`, { token: key.token, body: { records } })).status).toBe(202)
    const refused = await ask(`${own.url}/v1/records`, { token: key.token, body: { records } })
    expect([refused.status, refused.json.error.details.limit]).toEqual([429, 'recordsPerSecond'])
    expect(own.engine.records.size).toBe(4)
    await own.stop()
  })

  it('holds an address that guesses keys, and not the key that is right', async () => {
    const own = await createFixture({ limits: { anonymousPerSecond: 0.1, anonymousBurst: 2 } })
    const key = own.key()
    const guess = () => ask(`${own.url}/v1/records`, { token: `shk_${'a'.repeat(16)}_${'A'.repeat(43)}` })
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429])
    expect((await ask(`${own.url}/v1/status`)).status).toBe(429)
    expect((await ask(`${own.url}/v1/records`, { token: key.token })).status).toBe(200)
    await own.stop()
  })
})

describe('addresses', () => {
  const limits = { anonymousPerSecond: 0.1, anonymousBurst: 2 }
  const status = async (url: string, forwarded: string) =>
    (await ask(`${url}/v1/status`, { headers: { 'x-forwarded-for': forwarded } })).status
  const three = async (url: string, forwarded: string) => [await status(url, forwarded), await status(url, forwarded), await status(url, forwarded)]

  it('are the clients\' behind a proxy that is trusted, one hop beyond it and no further', async () => {
    const own = await createFixture({ limits, trustedProxies: ['127.0.0.0/8', '10.0.0.1'] })
    expect(await three(own.url, '198.51.100.1')).toEqual([200, 200, 429])
    expect(await three(own.url, '198.51.100.2, 10.0.0.1')).toEqual([200, 200, 429])
    // What a client puts before its own address does not count.
    expect(await three(own.url, '203.0.113.9, 198.51.100.1')).toEqual([429, 429, 429])
    expect(await three(own.url, '2001:db8::1')).toEqual([200, 200, 429])
    expect(await status(own.url, '2001:db8::2')).toBe(429)
    await own.stop()
  })

  it('are believed of nobody else', async () => {
    for (const trustedProxies of [[], ['10.0.0.0/8']]) {
      const own = await createFixture({ limits, trustedProxies })
      const statuses = [await status(own.url, '198.51.100.1'), await status(own.url, '198.51.100.2'), await status(own.url, '198.51.100.3')]
      expect(statuses).toEqual([200, 200, 429])
      await own.stop()
    }
  })

  it('may not ask for the files of /docs without end either', async () => {
    const own = await createFixture({ limits: { anonymousPerSecond: 0.1, anonymousBurst: 3 } })
    const paths = ['/docs/static/index.html', '/docs/static/swagger-ui.css', '/docs/static/nothing.js', '/docs/static/swagger-ui.css']
    const statuses = []
    for (const path of paths) statuses.push((await ask(`${own.url}${path}`)).status)
    expect([statuses[0], statuses[1], statuses.at(-1)]).toEqual([302, 200, 429])
    await own.stop()
  })
})

describe('a slow client', () => {
  /** The answer to a request that begins so, and goes on a byte at a time for ever. */
  const dribble = (port: number, start: string) =>
    new Promise<{ reply: string; sent: number }>((resolve) => {
      let [reply, sent] = ['', 0]
      let timer: ReturnType<typeof setInterval> | undefined
      const more = (): void => {
        sent++
        socket.write('x')
      }
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(start)
        timer = setInterval(more, 20)
      })
      socket.on('data', (data) => (reply += data.toString()))
      socket.on('error', () => undefined)
      socket.once('close', () => {
        clearInterval(timer)
        resolve({ reply, sent })
      })
    })

  it('is cut when its headers take too long, however busy it looks', async () => {
    const own = await createFixture({ limits: { headersReceiveMs: 300, receiveCheckMs: 50 } })
    const { reply, sent } = await dribble(own.port, 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    expect(reply).toMatch(/^HTTP\/1.1 408 /)
    expect(sent).toBeGreaterThan(1)
    expect((await ask(`${own.url}/v1/status`)).status).toBe(200)
    await own.stop()
  })

  it('is cut when its body does, and its room is given back', async () => {
    const limits = { headersReceiveMs: 200, requestReceiveMs: 300, receiveCheckMs: 50, inboundBytesMax: 1000 }
    const own = await createFixture({ limits })
    const { token } = own.key()
    const head = ['POST /v1/records HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${token}`, 'Content-Type: application/json', 'Content-Length: 1000']
    const slow = dribble(own.port, [...head, '', '{'].join('\r\n'))
    await expect.poll(async () => (await ask(`${own.url}/v1/records`, { token, body: { schema: 'x' } })).status).toBe(503)
    expect((await slow).reply).toMatch(/408/)
    await expect.poll(async () => (await ask(`${own.url}/v1/records`, { token, body: { schema: 'x' } })).status).toBe(400)
    await own.stop()
  })
})

describe('what goes wrong inside', () => {
  it('is told as a number, and in full in the log only', async () => {
    const own = await createFixture()
    own.engine.failWith = new Error('disk sector 7 at /secret/path')
    const answer = await ask(`${own.url}/v1/records`, { token: own.key().token, body: BODY })
    expect(answer.status).toBe(500)
    expect(Object.keys(answer.json.error)).toEqual(['code', 'message', 'details'])
    expect(answer.text).not.toMatch(/sector|secret|\.ts/)
    const { incident } = answer.json.error.details
    expect(own.errors.map(({ fields }) => [fields.incident, String(fields.error)])).toEqual([[incident, 'Error: disk sector 7 at /secret/path']])
    await own.stop()
  })

  it('breaks with a connection that does not speak HTTP', async () => {
    const reply = await new Promise<string>((resolve) => {
      const socket = connect(fixture.port, '127.0.0.1', () => socket.write('hello\r\n\r\n'))
      socket.once('data', (data) => resolve(data.toString()))
    })
    expect(reply).toMatch(/^HTTP\/1.1 400 /)
    const long = await new Promise<string>((resolve) => {
      const socket = connect(fixture.port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`))
      socket.once('data', (data) => resolve(data.toString()))
    })
    expect(long).toMatch(/^HTTP\/1.1 431 /)
  })

  it('tells who has the port', async () => {
    const taken = createGatewayServer(
      {
        host: '127.0.0.1', port: fixture.port, chainId: 1, genesisHash: '0x', account: '0x', version: '0', secret: new Uint8Array(32),
        allowedHosts: [], corsOrigins: [], webhookHosts: [],
      },
      fixture.ports,
    )
    await expect(taken).rejects.toMatchObject({ code: 'GATEWAY_LISTEN_FAILED', details: { port: fixture.port } })
  })
})
