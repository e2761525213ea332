import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { familyOf } from '@songhua/sdk/records/record-schema'
import type { Subject } from '@songhua/sdk/records/subject'
import { createFinder } from '@songhua/node/gateway/find'
import { recordChanges } from '@songhua/node/gateway/record-changes'
import type { RecordQuery, StoredRecord } from '@songhua/node/gateway/model'
import type { Draft } from '@songhua/node/gateway/judge'
import { readRecord } from '@songhua/node/gateway/store'
import { envelopeOf } from '@songhua/node/gateway/shelf'
import { createTags } from '@songhua/node/gateway/tags'
import { createMemoryTable } from '@songhua/node/storage/memory-table'
import { createTempFolders } from '../storage/temp-folder.js'
import { type AnchorChain, createAnchorChain } from './anchor-chain.js'
import {
  ISSUER,
  OTHER_CALLER,
  PERSON,
  SECRET,
  acceptAll,
  entry,
  event,
  licence,
  openGateway,
} from './engine-fixture.js'

const tempFolder = createTempFolders()
const tags = createTags(SECRET)

interface Made {
  readonly issuer: string
  readonly schema: string
  readonly subject: string
  readonly createdMs: number
}

const subjectOf = (id: string): Subject => ({ kind: 'public', scheme: 'number', id })
const made = fc.record({
  issuer: fc.constantFrom('a', 'b'),
  schema: fc.constantFrom('government.x', 'trace.y'),
  subject: fc.constantFrom('s', 't'),
  createdMs: fc.integer({ min: 1_000, max: 1_010 }),
})
const query = fc.record(
  {
    issuer: fc.constantFrom('a', 'b', 'c'),
    schema: fc.constantFrom('government.x', 'trace.y'),
    subject: fc.constantFrom('s', 't').map(subjectOf),
    fromMs: fc.integer({ min: 995, max: 1_012 }),
    toMs: fc.integer({ min: 995, max: 1_015 }),
    families: fc.subarray(['government', 'trace', 'credit'] as const),
  },
  { requiredKeys: [] },
)

function draftOf({ issuer, schema, subject, createdMs }: Made, at: number): Draft {
  const id = `0192b6a0-0000-7000-8000-${at.toString().padStart(12, '0')}`
  const envelope = {
    id,
    issuer,
    schema: { id: schema, version: '1' },
    subject: subjectOf(subject),
  } as unknown as Draft['envelope']
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(envelope)))
  return {
    envelope,
    family: familyOf(schema),
    createdMs,
    envelopeBytes: bytes,
    leaf: new Uint8Array(32),
    naturalKey: undefined,
    content: undefined,
  }
}

async function tableOf(records: readonly Made[]) {
  const table = createMemoryTable()
  const entries = records.map((one, at) => ({
    draft: draftOf(one, at),
    sealed: undefined,
    acceptedBy: 'k',
    acceptedAtMs: 0,
  }))
  await table.write(
    entries.flatMap((one, seq) =>
      recordChanges(one, { place: { family: one.draft.family, seq }, slot: undefined, bytesSoFar: 0 }, tags),
    ),
  )
  return table
}

/** What a query finds, by looking at everything. */
function expected(
  records: readonly Made[],
  { issuer, schema, subject, families, fromMs = 0, toMs = Infinity }: Omit<RecordQuery, 'limit'>,
): number[] {
  return records
    .map((one, at) => ({ ...one, at }))
    .filter((one) => (issuer === undefined || one.issuer === issuer) && (schema === undefined || one.schema === schema))
    .filter((one) => subject?.kind !== 'public' || one.subject === subject.id)
    .filter(({ createdMs }) => createdMs >= fromMs && createdMs < toMs)
    .filter((one) => families?.includes(familyOf(one.schema)) ?? true)
    // Records of one moment: by family, as the chain numbers them.
    .sort((a, b) => a.createdMs - b.createdMs || a.schema.localeCompare(b.schema) || a.at - b.at)
    .map(({ at }) => at)
}

describe('searching', () => {
  it('pages through exactly what a look at everything finds, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(made, { maxLength: 30 }),
        query,
        fc.integer({ min: 1, max: 12 }),
        async (records, wanted, limit) => {
          const table = await tableOf(records)
          const find = createFinder({ store: table, tags }, (place) =>
            Promise.resolve({ id: envelopeOf(readRecord(table, place)).id } as StoredRecord),
          )
          const found: number[] = []
          let cursor: string | undefined
          do {
            const page = await find({ ...wanted, limit, ...(cursor === undefined ? {} : { cursor }) })
            expect(page.records.length).toBeLessThanOrEqual(limit)
            found.push(...page.records.map(({ id }) => Number(id.slice(-12))))
            cursor = page.next
          } while (cursor !== undefined)
          expect(found).toEqual(expected(records, wanted))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('takes only cursors that it gave for the same query', async () => {
    const table = await tableOf(
      Array.from({ length: 5 }, (_, at) => ({ issuer: 'a', schema: 'government.x', subject: 's', createdMs: at })),
    )
    const find = createFinder({ store: table, tags }, () => Promise.resolve({ id: '' } as StoredRecord))
    const { next } = await find({ issuer: 'a', limit: 2 })
    expect((await find({ issuer: 'a', limit: 3, cursor: next! })).records).toHaveLength(3)
    const flipped = Buffer.from(next!, 'base64url')
    flipped[14]! ^= 1
    for (const [other, cursor] of [
      [{ issuer: 'b' }, next!],
      [{ issuer: 'a', schema: 'government.x' }, next!],
      [{ issuer: 'a', fromMs: 0 }, next!],
      [{ issuer: 'a' }, flipped.toString('base64url')],
      [{ issuer: 'a' }, ''],
      [{ issuer: 'a' }, next!.slice(2)],
      [{ issuer: 'a' }, 'no cursor!'],
    ] as [Omit<RecordQuery, 'limit'>, string][]) {
      await expect(find({ ...other, limit: 2, cursor })).rejects.toMatchObject({ code: 'CURSOR_INVALID' })
    }
  })
})

describe('searching the store on disk', () => {
  let chain: AnchorChain
  beforeAll(async () => {
    chain = await createAnchorChain()
  })
  afterAll(() => chain.stop())

  it('finds by subject, schema, issuer and time across families', async () => {
    const gateway = await openGateway(await tempFolder(), chain)
    const ids = await acceptAll(gateway, [licence(1), event(1), entry('x'), licence(2)])
    const others = await acceptAll(gateway, [licence(3, { issuer: OTHER_CALLER.issuer })], { caller: OTHER_CALLER })
    const find = async (wanted: Omit<RecordQuery, 'limit'>): Promise<string[]> =>
      (await gateway.engine.shelf.find({ ...wanted, limit: 100 })).records.map(({ id }) => id).sort()
    const all = [...ids, ...others]
    expect(await find({})).toEqual([...all].sort())
    expect(await find({ issuer: ISSUER })).toEqual([...ids].sort())
    for (const issuer of ['', 'null', ISSUER.slice(0, -1)]) expect(await find({ issuer })).toEqual([])
    expect(await find({ schema: '' })).toEqual([])
    expect(await find({ subject: PERSON })).toEqual([ids[2]])
    expect(await find({ schema: 'government.licence' })).toEqual([ids[0]!, ids[3]!, others[0]!].sort())
    const { subject } = (await gateway.engine.shelf.get(ids[0]!))!.envelope
    expect(await find({ subject, issuer: OTHER_CALLER.issuer })).toEqual(others)
    expect(await find({ toMs: Date.now() - 60_000 })).toEqual([])
    await gateway.stop()
  })
})
