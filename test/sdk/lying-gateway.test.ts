import { afterEach, describe, expect, it } from 'vitest'
import { type GatewayConnection, type RecordInput, connect, isSonghuaError } from '@songhua/sdk'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { createEvidenceAssembler } from '@songhua/sdk/protocol/evidence-assembly'
import { RECORD_FAMILIES } from '@songhua/sdk/protocol/evidence-envelope'
import { decodeHeader, encodeHeader } from '@songhua/sdk/protocol/header'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { type BuiltRecord, createRecordBuilder } from '@songhua/sdk/records/builder'
import { gs1Subject } from '@songhua/sdk/records/subject'
import { createEvidenceChain } from '../protocol/evidence-support.js'
import { EVENT, registry } from '../records/samples.js'
import { type WholeRecord, toSharedAnswer } from './shared-answer.js'
import { ISSUER, type Stub, collect, json, licence, mixed, serve } from './support.js'

const BLOCK = 8
const HOUR_MS = 3_600_000
const OTHER_ID = '0192b6a0-0000-7000-8000-00000000dead'

function buildAt(nowMs: number, { schema, payload, ...rest }: RecordInput): BuiltRecord {
  const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
  const builder = createRecordBuilder(registry, { nowMs: () => nowMs, randomBytes })
  return builder.build({ id: schema }, { issuer: ISSUER, payload, ...rest })
}

/** As a gateway answers for records that are on a chain: genuine to the last bit, whatever was asked. */
function genuine(inputs: readonly RecordInput[], nowMs = Date.now()): { answers: WholeRecord[]; trustAnchor: JsonObject } {
  const built = inputs.map((input) => buildAt(nowMs, input))
  const family = BigInt(RECORD_FAMILIES[built[0]!.envelope.family])
  const chain = createEvidenceChain(built.map((one) => ({ ...one, envelope: one.envelope as unknown as JsonObject })), family)
  const cut = createEvidenceAssembler(chain.anchored(BLOCK))
  const answers = built.map(({ envelope, payload, salt }, at) => ({
    id: envelope.id, status: 'anchored', evidence: cut(envelope, at),
    payload: Buffer.from(payload).toString('base64'), salt: bytesToHex(salt),
  }))
  return { answers, trustAnchor: chain.trustAnchor() }
}

const stubs: Stub[] = []
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.stop()
})

interface Lies {
  answer?: (path: string) => unknown
  trustAnchor?: unknown
}

async function connectTo({ answer, trustAnchor }: Lies): Promise<GatewayConnection> {
  const stub = await serve(({ url }, response) => json(response, 200, answer?.(url.pathname)))
  stubs.push(stub)
  return connect({ gateway: stub.url, apiKey: 'shk_', ...(trustAnchor === undefined ? {} : { trustAnchor }) })
}

async function codeOf(refused: Promise<unknown>): Promise<string> {
  const error = await refused.then((given) => new Error(`was given ${JSON.stringify(given)}`), (thrown: unknown) => thrown)
  if (!isSonghuaError(error)) throw error
  return error.code
}

const without = (record: WholeRecord): WholeRecord => ({ ...record, payload: null, salt: null })

describe.each<[how: string, isPinned: boolean]>([['pinned', true], ['not pinned', false]])('a gateway whose chain is %s', (_, isPinned) => {
  const event = (id: string): RecordInput => ({ schema: 'trace.object-event', subject: { kind: 'public', scheme: 'number', id }, payload: EVENT })
  type Case = [what: string, sent: RecordInput, given: RecordInput, change?: (answer: WholeRecord) => object]
  const cases: Case[] = [
    ['another record, without its payload', licence(1), licence(2), without],
    ['another record, with its payload', licence(1), licence(2)],
    ['the record without its payload', licence(1), licence(1), without],
    ['the record without its salt', licence(1), licence(1), (answer) => ({ ...answer, salt: null })],
    ['a record that supersedes nothing', { ...licence(1), supersedes: OTHER_ID }, licence(1)],
    ['a record that supersedes another', licence(1), { ...licence(1), supersedes: OTHER_ID }],
    ['a record that supersedes a third', { ...licence(1), supersedes: OTHER_ID }, { ...licence(1), supersedes: OTHER_ID.replace('dead', 'beef') }],
    ['another version of its schema', { ...licence(1), version: '9' }, licence(1)],
    ['another issuer', { ...licence(1), issuer: 'did:example:me' }, licence(1)],
    ['another subject', event('lot-1'), event('lot-2')],
    ['a subject of another kind', { ...event('lot-1'), subject: gs1Subject('urn:epc:id:sgtin:0614141.107346.2017') }, event('lot-1')],
    ['a subject that nobody named', { schema: 'trace.object-event', payload: EVENT }, event('lot-1')],
    ['a longer retention', { ...mixed(2), retention: 'permanent' }, mixed(2)],
    ['another schema', mixed(2), licence(2)],
    ['no schema', licence(1), licence(1), ({ evidence, ...answer }) => ({
      ...answer, evidence: { ...evidence, envelope: { ...evidence.envelope, schema: undefined } },
    })],
  ]
  it.each(cases)('and that answers with %s gets nothing through', async (_, sent, given, change = (answer) => answer) => {
    const { answers, trustAnchor } = genuine([given])
    const answer = { ...change(answers[0]!), replayed: false }
    const { records } = await connectTo({ answer: () => answer, ...(isPinned ? { trustAnchor } : {}) })
    expect(await codeOf(records.anchor(sent))).toBe('EVIDENCE_INVALID')
  })

  it('gets what was sent through, with each part that may be chosen', async () => {
    const sent: RecordInput = { ...licence(1), version: '1', supersedes: OTHER_ID, retention: 'permanent', issuer: ISSUER }
    const { answers, trustAnchor } = genuine([sent])
    const { records } = await connectTo({ answer: () => answers[0], ...(isPinned ? { trustAnchor } : {}) })
    expect(await records.anchor(sent)).toMatchObject({ id: answers[0]!.id, envelope: { supersedes: OTHER_ID } })
  })

  it('gives no old record with the same content for a new one, whatever it says of replays', async () => {
    const { answers, trustAnchor } = genuine([licence(1)], Date.now() - HOUR_MS)
    for (const replayed of [false, true]) {
      const { records } = await connectTo({ answer: () => ({ ...answers[0], replayed }), ...(isPinned ? { trustAnchor } : {}) })
      expect(await codeOf(records.anchor(licence(1)))).toBe('EVIDENCE_INVALID')
    }
  })

  it('says of a record that was erased before the answer came that it cannot be compared', async () => {
    const { answers, trustAnchor } = genuine([licence(1)])
    const answer = { ...without(answers[0]!), replayed: true }
    const { records } = await connectTo({ answer: () => answer, ...(isPinned ? { trustAnchor } : {}) })
    expect(await codeOf(records.anchor(licence(1)))).toBe('REPLAY_WITHOUT_PAYLOAD')
  })

  it.each(['plain', 'compact'])('gives no record for two, in the %s form', async (form) => {
    const same = Array.from({ length: 3 }, () => licence(1))
    const { answers, trustAnchor } = genuine(same)
    const answer = (records: WholeRecord[]): object => (form === 'plain' ? { records } : toSharedAnswer(records))
    const pin = isPinned ? { trustAnchor } : {}
    const honest = await connectTo({ answer: () => answer(answers), ...pin })
    expect(await collect(honest.records.anchorMany(same))).toHaveLength(3)
    const [first, second] = answers
    const lies = form === 'plain' ? { records: [first, second, first] } : toSharedAnswer(answers)
    if (form === 'compact') lies.records[2] = (lies.records as object[])[0] as never
    const lying = await connectTo({ answer: () => lies, ...pin })
    expect(await codeOf(collect(lying.records.anchorMany(same)))).toBe('EVIDENCE_INVALID')
  })

  it('gives no record of one request in another', async () => {
    const { answers, trustAnchor } = genuine([licence(1)])
    const { records } = await connectTo({ answer: () => ({ records: answers }), ...(isPinned ? { trustAnchor } : {}) })
    const many = records.anchorMany([licence(1), licence(1)], { batchSize: 1 })
    expect(await codeOf(collect(many))).toBe('EVIDENCE_INVALID')
  })

  it.each(['plain', 'compact'])('gives no records in each other’s places, in the %s form', async (form) => {
    const sent = [licence(1), licence(2), { ...licence(3), supersedes: OTHER_ID }]
    const { answers, trustAnchor } = genuine(sent)
    const whole = form === 'plain' ? { records: answers } : toSharedAnswer(answers)
    const pin = isPinned ? { trustAnchor } : {}
    expect(await collect((await connectTo({ answer: () => whole, ...pin })).records.anchorMany(sent))).toHaveLength(3)
    const swapped = { ...whole, records: [whole.records[1], whole.records[0], whole.records[2]] }
    expect(await codeOf(collect((await connectTo({ answer: () => swapped, ...pin })).records.anchorMany(sent)))).toBe('EVIDENCE_INVALID')
    const bare = { ...whole, records: whole.records.map((one) => without(one as WholeRecord)) }
    expect(await codeOf(collect((await connectTo({ answer: () => bare, ...pin })).records.anchorMany(sent)))).toBe('EVIDENCE_INVALID')
  })

  it('gives old rows of a table only under a key that the caller chose, and says so', async () => {
    const { answers, trustAnchor } = genuine([licence(1)], Date.now() - HOUR_MS)
    const schema = 'government.licence'
    const given = async (replayed: boolean, idempotencyKey?: string): Promise<string> => {
      const answer = { records: answers.map(without), replayed }
      const { records } = await connectTo({ answer: () => answer, ...(isPinned ? { trustAnchor } : {}) })
      return records.anchorTable('', { schema, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }).then(
        ([row]) => row!.id, (error: { code: string }) => error.code,
      )
    }
    expect(await given(true, 'table-1')).toBe(answers[0]!.id)
    expect(await given(false, 'table-1')).toBe('EVIDENCE_INVALID')
    expect(await given(true)).toBe('EVIDENCE_INVALID')
  })

  it('gives evidence of no other record than was asked for', async () => {
    const { answers, trustAnchor } = genuine([licence(1), licence(2)])
    const { records } = await connectTo({ answer: () => answers[0]!.evidence, ...(isPinned ? { trustAnchor } : {}) })
    expect(await records.evidence(answers[0]!.id)).toEqual(answers[0]!.evidence)
    expect(await codeOf(records.evidence(answers[1]!.id))).toBe('EVIDENCE_INVALID')
  })
})

describe('payload()', () => {
  const { answers, trustAnchor } = genuine([licence(1), licence(2)])
  const [own, other] = answers as [WholeRecord, WholeRecord]
  const told = (content: unknown, evidence = own.evidence) => (path: string): unknown => (path.endsWith('/evidence') ? evidence : content)

  it('is held against verified evidence under a pinned trust anchor', async () => {
    const { records } = await connectTo({ answer: told(own), trustAnchor })
    expect(bytesToHex((await records.payload(own.id)).salt)).toBe(own.salt)
    for (const content of [{ ...own, salt: `0x${'00'.repeat(32)}` }, { ...own, payload: other.payload }, other]) {
      const lying = await connectTo({ answer: told(content), trustAnchor })
      expect(await codeOf(lying.records.payload(own.id))).toBe('EVIDENCE_INVALID')
    }
    const matching = await connectTo({ answer: told(other, other.evidence), trustAnchor })
    expect(await codeOf(matching.records.payload(own.id))).toBe('EVIDENCE_INVALID')
  })

  it.each([null, {}, { payload: 7, salt: own.salt }, { payload: own.payload }])('of the form %j is no answer', async (content) => {
    const { records } = await connectTo({ answer: told(content) })
    expect(await codeOf(records.payload(own.id))).toBe('GATEWAY_ANSWER')
  })
})

describe('trustAnchor()', () => {
  const chain = createEvidenceChain()

  it('of a pinned chain is what is pinned, with the checkpoint that was asked for', async () => {
    const pinned = chain.trustAnchor(5, 9)
    const at = async (checkpoint: number | 'head', ...told: number[]): Promise<unknown> => {
      const songhua = await connectTo({ answer: () => chain.trustAnchor(...told), trustAnchor: pinned })
      return songhua.trustAnchor({ checkpoint })
    }
    expect(await at(7, 7)).toEqual(chain.trustAnchor(5, 7, 9))
    expect(await at('head', 20)).toEqual(chain.trustAnchor(5, 9, 20))
    expect(await at(9, 9)).toEqual(pinned)
    const plain = await connectTo({ answer: () => chain.trustAnchor(3), trustAnchor: pinned })
    expect(await plain.trustAnchor()).toEqual(pinned)
    expect(await codeOf(plain.trustAnchor({ checkpoint: 4 }))).toBe('GATEWAY_ANSWER')
  })

  it.each<[what: string, change: (told: JsonObject) => object, code: string]>([
    ['another chain id', (told) => ({ ...told, chainId: 7 }), 'GENESIS_MISMATCH'],
    ['another genesis', (told) => ({ ...told, genesisHeader: changedGenesis(String(told.genesisHeader)) }), 'GENESIS_MISMATCH'],
    ['another block at a pinned height', (told) => changeCheckpoint(told, { hash: `0x${'ab'.repeat(32)}` }), 'EVIDENCE_INVALID'],
    ['other validators at a pinned height', (told) => changeCheckpoint(told, { validators: [`0x${'ab'.repeat(20)}`] }), 'EVIDENCE_INVALID'],
  ])('of a gateway that tells %s is refused', async (_, change, code) => {
    const songhua = await connectTo({ answer: () => change(chain.trustAnchor(9)), trustAnchor: chain.trustAnchor(9) })
    expect(await codeOf(songhua.trustAnchor({ checkpoint: 9 }))).toBe(code)
  })

  /** The genesis with another gas limit. */
  function changedGenesis(genesisHeader: string): string {
    return bytesToHex(encodeHeader({ ...decodeHeader(hexToBytes(genesisHeader)), gasLimit: 7n }))
  }

  function changeCheckpoint(told: JsonObject, change: object): object {
    return { ...told, checkpoints: (told.checkpoints as object[]).map((one) => ({ ...one, ...change })) }
  }
})
