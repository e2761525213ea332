import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '@songhua/node/base/clock'
import { createSecretSeal } from '@songhua/node/gateway/http/webhook-store'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import type { Scope } from '@songhua/node/gateway/model'
import type { GatewayTable } from '@songhua/node/gateway/ports'
import { createFakeTable } from './http-fake.js'
import { ask, createFixture, ISSUER, OTHER_ISSUER, type Fixture, type FixtureOptions } from './http-fixture.js'

/** Time that passes when it is told to. */
function createTestClock(startMs: number): Clock & { advance(ms: number): void; readonly dueMs: number[] } {
  let nowMs = startMs
  let timers: { atMs: number; run: () => void }[] = []
  return {
    now: () => nowMs,
    get dueMs() {
      return timers.map(({ atMs }) => atMs - nowMs)
    },
    after(delayMs, run) {
      const timer = { atMs: nowMs + delayMs, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    advance(ms) {
      nowMs += ms
      const due = timers.filter(({ atMs }) => atMs <= nowMs)
      timers = timers.filter(({ atMs }) => atMs > nowMs)
      for (const { run } of due) run()
    },
  }
}

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly events: { recordId: string; cursor: string; type: string }[]
}

/** A receiver that answers as it is told. */
interface Receiver {
  readonly url: string
  readonly received: Received[]
  answer: (response: ServerResponse) => void
  readonly ids: () => string[]
  stop(): Promise<void>
}

async function createReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { events } = JSON.parse(body) as { events: Received['events'] }
      received.push({ headers: request.headers, body, events })
      receiver.answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: (response) => response.writeHead(204).end(),
    ids: () => received.flatMap(({ events }) => events.map(({ recordId }) => recordId)),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return receiver
}

const refuse = (status: number, headers = {}) => (response: ServerResponse) => void response.writeHead(status, headers).end('no')

let clock: ReturnType<typeof createTestClock>
let fixture: Fixture
let receiver: Receiver
let token: string
let table: GatewayTable & { readonly size: number }
const SECRET = new Uint8Array(32).fill(7)

const start = (options: FixtureOptions = {}): Promise<Fixture> =>
  createFixture({ clock, table, secret: SECRET, webhookHosts: ['127.0.0.1'], prng: { next: () => 0.5 }, ...options })

beforeEach(async () => {
  clock = createTestClock(1_700_000_000_000)
  table = createFakeTable()
  receiver = await createReceiver()
  fixture = await start()
  ;({ token } = fixture.key())
  made = 0
})
afterEach(async () => {
  await fixture.stop()
  await receiver.stop()
})

let made = 0
function emit(issuer = ISSUER, type: 'record.anchored' | 'record.held' = 'record.anchored'): string {
  const recordId = `record-${++made}`
  const event = { recordId, issuer }
  if (type === 'record.held') fixture.engine.emit({ ...event, type, by: 'key' })
  else fixture.engine.emit({ ...event, type, blockNumber: 1, batchId: '0x01', schema: 'government.licence' })
  return recordId
}

const hooks = (path = '', options: Parameters<typeof ask>[1] = {}) => ask(`${fixture.url}/v1/webhooks${path}`, { token, ...options })
const create = async (body: object = {}, key = token): Promise<{ id: string; secret: string }> =>
  (await hooks('', { body: { url: receiver.url, ...body }, token: key })).json

describe('a webhook', () => {
  it('gets events, signed so that a stranger to our code can check them', async () => {
    const { secret } = await create()
    const wanted = [emit(), emit()]
    await expect.poll(receiver.ids).toEqual(wanted)
    for (const { headers, body } of receiver.received) {
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers as Record<string, string>
      expect(secret).toMatch(/^whsec_/)
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
      expect(key).toHaveLength(32)
      expect(signature).toBe(`v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`)
      expect(at).toBe(String(Math.floor(clock.now() / 1000)))
      expect(JSON.parse(body)).toMatchObject({ type: 'songhua.events' })
      expect(headers['content-type']).toContain('application/json')
    }
  })

  it('gets only what it asked for, of its own issuer, at most a hundred in a message, in order', async () => {
    await create({ events: ['record.held'] })
    emit()
    emit(OTHER_ISSUER, 'record.held')
    const wanted = Array.from({ length: 150 }, () => emit(ISSUER, 'record.held'))
    await expect.poll(() => receiver.ids().length).toBe(150)
    expect(receiver.ids()).toEqual(wanted)
    expect(Math.max(...receiver.received.map(({ events }) => events.length))).toBeLessThanOrEqual(100)
  })

  it('is shown without its secret, to its issuer only, and deleted', async () => {
    const { id, secret } = await create()
    expect((await hooks()).json.webhooks.map((one: { id: string }) => one.id)).toEqual([id])
    const shown = await hooks(`/${id}`)
    expect(shown.json).toMatchObject({ id, url: receiver.url, events: [], cursor: null, attempts: 0 })
    expect(shown.text).not.toContain(secret.slice(6))
    const stranger = fixture.key(['webhooks:manage'], OTHER_ISSUER).token
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['GET', '/dead-letters'], ['POST', '/dead-letters/1/retry']] as const) {
      const answer = await hooks(`/${id}${path}`, { token: stranger, method })
      expect([answer.status, answer.json.error.code]).toEqual([404, 'WEBHOOK_UNKNOWN'])
    }
    expect((await hooks('', { token: stranger })).json.webhooks).toEqual([])
    expect((await hooks(`/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await hooks(`/${id}`)).status).toBe(404)
    expect(table.size).toBe(0)
    emit()
    expect(receiver.received).toEqual([])
  })

  it('has its secret on disk under a key that is elsewhere', async () => {
    const { id, secret } = await create()
    let stored = ''
    for await (const [, value] of table.entries({ from: Uint8Array.of(0x80), below: Uint8Array.of(0x90) })) {
      stored += Buffer.from(value).toString('utf8')
    }
    expect(stored).not.toContain(secret.slice(6))
    const { sealedSecret } = JSON.parse(stored) as { sealedSecret: string }
    const opened = createSecretSeal(SECRET).open(id, sealedSecret)
    expect(`whsec_${Buffer.from(opened).toString('base64')}`).toBe(secret)
    expect(() => createSecretSeal(new Uint8Array(32)).open(id, sealedSecret)).toThrow()
    expect(() => createSecretSeal(SECRET).open('wh_other', sealedSecret)).toThrow()
  })

  it('is taken up where it was after a restart', async () => {
    const { id } = await create()
    const first = emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.cursor).toBe('1.0')
    await fixture.stop()
    const second = emit()
    fixture = await start({ engine: fixture.engine, keyFile: fixture.keyFile() })
    ;({ token } = fixture.key())
    await expect.poll(receiver.ids).toEqual([first, second])
  })

  it('is bounded in number', async () => {
    await fixture.stop()
    fixture = await start({ limits: { webhooksPerIssuerMax: 1 } })
    ;({ token } = fixture.key())
    await create()
    const refused = await hooks('', { body: { url: receiver.url } })
    expect([refused.status, refused.json.error.code]).toEqual([409, 'WEBHOOKS_TOO_MANY'])
  })
})

describe('a delivery that fails', () => {
  it('is tried again, with growing pauses, the same message each time; what follows waits', async () => {
    const { id } = await create()
    receiver.answer = refuse(500)
    const first = emit()
    await expect.poll(() => receiver.received.length).toBe(1)
    await expect.poll(async () => (await hooks(`/${id}`)).json).toMatchObject({ attempts: 1, lastFailure: 'HTTP 500', cursor: null })
    const second = emit()
    for (const [attempt, pauseMs] of [[2, 5_000], [3, 20_000], [4, 80_000]] as const) {
      clock.advance(pauseMs - 1)
      expect(receiver.received).toHaveLength(attempt - 1)
      clock.advance(1)
      await expect.poll(() => receiver.received.length).toBe(attempt)
      await expect.poll(async () => (await hooks(`/${id}`)).json.attempts).toBe(attempt)
    }
    const bodies = new Set(receiver.received.map(({ body }) => body))
    const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
    expect([bodies.size, ids.size]).toEqual([1, 1])
    expect(receiver.received[0]!.events.map(({ recordId }) => recordId)).toEqual([first])
    receiver.answer = (response) => response.writeHead(200).end()
    clock.advance(320_000)
    await expect.poll(() => receiver.received.at(-1)!.events.map(({ recordId }) => recordId)).toEqual([second])
    expect((await hooks(`/${id}`)).json).not.toHaveProperty('lastFailure')
  })

  it('goes on where it was after a restart, no sooner', async () => {
    await create()
    receiver.answer = refuse(503)
    const first = emit()
    await expect.poll(() => clock.dueMs).toContain(5_000)
    await fixture.stop()
    receiver.answer = (response) => response.writeHead(200).end()
    fixture = await start({ engine: fixture.engine, keyFile: fixture.keyFile() })
    await expect.poll(() => clock.dueMs).toContain(5_000)
    expect(receiver.received).toHaveLength(1)
    clock.advance(5_000)
    await expect.poll(receiver.ids).toEqual([first, first])
  })

  it('becomes a dead letter after three days, which can be tried by hand; the next events go on', async () => {
    const { id } = await create()
    receiver.answer = refuse(500)
    const lost = emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.attempts).toBe(1)
    clock.advance(GATEWAY_LIMITS.webhookGiveUpMs)
    const letters = async () => (await hooks(`/${id}/dead-letters`)).json.deadLetters
    await expect.poll(letters).toEqual([
      { n: 1, after: null, through: '1.0', events: 1, attempts: 2, lastFailure: 'HTTP 500', at: new Date(clock.now()).toISOString() },
    ])
    const still = await hooks(`/${id}/dead-letters/1/retry`, { method: 'POST' })
    expect(still.json).toEqual({ delivered: false, failure: 'HTTP 500' })
    receiver.answer = (response) => response.writeHead(200).end()
    const next = emit()
    await expect.poll(() => receiver.ids().at(-1)).toBe(next)
    expect((await hooks(`/${id}/dead-letters/1/retry`, { method: 'POST' })).json).toEqual({ delivered: true })
    expect(receiver.ids().at(-1)).toBe(lost)
    expect(await letters()).toEqual([])
    const gone = await hooks(`/${id}/dead-letters/1/retry`, { method: 'POST' })
    expect([gone.status, gone.json.error.code]).toEqual([404, 'DEAD_LETTER_UNKNOWN'])
  })

  it('leaves the last dead letters only', async () => {
    await fixture.stop()
    fixture = await start({ limits: { deadLettersMax: 2, webhookGiveUpMs: 0 } })
    ;({ token } = fixture.key())
    receiver.answer = refuse(500)
    const { id } = await create()
    for (let i = 1; i <= 4; i++) {
      emit()
      await expect.poll(async () => (await hooks(`/${id}`)).json.cursor).toBe(`${i}.0`)
    }
    expect((await hooks(`/${id}/dead-letters`)).json.deadLetters.map(({ n }: { n: number }) => n)).toEqual([3, 4])
  })

  it.each([
    ['a redirect', refuse(302, { location: 'http://127.0.0.1:1/' }), /HTTP 302; redirects are not followed/],
    ['a closed connection', (response: ServerResponse) => void response.destroy(), /socket hang up/],
  ])('tells of %s', async (_name, answer, reason) => {
    const { id } = await create()
    receiver.answer = answer
    emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.lastFailure).toMatch(reason)
    expect(receiver.received).toHaveLength(1)
  })

  it('does not wait for ever', async () => {
    const { id } = await create()
    receiver.answer = () => undefined
    emit()
    await expect.poll(() => receiver.received.length).toBe(1)
    clock.advance(GATEWAY_LIMITS.webhookPostMs)
    await expect.poll(async () => (await hooks(`/${id}`)).json.lastFailure).toBe('no answer within 15000 ms')
  })

  it('reads of an endless answer no more than its beginning', async () => {
    const { id } = await create()
    let sent = 0
    receiver.answer = (response) => {
      response.writeHead(200)
      const more = (): void => {
        if (response.destroyed) return
        sent += 65_536
        response.write(Buffer.alloc(65_536), () => setImmediate(more))
      }
      more()
    }
    emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.cursor).toBe('1.0')
    expect(sent).toBeLessThan(50 * 1024 * 1024)
  })

  it('comes back no sooner than its receiver asks', async () => {
    const { id } = await create()
    receiver.answer = refuse(429, { 'retry-after': '600' })
    emit()
    const dueAt = new Date(clock.now() + 600_000).toISOString()
    await expect.poll(async () => (await hooks(`/${id}`)).json.nextAttemptAt).toBe(dueAt)
    clock.advance(599_999)
    expect(receiver.received).toHaveLength(1)
    clock.advance(1)
    await expect.poll(() => receiver.received.length).toBe(2)
  })
})

describe('replay', () => {
  it('sends again what came after a cursor, or all', async () => {
    const { id } = await create()
    const all = [emit(), emit(), emit()]
    await expect.poll(receiver.ids).toEqual(all)
    await expect.poll(async () => (await hooks(`/${id}`)).json.cursor).toBe('3.0')
    expect((await hooks(`/${id}/replay`, { body: { cursor: '2.0' } })).status).toBe(200)
    await expect.poll(receiver.ids).toEqual([...all, all[2]])
    await hooks(`/${id}/replay`, { body: { cursor: '0' } })
    await expect.poll(receiver.ids).toEqual([...all, all[2], ...all])
    const bad = await hooks(`/${id}/replay`, { body: { cursor: 'x' } })
    expect([bad.status, bad.json.error.code]).toEqual([400, 'CURSOR_INVALID'])
    const ahead = await hooks(`/${id}/replay`, { body: { cursor: '99.0' } })
    expect([ahead.status, ahead.json.error.code]).toEqual([410, 'CURSOR_AHEAD'])
  })

  it('ends a pause', async () => {
    const { id } = await create()
    receiver.answer = refuse(500)
    const first = emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.attempts).toBe(1)
    receiver.answer = (response) => response.writeHead(200).end()
    await hooks(`/${id}/replay`, { body: { cursor: '0' } })
    await expect.poll(receiver.ids).toEqual([first, first])
  })
})

describe('a webhook that nobody answers for', () => {
  const isSuspended = async (id: string, reason: string) => {
    const stands = async () => (await hooks(`/${id}`)).json
    await expect.poll(stands).toMatchObject({ state: 'suspended', suspended: { reason } })
    const { zh, en } = (await stands()).suspended
    expect([/[一-鿿]/.test(zh), en.includes('replay')]).toEqual([true, true])
  }
  /** Through another key of the same issuer from now on. */
  const withNewKey = (scopes?: readonly Scope[]) => void ({ token } = fixture.key(scopes))

  it('stops with its key, also over a restart, and goes on from where it stood through another one', async () => {
    const maker = fixture.key()
    const { id } = await create({}, maker.token)
    const first = emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.cursor).toBe('1.0')
    fixture.revoke(maker.id)
    const missed = [emit(), emit()]
    await isSuspended(id, 'KEY_REVOKED')
    await fixture.stop()
    fixture = await start({ engine: fixture.engine, keyFile: fixture.keyFile() })
    withNewKey()
    await isSuspended(id, 'KEY_REVOKED')
    expect(receiver.ids()).toEqual([first])
    const enabled = await hooks(`/${id}/replay`, { body: {} })
    expect([enabled.status, enabled.json.state, enabled.json.cursor]).toEqual([200, 'active', '1.0'])
    await expect.poll(receiver.ids).toEqual([first, ...missed])
    expect((await hooks(`/${id}`)).json).not.toHaveProperty('suspended')
  })

  it('stops between attempts, and is found out without any event', async () => {
    const maker = fixture.key()
    const { id } = await create({}, maker.token)
    receiver.answer = refuse(500)
    emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.attempts).toBe(1)
    fixture.revoke(maker.id)
    clock.advance(10_000)
    await isSuspended(id, 'KEY_REVOKED')
    expect(receiver.received).toHaveLength(1)
    const letter = await hooks(`/${id}/dead-letters/1/retry`, { method: 'POST' })
    expect(letter.json.error.code).toBe('DEAD_LETTER_UNKNOWN')
  })

  it('does not send what was given up either', async () => {
    await fixture.stop()
    fixture = await start({ limits: { webhookGiveUpMs: 0 } })
    const maker = fixture.key()
    withNewKey()
    const { id } = await create({}, maker.token)
    receiver.answer = refuse(500)
    emit()
    await expect.poll(async () => (await hooks(`/${id}/dead-letters`)).json.deadLetters.length).toBe(1)
    fixture.revoke(maker.id)
    const refused = await hooks(`/${id}/dead-letters/1/retry`, { method: 'POST' })
    expect([refused.status, refused.json.error.code]).toEqual([409, 'WEBHOOK_SUSPENDED'])
    expect(receiver.received).toHaveLength(1)
  })

  it('sees of all issuers no more than the key that enables it again', async () => {
    const auditor = fixture.key(['webhooks:manage', 'records:read-all'])
    const { id } = await create({}, auditor.token)
    const seen = [emit(), emit(OTHER_ISSUER)]
    await expect.poll(receiver.ids).toEqual(seen)
    fixture.revoke(auditor.id)
    const own = emit()
    emit(OTHER_ISSUER)
    await isSuspended(id, 'KEY_REVOKED')
    await hooks(`/${id}/replay`, { body: {} })
    await expect.poll(receiver.ids).toEqual([...seen, own])
    const later = [emit(OTHER_ISSUER), emit()]
    await expect.poll(receiver.ids).toEqual([...seen, own, later[1]])
  })

  it('is not widened by a key that sees more, nor taken from a key that stands', async () => {
    const maker = fixture.key()
    const { id } = await create({}, maker.token)
    withNewKey(['webhooks:manage', 'records:read-all'])
    await hooks(`/${id}/replay`, { body: { cursor: '0' } })
    fixture.revoke(maker.id)
    emit(OTHER_ISSUER)
    await isSuspended(id, 'KEY_REVOKED')
    await hooks(`/${id}/replay`, { body: {} })
    const own = emit()
    await expect.poll(receiver.ids).toEqual([own])
  })

  it('is suspended by 410 Gone at once, and loses nothing', async () => {
    const { id } = await create()
    receiver.answer = refuse(410)
    const first = emit()
    await isSuspended(id, 'RECEIVER_GONE')
    const second = emit()
    clock.advance(GATEWAY_LIMITS.webhookGiveUpMs)
    await isSuspended(id, 'RECEIVER_GONE')
    expect(receiver.received).toHaveLength(1)
    expect((await hooks(`/${id}/dead-letters`)).json.deadLetters).toEqual([])
    receiver.answer = (response) => response.writeHead(200).end()
    await hooks(`/${id}/replay`, { body: {} })
    await expect.poll(receiver.ids).toEqual([first, first, second])
  })

  it('waits while the keys cannot be read', async () => {
    await create()
    fixture.breakKeys()
    emit()
    await expect.poll(() => fixture.errors.length).toBeGreaterThan(0)
    expect(receiver.received).toEqual([])
  })
})

describe('where webhooks may lead', () => {
  it('is asked again at each delivery: a name that turns to the metadata service is not followed', async () => {
    await fixture.stop()
    fixture = await start({ webhookHosts: ['hooks.example.cn'], resolve: () => Promise.resolve([{ address: '169.254.169.254', family: 4 }]) })
    ;({ token } = fixture.key())
    const { id } = await create({ url: 'http://hooks.example.cn/x' })
    emit()
    await expect.poll(async () => (await hooks(`/${id}`)).json.lastFailure).toMatch(/169\.254\.169\.254.* not allowed/)
  })

  it('is told when one is asked for', async () => {
    const denied = await hooks('', { body: { url: 'https://elsewhere.example/' } })
    expect([denied.status, denied.json.error.code, denied.json.error.field]).toEqual([403, 'WEBHOOK_HOST', 'url'])
    for (const body of [{}, { url: 5 }, { url: receiver.url, events: [] }, { url: receiver.url, events: ['x'] }, { url: receiver.url, secret: 'x' }]) {
      expect((await hooks('', { body })).status).toBe(400)
    }
  })
})
