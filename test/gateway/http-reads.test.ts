import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import type { Door, ReadLevel } from '@songhua/contracts/membership/kinds'
import { POLICY_SLOT, wordOf } from '@songhua/contracts/membership/slots'
import { SCOPES } from '@songhua/node/gateway/model'
import { createHeadReads } from '@songhua/node/permission/reads'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { KEYS, type KeyName, LACKING, READING, everyDoor, levelsWord, readingStorage } from '../permission/readers.js'
import { BUREAU, organisationSlot, organisationWord, stateOfStorage } from '../permission/registers.js'
import { REPAIR } from '../records/samples.js'
import { eventRecord, licenceRecord } from '../support/sample-records.js'
import { type Answer, type AskOptions, ask, createFixture, type Fixture } from './http-fixture.js'

const NAMES = Object.keys(KEYS) as KeyName[]
const FAMILIES = ['government', 'trace', 'credit'] as const
type Family = (typeof FAMILIES)[number]
const recordOf = (family: Family): object =>
  family === 'government' ? licenceRecord(1) : family === 'trace' ? eventRecord(1) : { schema: SCHEMAS.credit, payload: REPAIR }
const SCHEMAS = { government: 'government.licence', trace: 'trace.object-event', credit: 'credit.public.repair' } as const

const storage = readingStorage(everyDoor('public'))
const head = createHeadReads(stateOfStorage(storage))
let fixture: Fixture
let hook: { url: string; types: string[]; stop(): void }
const tokens = {} as Record<KeyName, string>
/** Of an issuer of its own. */
const ids = {} as Record<Family, string>

/** As a block does. */
function setLevels(levels: Partial<Record<Door, ReadLevel>>): void {
  storage.get(POLICY_REGISTER_ADDRESS)!.set(wordOf(POLICY_SLOT.readLevels), levelsWord(levels))
  head.onBlock()
}
function setBureau(status: bigint): void {
  storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(organisationSlot(BUREAU)), organisationWord({ ...READING, status }))
  head.onBlock()
}

beforeAll(async () => {
  const types: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      types.push(...(JSON.parse(body) as { events: { schema?: string; type: string }[] }).events.map(({ schema, type }) => schema ?? type))
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  hook = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, types, stop: () => server.close() }
  fixture = await createFixture({
    limits: { heartbeatMs: 50 }, webhookHosts: ['127.0.0.1'], parts: { policy: { standingOf: (reader) => Promise.resolve(head.standingOf(reader)) } },
  })
  for (const name of NAMES) {
    const { issuer, account } = KEYS[name] as { issuer: string; account?: string }
    tokens[name] = fixture.key(SCOPES, issuer, account).token
  }
  for (const family of FAMILIES) ids[family] = (await submit(family)).json.id
})
afterAll(async () => {
  await fixture.stop()
  hook.stop()
})
beforeEach(() => {
  setLevels(everyDoor('public'))
  setBureau(1n)
})

const MEMBER = "a member's key"
const as = (name: KeyName, path: string, options: AskOptions = {}): Promise<Answer> => ask(`${fixture.url}/v1${path}`, { token: tokens[name], ...options })
const submit = (family: Family, name: KeyName = MEMBER): Promise<Answer> =>
  as(name, '/records', { body: recordOf(family) })

/** Status, and what is missing of a refusal by the policy. */
function toldBy({ status, json }: Answer): [status: number, door?: unknown, level?: unknown, missing?: unknown] {
  if (json?.error?.code !== 'PERMISSION_READ') return [status]
  const { door, level, missing } = json.error.details
  return [status, door, level, missing]
}

describe.each(FAMILIES)('records of %s', (family) => {
  const paths = (): string[] => ['', '/evidence', '/payload'].map((part) => `/records/${ids[family]}${part}`).concat(`/records?schema=${SCHEMAS[family]}`)

  it.each(NAMES)('%s, at every level', async (name) => {
    const others = Object.fromEntries(FAMILIES.map((one) => [one, 'public'])) as Record<Family, ReadLevel>
    for (const level of ['public', 'members', 'listed'] as const) {
      setLevels({ ...others, [family]: level })
      const missing = level === 'public' ? undefined : LACKING[name][level]
      for (const path of paths()) expect(toldBy(await as(name, path)), `${level} ${path}`).toEqual(missing === undefined ? [200] : [403, family, level, missing])
      const { records } = (await as(name, '/records')).json
      const found = new Set(records.map(({ id }) => id))
      expect(FAMILIES.filter((one) => found.has(ids[one]))).toEqual(missing === undefined ? FAMILIES : FAMILIES.filter((one) => one !== family))
    }
  })

  it('no key, a wrong and a revoked one are refused at every level', async () => {
    const revoked = fixture.key(SCOPES, KEYS[MEMBER].issuer)
    fixture.revoke(revoked.id)
    for (const level of ['public', 'members', 'listed'] as const) {
      setLevels({ [family]: level })
      for (const path of paths()) {
        expect((await ask(`${fixture.url}/v1${path}`)).json.error.code).toBe('API_KEY_MISSING')
        for (const token of [revoked.token, `shk_${'a'.repeat(16)}_${'A'.repeat(43)}`]) {
          expect((await ask(`${fixture.url}/v1${path}`, { token })).json.error.code).toBe('API_KEY_INVALID')
        }
      }
    }
  })
})

describe('the policy', () => {
  it('closes and opens within a block', async () => {
    setLevels({ ...everyDoor('public'), credit: 'members' })
    const path = `/records/${ids.credit}`
    expect(toldBy(await as(MEMBER, path))).toEqual([200])
    setBureau(2n)
    expect(toldBy(await as(MEMBER, path))).toEqual([403, 'credit', 'members', 'membership'])
    expect(toldBy(await as(MEMBER, `/records/${ids.trace}`))).toEqual([200])
    setBureau(1n)
    expect(toldBy(await as(MEMBER, path))).toEqual([200])
    setLevels({})
    expect(toldBy(await as(MEMBER, '/records'))).toEqual([403, 'government', 'listed', 'account'])
    setLevels(everyDoor('public'))
    expect(toldBy(await as('a key of nobody on the chain', '/records'))).toEqual([200])
  })

  it('comes after the scopes, tells in both languages what is missing, and is counted', async () => {
    setLevels({})
    const { token } = fixture.key(['records:write'], KEYS[MEMBER].issuer)
    expect((await ask(`${fixture.url}/v1/records/${ids.trace}`, { token })).json.error.code).toBe('SCOPE_MISSING')
    const own = fixture.key(['records:read'], KEYS['a key of nobody on the chain'].issuer)
    expect((await ask(`${fixture.url}/v1/records/${ids.trace}`, { token: own.token })).json.error.code).toBe('RECORD_UNKNOWN')
    const zh = await as(MEMBER, `/records/${ids.trace}`, { headers: { 'accept-language': 'zh' } })
    expect(zh.json.error.message).toMatch(/^链上策略不允许读取 trace（级别 listed）：密钥未指明链上账户/)
    const en = await as(MEMBER, `/records/${ids.trace}`)
    expect(en.json.error.message).toMatch(/^the chain's policy does not let this key read trace \(level listed\): the key names no account/)
    expect(en.json.error.details).toEqual({ door: 'trace', level: 'listed', missing: 'account' })
    expect(fixture.refusals().find(({ code }) => code === 'PERMISSION_READ')!.count).toBeGreaterThan(1)
  })

  it('leaves open what reads nothing of others: writing, and the proof of what was written; verification; what anybody may know', async () => {
    setLevels({})
    const written = await as(MEMBER, '/records?wait=final', { body: recordOf('credit') })
    expect([written.status, written.json.evidence.envelope.id]).toEqual([201, written.json.id])
    for (const path of ['/v1/status', '/v1/schemas', '/v1/openapi.json']) expect((await ask(`${fixture.url}${path}`)).status).toBe(200)
    const verified = await ask(`${fixture.url}/v1/verify`, { body: { evidence: {}, trustAnchor: {} } })
    expect([verified.status, verified.json.valid]).toEqual([200, false])
  })

  it('lets who may read no more erase, as the law wants it, but place no hold', async () => {
    setLevels({})
    const path = `/records/${ids.government}`
    expect(toldBy(await as(MEMBER, `${path}/hold`, { method: 'PUT', body: { reason: 'case 7' } }))).toEqual([403, 'government', 'listed', 'account'])
    expect(toldBy(await as(MEMBER, `${path}/hold`, { method: 'DELETE' }))).toEqual([403, 'government', 'listed', 'account'])
    expect((await as(MEMBER, `${path}/payload`, { method: 'DELETE' })).json.error?.code ?? 'erased').toMatch(/^(erased|RETENTION_NOT_OVER)$/)
  })
})

interface Stream {
  readonly schemas: () => string[]
  readonly ended: Promise<void>
  close(): void
}

async function stream(name: KeyName): Promise<Stream> {
  const gone = new AbortController()
  const response = await fetch(`${fixture.url}/v1/stream`, { headers: { authorization: `Bearer ${tokens[name]}` }, signal: gone.signal })
  expect(response.status).toBe(200)
  let text = ''
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) text += decoder.decode(chunk, { stream: true })
  }
  return {
    schemas: () => [...text.matchAll(/"schema":"([^"]+)"/g)].map((match) => match[1]!),
    ended: read().catch(() => undefined),
    close: () => gone.abort(),
  }
}

describe('a stream of events', () => {
  it('tells of the families that its key may read, and ends when there is none', async () => {
    setLevels({ ...everyDoor('public'), credit: 'listed' })
    const own = await stream(MEMBER)
    for (const family of FAMILIES) await submit(family)
    await expect.poll(own.schemas).toEqual([SCHEMAS.government, SCHEMAS.trace])
    setLevels({ credit: 'public', government: 'members' })
    for (const family of FAMILIES) await submit(family)
    await expect.poll(own.schemas).toEqual([SCHEMAS.government, SCHEMAS.trace, SCHEMAS.government, SCHEMAS.credit])
    setLevels({ government: 'members' })
    setBureau(2n)
    await submit('government')
    await own.ended
    expect(own.schemas()).toHaveLength(4)
    expect(toldBy(await as(MEMBER, '/stream'))).toEqual([403, 'government', 'members', 'membership'])
  })

  it('ends without an event, too', async () => {
    setLevels({ trace: 'members' })
    const own = await stream(MEMBER)
    setBureau(2n)
    await own.ended
    expect(own.schemas()).toEqual([])
  })
})

describe('a webhook', () => {
  it('carries the families that its key may read, is suspended when there is none, and goes on from there', async () => {
    setLevels({ trace: 'members' })
    const made = await as(MEMBER, '/webhooks', { body: { url: hook.url } })
    expect(made.status).toBe(201)
    for (const family of FAMILIES) await submit(family)
    await expect.poll(() => hook.types).toEqual([SCHEMAS.trace])
    setBureau(2n)
    await submit('trace')
    const path = `/webhooks/${made.json.id}`
    await expect.poll(async () => (await as(MEMBER, path)).json.suspended?.reason).toBe('READ_LOST')
    expect(toldBy(await as(MEMBER, `${path}/replay`, { body: {} }))).toEqual([403, 'government', 'listed', 'account'])
    expect(toldBy(await as(MEMBER, `${path}/dead-letters/1/retry`, { method: 'POST' }))).toEqual([403, 'government', 'listed', 'account'])
    expect(toldBy(await as(MEMBER, '/webhooks', { body: { url: hook.url } }))).toEqual([403, 'government', 'listed', 'account'])
    setBureau(1n)
    expect((await as(MEMBER, `${path}/replay`, { body: {} })).json.state).toBe('active')
    await expect.poll(() => hook.types).toEqual([SCHEMAS.trace, SCHEMAS.trace])
    expect((await as(MEMBER, path, { method: 'DELETE' })).status).toBe(204)
  })
})

describe('the document', () => {
  it('says of each door that reads what it needs besides the scope', async () => {
    const { paths } = (await ask(`${fixture.url}/v1/openapi.json`)).json as unknown as {
      paths: Record<string, Record<string, { operationId: string; description?: string; responses: Record<string, { description: string }> }>>
    }
    const all = Object.values(paths).flatMap((one) => Object.values(one))
    const reading = all.filter(({ responses }) => responses[403]?.description.includes('PERMISSION_READ'))
    expect(reading.map(({ operationId }) => operationId).sort()).toEqual([
      'createWebhook', 'findRecords', 'getEvidence', 'getPayload', 'getRecord', 'holdRecord', 'releaseRecord', 'replayWebhook', 'retryDeadLetter', 'streamEvents',
    ])
    for (const { description } of reading) expect(description).toMatch(/PolicyRegister.*listed[^]*PolicyRegister.*listed/)
  })
})
