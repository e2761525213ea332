import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { sha256 } from '@songhua/sdk/protocol/crypto'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import type { GatewayEvent } from '@songhua/node/gateway/model'
import { retainedUntilMs } from '@songhua/node/gateway/retention'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain } from './anchor-chain.js'
import {
  CALLER,
  type Gateway,
  OTHER_CALLER,
  acceptAll,
  anchorAll,
  callerOf,
  entry,
  event,
  licence,
  openGateway,
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

const custody = () => gateway.engine.custody
const TEXT = '逾期九十天之后还清'
/** So that it cannot be the codec's doing if nothing is found. */
const REQUEST = { idempotency: { key: 'k', request: utf8ToBytes(`the request, with ${TEXT}`) } }

/** Raw files of the store and of the key folder in which bytes stand. */
async function filesWith(bytes: Uint8Array): Promise<string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const found = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => {
        const path = join(file.parentPath, file.name)
        return (await readFile(path)).includes(Buffer.from(bytes)) ? [path.slice(folder.length + 1)] : []
      }),
  )
  return found.flat().sort()
}

describe('an erased payload', () => {
  it('is nowhere in the raw files, whereas its key was in the ring before', async () => {
    const [id, other] = await acceptAll(gateway, [entry(TEXT), entry('another')], REQUEST)
    await anchorAll(gateway, chain, [id!, other!])
    const { payload, salt } = (await gateway.engine.shelf.payload(id!))!
    const keys = [0, 1].map((slot) => gateway.ring.get(slot)!)
    const secrets = [
      salt,
      payload,
      utf8ToBytes(TEXT),
      sha256(payload),
      utf8ToBytes(Buffer.from(payload).toString('base64')),
    ]
    // Before: the keys stand in the ring and nowhere else, and of the rest nothing is readable anywhere.
    expect(await filesWith(keys[0]!)).toEqual(['keys/ring'])
    for (const secret of secrets) expect(await filesWith(secret)).toEqual([])
    // What may be found is found: the search reads what the store writes.
    expect(await filesWith(utf8ToBytes(id!))).not.toEqual([])

    const erased = await custody().erase(id!, CALLER)
    expect(erased).toMatchObject({ payload: 'erased', erased: { by: 'key-1' } })
    expect(await filesWith(keys[0]!)).toEqual([])
    for (let from = 0; from <= 24; from += 8) expect(await filesWith(keys[0]!.subarray(from, from + 8))).toEqual([])
    for (const secret of secrets) expect(await filesWith(secret)).toEqual([])
    expect(await filesWith(keys[1]!)).toEqual(['keys/ring'])

    await expect(gateway.engine.shelf.payload(id!)).rejects.toMatchObject({ code: 'PAYLOAD_ERASED' })
    expect(await gateway.engine.shelf.payload(other!)).toBeDefined()
    const evidence = JSON.stringify(await gateway.engine.shelf.evidence(id!))
    expect(verifyEvidence(evidence, { trustAnchor: chain.trustAnchor() }).valid).toBe(true)
    expect(verifyEvidence(evidence, { payload, salt, trustAnchor: chain.trustAnchor() }).valid).toBe(true)
    expect(await custody().erase(id!, CALLER)).toEqual(erased)
    expect(
      (
        await gateway.engine.intake.accept({
          caller: CALLER,
          records: [entry(TEXT), entry('another')],
          partial: false,
          ...REQUEST,
        })
      ).replayed,
    ).toBe(true)
  })

  it('is anchored all the same when it was erased before', async () => {
    const [id] = await acceptAll(gateway, [entry(TEXT)])
    await custody().erase(id!, CALLER)
    await anchorAll(gateway, chain, [id!])
    const evidence = JSON.stringify(await gateway.engine.shelf.evidence(id!))
    expect(verifyEvidence(evidence, { trustAnchor: chain.trustAnchor() }).valid).toBe(true)
  })

  it.each([
    ['before', 0],
    ['after', 0],
    ['before', 1],
    ['after', 1],
    ['before', 2],
    ['after', 2],
  ] as const)('is gone after a crash %s step %i of the erasure, or untouched', async (when, at) => {
    const [id] = await acceptAll(gateway, [entry(TEXT)])
    await anchorAll(gateway, chain, [id!])
    await gateway.stop()
    // Intent, key, event; nothing else is written by a gateway without work.
    gateway = await openGateway(folder, chain, { death: { step: at, when } })
    void custody().erase(id!, CALLER)
    await gateway.died
    await gateway.kill()
    gateway = await openGateway(folder, chain)
    const isUntouched = at === 0 && when === 'before'
    expect((await gateway.engine.shelf.get(id!))!.payload).toBe(isUntouched ? 'kept' : 'erased')
    expect(gateway.ring.get(0) === undefined).toBe(!isUntouched)
    const events = (await gateway.engine.feed.read(undefined, 10)).filter(({ type }) => type === 'record.erased')
    expect(events).toHaveLength(isUntouched ? 0 : 1)
  })
})

describe('who may erase, and when', () => {
  it('not before the retention is over', async () => {
    const [permanent, years] = await acceptAll(gateway, [licence(1), event(1)])
    await expect(custody().erase(permanent!, CALLER)).rejects.toMatchObject({
      code: 'RETENTION_NOT_OVER',
      details: { untilMs: null },
    })
    const { createdAt } = (await gateway.engine.shelf.get(years!))!.envelope
    const until = new Date(createdAt)
    until.setUTCFullYear(until.getUTCFullYear() + 10)
    await expect(custody().erase(years!, CALLER)).rejects.toMatchObject({
      code: 'RETENTION_NOT_OVER',
      details: { untilMs: until.getTime() },
    })
    await gateway.stop()
    const later = { now: () => until.getTime(), after: () => () => undefined }
    gateway = await openGateway(folder, chain, { clock: later })
    expect(await custody().erase(years!, CALLER)).toMatchObject({ payload: 'erased' })
    await expect(custody().erase(permanent!, CALLER)).rejects.toMatchObject({ code: 'RETENTION_NOT_OVER' })
  })

  it('reckons in calendar years', () => {
    expect(retainedUntilMs('5y', Date.parse('2024-02-29T00:00:00.000Z'))).toBe(Date.parse('2029-03-01T00:00:00.000Z'))
    expect(retainedUntilMs('30y', Date.parse('2026-11-23T04:00:00.000Z'))).toBe(Date.parse('2056-11-23T04:00:00.000Z'))
    expect(retainedUntilMs('permanent', 0)).toBeNull()
  })

  it('not under a legal hold, and again when it is over', async () => {
    const [id] = await acceptAll(gateway, [entry(TEXT)])
    expect(await custody().hold(id!, '案件 7', CALLER)).toMatchObject({ hold: { reason: '案件 7', by: 'key-1' } })
    await gateway.stop()
    gateway = await openGateway(folder, chain)
    await expect(custody().erase(id!, CALLER)).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
      details: { reason: '案件 7' },
    })
    await expect(custody().hold(id!, 'another', CALLER)).rejects.toMatchObject({ code: 'LEGAL_HOLD' })
    expect(await gateway.engine.shelf.payload(id!)).toBeDefined()
    expect((await custody().release(id!, CALLER))!.hold).toBeUndefined()
    expect((await custody().release(id!, CALLER))!.hold).toBeUndefined()
    expect(await custody().erase(id!, CALLER)).toMatchObject({ payload: 'erased' })
    await expect(custody().hold(id!, 'too late', CALLER)).rejects.toMatchObject({ code: 'PAYLOAD_ERASED' })
    const types = (await gateway.engine.feed.read(undefined, 10)).map(({ type }) => type)
    expect(types.filter((type) => type !== 'record.anchored')).toEqual([
      'record.held',
      'record.released',
      'record.erased',
    ])
  })

  it('only for its own issuer, unless all may be seen', async () => {
    const [id] = await acceptAll(gateway, [entry(TEXT)])
    expect(await custody().erase(id!, OTHER_CALLER)).toBeUndefined()
    expect(await custody().hold(id!, 'x', OTHER_CALLER)).toBeUndefined()
    expect(await custody().erase('0192b6a0-0000-7000-8000-000000000000', CALLER)).toBeUndefined()
    expect(await custody().erase('no id', CALLER)).toBeUndefined()
    const court = callerOf('court', OTHER_CALLER.issuer, 'records:hold', 'records:read-all')
    expect(await custody().hold(id!, '案件 8', court)).toMatchObject({ hold: { by: 'court' } })
  })

  it('one at a time: of two that come together one does it', async () => {
    const [id] = await acceptAll(gateway, [entry(TEXT)])
    const [held, erased] = await Promise.allSettled([
      custody().hold(id!, 'first', CALLER),
      custody().erase(id!, CALLER),
    ])
    expect([held.status, erased.status]).toEqual(['fulfilled', 'rejected'])
  })
})

describe('the feed', () => {
  it('tells each event once, in order, from any cursor', async () => {
    const mine = await acceptAll(gateway, [entry('a'), entry('b'), entry('c'), licence(1)])
    const others = await acceptAll(gateway, [licence(2, { issuer: OTHER_CALLER.issuer })], { caller: OTHER_CALLER })
    expect(gateway.engine.feed.last()).toBeUndefined()
    let news = 0
    const stop = gateway.engine.feed.onNews(() => news++)
    await anchorAll(gateway, chain, [...mine, ...others])
    await custody().erase(mine[0]!, CALLER)
    stop()
    expect(news).toBeGreaterThanOrEqual(3)
    const all = await gateway.engine.feed.read(undefined, 100)
    expect(all).toHaveLength(6)
    expect(all.at(-1)).toMatchObject({
      type: 'record.erased',
      recordId: mine[0],
      by: 'key-1',
      cursor: gateway.engine.feed.last(),
    })
    for (const [at, { cursor }] of all.entries()) {
      expect(await gateway.engine.feed.read(cursor, 100)).toEqual(all.slice(at + 1))
      expect(await gateway.engine.feed.read(cursor, 2)).toEqual(all.slice(at + 1, at + 3))
    }
    const own = await gateway.engine.feed.read(undefined, 100, CALLER)
    expect(own.map(({ recordId }: GatewayEvent) => recordId).sort()).toEqual([...mine, mine[0]!].sort())
    expect(await gateway.engine.feed.read(undefined, 100, OTHER_CALLER)).toMatchObject([{ recordId: others[0] }])
    const [credit, government] = [{ families: ['credit'] as const }, { issuer: CALLER.issuer, families: ['government', 'trace'] as const }]
    expect((await gateway.engine.feed.read(undefined, 100, credit)).map(({ recordId }) => recordId).sort()).toEqual([...mine.slice(0, 3), mine[0]!].sort())
    expect(await gateway.engine.feed.read(undefined, 100, government)).toMatchObject([{ recordId: mine[3] }])
    expect(await gateway.engine.feed.read(undefined, 100, { families: [] })).toEqual([])
    for (const cursor of ['', '0.0', '1', '1.x', '-1.0', '1.0.0']) {
      await expect(gateway.engine.feed.read(cursor, 1)).rejects.toMatchObject({ code: 'CURSOR_INVALID' })
    }
    const ahead = gateway.engine.feed.read('9.0', 1)
    await expect(ahead).rejects.toMatchObject({ code: 'CURSOR_AHEAD', details: { cursor: '9.0' } })
  })
})
