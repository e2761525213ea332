import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { sha256 } from '@songhua/sdk/protocol/crypto'
import type { RecordEnvelope } from '@songhua/sdk/records/envelope'
import type { Acceptance, Outcome, Submission, SubmittedRecord } from '@songhua/node/gateway/model'
import { builder, LICENCE, NOW_MS } from '../records/samples.js'
import { sweepExpired, tokenChanges } from '@songhua/node/gateway/idempotency'
import { idempotencyKey } from '@songhua/node/gateway/keys'
import { createGatewayStore, isEmptyTable } from '@songhua/node/gateway/store'
import { createMemoryTable } from '@songhua/node/storage/memory-table'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain } from './anchor-chain.js'
import {
  CALLER,
  type Gateway,
  ISSUER,
  OTHER_CALLER,
  acceptAll,
  anchorAll,
  event,
  licence,
  licences,
  openGateway,
  submission,
} from './engine-fixture.js'

const tempFolder = createTempFolders()
let chain: AnchorChain
let gateway: Gateway
let folder = ''
beforeAll(async () => {
  chain = await createAnchorChain()
})
afterAll(() => chain.stop())
beforeEach(async () => {
  folder = await tempFolder()
  gateway = await openGateway(folder, chain)
})
afterEach(() => gateway.stop())

const accept = (records: readonly SubmittedRecord[], more: Partial<Submission> = {}): Promise<Acceptance> =>
  gateway.engine.intake.accept(submission(records, more))
const keyed = (key: string, request: string) => ({ idempotency: { key, request: utf8ToBytes(request) } })
const codes = (outcomes: readonly Outcome[]): string[] => outcomes.map((one) => ('id' in one ? 'ok' : one.refusal.code))
const idsOf = (outcomes: readonly Outcome[]): string[] => outcomes.flatMap((one) => ('id' in one ? [one.id] : []))
const pending = (): number => gateway.engine.stats().recordsPending!

/** Made elsewhere: the payload stays there. */
function envelope(change: Partial<RecordEnvelope> = {}): RecordEnvelope {
  const now = new Date()
  const random = Math.floor(Math.random() * 2 ** 40)
    .toString(16)
    .padStart(12, '0')
  const made = builder.build({ id: 'government.licence' }, { payload: LICENCE, issuer: ISSUER }).envelope
  return { ...made, id: `0192b6a0-0000-7000-8000-${random}`, createdAt: now.toISOString(), ...change }
}

describe('what is refused', () => {
  it('takes none when one is bad, and names every failing field', async () => {
    const bad = { ...(licence(2) as { payload: object }), schema: 'government.licence' }
    const broken = { ...bad, payload: { ...bad.payload, XK_JDRQ: 'soon', XK_XDR_MC: '' } }
    const refused = await accept([licence(1), broken, licence(3)]).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'SUBMISSION_REFUSED' })
    const { outcomes } = (refused as { details: { outcomes: Outcome[] } }).details
    expect(codes(outcomes)).toEqual(['ok', 'RECORD_INVALID', 'ok'])
    expect(outcomes[1]).toMatchObject({
      refusal: {
        violations: expect.arrayContaining([
          expect.objectContaining({ path: '/payload/XK_JDRQ' }),
          expect.objectContaining({ path: '/payload/XK_XDR_MC' }),
        ]) as unknown,
      },
    })
    expect(pending()).toBe(0)
    expect((await gateway.engine.shelf.find({ limit: 10 })).records).toEqual([])
  })

  it('takes the good ones when asked to', async () => {
    const { outcomes } = await accept([licence(1), { schema: 'no.such', payload: {} }, licence(2)], { partial: true })
    expect(codes(outcomes)).toEqual(['ok', 'SCHEMA_UNKNOWN', 'ok'])
    expect(pending()).toBe(2)
  })

  it.each<[string, SubmittedRecord, string]>([
    ['another issuer', licence(1, { issuer: 'uscc:91110000600037341L' }), 'ISSUER_NOT_ALLOWED'],
    ['a schema nobody knows', { schema: 'government.nothing', payload: {} }, 'SCHEMA_UNKNOWN'],
    ['a version nobody knows', licence(1, { version: '999' }), 'SCHEMA_UNKNOWN'],
    ['a payload that is no object', { schema: 'government.licence', payload: 7 }, 'RECORD_INVALID'],
    ['a payload with half a character', licence(1, { payload: { ...LICENCE, XK_NR: 'a\ud800' } }), 'RECORD_INVALID'],
    ['a subject that is none', licence(1, { subject: 5 }), 'RECORD_INVALID'],
    ['a retention that is none', licence(1, { retention: 'a while' }), 'RECORD_INVALID'],
    ['no envelope', { envelope: undefined }, 'RECORD_INVALID'],
    [
      'an envelope of another issuer',
      { envelope: envelope({ issuer: 'uscc:91110000600037341L' }) },
      'ISSUER_NOT_ALLOWED',
    ],
    [
      'an envelope of an unknown schema',
      { envelope: envelope({ schema: { id: 'government.nothing', version: '1' } }) },
      'SCHEMA_UNKNOWN',
    ],
    [
      'an envelope with a citizen number',
      { envelope: envelope({ subject: { kind: 'public', scheme: 'number', id: '11010519491231002X' } }) },
      'RECORD_INVALID',
    ],
    [
      'an envelope from the future',
      { envelope: envelope({ createdAt: new Date(Date.now() + 3_600_000).toISOString() }) },
      'RECORD_INVALID',
    ],
    [
      'an envelope from long ago',
      { envelope: envelope({ createdAt: new Date(NOW_MS - 500 * 86_400_000).toISOString() }) },
      'RECORD_INVALID',
    ],
  ])('%s', async (_what, record, code) => {
    const { outcomes } = await accept([record], { partial: true })
    expect(codes(outcomes)).toEqual([code])
    expect(pending()).toBe(0)
  })

  it('more than may wait, whether it comes at once or together', async () => {
    await gateway.stop()
    gateway = await openGateway(folder, chain, { options: { outboxRecordsMax: 5 } })
    await expect(accept(licences(6))).rejects.toMatchObject({ code: 'OUTBOX_FULL', details: { limit: 'outboxRecordsMax', max: 5 } })
    const answers = await Promise.allSettled([1, 2, 3].map((part) => accept(licences(2, part * 10))))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    await accept([licence(99)])
    await expect(accept([licence(100)])).rejects.toMatchObject({ code: 'OUTBOX_FULL' })
    const { records } = await gateway.engine.shelf.find({ limit: 10 })
    await anchorAll(
      gateway,
      chain,
      records.map(({ id }) => id),
    )
    expect(codes((await accept([licence(100)])).outcomes)).toEqual(['ok'])
  })
})

describe('withheld payloads', () => {
  it('anchors an envelope alone, and says that it never had the payload', async () => {
    const own = envelope()
    expect(idsOf((await accept([{ envelope: own }])).outcomes)).toEqual([own.id])
    await anchorAll(gateway, chain, [own.id])
    expect(await gateway.engine.shelf.get(own.id)).toMatchObject({
      payload: 'withheld',
      status: 'anchored',
      envelope: own,
    })
    await expect(gateway.engine.shelf.payload(own.id)).rejects.toMatchObject({ code: 'PAYLOAD_WITHHELD' })
    const evidence = await gateway.engine.shelf.evidence(own.id)
    expect(verifyEvidence(JSON.stringify(evidence), { trustAnchor: chain.trustAnchor() }).valid).toBe(true)
  })

  it('takes an id once, also within one submission', async () => {
    const own = envelope()
    await accept([{ envelope: own }])
    const { outcomes } = await accept([{ envelope: own }, { envelope: envelope() }], { partial: true })
    expect(outcomes[0]).toMatchObject({ refusal: { code: 'RECORD_EXISTS', existingId: own.id } })
    const twin = envelope()
    expect(codes((await accept([{ envelope: twin }, { envelope: twin }], { partial: true })).outcomes)).toEqual([
      'ok',
      'RECORD_EXISTS',
    ])
  })
})

describe('one event, one record', () => {
  it('names the record that is there: later, in one submission, and in a race', async () => {
    const [id] = await acceptAll(gateway, [event(1)])
    const again = await accept([event(1)], { partial: true })
    expect(again.outcomes).toMatchObject([{ refusal: { code: 'RECORD_DUPLICATE', existingId: id } }])
    const inOne = await accept([event(2), event(2)], { partial: true })
    expect(inOne.outcomes[1]).toMatchObject({ refusal: { existingId: idsOf(inOne.outcomes)[0] } })
    const race = (await Promise.all(Array.from({ length: 8 }, () => accept([event(3)], { partial: true })))).flatMap(
      ({ outcomes }) => outcomes,
    )
    const [first] = idsOf(race)
    expect(idsOf(race)).toHaveLength(1)
    expect(race.filter((one) => 'refusal' in one && one.refusal.existingId === first)).toHaveLength(7)
  })

  it("does not tell of other issuers' events", async () => {
    await accept([event(1)])
    expect(codes((await accept([event(1)], { caller: OTHER_CALLER })).outcomes)).toEqual(['ok'])
  })

  it('is not blocked by a submission that was refused', async () => {
    await expect(accept([event(4), { schema: 'no.such', payload: 1 }])).rejects.toMatchObject({
      code: 'SUBMISSION_REFUSED',
    })
    expect(codes((await accept([event(4)])).outcomes)).toEqual(['ok'])
  })
})

describe('idempotency keys', () => {
  it('answer the same request alike, after a restart too, and refuse another', async () => {
    const first = await accept(licences(3), keyed('k', 'body'))
    expect(first.replayed).toBe(false)
    for (let pass = 0; pass < 2; pass++) {
      expect(await accept(licences(3), keyed('k', 'body'))).toEqual({ ...first, replayed: true })
      await expect(accept(licences(3), keyed('k', 'other'))).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
        details: { key: 'k' },
      })
      await gateway.stop()
      gateway = await openGateway(folder, chain)
    }
    expect(pending()).toBe(3)
  })

  it('let one of those that come together do the work', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => accept(licences(2), keyed('race', 'body'))))
    expect(new Set(answers.map(({ outcomes }) => JSON.stringify(outcomes))).size).toBe(1)
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(pending()).toBe(2)
    const conflict = await Promise.allSettled([
      accept([licence(50)], keyed('r2', 'a')),
      accept([licence(50)], keyed('r2', 'b')),
    ])
    expect(conflict.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  it('belong to one API key each', async () => {
    await accept([licence(1)], keyed('mine', 'body'))
    const other = await accept([licence(1)], { ...keyed('mine', 'body'), caller: { ...CALLER, keyId: 'key-9' } })
    expect(other.replayed).toBe(false)
  })

  it('tell again what was refused of a request, and why', async () => {
    await accept([event(1)])
    const records = [event(1), licence(1), { schema: 'government.licence', payload: { ...LICENCE, XK_JDRQ: 'soon' } }]
    const first = await accept(records, { ...keyed('part', 'body'), partial: true })
    expect(codes(first.outcomes)).toEqual(['RECORD_DUPLICATE', 'ok', 'RECORD_INVALID'])
    const again = await accept(records, { ...keyed('part', 'body'), partial: true })
    expect(again.replayed).toBe(true)
    expect(again.outcomes.slice(1)).toEqual(first.outcomes.slice(1))
    expect(again.outcomes[0]).toMatchObject({
      refusal: {
        code: 'RECORD_DUPLICATE',
        existingId: (first.outcomes[0] as { refusal: { existingId: string } }).refusal.existingId,
      },
    })
  })

  it('are forgotten after their days', async () => {
    await gateway.stop()
    let now = Date.now()
    const clock = {
      now: () => now,
      after: (delayMs: number, run: () => void) => {
        const timer = setTimeout(run, Math.min(delayMs, 50))
        return () => clearTimeout(timer)
      },
    }
    gateway = await openGateway(folder, chain, { clock })
    await accept([licence(1)], keyed('old', 'body'))
    now += 7 * 86_400_000 - 1_000
    expect((await accept([licence(1)], keyed('old', 'body'))).replayed).toBe(true)
    now += 2_000
    expect((await accept([licence(2)], keyed('old', 'another'))).replayed).toBe(false)
  })
})

describe('keys that have expired', () => {
  it('leave the table, and those that are in force stay', async () => {
    const table = createMemoryTable()
    const store = createGatewayStore(table)
    const tokenAt = (name: string) => ({ key: name, mac: sha256(utf8ToBytes(name)), fingerprint: new Uint8Array(32) })
    await store.commit([
      ...tokenChanges(tokenAt('old'), [], 1_000),
      ...tokenChanges(tokenAt('used again'), [], 1_000),
      ...tokenChanges(tokenAt('new'), [], 3_000),
    ])
    await store.commit(tokenChanges(tokenAt('used again'), [], 4_000))
    await sweepExpired(store, { now: () => 2_000 })
    const inTable = (name: string): boolean => store.get(idempotencyKey(tokenAt(name).mac)) !== undefined
    expect(['old', 'used again', 'new'].map(inTable)).toEqual([false, true, true])
    await sweepExpired(store, { now: () => 5_000 })
    expect(['old', 'used again', 'new'].map(inTable)).toEqual([false, false, false])
    expect(await isEmptyTable(table)).toBe(true)
  })
})

describe('a disk that fails', () => {
  it('acknowledges nothing from then on, and loses nothing of before', async () => {
    const [kept] = await acceptAll(gateway, [licence(1)])
    await gateway.stop()
    let isFull = false
    gateway = await openGateway(folder, chain, {
      ports: ({ table }) => ({
        table: {
          get: (key) => table.get(key),
          entries: (range) => table.entries(range),
          write: (changes) => (isFull ? Promise.reject(new Error('no space left')) : table.write(changes)),
        },
      }),
    })
    isFull = true
    await expect(accept([licence(2)], keyed('k', 'body'))).rejects.toThrow('no space left')
    isFull = false
    // Once a sync has failed, what a later one says cannot be believed.
    await expect(accept([licence(2)], keyed('k', 'body'))).rejects.toThrow('no space left')
    await gateway.stop()
    gateway = await openGateway(folder, chain)
    expect((await accept([licence(2)], keyed('k', 'body'))).replayed).toBe(false)
    expect((await gateway.engine.shelf.get(kept!))!.payload).toBe('kept')
    // The two of the submissions that failed open nothing.
    expect(
      gateway.ring.size -
        [...Array(gateway.ring.size).keys()].filter((slot) => gateway.ring.get(slot) === undefined).length,
    ).toBe(4)
  })
})

describe('waiting for the chain', () => {
  it('tells when all are anchored, when the time is over, and when nobody waits any more', async () => {
    const ids = await acceptAll(gateway, licences(3))
    expect(await gateway.engine.intake.anchored(ids, 30)).toBe(false)
    const stop = new AbortController()
    const waiting = gateway.engine.intake.anchored(ids, 60_000, stop.signal)
    stop.abort()
    expect(await waiting).toBe(false)
    expect(await gateway.engine.intake.anchored([...ids, 'nothing'], 60_000)).toBe(false)
    await anchorAll(gateway, chain, ids)
    expect(await gateway.engine.intake.anchored(ids, 0)).toBe(true)
  })
})
