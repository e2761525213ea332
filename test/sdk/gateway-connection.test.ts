import { mkdtemp, rm } from 'node:fs/promises'
import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  connect, isRefused, isSonghuaError, payloadJson, type GatewayConnection, type GatewayEvent, type GatewayOptions, type SonghuaError,
} from '@songhua/sdk'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { SCOPES } from '@songhua/node/gateway/model'
import { type AnchorChain, CHAIN_ID, createAnchorChain } from '../gateway/anchor-chain.js'
import { type Gateway, ISSUER, OTHER_ISSUER, PERSON, SECRET, openGateway } from '../gateway/engine-fixture.js'
import { type Fixture, createFixture } from '../gateway/http-fixture.js'
import { ENTRY, EVENT, LICENCE, registry } from '../records/samples.js'
import { type Handle, type Stub, badLicence, collect, json, licence, mixed, serve } from './support.js'

let folder: string
let chain: AnchorChain
let gateway: Gateway
let fixture: Fixture
let token: string
let stopMining: () => Promise<void>
const stubs: Stub[] = []

/** The real gateway over HTTP on a real chain, both in this process. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songhua-sdk-gateway-'))
  chain = await createAnchorChain()
  stopMining = chain.keepMining()
  gateway = await openGateway(folder, chain)
  const { engine, table } = gateway
  fixture = await createFixture({
    chainId: CHAIN_ID, genesisHash: chain.genesisHash, secret: SECRET,
    parts: { ...engine, table, proofs: chain.proofs, pending: () => engine.stats().recordsPending! },
    limits: { heartbeatMs: 200 },
  })
  ;({ token } = fixture.key(SCOPES, ISSUER))
})

afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.stop()
})

afterAll(async () => {
  await fixture?.stop()
  await gateway?.stop()
  await stopMining?.()
  await chain?.stop()
  await rm(folder, { recursive: true, force: true })
})

const connected = (options: Partial<GatewayOptions> = {}): Promise<GatewayConnection> =>
  connect({ gateway: fixture.url, apiKey: token, retry: { delayMs: 5, timeoutMs: 20_000 }, ...options })

async function stub(handle: Handle): Promise<string> {
  const one = await serve(handle)
  stubs.push(one)
  return one.url
}

type Request = Parameters<Handle>[0]

function forward({ method, url, headers, body }: Request, signal?: AbortSignal): Promise<Response> {
  const passed = ['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'accept', 'accept-language']
  const own = Object.fromEntries(passed.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])))
  return fetch(fixture.url + url.pathname + url.search, {
    method, headers: own, ...(body === '' ? {} : { body }), ...(signal === undefined ? {} : { signal }),
  })
}

async function pass(request: Request, response: ServerResponse): Promise<void> {
  const answer = await forward(request)
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
}

async function errorOf(refused: Promise<unknown>): Promise<SonghuaError> {
  const error = await refused.then(() => undefined, (thrown: unknown) => thrown)
  if (!isSonghuaError(error)) throw new Error(`expected a SonghuaError, got ${String(error)}`)
  return error
}

const pendingRecords = (): number => gateway.engine.stats().recordsPending!

describe('records of a gateway', () => {
  it('are anchored, kept, found and given back', async () => {
    const songhua = await connected({ trustAnchor: chain.trustAnchor() })
    const { records } = songhua
    const anchored = await records.anchor(licence(1))
    expect(JSON.parse(new TextDecoder().decode(anchored.payload))).toEqual(licence(1).payload)
    expect(await records.verify(anchored.evidence, { ...anchored, trustAnchor: await songhua.trustAnchor() })).toMatchObject({
      valid: true, facts: { recordId: anchored.id, payload: 'verified' },
    })
    expect(await records.get(anchored.id)).toMatchObject({ id: anchored.id, status: 'anchored', payload: 'kept', retainUntil: null })
    expect(await records.payload(anchored.id)).toEqual({ payload: anchored.payload, salt: anchored.salt })
    expect(await records.evidence(anchored.id)).toEqual(anchored.evidence)
  })

  it('are found page by page, as they are taken', async () => {
    const asked: string[] = []
    const url = await stub((request, response) => {
      asked.push(request.url.search)
      return pass(request, response)
    })
    const { records } = await connected({ gateway: url })
    const anchored = await collect(records.anchorMany(Array.from({ length: 7 }, (_, n) => mixed(3 * n + 1))))
    asked.length = 0
    const found = await collect(records.find({ schema: 'trace.object-event', pageSize: 3, from: new Date(0) }))
    expect(found.map(({ id }) => id)).toEqual(anchored.map(({ id }) => id))
    expect(asked).toHaveLength(3)
    const subject = anchored[2]!.envelope.subject
    expect((await collect(records.find({ subject }))).map(({ id }) => id)).toEqual([anchored[2]!.id])
    expect(await collect(records.find({ to: '2001-01-01' }))).toEqual([])
    asked.length = 0
    for await (const _ of records.find({ schema: 'trace.object-event', pageSize: 2 })) break
    expect(asked).toHaveLength(1)
  })

  it('are proved anew under a later block', async () => {
    const songhua = await connected()
    const { id } = await songhua.records.anchor(licence(2))
    await songhua.records.anchor(licence(3))
    const trustAnchor = await songhua.trustAnchor({ checkpoint: 'head' })
    const { height } = trustAnchor.checkpoints[0]!
    expect((await songhua.records.verify(await songhua.records.evidence(id), { trustAnchor })).valid).toBe(false)
    for (const under of [trustAnchor, JSON.stringify(trustAnchor), height]) {
      const verdict = await songhua.records.verify(await songhua.records.evidence(id, { under }), { trustAnchor })
      expect(verdict).toMatchObject({ valid: true, facts: { horizon: { proof: 'checkpoint', height } } })
    }
    const pinned = await connected({ trustAnchor })
    expect((await pinned.records.verify(await pinned.records.evidence(id))).valid).toBe(true)
  })

  it('come with plain evidence where a checkpoint does not reach them, or is their block', async () => {
    const songhua = await connected()
    const before = await songhua.trustAnchor({ checkpoint: 'head' })
    const { id, evidence } = await songhua.records.anchor(licence(2))
    const { blockNumber } = evidence.anchor
    const own = await songhua.trustAnchor({ checkpoint: blockNumber })
    for (const under of [before, own, await songhua.trustAnchor(), blockNumber, blockNumber - 1]) {
      expect(await songhua.records.evidence(id, { under })).toEqual(evidence)
    }
    expect((await songhua.records.verify(evidence, { trustAnchor: own })).valid).toBe(true)
  })

  it('are not proved under what the chain has not reached, another chain, or no trust anchor', async () => {
    const songhua = await connected()
    const { records } = songhua
    const { id, evidence } = await records.anchor(licence(2))
    const under = evidence.anchor.blockNumber + 1_000_000
    expect(await errorOf(records.evidence(id, { under }))).toMatchObject({ code: 'REFRESH_HEIGHT' })
    const other = { ...(await songhua.trustAnchor()), chainId: 7 }
    expect(await errorOf(records.evidence(id, { under: other }))).toMatchObject({
      code: 'EVIDENCE_INVALID', details: { codes: ['CHAIN_ID'] },
    })
    expect(await errorOf(records.evidence(id, { under: '{}' }))).toMatchObject({ code: 'TRUST_ANCHOR_FORMAT' })
  })

  it('can be held, released and erased; the proof stands', async () => {
    const { records } = await connected()
    const { id } = await records.anchor({ schema: 'credit.reporting.entry', payload: ENTRY, subject: PERSON })
    expect(await records.hold(id, '异议处理中')).toMatchObject({ hold: { reason: '异议处理中' } })
    // As after a lost answer: the same hold again is no error, another is.
    expect(await records.hold(id, '异议处理中')).toMatchObject({ hold: { reason: '异议处理中' } })
    expect(await errorOf(records.hold(id, 'another'))).toMatchObject({ code: 'LEGAL_HOLD', status: 409 })
    expect(await errorOf(records.erase(id))).toMatchObject({ code: 'LEGAL_HOLD', status: 409 })
    expect((await records.release(id)).hold).toBeUndefined()
    expect(await records.erase(id)).toMatchObject({ payload: 'erased' })
    expect(await errorOf(records.payload(id))).toMatchObject({ code: 'PAYLOAD_ERASED', status: 410 })
    expect((await records.verify(await records.evidence(id))).valid).toBe(true)
  })

  it('whose payload stays outside are anchored by their envelope', async () => {
    const { records } = await connected({ trustAnchor: chain.trustAnchor() })
    const { envelope } = createRecordBuilder(registry).build({ id: 'government.licence' }, { issuer: ISSUER, payload: LICENCE })
    expect(await records.anchor({ envelope })).toMatchObject({ id: envelope.id, envelope, payload: undefined, salt: undefined })
    expect(await errorOf(records.payload(envelope.id))).toMatchObject({ code: 'PAYLOAD_WITHHELD' })
  })
})

describe('refusals of a gateway', () => {
  it('come with code, status and every failing field', async () => {
    const { records } = await connected()
    const bad = await errorOf(records.anchor(badLicence()))
    expect(bad).toMatchObject({ code: 'RECORD_INVALID', status: 422 })
    const paths = bad.violations.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['/payload/XK_XDR_TYPE', '/payload/XK_XDR_SHXYM', '/payload/XK_JDRQ']))
    expect(await errorOf(records.get('0192b6a0-0000-7000-8000-00000000dead'))).toMatchObject({ code: 'RECORD_UNKNOWN', status: 404 })
    expect(await errorOf(records.anchor({ ...licence(4), issuer: OTHER_ISSUER }))).toMatchObject({ code: 'ISSUER_NOT_ALLOWED', status: 403 })
    const subject = { kind: 'public', scheme: 'number', id: 'lot-1' } as const
    const payload = { ...EVENT, eventTime: '2026-09-30T08:00:00+08:00' }
    const event = { schema: 'trace.object-event', subject, payload } as const
    const first = await records.anchor(event)
    expect(await errorOf(records.anchor(event))).toMatchObject({ code: 'RECORD_DUPLICATE', details: { existingId: first.id } })
  })

  it('of a wrong key, and of a key without the scope, are not tried again', async () => {
    let asked = 0
    const url = await stub((request, response) => {
      asked++
      return pass(request, response)
    })
    const wrong = await connected({ gateway: url, apiKey: 'shk_aaaaaaaaaaaaaaaa_bbb' })
    expect(await errorOf(wrong.records.anchor(licence(5)))).toMatchObject({ code: 'API_KEY_INVALID', status: 401 })
    const reader = await connected({ gateway: url, apiKey: fixture.key(['records:read'], ISSUER).token })
    expect(await errorOf(reader.records.anchor(licence(5)))).toMatchObject({ code: 'SCOPE_MISSING', status: 403 })
    expect(asked).toBe(2)
  })

  it('are in Chinese for those who ask for it', async () => {
    const { records } = await connected({ language: 'zh' })
    expect((await errorOf(records.get('x'))).message).toMatch(/没有记录/)
  })
})

describe('anchorTable', () => {
  const columns = Object.keys(LICENCE) as (keyof typeof LICENCE)[]
  const cell = (value: unknown): string => `"${String(value).replaceAll('"', '""')}"`
  const row = (number: number, change: object = {}): string => {
    const payload = { ...LICENCE, XK_WSH: `表〔2026〕${number}号`, ...change }
    return columns.map((column) => cell(payload[column])).join()
  }
  const table = (...rows: string[]): string => [columns.join(), ...rows].join('\n')
  const schema = 'government.licence'

  /** By what the platform reads of each pair of bytes. */
  function toGb18030(text: string): Uint8Array {
    const decoder = new TextDecoder('gb18030')
    const pairs = Array.from({ length: 0x7e * 0xbf }, (_, n) => [0x81 + Math.floor(n / 0xbf), 0x40 + (n % 0xbf)])
    const codes = new Map(pairs.map((pair) => [decoder.decode(Uint8Array.from(pair)), pair]))
    return Uint8Array.from([...text].flatMap((one) => (one < '\x80' ? [one.charCodeAt(0)] : codes.get(one)!)))
  }

  it('anchors each row, proved, and counts', async () => {
    const { records } = await connected({ trustAnchor: chain.trustAnchor() })
    const progress: object[] = []
    const anchored = await records.anchorTable(table(row(1), row(2)), { schema, onProgress: (one) => progress.push(one) })
    const numbers = anchored.map(({ payload }) => payloadJson<typeof schema>(payload!).XK_WSH)
    expect(numbers).toEqual(['表〔2026〕1号', '表〔2026〕2号'])
    expect(progress.at(-1)).toEqual({ accepted: 2, anchored: 2, refused: 0 })
  })

  it('reads GB18030 with a mapping, and is sent again without effect under its key', async () => {
    const { records } = await connected()
    const bytes = toGb18030(table(row(3)).replace('XK_NR', 'X'))
    const order = { schema, mapping: { X: 'XK_NR' }, charset: 'gb18030', idempotencyKey: 'table-3', partial: true } as const
    const [first] = await records.anchorTable(bytes, order)
    if (first === undefined || isRefused(first)) return expect.unreachable(JSON.stringify(first))
    expect(payloadJson<typeof schema>(first.payload!)).toEqual({ ...LICENCE, XK_WSH: '表〔2026〕3号' })
    const [again] = await records.anchorTable(bytes, order)
    expect(again).toMatchObject({ id: first.id })
    expect(await errorOf(records.anchorTable(table(row(4)).replace('XK_NR', 'X'), order))).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', status: 409 })
  })

  it('names row and column of what is bad, in its place or for the whole', async () => {
    const { records } = await connected()
    const bad = row(6, { XK_XDR_TYPE: '法人' })
    const results = await records.anchorTable(table(row(5), bad), { schema, partial: true })
    expect(results.map((one) => (isRefused(one) ? one.row : 'anchored'))).toEqual(['anchored', 2])
    expect(results.filter(isRefused)[0]!.refusal.violations).toMatchObject([{ column: 'XK_XDR_TYPE' }])
    const all = await records.anchorTable(table(bad, bad), { schema, partial: true })
    expect(all.map((one) => isRefused(one) && one.row)).toEqual([1, 2])
    expect(await errorOf(records.anchorTable(table(row(7), bad), { schema }))).toMatchObject({
      code: 'SUBMISSION_REFUSED', rows: [{ row: 2, violations: [{ column: 'XK_XDR_TYPE' }] }],
    })
    expect(await errorOf(records.anchorTable('', { schema }))).toMatchObject({ code: 'CSV_INVALID' })
    expect(await errorOf(records.anchorTable(table(row(8)), { schema: 'no.such' }))).toMatchObject({ code: 'SCHEMA_UNKNOWN' })
  })
})

describe('anchorMany through a gateway', () => {
  it('keeps the order over many requests, and counts', async () => {
    const { records } = await connected({ trustAnchor: chain.trustAnchor() })
    const source = Array.from({ length: 120 }, (_, number) => licence(1000 + number))
    const progress: object[] = []
    const anchored = await collect(records.anchorMany(source, { batchSize: 25, onProgress: (one) => progress.push(one) }))
    expect(anchored.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)) as unknown)).toEqual(source.map(({ payload }) => payload))
    expect(progress.at(-1)).toEqual({ accepted: 120, anchored: 120, refused: 0 })
  })

  it('with partial, gives refusals in their places, also where a whole request is bad', async () => {
    const { records } = await connected()
    const source = [licence(1), badLicence(), badLicence(), badLicence(), licence(5)]
    const results = await collect(records.anchorMany<string>(source, { partial: true, batchSize: 2 }))
    expect(results.map((one) => (isRefused(one) ? one.row : 'anchored'))).toEqual(['anchored', 2, 3, 4, 'anchored'])
    const refusals = results.filter(isRefused)
    expect(refusals.every(({ refusal }) => refusal.code === 'RECORD_INVALID' && refusal.violations.length > 2)).toBe(true)
  })

  it('without partial, throws the rows of the source', async () => {
    const { records } = await connected()
    const source = [licence(1), licence(2), licence(3), badLicence()]
    const error = await errorOf(collect(records.anchorMany<string>(source, { batchSize: 2 })))
    expect(error).toMatchObject({ code: 'SUBMISSION_REFUSED', status: 422, rows: [{ row: 4, code: 'RECORD_INVALID' }] })
    expect(error.violations.length).toBeGreaterThan(2)
  })

  it('reads the source only as fast as its records are anchored and taken', async () => {
    const { records } = await connected()
    let read = 0
    const endless = function* () {
      for (;;) yield licence(10_000 + read++)
    }
    for await (const _ of records.anchorMany(endless(), { batchSize: 10, concurrency: 2 })) break
    expect(read).toBeLessThanOrEqual(41)
  })
})

describe('a gateway that fails', () => {
  it('and loses its answers in the middle gets nothing twice', async () => {
    let broken = 0
    const url = await stub(async (request, response) => {
      const answer = await forward(request)
      const text = await answer.text()
      if (request.method === 'POST' && broken++ % 3 < 2) {
        response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': text.length * 2 })
        response.write(text.slice(0, text.length / 2), () => response.destroy())
      } else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    })
    const { records } = await connected({ gateway: url })
    const before = (await collect(records.find({ schema: 'government.licence' }))).length
    const anchored = await collect(records.anchorMany(Array.from({ length: 30 }, (_, n) => licence(2000 + n)), { batchSize: 10 }))
    expect(new Set(anchored.map(({ id }) => id)).size).toBe(30)
    expect((await collect(records.find({ schema: 'government.licence' }))).length).toBe(before + 30)
    expect(broken).toBeGreaterThanOrEqual(9)
  })

  it('or has no room is asked again when it says so', async () => {
    const at: number[] = []
    const url = await stub((request, response) => {
      at.push(Date.now())
      if (at.length === 1) return json(response, 429, { error: { code: 'RATE_LIMITED', message: 'slow' } }, { 'retry-after': '1' })
      if (at.length === 2) return json(response, 503, { error: { code: 'OUTBOX_FULL', message: 'full' } })
      if (at.length === 3) return json(response, 502, {})
      return pass(request, response)
    })
    const { records } = await connected({ gateway: url })
    expect((await records.anchor(licence(3000))).id).toBeDefined()
    expect(at).toHaveLength(4)
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(990)
  })

  it('for longer than the limit is given up, with its own code', async () => {
    const busy = await stub((_request, response) => json(response, 429, { error: { code: 'RATE_LIMITED', message: 'slow' } }, { 'retry-after': '60' }))
    expect(await errorOf((await connected({ gateway: busy })).records.get('x'))).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
    const dead = await connected({ gateway: 'http://127.0.0.1:1', retry: { timeoutMs: 50, delayMs: 5 } })
    expect(await errorOf(dead.records.get('x'))).toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
    const closing = createServer()
    await new Promise<void>((listening) => closing.listen(0, '127.0.0.1', listening))
    const { port } = closing.address() as AddressInfo
    await new Promise((closed) => closing.close(closed))
    const gone = await connected({ gateway: `http://127.0.0.1:${port}`, retry: { timeoutMs: 50, delayMs: 5 } })
    // Where, and why: `fetch failed` is what every fault of a network is called.
    expect((await errorOf(gone.records.get('x')) as Error).message).toMatch(new RegExp(`^The gateway http://127\\.0\\.0\\.1:${port} gave no answer to GET /v1/records/x: ECONNREFUSED`))
    const silent = await stub(() => undefined)
    const slow = await connected({ gateway: silent, requestTimeoutMs: 50, retry: { timeoutMs: 80, delayMs: 5 } })
    expect(await errorOf(slow.records.get('x'))).toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
    const other = await stub((_request, response) => response.writeHead(200).end('<html>'))
    expect(await errorOf((await connected({ gateway: other })).records.get('x'))).toMatchObject({ code: 'GATEWAY_ANSWER' })
  })

  it('or whose chain stands still has accepted the record, and says which', async () => {
    await stopMining()
    const { records } = await connected()
    const error = await errorOf(records.anchor(licence(4000), { timeoutMs: 300 }))
    expect(error.code).toBe('ANCHOR_TIMEOUT')
    const [id] = error.details.ids as [string]
    expect((await records.get(id)).status).not.toBe('anchored')
    expect(await errorOf(records.evidence(id))).toMatchObject({ code: 'RECORD_PENDING', status: 409 })
    stopMining = chain.keepMining()
    await expect.poll(async () => (await records.get(id)).status, { timeout: 10_000 }).toBe('anchored')
    expect((await records.verify(await records.evidence(id))).valid).toBe(true)
  })

  it('is left at once when the caller’s signal aborts', async () => {
    const silent = await stub(() => undefined)
    const { records } = await connected({ gateway: silent })
    const stop = new AbortController()
    const asking = records.get('x', { signal: stop.signal })
    stop.abort(new Error('changed my mind'))
    await expect(asking).rejects.toThrow('changed my mind')
    await expect(records.anchor(licence(1), { signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow('never')
  })

  it('is not asked at all when its URL is none', async () => {
    await expect(connect({ gateway: 'gateway.example', apiKey: token })).rejects.toMatchObject({ code: 'OPTION_INVALID', field: 'gateway' })
    await expect(connect({ gateway: fixture.url, apiKey: token, trustAnchor: { version: 1 } })).rejects.toMatchObject({ code: 'TRUST_ANCHOR_FORMAT' })
  })
})

describe('a gateway that lies, under a pinned trust anchor', () => {
  type Answer = { id: string; payload: string; salt: string; evidence: { header: string; envelope: object; inclusion: object } }
  const other = Buffer.from('{"XK_WSH":"another"}').toString('base64')
  const lies: [what: string, lie: (answer: Answer) => object][] = [
    ['drops seals', (answer) => ({ ...answer, evidence: { ...answer.evidence, header: `${answer.evidence.header.slice(0, -6)}000000` } })],
    ['gives another payload', (answer) => ({ ...answer, payload: other })],
    ['gives another salt', (answer) => ({ ...answer, salt: `0x${'00'.repeat(32)}` })],
    ['gives another record’s id', (answer) => ({ ...answer, id: '0192b6a0-0000-7000-8000-00000000dead' })],
    ['changes the envelope', (answer) => ({ ...answer, evidence: { ...answer.evidence, envelope: { ...answer.evidence.envelope, retention: '5y' } } })],
  ]
  it.each(lies)('and %s gets nothing through', async (_, lie) => {
    const url = await stub(async (request, response) => {
      const answer = await forward(request)
      json(response, answer.status, lie((await answer.json()) as Answer))
    })
    const { records } = await connected({ gateway: url, trustAnchor: chain.trustAnchor() })
    expect(await errorOf(records.anchor(licence(5000)))).toMatchObject({ code: 'EVIDENCE_INVALID' })
  })

  it('anchors another payload than was sent, with all that belongs to it, gets nothing through', async () => {
    const url = await stub(async (request, response) => {
      const sent = JSON.parse(request.body) as { payload: object }
      const changed = JSON.stringify({ ...sent, payload: { ...sent.payload, XK_NR: 'something else' } })
      return pass({ ...request, body: changed }, response)
    })
    const { records } = await connected({ gateway: url, trustAnchor: chain.trustAnchor() })
    expect((await errorOf(records.anchor(licence(5001)))).message).toMatch(/payload is not the one that was sent/)
  })
})

describe('watch', () => {
  const next = async (events: AsyncGenerator<GatewayEvent, never>): Promise<GatewayEvent> => (await events.next()).value

  it('tells of records from now on', async () => {
    const { records } = await connected()
    const stop = new AbortController()
    const watching = records.watch({ signal: stop.signal })
    const first = next(watching)
    // The stream begins when it is open: what is anchored before that is not from now on.
    await new Promise((opened) => setTimeout(opened, 300))
    const { id } = await records.anchor(licence(6000))
    expect(await first).toMatchObject({ type: 'record.anchored', recordId: id, issuer: ISSUER })
    const waiting = watching.next()
    stop.abort(new Error('seen enough'))
    await expect(waiting).rejects.toThrow('seen enough')
  })

  it('comes back after every break, without losing or repeating an event', async () => {
    let opened = 0
    const url = await stub(async (request, response) => {
      if (request.url.pathname !== '/v1/stream') return pass(request, response)
      if (++opened % 3 === 2) return json(response, 503, { error: { code: 'GATEWAY_BUSY', message: 'later' } })
      const cut = new AbortController()
      const stream = await forward(request, cut.signal)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const reader = stream.body!.getReader()
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        await new Promise((written) => response.write(chunk.value, written))
        // Broken off in the middle of what comes after the first events.
        if (Buffer.from(chunk.value).includes('data:')) break
      }
      response.destroy()
      cut.abort()
    })
    const { records } = await connected({ gateway: url })
    const stop = new AbortController()
    const watching = records.watch({ cursor: '0', signal: stop.signal })
    const all: string[] = []
    await records.anchor(licence(6001))
    const expected = await gateway.engine.feed.read(undefined, 100_000)
    while (all.length < expected.length) all.push((await next(watching)).cursor)
    expect(all).toEqual(expected.map(({ cursor }) => cursor))
    for (let number = 0; number < 3; number++) {
      const { id } = await records.anchor(licence(6100 + number))
      expect((await next(watching)).recordId).toBe(id)
    }
    expect(opened).toBeGreaterThan(4)
    await watching.return(undefined as never)
  })

  it('ends at a cursor that the gateway has not come to', async () => {
    const { records } = await connected()
    const events = await gateway.engine.feed.read(undefined, 100_000)
    const [event] = events.at(-1)!.cursor.split('.')
    const cursor = `${Number(event) + 1}.0`
    expect(await errorOf(next(records.watch({ cursor })))).toMatchObject({ code: 'CURSOR_AHEAD', status: 410 })
  })

  it('gives up on what no reconnection mends', async () => {
    const { records } = await connected()
    expect(await errorOf(next(records.watch({ cursor: 'yesterday' })))).toMatchObject({ code: 'CURSOR_INVALID' })
    const stranger = await connected({ apiKey: fixture.key(['records:write'], ISSUER).token })
    expect(await errorOf(next(stranger.records.watch()))).toMatchObject({ code: 'SCOPE_MISSING' })
  })
})

it('leaves nothing pending', async () => {
  await expect.poll(pendingRecords, { timeout: 10_000 }).toBe(0)
})
