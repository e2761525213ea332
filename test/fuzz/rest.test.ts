import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GATEWAY_ERRORS } from '@songhua/node/gateway/errors'
import { SCOPES } from '@songhua/node/gateway/model'
import { type AnchorChain, CHAIN_ID, createAnchorChain } from '../gateway/anchor-chain.js'
import { type Gateway, ISSUER, SECRET, entry, event, licence, openGateway } from '../gateway/engine-fixture.js'
import { type Body, type Fixture, ask, createFixture } from '../gateway/http-fixture.js'
import { LICENCE } from '../records/samples.js'
import { jsonEdited, strange, textEdited } from './json.js'
import { anyBytes, mutated } from './mutations.js'
import { assertNoPollution } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holdsAsync } from './runs.js'
import { type Schema, valuesOf } from './schema.js'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema?: Schema
}

interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly bodies: readonly (readonly [type: string, schema: Schema])[]
}

interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

interface Reply {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** An endless answer is looked at so long. */
const STREAM_LOOK_MS = 30

let folder: string
let chain: AnchorChain
let gateway: Gateway
let fixture: Fixture
let token: string
let stopMining: () => Promise<void>
let operations: readonly Operation[]
let known: readonly string[]
let bundle: unknown
/** So that the generators are seen to reach behind the doors, and to be refused at each of them. */
const seen = new Set<number>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songhua-fuzz-rest-'))
  chain = await createAnchorChain()
  stopMining = chain.keepMining()
  gateway = await openGateway(folder, chain)
  const { engine, table } = gateway
  const often = 1_000_000
  fixture = await createFixture({
    chainId: CHAIN_ID, genesisHash: chain.genesisHash, secret: SECRET, webhookHosts: ['good.org'],
    limits: { anonymousPerSecond: often, anonymousBurst: often, verifyPerSecond: often, verifyBurst: often, heartbeatMs: 10 },
    parts: { ...engine, table, proofs: chain.proofs, pending: () => engine.stats().recordsPending! },
  })
  ;({ token } = fixture.key(SCOPES, ISSUER))
  const { paths } = (await ask(`${fixture.url}/v1/openapi.json`)).json as unknown as { paths: Record<string, Record<string, Described>> }
  operations = Object.entries(paths).flatMap(([path, item]) => Object.entries(item).map(([method, one]) => operationOf(path, method, one)))
  const anchored = await ask(`${fixture.url}/v1/records?wait=final`, { token, body: licence(1) })
  const webhook = await ask(`${fixture.url}/v1/webhooks`, { token, body: { url: 'https://good.org/hook' } })
  bundle = { evidence: anchored.json.evidence, payload: anchored.json.payload, salt: anchored.json.salt }
  known = [anchored.json.id, webhook.json.id, 'government.licence', '1', '0', '0.0', '2026-11-24', '2026-11-24T08:00:00Z', 'number:7', 'gs1:urn:epc:id:sgtin:0614141.107346.2017', 'final', 'true']
}, 120_000)
afterAll(async () => {
  await fixture.stop()
  await gateway.stop()
  await stopMining()
  await chain.stop()
  await rm(folder, { recursive: true, force: true })
})
afterEach(() => {
  assertNoPollution()
  expect(fixture.errors.splice(0).map(({ message, fields }) => `${message} ${String(fields['error'])}`)).toEqual([])
})

interface Described {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> }
}

function operationOf(path: string, method: string, { parameters = [], requestBody }: Described): Operation {
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) => [type, schema] as const)
  return { method: method.toUpperCase(), path, parameters, bodies }
}

function send({ method, path, headers, body }: Request): Promise<Reply> {
  return new Promise((answered, failed) => {
    const call = httpRequest({ host: '127.0.0.1', port: fixture.port, method, path, headers }, (response) => {
      const { statusCode: status = 0 } = response
      const type = response.headers['content-type'] ?? ''
      const chunks: Buffer[] = []
      const end = (): void => answered({ status, type, text: Buffer.concat(chunks).toString() })
      if (type.startsWith('text/event-stream')) {
        setTimeout(() => {
          response.destroy()
          end()
        }, STREAM_LOOK_MS)
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', end)
      response.on('error', (error) => type.startsWith('text/event-stream') || failed(error))
    })
    call.on('error', failed)
    call.end(body)
  })
}

// --------------------------------------------------------------------------------------------------------- requests

/** What Node's client lets out; the server must take all of it. */
const headerText = fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, ''))
const textOf = (schema: Schema | undefined): fc.Arbitrary<string> =>
  fc.oneof(
    schema === undefined ? fc.string() : valuesOf(schema).map((value) => (typeof value === 'string' ? value : JSON.stringify(value) ?? '')),
    fc.nat().map((at) => known[at % known.length]!),
    fc.string({ unit: 'binary', maxLength: 20 }),
    strange.map((value) => (typeof value === 'string' ? value : JSON.stringify(value) ?? '')),
  )

/** Text as it may stand in a URL, well or badly encoded. */
const encoded = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.constantFrom('', '', '', '%', '%zz', '%00', '..', '%2f', '#')).map(([one, tail]) =>
    Buffer.from(one.slice(0, 2_000)).toString('latin1').replace(/[^A-Za-z0-9._~-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`) + tail)

function pathOf({ path, parameters }: Operation): fc.Arbitrary<string> {
  const inPath = parameters.filter((one) => one.in === 'path')
  const inQuery = parameters.filter((one) => one.in === 'query')
  const values = fc.tuple(...inPath.map(({ schema }) => encoded(textOf(schema))))
  const named = inQuery.map(({ name, schema }) => encoded(textOf(schema)).map((value) => `${encodeURIComponent(name)}=${value}`))
  const own = fc.subarray(named).chain((chosen) => fc.tuple(...chosen))
  const pair = fc.tuple(encoded(fc.string({ maxLength: 8 })), encoded(fc.string({ maxLength: 8 }))).map((parts) => parts.join('='))
  const junk = fc.oneof(
    { arbitrary: fc.constant(''), weight: 3 },
    { arbitrary: fc.constantFrom('&', '&&=', '&__proto__=1&__proto__[x]=2', '&a[b]=1', '&wait=final&wait=final'), weight: 1 },
    { arbitrary: pair.map((one) => `&${one}`), weight: 1 },
  )
  const query = fc.tuple(own, junk)
  return fc.tuple(values, query).map(([all, [chosen, tail]]) => {
    const filled = inPath.reduce((url, { name }, at) => url.replace(`{${name}}`, () => all[at]!), path)
    return `${filled}?${chosen.join('&')}${tail}`
  })
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value) ?? 'undefined')
const csv = [Object.keys(LICENCE).join(','), Object.values(LICENCE).map((cell) => `"${cell}"`).join(',')].join('\n')

function goodBodies(): unknown[] {
  return [licence(2), { records: [licence(3), event(4), entry('5')] }, bundle, { url: 'https://good.org/h', events: ['record.anchored'] }, { reason: 'court' }]
}

function bodyOf(type: string, schema: Schema): fc.Arbitrary<Uint8Array> {
  if (type === 'text/csv') {
    return fc.oneof(textEdited(csv).map((text) => new TextEncoder().encode(text)), mutated(fc.constant(new TextEncoder().encode(csv))), anyBytes)
  }
  const good = fc.constantFrom(...goodBodies())
  return fc.oneof(
    good.map(json),
    good.chain((value) => jsonEdited(value)).map(json),
    good.chain((value) => textEdited(JSON.stringify(value))).map((text) => new TextEncoder().encode(text)),
    valuesOf(schema).map(json),
    strange.map(json),
    anyBytes,
  )
}

const contentType = (type: string): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: fc.constant(type), weight: 6 },
    { arbitrary: fc.constantFrom('application/json; charset=gbk', 'text/csv; charset=gb18030', 'text/plain', 'multipart/form-data', ';', 'application/json;;;'), weight: 1 },
    { arbitrary: headerText, weight: 1 },
  )

type Content = [type: string, body: Uint8Array | undefined]

function requestsTo(operation: Operation): fc.Arbitrary<Request> {
  const more = operation.parameters.filter((one) => one.in === 'header').map(({ name }) => name)
  const names = [...more, 'accept', 'accept-language', 'idempotency-key', 'last-event-id', 'prefer', 'range', 'if-none-match', 'x-forwarded-for', 'origin', 'content-encoding']
  const headers = fc.dictionary(fc.constantFrom(...names), fc.oneof(headerText, fc.constantFrom('text/event-stream', 'zh;q=0.9,en;q=x', '*/*', '9.9', '0.0', 'gzip')), { maxKeys: 3 })
  const none: fc.Arbitrary<Content> = fc.tuple(fc.constant(''), fc.constantFrom<(Uint8Array | undefined)[]>(undefined, undefined, new Uint8Array(0), json({})))
  const bodies = fc.oneof(none, ...operation.bodies.map((one): fc.Arbitrary<Content> => fc.tuple(contentType(one[0]), bodyOf(...one))))
  const authorization = fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 8 },
    { arbitrary: headerText, weight: 1 },
    { arbitrary: headerText.map((text) => `Bearer ${text}`), weight: 1 },
  )
  return fc.tuple(pathOf(operation), headers, bodies, authorization).map(([path, some, [type, body], key]) => ({
    method: operation.method,
    path,
    headers: {
      ...some, authorization: key ?? `Bearer ${token}`, connection: 'close',
      ...(type === '' ? {} : { 'content-type': type }), ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    },
    body,
  }))
}

/** 2xx, or an error of the table with the status that the table gives it: never a 500. */
function check({ status, type, text }: Reply): void {
  seen.add(status)
  if (status < 400) return
  expect(type).toContain('application/json')
  const { error } = JSON.parse(text) as Body
  expect(Object.keys(GATEWAY_ERRORS)).toContain(error.code)
  expect(GATEWAY_ERRORS[error.code as keyof typeof GATEWAY_ERRORS].status, error.code).toBe(status)
  expect(status, text).toBeLessThan(500)
  expect(error.message).not.toBe('')
}

describe('REST over the engine and a chain', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('answers every route, whatever is asked of it, or refuses by a code of its table', async () => {
    expect(operations.length).toBeGreaterThan(20)
    for (const operation of operations) {
      await holdsAsync(requestsTo(operation), operation.bodies.length > 0 ? 50 : 12, async (request) => check(await send(request)))
    }
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 404, 415]))
  })

  it('answers any method and path', async () => {
    const requests = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'),
      path: fc.tuple(fc.constantFrom('/', '/v1', '/v1/records', '/docs', '/docs/json', '/v1/webhooks'), fc.array(encoded(fc.string({ maxLength: 12 })), { maxLength: 4 })).map(([root, parts]) => [root, ...parts].join('/')),
    })
    await holdsAsync(requests, 120, async ({ method, path }) => {
      const reply = await send({ method, path, headers: { connection: 'close' }, body: undefined })
      if (method === 'HEAD') expect(reply.status).toBeLessThan(500)
      else check(reply)
    })
  })
})
