import { describe, expect, expectTypeOf, it } from 'vitest'
import { type PayloadBySchema, filesOf, isSonghuaError, payloadJson } from '@songhua/sdk'
import { base64ToBytes } from '@songhua/sdk/gateway/base64'
import { canonicalBytes } from '@songhua/sdk/protocol/canonical-json'
import { parseEvidence } from '@songhua/sdk/protocol/evidence-format'
import { verifyEvidence } from '@songhua/sdk/verify'
import { POSITIVE_CASES } from '../protocol/evidence-cases.js'
import { LICENCE } from '../records/samples.js'

const payload = canonicalBytes(LICENCE)

describe('filesOf', () => {
  it('gives the three files, from which the record verifies byte for byte', () => {
    const { source, input, trustAnchor } = POSITIVE_CASES.find(({ input: given }) => given?.payload !== undefined)!
    const evidence = parseEvidence(source)
    const files = filesOf({ id: 'r', evidence, payload: input.payload, salt: input.salt })
    expect(Object.keys(files)).toEqual(['r.evidence.json', 'r.payload.json', 'r.salt'])
    const verdict = verifyEvidence(files['r.evidence.json'], {
      payload: Buffer.from(files['r.payload.json']!, 'utf8'), salt: Buffer.from(files['r.salt']!, 'hex'), trustAnchor,
    })
    expect(verdict).toMatchObject({ valid: true, facts: { payload: 'verified' } })
  })

  it('leaves out what is not here, and replaces no byte in silence', () => {
    const evidence = parseEvidence(POSITIVE_CASES[0]!.source)
    expect(Object.keys(filesOf({ id: 'r', evidence }))).toEqual(['r.evidence.json'])
    const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)
    expect(Buffer.from(filesOf({ id: 'r', evidence, payload: marked })['r.payload.json']!, 'utf8')).toEqual(Buffer.from(marked))
    expect(() => filesOf({ id: 'r', evidence, payload: Uint8Array.of(0xff) })).toThrow(/no UTF-8/)
  })
})

describe('payloadJson', () => {
  it('is the value that was anchored, with the type of its schema', () => {
    const licence = payloadJson<'government.licence'>(payload)
    expectTypeOf(licence).toEqualTypeOf<PayloadBySchema['government.licence']>()
    expectTypeOf(payloadJson(payload)).toBeUnknown()
    expect(licence).toEqual(LICENCE)
  })

  it('refuses bytes that are no JSON with a code', () => {
    for (const bytes of [payload.subarray(1), Uint8Array.of(0xff), new Uint8Array()]) {
      let thrown: unknown
      try {
        payloadJson(bytes)
      } catch (error) {
        thrown = error
      }
      expect(isSonghuaError(thrown, 'OPTION_INVALID')).toBe(true)
    }
  })
})

describe('base64ToBytes', () => {
  const { Buffer: native } = globalThis
  const withoutNative = <T>(run: () => T): T => {
    Reflect.deleteProperty(globalThis, 'Buffer')
    try {
      return run()
    } finally {
      globalThis.Buffer = native
    }
  }

  it('reads every length alike, with and without the platform’s own', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) % 256)
      const text = native.from(bytes).toString('base64')
      expect(base64ToBytes(text, 'payload')).toEqual(bytes)
      expect(withoutNative(() => base64ToBytes(text, 'payload'))).toEqual(bytes)
    }
  })

  it.each(['a', 'ab*d', 'abc', '====', 'ab=d', 'YWJj\u4e2d'])('refuses %s', (text) => {
    expect(() => base64ToBytes(text, 'payload')).toThrow(/payload is no base64/)
    expect(() => withoutNative(() => base64ToBytes(text, 'payload'))).toThrow(/payload is no base64/)
  })
})
