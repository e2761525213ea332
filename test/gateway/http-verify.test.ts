import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_CODES } from '@songhua/sdk/protocol/evidence-codes'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import { createEvidenceChain } from '../protocol/evidence-support.js'
import { ask, createFixture, type Fixture } from './http-fixture.js'

const chain = createEvidenceChain()
const bundle = chain.bundle(8)
const record = chain.batch[4]!
let fixture: Fixture
let url: string

beforeAll(async () => {
  fixture = await createFixture({
    chainId: 230099,
    genesisHash: chain.hashes[0]!,
    header: (number) => {
      const header = chain.headers[number]
      return header ? Promise.resolve(header) : Promise.reject(new CodedError('HEADER_UNKNOWN', `no block ${number}`))
    },
  })
  ;({ url } = fixture)
})
afterAll(() => fixture.stop())

const verify = (body: unknown) => ask(`${url}/v1/verify`, { body })

describe('POST /v1/verify', () => {
  it('says what verifyEvidence says, with texts, and asks for no key', async () => {
    const answer = await verify({ evidence: bundle })
    expect(answer.status).toBe(200)
    const local = verifyEvidence(bundle, { trustAnchor: chain.trustAnchor() })
    expect(answer.json.valid).toBe(true)
    expect(answer.json.facts).toEqual(JSON.parse(JSON.stringify(local.facts)))
    expect(answer.json.steps).toEqual(
      local.steps.map((step) => ({ ...step, zh: EVIDENCE_CODES[step.code].zh, en: EVIDENCE_CODES[step.code].en })),
    )
  })

  it('takes the text of the file, and payload and salt, with or without 0x', async () => {
    const payload = Buffer.from(record.payload).toString('base64')
    for (const salt of [bytesToHex(record.salt), bytesToHex(record.salt).slice(2)]) {
      const answer = await verify({ evidence: JSON.stringify(bundle), payload, salt })
      expect(answer.json.facts?.payload).toBe('verified')
    }
    const other = await verify({ evidence: bundle, payload, salt: '00'.repeat(32) })
    expect([other.json.valid, other.json.facts]).toEqual([false, null])
    expect(other.json.steps.find(({ step }: { step: string }) => step === 'payload')?.code).toBe('PAYLOAD_SHA256')
  })

  it('looks at no more seals than its thread has time for, whichever way they come', async () => {
    const limit = GATEWAY_LIMITS.verifyHistoryCharactersMax
    const history = (characters: number) => [bundle.header, '0x'.padEnd(characters - bundle.header.length, 'a')]
    const within = await verify({ evidence: { ...bundle, validatorHistory: history(limit) } })
    expect([within.status, within.json.valid]).toEqual([200, false])
    const long = { ...bundle, validatorHistory: history(limit + 1) }
    for (const evidence of [long, JSON.stringify(long)]) {
      const answer = await verify({ evidence })
      expect([answer.status, answer.json.error.code]).toEqual([413, 'EVIDENCE_TOO_LARGE'])
      expect(answer.json.error.details).toMatchObject({ limit: 'verifyHistoryCharactersMax', max: limit })
    }
    for (const validatorHistory of ['x', [1, null, {}], undefined]) {
      expect((await verify({ evidence: { ...bundle, validatorHistory } })).json.valid).toBe(false)
    }
  })

  it('takes another trust anchor', async () => {
    const good = await verify({ evidence: bundle, trustAnchor: chain.trustAnchor(15) })
    expect(good.json.valid).toBe(false)
    const { json } = await verify({ evidence: bundle, trustAnchor: 'noise' })
    expect(json.steps[0]?.code).toBe('FORMAT_TRUST_ANCHOR')
  })

  const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)
  it.each([
    ['noise', 'a'.repeat(1_000_000), 'FORMAT_NOT_JSON'],
    ['a number', 7, 'FORMAT_FIELD'],
    ['null', null, 'FORMAT_FIELD'],
    ['a list', [], 'FORMAT_FIELD'],
    ['deep nesting', deep(50), 'FORMAT_TOO_DEEP'],
    ['a bundle of a future version', { ...bundle, version: 'songhua.evidence/2' }, 'FORMAT_VERSION'],
    ['a bundle without header', { ...bundle, header: undefined }, 'FORMAT_FIELD'],
  ])('gives a verdict on %s', async (_name, evidence, code) => {
    const answer = await verify({ evidence })
    expect([answer.status, answer.json.valid, answer.json.steps[0]?.code]).toEqual([200, false, code])
  })

  it.each([
    ['nothing', {}, 'evidence'],
    ['a payload that is no base64', { evidence: bundle, payload: '***' }, 'payload'],
    ['a salt that is no hexadecimal', { evidence: bundle, salt: 'xyz' }, 'salt'],
    ['half a byte of salt', { evidence: bundle, salt: 'abc' }, 'salt'],
    ['an unknown field', { evidence: bundle, anchor: 1 }, 'anchor'],
  ])('refuses %s', async (_name, body, field) => {
    const answer = await verify(body)
    expect([answer.status, answer.json.error.field]).toEqual([400, field])
  })

  it('counts a long history as the work of many', async () => {
    const limits = { verifyBurst: 20, verifyPerSecond: 0.01 }
    const own = await createFixture({ limits, header: () => Promise.resolve(chain.headers[0]!) })
    try {
      const of = (characters: number) => ({ evidence: { ...bundle, validatorHistory: ['0x'.padEnd(characters, 'a')] } })
      const asked = async (characters: number) => (await ask(`${own.url}/v1/verify`, { body: of(characters) })).status
      const turn = GATEWAY_LIMITS.verifyHistoryCharactersPerTurn
      expect([await asked(18 * turn), await asked(turn), await asked(100)]).toEqual([200, 429, 429])
    } finally {
      await own.stop()
    }
  })

  it.each([
    ['nesting without end', '['.repeat(900_000) + ']'.repeat(900_000), 'FORMAT_TOO_DEEP'],
    ['values without number', `[${'[],'.repeat(600_000)}0]`, 'FORMAT_TOO_LARGE'],
    ['keys without number', `{${Array.from({ length: 150_000 }, (_, at) => `"k${at}":0`).join()}}`, 'FORMAT_TOO_LARGE'],
  ])('gives up on a text of %s before it is parsed, and counts its size', async (_what, evidence, code) => {
    const own = await createFixture({ limits: { verifyBurst: 7, verifyPerSecond: 0.01 }, header: () => Promise.resolve(chain.headers[0]!) })
    try {
      const { status, json } = await ask(`${own.url}/v1/verify`, { body: { evidence } })
      expect([status, json.valid, json.steps[0]?.code]).toEqual([200, false, code])
      const next = await Promise.all(Array.from({ length: 7 }, () => ask(`${own.url}/v1/verify`, { body: { evidence: 1 } })))
      expect(next.filter((one) => one.status === 200).length).toBeLessThan(7 - 1)
    } finally {
      await own.stop()
    }
  })

  it('takes no more values than a bundle and a trust anchor may have', async () => {
    const refused = await verify({ evidence: Array.from({ length: GATEWAY_LIMITS.verifyValuesMax }, () => 0) })
    expect([refused.status, refused.json.error.code]).toEqual([413, 'JSON_TOO_MANY_VALUES'])
  })

  it('has limits of size and rate of its own', async () => {
    const large = await verify({ evidence: 'a'.repeat(2_200_000) })
    expect([large.status, large.json.error.code]).toEqual([413, 'BODY_TOO_LARGE'])
    const own = await createFixture({ limits: { verifyBurst: 1, verifyPerSecond: 0.1 }, header: () => Promise.resolve(chain.headers[0]!) })
    await ask(`${own.url}/v1/verify`, { body: { evidence: 1 } })
    const refused = await ask(`${own.url}/v1/verify`, { body: { evidence: 1 } })
    expect([refused.status, refused.json.error.details.limit]).toEqual([429, 'verifyPerSecond'])
    expect((await ask(`${own.url}/v1/status`)).status).toBe(200)
    await own.stop()
  })
})

describe('the chain', () => {
  it('gives its trust anchor, with a checkpoint when asked', async () => {
    const plain = await ask(`${url}/v1/trust-anchor`)
    expect(plain.json).toEqual(JSON.parse(JSON.stringify(chain.trustAnchor())))
    const head = parseTrustAnchor((await ask(`${url}/v1/trust-anchor?checkpoint=head`)).json)
    expect(head.checkpoints.map(({ height, hash }) => [height, hash])).toEqual([[9, chain.hashes[9]]])
    const at = await ask(`${url}/v1/trust-anchor?checkpoint=15`)
    expect(at.json).toEqual(JSON.parse(JSON.stringify(chain.trustAnchor(15))))
    const beyond = await ask(`${url}/v1/trust-anchor?checkpoint=500`)
    expect([beyond.status, beyond.json.error.code]).toEqual([404, 'HEIGHT_UNKNOWN'])
  })

  it('tells its status', async () => {
    expect((await ask(`${url}/v1/status`)).json).toEqual({
      chainId: 230099, genesisHash: chain.hashes[0], height: 9, account: `0x${'cd'.repeat(20)}`, software: 'songhua/0.1.0', pending: 0,
    })
  })
})

describe('schemas', () => {
  it('are listed, and given whole', async () => {
    const { schemas } = (await ask(`${url}/v1/schemas`)).json
    expect(schemas.map(({ id }: { id: string }) => id).sort()).toEqual(RECORD_SCHEMAS.map(({ id }) => id).sort())
    expect(schemas.every((one: object) => !('schema' in one))).toBe(true)
    const licence = await ask(`${url}/v1/schemas/government.licence?version=1`)
    expect(licence.json).toEqual(JSON.parse(JSON.stringify(RECORD_SCHEMAS.find(({ id }) => id === 'government.licence'))))
    for (const path of ['government.nothing', 'government.licence?version=99', 'constructor']) {
      const unknown = await ask(`${url}/v1/schemas/${path}`)
      expect([unknown.status, unknown.json.error.code]).toEqual([404, 'SCHEMA_NOT_FOUND'])
    }
  })
})
