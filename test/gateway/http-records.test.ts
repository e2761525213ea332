import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalBytes } from '@songhua/sdk/protocol/canonical-json'
import { matchesDigests, type PayloadDigests } from '@songhua/sdk/records/payload-digest'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { ENTRY, LICENCE, USCC } from '../records/samples.js'
import { type Answer, ask, createFixture, ISSUER, OTHER_ISSUER, type Fixture } from './http-fixture.js'

let fixture: Fixture
let url: string
let token: string
const SCHEMA = 'government.licence'
const BODY = { schema: SCHEMA, payload: LICENCE }
const BAD = { schema: SCHEMA, payload: { ...LICENCE, XK_XDR_SHXYM: 'x', XK_JDRQ: 'soon', SURPLUS: 1, XK_WSH: undefined } }

beforeAll(async () => {
  fixture = await createFixture()
  ;({ url } = fixture)
  ;({ token } = fixture.key())
})
afterAll(() => fixture.stop())

const post = (body: unknown, { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {}) =>
  ask(`${url}/v1/records${query}`, { token, body, headers })

describe('one record', () => {
  it('is accepted', async () => {
    const answer = await post(BODY)
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({ id: answer.json.id, status: 'accepted', replayed: false })
    expect(fixture.engine.records.get(answer.json.id)!.envelope.issuer).toBe(ISSUER)
  })

  it('comes back with its evidence when one waits', async () => {
    const answer = await post(BODY, { query: '?wait=final' })
    expect(answer.status).toBe(201)
    const { id, status, replayed, evidence, salt, payload } = answer.json
    expect([status, replayed, evidence.envelope.id]).toEqual(['anchored', false, id])
    const bytes = Buffer.from(payload, 'base64')
    expect(bytes.equals(canonicalBytes(LICENCE))).toBe(true)
    expect(matchesDigests(evidence.envelope.payloadDigests as PayloadDigests, hexToBytes(salt), bytes)).toBe(true)
  })

  it('is pending when the chain stands still', async () => {
    const own = await createFixture()
    own.engine.isAutomatic = false
    const key = own.key()
    const answer = await ask(`${own.url}/v1/records?wait=final&waitMs=30`, { token: key.token, body: BODY })
    expect([answer.status, answer.json.status]).toEqual([202, 'accepted'])
    const evidence = await ask(`${own.url}/v1/records/${answer.json.id}/evidence`, { token: key.token })
    expect([evidence.status, evidence.json.error.code, evidence.headers.get('retry-after')]).toEqual([409, 'RECORD_PENDING', '1'])
    expect((await ask(`${own.url}/v1/status`)).json.pending).toBe(1)
    await own.stop()
  })

  it('is waited for by nobody when its caller has gone', async () => {
    const own = await createFixture()
    own.engine.isAutomatic = false
    const sent = request(`${own.url}/v1/records?wait=final&waitMs=60000`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own.key().token}`, 'content-type': 'application/json' },
    })
    sent.on('error', () => undefined)
    sent.end(JSON.stringify(BODY))
    await expect.poll(() => own.engine.waits.size).toBe(1)
    sent.destroy()
    await expect.poll(() => own.engine.waits.size).toBe(0)
    await own.stop()
  })

  it('is refused with all failing fields at once, in both languages', async () => {
    const answer = await post(BAD)
    expect([answer.status, answer.json.error.code]).toEqual([422, 'RECORD_INVALID'])
    const { violations } = answer.json.error
    expect(violations.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/payload/XK_XDR_SHXYM', '/payload/XK_JDRQ', '/payload/SURPLUS', '/payload/XK_WSH']),
    )
    for (const { zh, en } of violations) {
      expect(zh).toMatch(/[一-鿿]/)
      expect(en).toMatch(/[a-z]/)
    }
  })

  it('needs a schema that there is', async () => {
    const answer = await post({ schema: 'government.nothing', payload: {} })
    expect([answer.status, answer.json.error.code]).toEqual([422, 'SCHEMA_UNKNOWN'])
  })

  it('answers the same request with the same record, and another with a conflict', async () => {
    const headers = { 'idempotency-key': 'order-1' }
    const first = await post(BODY, { headers })
    const again = await post(BODY, { headers, query: '?wait=final' })
    expect([again.status, again.json.id, again.json.replayed]).toEqual([201, first.json.id, true])
    const other = await post({ ...BODY, version: '1' }, { headers })
    expect([other.status, other.json.error.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
    const partial = await post(BODY, { headers, query: '?partial=true' })
    expect(partial.status).toBe(409)
  })

  it.each(['', 'x'.repeat(129), 'with space'])('refuses the idempotency key "%s"', async (key) => {
    const answer = await post(BODY, { headers: { 'idempotency-key': key } })
    expect([answer.status, answer.json.error.field]).toEqual([400, 'idempotency-key'])
  })
})

describe('many records', () => {
  it('come back in order', async () => {
    const answer = await post({ records: [BODY, BODY, BODY] }, { query: '?wait=final' })
    expect(answer.status).toBe(201)
    expect(answer.json.replayed).toBe(false)
    const { records } = answer.json
    expect(records).toHaveLength(3)
    for (const { id, evidence, salt } of records) {
      expect(evidence.envelope.id).toBe(id)
      expect(salt).toMatch(/^0x[0-9a-f]{64}$/)
    }
  })

  it('are refused together, each bad one with its row', async () => {
    const before = fixture.engine.records.size
    const answer = await post({ records: [BODY, BAD, BODY, BAD] }, { headers: { 'accept-language': 'zh-CN' } })
    expect([answer.status, answer.json.error.code]).toEqual([422, 'SUBMISSION_REFUSED'])
    expect(answer.json.error.message).toContain('有记录不合格')
    expect(answer.json.error.rows.map(({ row, code }: { row: number; code: string }) => [row, code])).toEqual([
      [2, 'RECORD_INVALID'], [4, 'RECORD_INVALID'],
    ])
    expect(answer.json.error.rows[0]!.violations.length).toBeGreaterThan(3)
    expect(fixture.engine.records.size).toBe(before)
  })

  it('are taken in part when one says so', async () => {
    const answer = await post({ records: [BODY, BAD, BODY] }, { query: '?partial=true&wait=final' })
    expect(answer.status).toBe(201)
    expect(answer.json.records.map((one: object) => ('error' in one ? 'refused' : 'taken'))).toEqual(['taken', 'refused', 'taken'])
    expect(answer.json.records[1]).toMatchObject({ row: 2, error: { code: 'RECORD_INVALID' } })
    const none = await post({ records: [BAD] }, { query: '?partial=true' })
    expect([none.status, none.json.error.code]).toEqual([422, 'SUBMISSION_REFUSED'])
  })
})

describe('CSV', () => {
  const columns = Object.keys(LICENCE)
  const line = (changes: Record<string, string> = {}): string =>
    columns.map((column) => `"${changes[column] ?? String(LICENCE[column as keyof typeof LICENCE])}"`).join(',')
  const csv = (...rows: string[]): string => [columns.join(','), ...rows].join('\r\n')
  const send = (body: string | Uint8Array, { query = '', type = 'text/csv', headers = {} } = {}) =>
    post(body, { query: `?schema=${SCHEMA}${query}`, headers: { 'content-type': type, ...headers } })
  const payloadsOf = (answer: Answer) =>
    Promise.all(
      answer.json.records.map(async ({ id }) => {
        const got = await ask(`${url}/v1/records/${id}/payload`, { token })
        return JSON.parse(Buffer.from(got.json.payload, 'base64').toString('utf8')) as { XK_WSH: string }
      }),
    )

  it('becomes payloads', async () => {
    const answer = await send(`\uFEFF${csv(line(), line({ XK_WSH: '哈市监许〔2026〕89号' }))}\r\n\r\n`)
    expect(answer.status).toBe(202)
    const [first, second] = await payloadsOf(answer)
    expect(first).toEqual(LICENCE)
    expect(second?.XK_WSH).toBe('哈市监许〔2026〕89号')
  })

  it('maps columns to fields, in the query or a header', async () => {
    const mapping = { 企业: 'XK_XDR_MC', 备注: '' }
    const renamed = csv(line()).replace('XK_XDR_MC', '企业').replace('\r\n', ',备注\r\n') + ',later'
    const query = `&mapping=${encodeURIComponent(JSON.stringify(mapping))}`
    expect((await send(renamed, { query })).status).toBe(202)
    const headers = { 'x-songhua-mapping': encodeURIComponent(JSON.stringify(mapping)) }
    const [payload] = await payloadsOf(await send(renamed, { headers }))
    expect(payload).toEqual(LICENCE)
  })

  it('is read as GB18030 when it says so, and refused when it is that and does not', async () => {
    const encode = gb18030Encoder()
    const answer = await send(encode(csv(line())), { type: 'text/csv; charset=gb18030' })
    expect(answer.status).toBe(202)
    expect(await payloadsOf(answer)).toEqual([LICENCE])
    const utf8 = await send(encode(csv(line())))
    expect([utf8.status, utf8.json.error.code]).toEqual([400, 'CHARSET_INVALID'])
  })

  it('names row and column of every error, in both languages, and takes nothing', async () => {
    const before = fixture.engine.records.size
    const answer = await send(csv(line(), line({ XK_XDR_SHXYM: 'x', XK_WSH: '' }), line(), line({ XK_JDRQ: 'soon' })))
    expect([answer.status, answer.json.error.code]).toEqual([422, 'SUBMISSION_REFUSED'])
    const told = answer.json.error.rows.flatMap(({ row, violations }) =>
      violations.map(({ column, zh, en }) => {
        expect(zh).toMatch(/[一-鿿]/)
        expect(en).not.toBe('')
        return `${row} ${column}`
      }),
    )
    expect(told).toEqual(expect.arrayContaining(['2 XK_XDR_SHXYM', '2 XK_WSH', '4 XK_JDRQ']))
    expect(told.some((one: string) => one.startsWith('1') || one.startsWith('3'))).toBe(false)
    expect(fixture.engine.records.size).toBe(before)
  })

  it('tells of cells that are no number beside rows that are otherwise bad; takes the rest when one says so', async () => {
    const text = 'CF_NR_FK,CF_XDR_MC\r\nmuch,甲\r\n5,乙'
    const strict = await post(text, { query: '?schema=government.penalty', headers: { 'content-type': 'text/csv' } })
    expect(strict.status).toBe(422)
    const [first, second] = strict.json.error.rows
    expect(first!.violations[0]).toMatchObject({ path: '/payload/CF_NR_FK', column: 'CF_NR_FK', code: 'TYPE' })
    expect(first!.violations.filter(({ path }: { path: string }) => path === '/payload/CF_NR_FK')).toHaveLength(1)
    expect(first!.violations.length).toBeGreaterThan(3)
    expect(second!.violations.length).toBeGreaterThan(3)
    const partial = await send(csv(line(), line({ XK_JDRQ: 'soon' })), { query: '&partial=true' })
    expect(partial.status).toBe(202)
    expect(partial.json.records[1]).toMatchObject({ row: 2, error: { code: 'RECORD_INVALID' } })
  })

  describe('with columns of the envelope', () => {
    const PERSON = `commitment:k1:${'ab'.repeat(32)}`
    const old = '0192b6a0-0000-7000-8000-000000000001'
    const table = (heading: string, ...cells: string[]) =>
      [`${columns.join(',')},${heading}`, ...cells.map((cell, i) => `${line({ XK_WSH: `文号${i}` })},${cell}`)].join('\r\n')
    const envelopeOf = (answer: Answer, at = 0) => fixture.engine.records.get(answer.json.records[at]!.id)!.envelope

    it('names persons by commitment, and whatever is empty is left out', async () => {
      const answer = await post(`${Object.keys(ENTRY).join(',')},$subject\r\n${Object.values(ENTRY).join(',')},${PERSON}`, {
        query: '?schema=credit.reporting.entry', headers: { 'content-type': 'text/csv' },
      })
      expect(answer.status).toBe(202)
      expect(envelopeOf(answer).subject).toEqual({ kind: 'commitment', algorithm: 'HMAC-SHA-256', keyId: 'k1', value: 'ab'.repeat(32) })
    })

    it('takes them by name or by mapping', async () => {
      const mapping = { 更正: '$supersedes', 机构: '$issuer' }
      const query = `&mapping=${encodeURIComponent(JSON.stringify(mapping))}`
      const answer = await send(table('更正,机构,$retention', `${old.toUpperCase()},${ISSUER},permanent`, ',,'), { query })
      expect(answer.status).toBe(202)
      expect(envelopeOf(answer)).toMatchObject({ supersedes: old, issuer: ISSUER, retention: 'permanent' })
      expect(envelopeOf(answer, 1)).not.toHaveProperty('supersedes')
    })

    it('tells of each bad cell by row and column, beside bad fields', async () => {
      const heading = '谁,$supersedes,$retention'
      const query = `&mapping=${encodeURIComponent(JSON.stringify({ 谁: '$subject' }))}`
      const answer = await send(table(heading, ',,', '张三,x,soon', 'gs1:nothing,,', `${PERSON},,5y`), { query })
      expect([answer.status, answer.json.error.code]).toEqual([422, 'SUBMISSION_REFUSED'])
      const told = answer.json.error.rows.map(({ row, violations }) => [row, violations.map(({ column, path }) => `${column} ${path}`).sort()])
      expect(told).toEqual([
        [2, ['$retention /retention', '$supersedes /supersedes', '谁 /subject']],
        [3, ['谁 /subject']],
        [4, ['$retention /retention']],
      ])
      for (const { violations } of answer.json.error.rows) {
        for (const { zh, en } of violations) expect([/[一-鿿]/.test(zh), en !== '']).toEqual([true, true])
      }
    })

    it.each([
      ['an unknown one', '$payload', {}, '$payload'],
      ['one twice', '$subject,主体', { 主体: '$subject' }, '主体'],
      ['a mapping to what there is not', 'x', { x: '$id' }, 'x'],
    ])('refuses %s', async (_name, heading, mapping, field) => {
      const cells = heading.split(',').map(() => 'number:1').join(',')
      const answer = await send(table(heading, cells), { query: `&mapping=${encodeURIComponent(JSON.stringify(mapping))}` })
      expect([answer.status, answer.json.error.code, answer.json.error.field]).toEqual([400, 'CSV_INVALID', field])
      expect(answer.json.error.violations[0]).toMatchObject({ column: field, code: 'COLUMN' })
    })
  })

  it.each([
    ['no heading', '', 'CSV_INVALID'],
    ['a heading alone', 'XK_XDR_MC', 'CSV_INVALID'],
    ['a column twice', 'XK_XDR_MC,XK_XDR_MC\r\n1,2', 'CSV_INVALID'],
    ['a column of no field', 'HELLO\r\n1', 'CSV_INVALID'],
    ['a row that is too short', 'XK_XDR_MC,XK_WSH\r\n1', 'CSV_INVALID'],
    ['a quote without end', 'XK_XDR_MC\r\n"1', 'CSV_INVALID'],
    ['too many columns', `${Array.from({ length: 300 }, (_, i) => `c${i}`).join(',')}\r\n${Array(300).fill('1').join(',')}`, 'CSV_INVALID'],
  ])('refuses %s', async (_name, body, code) => {
    const answer = await send(body)
    expect([answer.status, answer.json.error.code]).toEqual([400, code])
  })

  it('refuses too many rows, a bad mapping, a charset that it does not read, and no schema', async () => {
    const rows = await send(`XK_XDR_MC\r\n${'x\r\n'.repeat(10_001)}`)
    expect([rows.status, rows.json.error.code]).toEqual([413, 'TOO_MANY_RECORDS'])
    for (const mapping of ['[]', '{', '{"a":1}', '"x"']) {
      const answer = await send('a\r\n1', { query: `&mapping=${encodeURIComponent(mapping)}` })
      expect([answer.status, answer.json.error.code]).toEqual([400, 'MAPPING_INVALID'])
    }
    expect((await send('a\r\n1', { type: 'text/csv; charset=utf-16' })).json.error.code).toBe('CHARSET_INVALID')
    const none = await post('a\r\n1', { headers: { 'content-type': 'text/csv' } })
    expect([none.status, none.json.error.field]).toEqual([400, 'schema'])
    const unknown = await post('a\r\n1', { query: '?schema=government.nothing', headers: { 'content-type': 'text/csv' } })
    expect(unknown.json.error.code).toBe('SCHEMA_UNKNOWN')
    const json = await post(BODY, { query: '?schema=government.licence' })
    expect([json.status, json.json.error.field]).toEqual([400, 'schema'])
  })
})

describe('reading', () => {
  it('shows the record, its evidence with an ETag, and its payload', async () => {
    const { id } = (await post(BODY, { query: '?wait=final' })).json
    const record = await ask(`${url}/v1/records/${id}`, { token })
    expect(record.json).toMatchObject({
      id, status: 'anchored', payload: 'kept', retainUntil: null, envelope: { id, issuer: ISSUER }, batch: { blockNumber: 7, leafIndex: 0 },
    })
    expect(record.json.acceptedAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
    const evidence = await ask(`${url}/v1/records/${id}/evidence`, { token })
    expect(evidence.headers.get('content-disposition')).toBe(`attachment; filename="${id}.evidence.json"`)
    const etag = `"${createHash('sha256').update(evidence.text).digest('base64url')}"`
    expect(evidence.headers.get('etag')).toBe(etag)
    const known = await ask(`${url}/v1/records/${id}/evidence`, { token, headers: { 'if-none-match': `W/${etag}` } })
    expect([known.status, known.text]).toEqual([304, ''])
    expect((await ask(`${url}/v1/records/${id}/evidence?under=3`, { token })).headers.get('etag')).toBe(etag)
    const under = await ask(`${url}/v1/records/${id}/evidence?under=10`, { token })
    expect(under.json.error.code).toBe('REFRESH_HEIGHT')
    const payload = await ask(`${url}/v1/records/${id}/payload`, { token })
    expect(payload.headers.get('cache-control')).toBe('no-store')
    expect(JSON.parse(Buffer.from(payload.json.payload, 'base64').toString('utf8'))).toEqual(LICENCE)
  })

  it('finds by subject, schema and time, page by page', async () => {
    const own = await createFixture()
    const key = own.key().token
    const ids = []
    for (let i = 0; i < 5; i++) ids.push((await ask(`${own.url}/v1/records`, { token: key, body: BODY })).json.id)
    const find = (query: string) => ask(`${own.url}/v1/records?${query}`, { token: key })
    const subject = `subject=uscc:${USCC.company}`
    const first = await find(`${subject}&limit=3`)
    const second = await find(`${subject}&limit=3&cursor=${first.json.next}`)
    expect([...first.json.records, ...second.json.records].map(({ id }: { id: string }) => id)).toEqual(ids)
    expect(second.json).not.toHaveProperty('next')
    expect((await find(`subject=uscc:${USCC.shop}`)).json.records).toEqual([])
    expect((await find('schema=government.penalty')).json.records).toEqual([])
    expect((await find('to=2026-01-01')).json.records).toEqual([])
    expect((await find('from=2020-01-01T00:00:00%2B08:00')).json.records).toHaveLength(5)
    const stranger = own.key(undefined, OTHER_ISSUER)
    expect((await ask(`${own.url}/v1/records?${subject}`, { token: stranger.token })).json.records).toEqual([])
    await own.stop()
  })
})

describe('custody', () => {
  const at = (id: string, part: string, method: string, body?: unknown) =>
    ask(`${url}/v1/records/${id}${part}`, { token, method, ...(body === undefined ? {} : { body }) })

  it('erases, unless a hold stands or the class is permanent', async () => {
    const subject = { kind: 'commitment', algorithm: 'HMAC-SHA-256', keyId: 'k1', value: 'ab'.repeat(32) }
    const { id } = (await post({ schema: 'credit.reporting.entry', payload: ENTRY, subject })).json
    expect((await at(id, '/hold', 'PUT', { reason: '(2026)黑01民初1号' })).json.hold.reason).toBe('(2026)黑01民初1号')
    const again = await at(id, '/hold', 'PUT', { reason: 'x' })
    expect([again.status, again.json.error.code]).toEqual([409, 'LEGAL_HOLD'])
    const held = await at(id, '/payload', 'DELETE')
    expect([held.status, held.json.error.code]).toEqual([409, 'LEGAL_HOLD'])
    expect((await at(id, '/hold', 'DELETE')).json).not.toHaveProperty('hold')
    expect((await at(id, '/payload', 'DELETE')).json).toMatchObject({ payload: 'erased', erased: {} })
    expect((await at(id, '/payload', 'DELETE')).status).toBe(200)
    const gone = await at(id, '/payload', 'GET')
    expect([gone.status, gone.json.error.code]).toEqual([410, 'PAYLOAD_ERASED'])
    expect((await at(id, '/evidence', 'GET')).status).toBe(200)
    const permanent = (await post(BODY)).json.id
    const refused = await at(permanent, '/payload', 'DELETE')
    expect([refused.status, refused.json.error.code, refused.json.error.details.untilMs]).toEqual([409, 'RETENTION_NOT_OVER', null])
  })

  it.each([{}, { reason: '' }, { reason: 'x'.repeat(501) }, { reason: 'x', until: 'y' }])('refuses the hold %j', async (body) => {
    const { id } = (await post(BODY)).json
    expect((await at(id, '/hold', 'PUT', body)).status).toBe(400)
  })
})

/** The runtime decodes GB18030 and does not encode it: its two-byte characters are found by decoding them all. */
function gb18030Encoder(): (text: string) => Uint8Array {
  const decoder = new TextDecoder('gb18030')
  const bytesOf = new Map<string, number[]>()
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      if (trail !== 0x7f) bytesOf.set(decoder.decode(Uint8Array.of(lead, trail)), [lead, trail])
    }
  }
  return (text) => Uint8Array.from([...text].flatMap((one) => (one < '\x80' ? one.charCodeAt(0) : bytesOf.get(one)!)))
}
