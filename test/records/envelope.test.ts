import { createHash, createHmac } from 'node:crypto'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import type { RecordInput } from '@songhua/sdk/records/builder'
import { envelopeBytes, envelopeLeaf, envelopeViolations, parseEnvelope } from '@songhua/sdk/records/envelope'
import { epcisEventHash } from '@songhua/sdk/records/epcis-hash'
import { matchesDigests, payloadDigests } from '@songhua/sdk/records/payload-digest'
import { createRandomPool } from '@songhua/sdk/records/random-pool'
import { RETENTION_CLASSES, type RetentionClass } from '@songhua/sdk/records/record-schema'
import { commitSubject, gs1Subject } from '@songhua/sdk/records/subject'
import { describe, expect, it } from 'vitest'
import { CITIZEN_ID, ENTRY, EVENT, LICENCE, NOW_MS, PENALTY, RECORD_ID, REPAIR, USCC, builder } from './samples.js'

const ISSUER = `uscc:${USCC.bureau}`
const KEY = { id: 'subjects-2026', secret: new Uint8Array(32).fill(7) }
const commitment = commitSubject(KEY, { scheme: 'citizen-id', id: CITIZEN_ID })
const record = builder.licence({ payload: LICENCE, issuer: ISSUER })

const violationsOf = (build: () => unknown): string[] => {
  try {
    build()
  } catch (error) {
    const { details } = error as { details: { violations: { code: string; path: string }[] } }
    return details.violations.map(({ code, path }) => `${code} ${path}`)
  }
  return []
}

describe('a built record', () => {
  it('is a canonical envelope whose leaf anybody can make', () => {
    const text = new TextDecoder().decode(envelopeBytes(record.envelope))
    expect(text.startsWith('{"createdAt":"2026-11-23T04:00:00.000Z","family":"government","id":"')).toBe(true)
    const leaf = createHash('sha256').update(Buffer.concat([Buffer.of(0), Buffer.from(text)])).digest('hex')
    expect(bytesToHex(envelopeLeaf(record.envelope))).toBe(`0x${leaf}`)
    expect(parseEnvelope(JSON.parse(text))).toEqual(record.envelope)
    expect(record.envelope.subject).toEqual({ kind: 'public', scheme: 'uscc', id: USCC.company })
  })

  it('holds digests over salt and payload, and nothing of the payload', () => {
    const salted = Buffer.concat([record.salt, record.payload])
    expect(record.envelope.payloadDigests).toEqual({
      sha256: createHash('sha256').update(salted).digest('hex'),
      sm3: createHash('sm3').update(salted).digest('hex'),
    })
    const text = new TextDecoder().decode(envelopeBytes(record.envelope))
    for (const secret of ['张三', CITIZEN_ID, LICENCE.XK_WSH]) expect(text).not.toContain(secret)
  })

  it('keeps the event hash id of a trace record as its natural key', () => {
    const subject = gs1Subject(EVENT.epcList[0])
    const built = builder.objectEvent({ payload: EVENT, issuer: ISSUER, subject })
    expect(built.naturalKey).toBe(epcisEventHash(EVENT))
    expect(built.envelope.subject).toMatchObject({ id: 'https://id.gs1.org/01/10614141073464/21/2017' })
  })

  it('builds by the id of any schema of the registry, and says which record it corrects', () => {
    const input: RecordInput = { payload: LICENCE, issuer: ISSUER, supersedes: RECORD_ID }
    expect(builder.build({ id: 'government.licence', version: '1' }, input).envelope).toMatchObject({
      supersedes: RECORD_ID, retention: 'permanent', schema: { id: 'government.licence', version: '1' },
    })
    expect(() => builder.build({ id: 'government.licence', version: '9' }, input)).toThrow(/no schema/)
  })

  it('lets a payload be kept longer than its schema says, never shorter, and none beyond consent', () => {
    const repair = (retention: RetentionClass) => () => builder.repair({ payload: REPAIR, issuer: ISSUER, retention })
    expect(RETENTION_CLASSES.filter((retention) => violationsOf(repair(retention)).length === 0)).toEqual(['permanent', '30y', '10y'])
    expect(violationsOf(repair('5y'))).toEqual(['RETENTION /retention'])
    const entry = (retention: RetentionClass) => () =>
      builder.creditEntry({ payload: ENTRY, issuer: ISSUER, subject: commitment, retention })
    expect(RETENTION_CLASSES.filter((retention) => violationsOf(entry(retention)).length === 0)).toEqual(['consent'])
  })

  it('names failing fields of payload and envelope together', () => {
    const input = { payload: { ...LICENCE, XK_WSH: '' }, issuer: 'nobody', supersedes: 'x', retention: '5y' as const }
    expect(violationsOf(() => builder.licence(input)).map((one) => one.split(' ')[1]).sort()).toEqual(
      ['/issuer', '/payload/XK_WSH', '/retention', '/supersedes'],
    )
  })

  it('names failing fields of payload and subject together', () => {
    const payload = { ...LICENCE, XK_JDRQ: 'soon', XK_NR: undefined } as unknown as typeof LICENCE
    const subject = { kind: 'public', scheme: 'uscc', id: USCC.shop } as const
    expect(violationsOf(() => builder.licence({ payload, issuer: ISSUER, subject })).sort()).toEqual([
      'FORMAT /payload/XK_JDRQ', 'REQUIRED /payload/XK_NR', 'SUBJECT /subject',
    ])
  })

  it('tells a bad code once where the subject is read out of the payload, and twice where it was given', () => {
    const payload = { ...LICENCE, XK_XDR_SHXYM: '91110000600037341X' }
    expect(violationsOf(() => builder.licence({ payload, issuer: ISSUER }))).toEqual(['FORMAT /payload/XK_XDR_SHXYM'])
    const subject = { kind: 'public', scheme: 'uscc', id: payload.XK_XDR_SHXYM } as const
    const both = violationsOf(() => builder.licence({ payload, subject, issuer: ISSUER }))
    expect(both.map((one) => one.split(' ')[1])).toEqual(['/payload/XK_XDR_SHXYM', '/subject/id'])
  })

  it('wants a subject, and for credit reporting a commitment', () => {
    expect(violationsOf(() => builder.penalty({ payload: PENALTY, issuer: ISSUER }))).toEqual(['SUBJECT /subject'])
    expect(builder.penalty({ payload: PENALTY, issuer: ISSUER, subject: commitment }).envelope.subject).toEqual(commitment)
    const company = { kind: 'public', scheme: 'uscc', id: USCC.company } as const
    const build = (subject: typeof company | typeof commitment) => () =>
      builder.creditEntry({ payload: ENTRY, issuer: ISSUER, subject })
    expect(violationsOf(build(company))).toEqual(['SUBJECT /subject'])
    expect(violationsOf(build(commitment))).toEqual([])
  })

  it.each<[string, Partial<RecordInput>, string]>([
    ['a citizen number as a subject', { subject: { kind: 'public', scheme: 'number', id: CITIZEN_ID } }, '/subject/id'],
    [
      'a mobile number in a URI',
      { subject: { kind: 'public', scheme: 'uri', id: 'tel:+86-13812345678' } },
      '/subject/id',
    ],
    ['a bank card as issuer', { issuer: 'card:6222021234567890128' }, '/issuer'],
    ['a citizen number as key id', { subject: { ...commitment, keyId: CITIZEN_ID } }, '/subject/keyId'],
    ['a mobile number behind a year', { subject: { ...commitment, keyId: '2026-13812345678' } }, '/subject/keyId'],
    [
      'a citizen number as a GS1 key',
      { subject: { kind: 'public', scheme: 'gs1', id: 'https://id.gs1.org/8018/230103199001011237' } },
      '/subject/id',
    ],
  ])('refuses %s and names the field', (_, change, path) => {
    const input = { payload: PENALTY, issuer: ISSUER, subject: commitment, ...change }
    expect(violationsOf(() => builder.build({ id: 'government.penalty' }, input))).toEqual([`PERSONAL_DATA ${path}`])
  })
})

describe('what the builder is told besides the payload', () => {
  it.each<[string, object, string]>([
    ['no issuer', { issuer: undefined }, 'REQUIRED /issuer'],
    ['an issuer that is no URI', { issuer: '某局' }, 'FORMAT /issuer'],
    ['an unknown retention class', { retention: '7y' }, 'VALUE /retention'],
    ['a predecessor that is no record', { supersedes: '1' }, 'PATTERN /supersedes'],
    [
      'a predecessor whose id holds a citizen number',
      { supersedes: '23010319-9001-0112-3700-000000000000' },
      'PATTERN /supersedes',
    ],
    ['an issuer with a sequence for terminals', { issuer: `${ISSUER}\u001b[8m` }, 'FORMAT+PATTERN /issuer'],
    ['an issuer that turns the reading direction', { issuer: `${ISSUER}\u202e` }, 'FORMAT+PATTERN /issuer'],
    [
      'a subject with a space of no width',
      { subject: { kind: 'public', scheme: 'number', id: 'A\u200b1' } },
      'PATTERN /subject/id',
    ],
    [
      'a subject of two lines',
      { subject: { kind: 'public', scheme: 'number', id: 'A\u20281' } },
      'PATTERN /subject/id',
    ],
    ['a key id with a control character', { subject: { ...commitment, keyId: 'k\u009b' } }, 'PATTERN /subject/keyId'],
    ['a subject with a field more', { subject: { ...commitment, name: '李四' } }, 'UNKNOWN_FIELD /subject/name'],
    ['a commitment without its value', { subject: { ...commitment, value: undefined } }, 'REQUIRED /subject/value'],
    ['a subject of no kind', { subject: 'x' }, 'SUBJECT /subject'],
  ])('%s is refused, and the field named', (_, change, violation) => {
    const input = { payload: PENALTY, issuer: ISSUER, subject: commitment, ...change } as RecordInput
    const [codes, path] = violation.split(' ') as [string, string]
    const found = violationsOf(() => builder.build({ id: 'government.penalty' }, input))
    expect(found.sort()).toEqual(codes.split('+').map((code) => `${code} ${path}`))
  })
})

describe('an envelope from elsewhere', () => {
  const { envelope } = builder.penalty({ payload: PENALTY, issuer: ISSUER, subject: commitment })
  const padding = '-'.repeat(23)
  const proof = { algorithm: 'x', keyId: 'k', value: 'a'.repeat(64) }
  it.each<[string, object, string]>([
    ['a signature', { proof: [proof] }, ''],
    ['a citizen number in a proof', { proof: [{ ...proof, value: `${padding}${CITIZEN_ID}${padding}` }] }, 'PERSONAL_DATA /proof/0/value'],
    ['a mobile number in a proof', { proof: [{ ...proof, value: `${padding}-----13812345678---${padding}` }] }, 'PERSONAL_DATA /proof/0/value'],
    ['a citizen number as a proof’s key', { proof: [{ ...proof, keyId: `1-${CITIZEN_ID}` }] }, 'PERSONAL_DATA /proof/0/keyId'],
    ['a sequence for terminals', { proof: [{ ...proof, keyId: '\u001b[2J' }] }, 'PATTERN /proof/0/keyId'],
    ['an unseen character in the schema', { schema: { id: 'government.penalty\u200b', version: '1' } }, 'PATTERN /schema/id'],
    ['a predecessor of version 4', { supersedes: '0192b6a0-0000-4000-8000-000000000001' }, 'PATTERN /supersedes'],
  ])('with %s', (_, change, violation) => {
    const found = envelopeViolations({ ...envelope, ...change })
    expect(found.map(({ code, path }) => `${code} ${path}`).join()).toBe(violation)
  })

  it('of signatures in hexadecimal and base64url holds no number by chance', () => {
    const values = Array.from({ length: 2000 }, (_, i) => createHash('sha512').update(String(i)).digest())
    const proofs = values.flatMap((value) => [value.toString('hex'), `${value.toString('hex')}01`, value.toString('base64url')])
    const found = proofs.flatMap((value) => envelopeViolations({ ...envelope, proof: [{ ...proof, value }] }))
    expect(found).toEqual([])
  })
})

describe('random bytes', () => {
  it('come from a pool that forgets what it gave', () => {
    const pools: Uint8Array[] = []
    const random = createRandomPool((length) => {
      const pool = Uint8Array.from({ length }, (_, i) => 1 + ((i + pools.length) % 255))
      pools.push(pool)
      return pool
    })
    const taken = Array.from({ length: 200 }, () => random(32))
    expect(taken.every((bytes) => bytes.length === 32 && !bytes.includes(0))).toBe(true)
    expect(taken[1]).toEqual(Uint8Array.from({ length: 32 }, (_, i) => 33 + i))
    expect(pools).toHaveLength(2)
    expect(pools[0]).toEqual(new Uint8Array(4096))
    expect(pools[1]!.subarray(0, 72 * 32).some((byte) => byte !== 0)).toBe(false)
    expect(random(5000)).toHaveLength(5000)
  })

  it('are never given twice, and differ from record to record', () => {
    const random = createRandomPool()
    const salts = new Set(Array.from({ length: 1000 }, () => bytesToHex(random(32))))
    expect(salts.size).toBe(1000)
  })
})

describe('an envelope from outside', () => {
  const { envelope } = record

  it.each<[string, object, string]>([
    ['another type', { type: 'songhua.record/2' }, '/type'],
    ['an id of version 4', { id: '0192b6a0-0000-4000-8000-000000000001' }, '/id'],
    ['another family than its schema', { family: 'credit' }, '/family'],
    [
      'a digest in capitals',
      { payloadDigests: { ...envelope.payloadDigests, sm3: 'AB'.repeat(32) } },
      '/payloadDigests/sm3',
    ],
    ['no SM3 digest', { payloadDigests: { sha256: envelope.payloadDigests.sha256 } }, '/payloadDigests/sm3'],
    [
      'a wrong code',
      { subject: { kind: 'public', scheme: 'uscc', id: `${USCC.company.slice(0, 17)}M` } },
      '/subject/id',
    ],
    ['a subject of two kinds', { subject: { ...commitment, id: 'x' } }, '/subject/id'],
    ['a local time', { createdAt: '2026-11-23T12:00:00.000+08:00' }, '/createdAt'],
    ['an unknown retention class', { retention: '7y' }, '/retention'],
    ['a field more', { payload: {} }, '/payload'],
    [
      'a citizen number as the key of a proof',
      { proof: [{ algorithm: 'SM2', keyId: CITIZEN_ID, value: 'A'.repeat(86) }] },
      '/proof/0/keyId',
    ],
    [
      'a citizen number for a signature',
      { proof: [{ algorithm: 'SM2', keyId: 'k', value: CITIZEN_ID }] },
      '/proof/0/value',
    ],
    ['a mobile number as issuer', { issuer: 'tel:+86-138-1234-5678' }, '/issuer'],
    ['a bank card as key of a commitment', { subject: { ...commitment, keyId: '6222021234567890128' } }, '/subject/keyId'],
    ['a proof without its key', { proof: [{ algorithm: 'Ed25519', value: 'AA' }] }, '/proof/0/keyId'],
  ])('with %s is refused, and the field named', (_, change, path) => {
    const changed = { ...envelope, ...change }
    expect(envelopeViolations(changed).map((violation) => violation.path)).toContain(path)
    expect(() => parseEnvelope(changed)).toThrow(expect.objectContaining({ code: 'ENVELOPE_INVALID' }))
  })

  it.each([undefined, null, 5, 'x', [], {}])('%j is no envelope, without another throw', (value) => {
    expect(envelopeViolations(value).length).toBeGreaterThan(0)
  })

  it('too large is refused', () => {
    const proof = Array.from({ length: 8 }, () => ({ algorithm: 'SM2', keyId: 'k', value: 'A'.repeat(1024) }))
    expect(() => parseEnvelope({ ...envelope, proof })).toThrow(expect.objectContaining({ code: 'ENVELOPE_TOO_LARGE' }))
  })
})

describe('payload digests', () => {
  it('tell a payload or salt that is off by one bit, or of no possible length', () => {
    const { payload, salt } = record
    const digests = record.envelope.payloadDigests
    const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte))
    expect(matchesDigests(digests, salt, payload)).toBe(true)
    expect(matchesDigests(digests, salt, flipped(payload))).toBe(false)
    expect(matchesDigests(digests, flipped(salt), payload)).toBe(false)
    expect(matchesDigests(digests, salt.subarray(1), payload)).toBe(false)
    expect(matchesDigests({ ...digests, sm3: '' }, salt, payload)).toBe(false)
    expect(() => payloadDigests(salt.subarray(1), payload)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_SALT_LENGTH' }),
    )
    expect(() => payloadDigests(salt, new Uint8Array(2 ** 20 + 1))).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }),
    )
  })
})

describe('subject commitments', () => {
  it('are HMAC-SHA-256, the same for one person however the number is written', () => {
    const text = `songhua.subject/1\ncitizen-id\n${CITIZEN_ID}`
    expect(commitment.value).toBe(createHmac('sha256', KEY.secret).update(text).digest('hex'))
    expect(commitSubject(KEY, { scheme: 'citizen-id', id: ' 110105 19491231 002x' })).toEqual(commitment)
  })

  it('differ by key and by kind of number; a short key is refused', () => {
    const person = { scheme: 'passport', id: CITIZEN_ID }
    expect(commitSubject(KEY, person).value).not.toBe(commitment.value)
    const other = commitSubject({ id: 'k', secret: new Uint8Array(32) }, { scheme: 'citizen-id', id: CITIZEN_ID })
    expect(other.value).not.toBe(commitment.value)
    expect(() => commitSubject({ id: 'k', secret: new Uint8Array(16) }, person)).toThrow(/at least 32/)
    expect(() => gs1Subject('五常大米')).toThrow(expect.objectContaining({ code: 'SUBJECT_GS1' }))
  })
})

it(
  'time stands where the source of time says',
  () => expect(record.envelope.createdAt).toBe(new Date(NOW_MS).toISOString()),
)
