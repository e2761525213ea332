import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AnchoredRecord, connect, isRefused } from '@songhua/sdk'
import type { AnyRecordInput } from '@songhua/sdk/connection/record'
import { SHARED_ANSWER_TYPE, readOutcomes } from '@songhua/sdk/gateway/answer'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { verifyEvidence } from '@songhua/sdk/verify'
import { prefersToJson } from '@songhua/node/gateway/http/accept'
import { SCOPES } from '@songhua/node/gateway/model'
import { registry } from '../records/samples.js'
import type { SharedAnswer, SharedRecord, WholeRecord } from '../sdk/shared-answer.js'
import { badLicence, collect, mixed } from '../sdk/support.js'
import { type AnchorChain, CHAIN_ID, createAnchorChain } from './anchor-chain.js'
import { entry, type Gateway, ISSUER, licence, licences, openGateway, SECRET } from './engine-fixture.js'
import { ask, createFixture, type Fixture } from './http-fixture.js'

let folder: string
let chain: AnchorChain
let gateway: Gateway
let fixture: Fixture
let url: string
let token: string
let stopMining: () => Promise<void>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songhua-http-shared-'))
  chain = await createAnchorChain()
  stopMining = chain.keepMining()
  // One batch at a time: while it is not anchored, what comes after it gathers in the next.
  gateway = await openGateway(folder, chain, { options: { batch: { inFlightMax: 1 } } })
  const { engine, table } = gateway
  fixture = await createFixture({
    chainId: CHAIN_ID, genesisHash: chain.genesisHash, secret: SECRET,
    parts: { ...engine, table, proofs: chain.proofs, pending: () => engine.stats().recordsPending! },
  })
  ;({ url } = fixture)
  ;({ token } = fixture.key(SCOPES.filter((scope) => scope !== 'records:read-all'), ISSUER))
})
afterAll(async () => {
  await fixture.stop()
  await gateway.stop()
  await stopMining()
  await chain.stop()
  await rm(folder, { recursive: true, force: true })
})

type Plain = { records: (WholeRecord | { error: { code: string }; row: number })[]; replayed: boolean }
type Shared = SharedAnswer & { replayed: boolean }

interface Posted<T> {
  status: number
  type: string
  vary: string
  json: T
}

async function post<T>(body: unknown, { accept = 'application/json', query = '', key }: { accept?: string; query?: string; key?: string } = {}): Promise<Posted<T>> {
  const headers = { accept, ...(key === undefined ? {} : { 'idempotency-key': key }) }
  const answer = await ask(`${url}/v1/records?wait=final${query}`, { token, body, headers })
  const type = answer.headers.get('content-type') ?? ''
  return { status: answer.status, type, vary: answer.headers.get('vary') ?? '', json: JSON.parse(answer.text) as T }
}
const postShared = (body: unknown, more: { query?: string; key?: string } = {}) => post<Shared>(body, { ...more, accept: SHARED_ANSWER_TYPE })

const evidenceOf = async (id: string): Promise<EvidenceBundle> =>
  (await ask(`${url}/v1/records/${id}/evidence`, { token })).json as unknown as EvidenceBundle

const anchoredIn = (answer: unknown): AnchoredRecord[] =>
  readOutcomes(answer).flatMap((one) => ('anchored' in one ? [one.anchored] : []))

async function expectWhole(anchored: readonly AnchoredRecord[]): Promise<void> {
  for (const { id, evidence } of anchored) expect(evidence).toEqual(await evidenceOf(id))
}

describe('the compact answer', () => {
  it('gives the records of several families in their places, each of its own batch', async () => {
    const records = Array.from({ length: 12 }, (_, at) => mixed(at))
    const answer = await postShared({ records })
    expect([answer.status, answer.type]).toEqual([201, `${SHARED_ANSWER_TYPE}; charset=utf-8`])
    expect(answer.vary.split(', ')).toContain('accept')
    expect(answer.json.replayed).toBe(false)
    expect(answer.json.batches.length).toBeGreaterThanOrEqual(3)
    expect(answer.json.records.every((one) => 'leafIndex' in one && !('evidence' in one))).toBe(true)
    const anchored = anchoredIn(answer.json)
    expect(anchored.map(({ envelope }) => envelope.schema.id)).toEqual(records.map(({ schema }) => schema))
    await expectWhole(anchored)
    for (const { evidence, payload, salt } of anchored) {
      const verdict = verifyEvidence(JSON.stringify(evidence), { payload: payload!, salt: salt!, trustAnchor: chain.trustAnchor() })
      expect([verdict.valid, verdict.facts?.payload]).toEqual([true, 'verified'])
    }
  })

  it('is what anchorMany of the SDK gets, with refusals in their places', async () => {
    const inputs: AnyRecordInput[] = [...Array.from({ length: 40 }, (_, at) => mixed(100 + at)), badLicence(), mixed(140)]
    const accepts: string[] = []
    const types: string[] = []
    const watched: typeof fetch = async (input, init) => {
      accepts.push(new Headers(init?.headers).get('accept') ?? '')
      const response = await fetch(input, init)
      types.push(response.headers.get('content-type') ?? '')
      return response
    }
    const { records } = await connect({ gateway: url, apiKey: token, trustAnchor: chain.trustAnchor(), fetch: watched })
    const outcomes = await collect(records.anchorMany(inputs, { partial: true }))
    expect(accepts[0]).toContain(SHARED_ANSWER_TYPE)
    expect(types[0]).toContain(SHARED_ANSWER_TYPE)
    expect(outcomes.map(isRefused)).toEqual(inputs.map((_, at) => at === 40))
    await expectWhole(outcomes.flatMap((one) => (isRefused(one) ? [] : [one])))
  })

  it('keeps the places of what is refused in part', async () => {
    const bad = { schema: 'government.licence', payload: {} }
    const { json } = await postShared({ records: [bad, licence(200), bad, licence(201)] }, { query: '&partial=true' })
    expect(json.records.map((one) => ('error' in one ? one.row : (one as SharedRecord).batch))).toEqual([1, 0, 3, 0])
    await expectWhole(anchoredIn(json))
  })

  it('answers a repeated request in whichever form is asked for', async () => {
    const body = { records: licences(5, 300) }
    const first = await postShared(body, { key: 'shared-1' })
    const plain = await post<Plain>(body, { key: 'shared-1' })
    expect([plain.status, plain.type, plain.json.replayed]).toEqual([201, 'application/json; charset=utf-8', true])
    const again = await postShared(body, { key: 'shared-1' })
    expect(again.json).toEqual({ ...first.json, replayed: true })
    expect(anchoredIn(plain.json)).toEqual(anchoredIn(first.json))
    await expectWhole(anchoredIn(plain.json))
  })

  it('has records whose payload stayed with the issuer, and those whose payload is erased since', async () => {
    const { envelope } = createRecordBuilder(registry).build({ id: 'government.licence' }, { ...licence(400), issuer: ISSUER } as never)
    const body = { records: [{ envelope }, entry('paid')] }
    const first = (await postShared(body, { key: 'withheld' })).json.records as SharedRecord[]
    expect(first[0]).toMatchObject({ id: envelope.id, envelope, payload: null, salt: null })
    expect(first[1]!.payload).toMatch(/=*$/)
    expect((await ask(`${url}/v1/records/${first[1]!.id}/payload`, { token, method: 'DELETE' })).status).toBe(200)
    const again = (await postShared(body, { key: 'withheld' })).json
    expect(again.records[1]).toMatchObject({ id: first[1]!.id, payload: null, salt: null })
    await expectWhole(anchoredIn(again))
  })

  it('gives whole evidence of a batch of which the request has but a few', async () => {
    await stopMining()
    const pending = () => gateway.engine.stats()
    const first = post(licence(500))
    await expect.poll(() => pending().batchesInFlight).toBe(1)
    const [alone, many] = [postShared({ records: licences(2, 510) }), postShared({ records: licences(60, 520) })]
    await expect.poll(() => pending().recordsPending).toBe(63)
    stopMining = chain.keepMining()
    const [{ json: few }, { json: others }] = await Promise.all([alone, many, first])
    expect([few.batches, others.batches.length]).toEqual([[], 1])
    expect(few.records.every((one) => 'evidence' in one)).toBe(true)
    expect(others.records.every((one) => 'leafIndex' in one)).toBe(true)
    const anchored = [...anchoredIn(few), ...anchoredIn(others)]
    expect(new Set(anchored.map(({ evidence }) => evidence.inclusion.treeSize))).toEqual(new Set([62]))
    await expectWhole(anchored)
  })

  it('is for many records that are anchored, and for who asks', async () => {
    const one = await post<WholeRecord>(licence(600), { accept: SHARED_ANSWER_TYPE })
    expect([one.status, one.type]).toEqual([201, 'application/json; charset=utf-8'])
    expect(one.json.evidence).toEqual(await evidenceOf(one.json.id))
    const many = await post<Plain>({ records: licences(2, 601) })
    expect([many.type, many.vary.split(', ')]).toEqual(['application/json; charset=utf-8', expect.arrayContaining(['accept'])])
    const refused = await postShared({ records: [{ schema: 'government.licence', payload: {} }] })
    expect([refused.status, refused.type]).toEqual([422, 'application/json; charset=utf-8'])
    await stopMining()
    const pending = await postShared({ records: licences(2, 603) }, { query: '&waitMs=50' })
    stopMining = chain.keepMining()
    expect([pending.status, pending.type]).toEqual([202, 'application/json; charset=utf-8'])
  })

  it('leaves the gateway free for others while ten thousand records are written', async () => {
    const sending = postShared({ records: licences(10_000, 10_000) })
    let isSent = false
    const done = sending.finally(() => (isSent = true))
    let answered = 0
    while (!isSent) {
      expect((await ask(`${url}/v1/trust-anchor`)).status).toBeLessThan(500)
      answered += 1
    }
    const { json } = await done
    expect(answered).toBeGreaterThan(2)
    const anchored = anchoredIn(json)
    expect(new Set(anchored.map(({ id }) => id)).size).toBe(10_000)
    await expectWhole([anchored[0]!, anchored[4999]!, anchored[9999]!])
  })
})

describe('Accept', () => {
  it.each<[accept: string | undefined, isShared: boolean]>([
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['application/*', false],
    ['application/json', false],
    [SHARED_ANSWER_TYPE, true],
    [SHARED_ANSWER_TYPE.toUpperCase(), true],
    [`${SHARED_ANSWER_TYPE}, application/json;q=0.9`, true],
    [`text/html,  ${SHARED_ANSWER_TYPE} ; q=0.5`, true],
    [`${SHARED_ANSWER_TYPE};q=0.5, */*;q=0.5`, true],
    [`application/json, ${SHARED_ANSWER_TYPE};q=0.9`, false],
    [`*/*, ${SHARED_ANSWER_TYPE};q=0.9`, false],
    [`${SHARED_ANSWER_TYPE};q=0`, false],
    [`${SHARED_ANSWER_TYPE};q=2`, false],
    [`${SHARED_ANSWER_TYPE};q=`, false],
    [`${SHARED_ANSWER_TYPE}x`, false],
    [`${'a'.repeat(2000)},${SHARED_ANSWER_TYPE}`, false],
  ])('%s', (accept, isShared) => {
    expect(prefersToJson(accept, SHARED_ANSWER_TYPE)).toBe(isShared)
  })
})
