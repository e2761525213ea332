import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { SCOPES } from '@songhua/node/gateway/model'
import { EVENT, LICENCE, USCC } from '../records/samples.js'
import { type AnchorChain, CHAIN_ID, createAnchorChain } from './anchor-chain.js'
import { entry, type Gateway, ISSUER, licence, openGateway, OTHER_ISSUER, SECRET } from './engine-fixture.js'
import { ask, createFixture, type Fixture } from './http-fixture.js'

let folder: string
let chain: AnchorChain
let gateway: Gateway
let fixture: Fixture
let url: string
let token: string
let stopMining: () => Promise<void>

const open = async (): Promise<void> => {
  gateway = await openGateway(folder, chain)
  const { engine, table } = gateway
  fixture = await createFixture({
    chainId: CHAIN_ID, genesisHash: chain.genesisHash, secret: SECRET,
    parts: { ...engine, table, proofs: chain.proofs, pending: () => engine.stats().recordsPending! },
  })
  ;({ url } = fixture)
  ;({ token } = fixture.key(SCOPES.filter((scope) => scope !== 'records:read-all'), ISSUER))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songhua-http-engine-'))
  chain = await createAnchorChain()
  stopMining = chain.keepMining()
  await open()
})
afterAll(async () => {
  await fixture.stop()
  await gateway.stop()
  await stopMining()
  await chain.stop()
  await rm(folder, { recursive: true, force: true })
})

const post = (body: unknown, query = '', headers: Record<string, string> = {}) => ask(`${url}/v1/records${query}`, { token, body, headers })
const verifier = () => createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()))

describe('REST over the engine and a chain', () => {
  it('gives one record back with a bundle that verifies, with its payload, offline and at the gateway', async () => {
    const answer = await post(licence(1), '?wait=final')
    expect(answer.status).toBe(201)
    const { evidence, payload, salt, id } = answer.json
    const input = { payload: Buffer.from(payload, 'base64'), salt: hexToBytes(salt) }
    const verdict = verifier().verify(evidence, input)
    expect([verdict.valid, verdict.facts?.recordId, verdict.facts?.payload]).toEqual([true, id, 'verified'])
    const online = await ask(`${url}/v1/verify`, { body: { evidence, payload, salt } })
    expect(online.json.valid).toBe(true)
    const file = await ask(`${url}/v1/records/${id}/evidence`, { token })
    expect(verifier().verify(file.text).valid).toBe(true)
    const head = Number((await ask(`${url}/v1/status`)).json.height)
    const under = await ask(`${url}/v1/records/${id}/evidence?under=${head}`, { token })
    expect([under.status, verifier().verify(under.text).valid]).toEqual([200, true])
    for (const height of [evidence.anchor.blockNumber, evidence.anchor.blockNumber - 1, 0]) {
      const plain = await ask(`${url}/v1/records/${id}/evidence?under=${height}`, { token })
      expect([plain.status, plain.text]).toEqual([200, file.text])
    }
    const bad = await ask(`${url}/v1/records/${id}/evidence?under=999999999`, { token })
    expect([bad.status, bad.json.error.code]).toEqual([400, 'REFRESH_HEIGHT'])
  })

  it('anchors a thousand at a time, each with a bundle of its own', async () => {
    const answer = await post({ records: Array.from({ length: 1000 }, (_, at) => licence(1000 + at)) }, '?wait=final')
    expect(answer.status).toBe(201)
    const check = verifier()
    const ids = answer.json.records.map(({ id, evidence }: { id: string; evidence: unknown }) => {
      const { valid, facts } = check.verify(evidence)
      return valid && facts?.recordId === id ? id : undefined
    })
    expect(ids).not.toContain(undefined)
    expect(new Set(ids).size).toBe(1000)
  })

  it('anchors a CSV', async () => {
    const columns = Object.keys(LICENCE)
    const values = (number: number) => Object.values({ ...LICENCE, XK_WSH: `哈市监许〔2026〕CSV${number}号` }).join(',')
    const answer = await ask(`${url}/v1/records?schema=government.licence&wait=final`, {
      token, body: [columns.join(','), values(1), values(2)].join('\n'), headers: { 'content-type': 'text/csv' },
    })
    expect(answer.status).toBe(201)
    expect(answer.json.records.map(({ evidence }: { evidence: unknown }) => verifier().verify(evidence).valid)).toEqual([true, true])
  })

  it('tells by row and column of a CSV for whom the key may not write', async () => {
    const columns = Object.keys(LICENCE).filter((column) => column !== 'XK_WSH')
    const values = columns.map((column) => LICENCE[column as keyof typeof LICENCE]).join(',')
    const rows = [`${values},文号甲,${ISSUER}`, `${values},文号乙,${OTHER_ISSUER}`]
    const answer = await ask(`${url}/v1/records?schema=government.licence`, {
      token, body: [`${columns.join(',')},XK_WSH,$issuer`, ...rows].join('\n'), headers: { 'content-type': 'text/csv' },
    })
    expect(answer.json.error.rows).toMatchObject([
      { row: 2, code: 'ISSUER_NOT_ALLOWED', violations: [{ path: '/issuer', column: '$issuer' }] },
    ])
  })

  it('refuses bad records as a whole, with rows; in part when asked', async () => {
    const bad = { schema: 'government.licence', payload: { ...LICENCE, XK_JDRQ: 'soon', MORE: 1 } }
    const refused = await post({ records: [licence(5), bad] })
    expect(refused.json.error.rows).toMatchObject([{ row: 2, code: 'RECORD_INVALID' }])
    expect(refused.json.error.rows[0]!.violations.map(({ path }) => path).sort()).toEqual(['/payload/MORE', '/payload/XK_JDRQ'])
    const partial = await post({ records: [licence(5), bad] }, '?partial=true')
    expect(partial.status).toBe(202)
    expect(partial.json.records[1]!.error.code).toBe('RECORD_INVALID')
    const single = await post(bad)
    expect([single.status, single.json.error.code]).toEqual([422, 'RECORD_INVALID'])
    const foreign = await post({ ...licence(6), issuer: OTHER_ISSUER })
    expect([foreign.status, foreign.json.error.code]).toEqual([403, 'ISSUER_NOT_ALLOWED'])
    const unknown = await post({ schema: 'government.nothing', payload: {} })
    expect([unknown.status, unknown.json.error.code]).toEqual([422, 'SCHEMA_UNKNOWN'])
    const odd = await post({ schema: 'government.licence', payload: 'text' })
    expect([odd.status, odd.json.error.code]).toEqual([422, 'RECORD_INVALID'])
    const noEnvelope = await post({ envelope: { type: 'x' } })
    expect([noEnvelope.status, noEnvelope.json.error.code]).toEqual([422, 'RECORD_INVALID'])
  })

  it('names the schema that there is not, in either language', async () => {
    const body = { schema: 'government.license', payload: {} }
    for (const [language, words] of [['en', 'there is no schema government.license'], ['zh', '没有模式 government.license']] as const) {
      const refused = await post(body, '', { 'accept-language': language })
      expect([refused.status, refused.json.error.message]).toEqual([422, expect.stringContaining(words)])
    }
  })

  it('tells of an event that is there already', async () => {
    const body = { schema: 'trace.object-event', payload: EVENT, subject: { kind: 'public', scheme: 'uri', id: 'urn:uuid:0192b6a0-0000-7000-8000-000000000001' } }
    const first = await post(body)
    expect(first.status).toBe(202)
    const again = await post(body)
    expect([again.status, again.json.error.code, again.json.error.existingId]).toEqual([409, 'RECORD_DUPLICATE', first.json.id])
  })

  it('answers a repeated request with the same records, and another body with a conflict', async () => {
    const headers = { 'idempotency-key': 'a-1' }
    const first = await post(licence(7), '', headers)
    const again = await post(licence(7), '?wait=final', headers)
    expect([again.status, again.json.replayed, again.json.id]).toEqual([201, true, first.json.id])
    const other = await post(licence(8), '', headers)
    expect([other.status, other.json.error.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
  })

  it('keeps, holds, erases; the evidence stands', async () => {
    const { id, evidence, payload, salt } = (await post(entry('a loan that was paid'), '?wait=final')).json
    const at = (part: string, method: string, body?: unknown) => ask(`${url}/v1/records/${id}${part}`, { token, method, ...(body ? { body } : {}) })
    expect((await at('/hold', 'PUT', { reason: '案号 1' })).json.hold.reason).toBe('案号 1')
    expect((await at('/payload', 'DELETE')).json.error.code).toBe('LEGAL_HOLD')
    await at('/hold', 'DELETE')
    expect((await at('/payload', 'GET')).json).toEqual({ payload, salt })
    expect((await at('/payload', 'DELETE')).json.payload).toBe('erased')
    expect((await at('/payload', 'GET')).status).toBe(410)
    expect((await at('/evidence', 'GET')).json).toEqual(evidence)
    const permanent = (await post(licence(9))).json.id
    const refused = await ask(`${url}/v1/records/${permanent}/payload`, { token, method: 'DELETE' })
    expect(refused.json.error).toMatchObject({ code: 'RETENTION_NOT_OVER', details: { untilMs: null } })
    expect(refused.json.error.message).not.toContain('undefined')
  })

  it('finds by subject, page by page', async () => {
    const found: string[] = []
    let cursor = ''
    do {
      const page = await ask(`${url}/v1/records?subject=uscc:${USCC.company}&schema=government.licence&limit=300${cursor}`, { token })
      found.push(...page.json.records.map(({ id }: { id: string }) => id))
      cursor = page.json.next === undefined ? '' : `&cursor=${encodeURIComponent(page.json.next)}`
    } while (cursor !== '')
    expect(found.length).toBeGreaterThan(1000)
    expect(new Set(found).size).toBe(found.length)
    expect((await ask(`${url}/v1/records?cursor=x`, { token })).json.error.code).toBe('CURSOR_INVALID')
    const stranger = fixture.key(undefined, OTHER_ISSUER).token
    expect((await ask(`${url}/v1/records`, { token: stranger })).json.records).toEqual([])
    expect((await ask(`${url}/v1/records/${found[0]}`, { token: stranger })).status).toBe(404)
  })

  it('streams every event once, over a restart of the gateway', async () => {
    const seen: string[] = []
    const read = async (cursor: string, count: number): Promise<string> => {
      const gone = new AbortController()
      const response = await fetch(`${url}/v1/stream?cursor=${cursor}`, { headers: { authorization: `Bearer ${token}` }, signal: gone.signal })
      expect(response.status).toBe(200)
      let text = ''
      const ids = () => [...text.matchAll(/^id: (.*)\n.*\ndata: (.*)\n\n/gm)]
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString('utf8')
        if (ids().length >= count) break
      }
      gone.abort()
      const told = ids()
      seen.push(...told.filter(([, , data]) => data!.includes('record.anchored')).map(([, , data]) => (JSON.parse(data!) as { recordId: string }).recordId))
      return told.at(-1)![1]!
    }
    const cursor = await read('0', 500)
    await fixture.stop()
    await gateway.stop()
    await open()
    const last = (await post(licence(11), '?wait=final')).json.id
    let next = cursor
    while (!seen.includes(last)) next = await read(next, 1)
    expect(new Set(seen).size).toBe(seen.length)
    const all = await ask(`${url}/v1/records?limit=500`, { token })
    expect(all.json.records.every(({ id }: { id: string }) => seen.includes(id))).toBe(true)
  })

  it('accepts while the chain stands still, and says pending', async () => {
    await stopMining()
    const answer = await post(licence(12), '?wait=final&waitMs=100')
    expect([answer.status, answer.json.status === 'anchored']).toEqual([202, false])
    expect((await ask(`${url}/v1/records/${answer.json.id}/evidence`, { token })).json.error.code).toBe('RECORD_PENDING')
    stopMining = chain.keepMining()
    await expect.poll(async () => (await ask(`${url}/v1/records/${answer.json.id}/evidence`, { token })).status, { timeout: 10_000 }).toBe(200)
  })
})
