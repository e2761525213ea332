import { envelopeLeaf, ENVELOPE_BYTES_MAX, RECORD_FAMILIES } from '@songhua/sdk/protocol/evidence-envelope'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { type BuiltRecord, type RecordInput, createRecordBuilder } from '@songhua/sdk/records/builder'
import { type RecordEnvelope, envelopeBytes, envelopeLeaf as recordLeaf, parseEnvelope } from '@songhua/sdk/records/envelope'
import { familyOf } from '@songhua/sdk/records/record-schema'
import { SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { commitSubject } from '@songhua/sdk/records/subject'
import { describe, expect, it } from 'vitest'
import { type TestRecord, createEvidenceChain, failures } from '../protocol/evidence-support.js'
import { NOW_MS, PAYLOADS, USCC, registry } from './samples.js'

let chance = 0
const builder = createRecordBuilder(registry, {
  nowMs: () => NOW_MS,
  randomBytes: (length) => Uint8Array.from({ length }, () => (chance = (chance * 137 + 29) & 255)),
})
const subject = commitSubject({ id: 'k', secret: new Uint8Array(32) }, { scheme: 'citizen-id', id: '1' })
const issuer = `uscc:${USCC.bureau}`
const build = (name: keyof typeof SCHEMAS): BuiltRecord =>
  builder.build(SCHEMAS[name], { payload: PAYLOADS[name], issuer, subject } satisfies RecordInput)

const inTest = ({ envelope, payload, salt }: BuiltRecord): TestRecord => ({ envelope: { ...envelope }, payload, salt })
const names = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]

describe('what a builder makes, the verifier takes', () => {
  describe.each(Object.entries(RECORD_FAMILIES))('%s', (family, number) => {
    const ofFamily = names.filter((name) => familyOf(SCHEMAS[name].id) === family)
    const built = ofFamily.map(build)
    const chain = createEvidenceChain(built.map(inTest), BigInt(number))
    const trustAnchor = chain.trustAnchor()
    const fileOf = (index: number): string => JSON.stringify(chain.bundle(8, index))

    it.each(ofFamily.map((name, index) => [name, index] as const))('%s, with payload and salt', (name, index) => {
      const { payload, salt, envelope } = built[index]!
      const verdict = verifyEvidence(fileOf(index), { payload, salt, trustAnchor })
      expect(failures(verdict)).toEqual({})
      expect(verdict).toMatchObject({
        valid: true,
        facts: { recordId: envelope.id, family, payload: 'verified', schema: { id: SCHEMAS[name].id } },
      })
      expect(built[index]!.leaf).toEqual(chain.anchored(8).leaves[index])
    })

    it('but not with the payload or salt of another', () => {
      const [one, other] = built as [BuiltRecord, BuiltRecord]
      const codes = (given: { payload: Uint8Array; salt: Uint8Array }) =>
        failures(verifyEvidence(fileOf(0), { ...given, trustAnchor }))
      expect(codes({ payload: other.payload, salt: one.salt })).toEqual({ payload: 'PAYLOAD_SHA256' })
      expect(codes({ payload: one.payload, salt: other.salt })).toEqual({ payload: 'PAYLOAD_SHA256' })
    })
  })

  it('covers every builder of the catalogue', () => {
    expect(names).toHaveLength(registry.list().length)
    expect(Object.keys(PAYLOADS).sort()).toEqual([...names].sort())
  })
})

describe('what a built record carries', () => {
  it('is what anybody would make of its envelope', () => {
    const record = build('licence')
    expect(record.envelopeBytes).toEqual(envelopeBytes(record.envelope))
    expect(record.leaf).toEqual(recordLeaf(record.envelope))
    expect(record.leaf).toEqual(envelopeLeaf({ ...record.envelope }))
  })
})

/** An envelope of exactly so many bytes, padded with proofs of an algorithm that nobody checks. */
function envelopeOf(bytes: number): RecordEnvelope {
  const { envelope } = build('licence')
  const filled = (lengths: number[]): RecordEnvelope => ({
    ...envelope,
    proof: lengths.map((length) => ({ algorithm: 'SM2', keyId: 'k', value: 'A'.repeat(length) })),
  })
  const lengths = [1000, 1000, 500]
  const missing = bytes - JSON.stringify(filled([...lengths, 0])).length
  return filled([...lengths, missing])
}

describe('the size of an envelope', () => {
  const largest = envelopeOf(ENVELOPE_BYTES_MAX)
  const tooLarge = envelopeOf(ENVELOPE_BYTES_MAX + 1)
  const chain = createEvidenceChain([inTest({ ...build('licence'), envelope: largest })])

  it('may be what the format allows', () => {
    expect(parseEnvelope(largest)).toBe(largest)
    expect(envelopeBytes(largest)).toHaveLength(ENVELOPE_BYTES_MAX)
    const verdict = verifyEvidence(chain.bundle(8, 0), { trustAnchor: chain.trustAnchor() })
    expect(failures(verdict)).toEqual({})
  })

  it('may not be one byte more, for who makes records and for who verifies them', () => {
    expect(() => parseEnvelope(tooLarge)).toThrow(expect.objectContaining({ code: 'ENVELOPE_TOO_LARGE' }))
    expect(() => envelopeLeaf({ ...tooLarge })).toThrow(expect.objectContaining({ code: 'LEAF_TOO_LARGE' }))
    const bundle = { ...chain.bundle(8, 0), envelope: { ...tooLarge } }
    expect(failures(verifyEvidence(bundle, { trustAnchor: chain.trustAnchor() }))).toEqual({ leaf: 'LEAF_TOO_LARGE' })
  })
})
