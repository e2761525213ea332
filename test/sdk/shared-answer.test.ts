import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SHARED_ANSWER_TYPE, readOutcomes } from '@songhua/sdk/gateway/answer'
import { createAnchoredCheck } from '@songhua/sdk/gateway/evidence-check'
import { type AnchoredRecord, connect, isRefused } from '@songhua/sdk'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { createEvidenceAssembler } from '@songhua/sdk/protocol/evidence-assembly'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { verifyEvidence } from '@songhua/sdk/verify'
import { createEvidenceChain } from '../protocol/evidence-support.js'
import { registry } from '../records/samples.js'
import { type SharedAnswer, type SharedBatch, type SharedRecord, type WholeRecord, toSharedAnswer } from './shared-answer.js'
import { ISSUER, type Stub, collect, json, licence, serve } from './support.js'

const SIZE = 11
const BLOCK = 8
const STARTED_MS = Date.now()

const inputs = Array.from({ length: SIZE }, (_, at) => licence(at))
const builder = createRecordBuilder(registry)
const built = inputs.map(({ schema, payload }) => builder.build({ id: schema }, { issuer: ISSUER, payload }))
const chain = createEvidenceChain(
  built.map(({ envelope, payload, salt }) => ({ envelope: envelope as unknown as JsonObject, payload, salt })),
)
const cut = createEvidenceAssembler(chain.anchored(BLOCK))
const trustAnchor = chain.trustAnchor()

/** As a gateway of today answers. */
const whole: WholeRecord[] = built.map(({ envelope, payload, salt }, at) => ({
  id: envelope.id, status: 'anchored', evidence: cut(envelope, at),
  payload: Buffer.from(payload).toString('base64'), salt: bytesToHex(salt),
}))
const shared = (): SharedAnswer => structuredClone(toSharedAnswer(whole))

function readAnchored(answer: unknown): AnchoredRecord[] {
  return readOutcomes(answer).flatMap((one) => ('anchored' in one ? [one.anchored] : []))
}

describe('a compact answer', () => {
  it('gives the very bundles of a plain one, with less than a third of the text', () => {
    expect(readAnchored(shared())).toEqual(readAnchored({ records: whole }))
    const [small, large] = [shared(), { records: whole }].map((answer) => JSON.stringify(answer).length)
    expect(small).toBeLessThan(large! / 3)
    for (const { evidence, payload, salt } of readAnchored(shared())) {
      expect(verifyEvidence(JSON.stringify(evidence), { payload: payload!, salt: salt!, trustAnchor }).valid).toBe(true)
    }
  })

  it('may have whole evidence and refusals between its records', () => {
    const answer = shared()
    answer.records[3] = whole[3]!
    answer.records[5] = { error: { code: 'RECORD_INVALID', message: 'no' }, row: 6 }
    const outcomes = readOutcomes(answer)
    expect(outcomes[5]).toMatchObject({ refusal: { code: 'RECORD_INVALID' } })
    const expected = readAnchored({ records: whole.filter((_, at) => at !== 5) })
    expect(outcomes.flatMap((one) => ('anchored' in one ? [one.anchored] : []))).toEqual(expected)
  })

  const change = (edit: (first: SharedRecord, batch: SharedBatch, answer: SharedAnswer) => void) => (): SharedAnswer => {
    const answer = shared()
    edit(answer.records[0] as SharedRecord, answer.batches[0]!, answer)
    return answer
  }
  const reverse = (leaves: string): string => {
    const bytes = Buffer.from(leaves, 'base64')
    const hashes = Array.from({ length: SIZE }, (_, at) => bytes.subarray(at * 32, at * 32 + 32))
    return Buffer.concat(hashes.reverse()).toString('base64')
  }
  it.each<[what: string, lie: () => SharedAnswer]>([
    ['another envelope', change((first) => (first.envelope = { ...first.envelope, retention: '5y' }))],
    ['the place of another record', change((first) => (first.leafIndex = 1))],
    ['a place outside the tree', change((first) => (first.leafIndex = SIZE))],
    ['no number for a place', change((first) => Object.assign(first, { leafIndex: '0' }))],
    ['no envelope', change((first) => Object.assign(first, { envelope: null }))],
    ['a batch that is not there', change((first) => (first.batch = 1))],
    ['a batch by name', change((first) => Object.assign(first, { batch: '__proto__' }))],
    ['no batches', change((_, __, answer) => Object.assign(answer, { batches: undefined }))],
    ['leaves in another order', change((_, batch) => (batch.leaves = reverse(batch.leaves)))],
    ['a leaf too few', change((_, batch) => (batch.leaves = Buffer.from(batch.leaves, 'base64').subarray(32).toString('base64')))],
    ['half a leaf', change((_, batch) => (batch.leaves = Buffer.from(batch.leaves, 'base64').subarray(16).toString('base64')))],
    ['no leaves', change((_, batch) => (batch.leaves = ''))],
    ['a header of another block', change((_, batch) => Object.assign(batch, { header: chain.bundle(3).header }))],
    ['no header', change((_, batch) => Object.assign(batch, { header: 7 }))],
    ['a receipt that is none', change((_, batch) => Object.assign(batch, { anchor: { ...batch.anchor, receiptProof: ['0x00'] } }))],
    ['a log of another place', change((_, batch) => Object.assign(batch, { anchor: { ...batch.anchor, transactionIndex: 0 } }))],
  ])('with %s is no answer', (what, lie) => {
    const answer = lie()
    // Blocks 3 and 8 hold the same receipts: that the header is not the one of its number shows when it is verified.
    if (what === 'a header of another block') expect(() => checkAll(answer)).toThrow(/HEADER_BLOCK_NUMBER/)
    else expect(() => readOutcomes(answer)).toThrow(expect.objectContaining({ code: 'GATEWAY_ANSWER' }) as Error)
  })

  function checkAll(answer: unknown): void {
    const check = createAnchoredCheck(parseTrustAnchor(trustAnchor))
    readOutcomes(answer).forEach((one, at) => 'anchored' in one && check(one, { sent: inputs[at]!, startedMs: STARTED_MS }))
  }

  it('holds under a pinned trust anchor, record by record', () => {
    expect(() => checkAll(shared())).not.toThrow()
  })

  it.each<[what: string, lie: () => SharedAnswer]>([
    ['seals of nobody', change((_, batch) => Object.assign(batch, { header: `${batch.header.slice(0, -6)}000000` }))],
    ['another genesis', change((_, batch) => Object.assign(batch, { chain: { ...batch.chain, genesisHash: `0x${'ab'.repeat(32)}` } }))],
    ['no validator history', change((_, batch) => Object.assign(batch, { validatorHistory: [] }))],
    ['the payload of another record', change((_, __, { records }) => ((records[7] as SharedRecord).payload = whole[6]!.payload))],
    ['the salt of another record', change((_, __, { records }) => ((records[7] as SharedRecord).salt = whole[6]!.salt))],
    ['a payload without its salt', change((_, __, { records }) => ((records[7] as SharedRecord).salt = null))],
    ['two records in each other’s place', change((_, __, { records }) => records.reverse())],
  ])('with %s does not', (_, lie) => {
    expect(() => checkAll(lie())).toThrow(expect.objectContaining({ code: 'EVIDENCE_INVALID' }) as Error)
  })
})

describe('anchorMany', () => {
  let stub: Stub
  const accepts: (string | undefined)[] = []

  beforeAll(async () => {
    stub = await serve(({ url, headers }, response) => {
      accepts.push(headers.accept)
      const isShared = headers.accept?.includes(SHARED_ANSWER_TYPE) === true && url.searchParams.get('wait') === 'final'
      json(response, 201, isShared ? toSharedAnswer(whole) : { records: whole })
    })
  })
  afterAll(() => stub.stop())

  it('takes the compact form where a gateway has it', async () => {
    const { records } = await connect({ gateway: stub.url, apiKey: 'shk_', trustAnchor })
    const anchored = await collect(records.anchorMany(inputs))
    expect(accepts).toEqual([`${SHARED_ANSWER_TYPE}, application/json;q=0.9`])
    expect(anchored.some(isRefused)).toBe(false)
    expect(anchored).toEqual(readAnchored({ records: whole }))
  })
})
