import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { createEvidenceVerifier } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_STEPS } from '@songhua/sdk/protocol/evidence-codes'
import { MAX_EVIDENCE_CHARACTERS, MAX_EVIDENCE_DEPTH } from '@songhua/sdk/protocol/evidence-json'
import { type EvidenceBundle, parseEvidence } from '@songhua/sdk/protocol/evidence-format'
import { type JsonObject } from '@songhua/sdk/protocol/json-fields'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { REQUIRED, badTrustAnchors, deepList } from './evidence-cases-format.js'
import { chain, good } from './evidence-cases-support.js'
import { codeOf } from './support.js'
import { failures } from './evidence-support.js'

/** What comes from a file is in `evidence-cases-format`; here is what only a program can hand over. */

const verifier = createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()))
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

describe('the text of a bundle', () => {
  it('is read as it was written', () => {
    expect(parseEvidence(JSON.stringify(good))).toEqual(good)
  })

  it('with __proto__ as a key pollutes nothing', () => {
    verifier.verify(JSON.stringify(good).replace('"proof":[]', '"__proto__":{"valid":true},"proof":[]'))
    expect(({} as { valid?: unknown }).valid).toBeUndefined()
  })

  it.each(REQUIRED)('names %s when it is missing', (key) => {
    const part = Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))
    expect(verifier.verify(part).steps[0]?.message).toContain(key)
  })
})

describe('a parsed bundle', () => {
  const throwing = new Proxy({}, {
    ownKeys: () => {
      throw new Error('no')
    },
  })
  it.each<[string, string, unknown]>([
    ['undefined', 'FORMAT_VALUE', undefined],
    ['bytes', 'FORMAT_VALUE', new Uint8Array(10_000_000)],
    ['a huge sparse list', 'FORMAT_TOO_LARGE', new Array(0xffff_ffff)],
    ['a circle', 'FORMAT_TOO_DEEP', cyclic],
    ['a deep list', 'FORMAT_TOO_DEEP', deepList(100_000)],
    ['a bigint', 'FORMAT_VALUE', { ...good, status: { at: 1n } }],
    ['a function', 'FORMAT_VALUE', { ...good, envelope: { ...good.envelope, toJSON: () => ({}) } }],
    ['a date', 'FORMAT_VALUE', { ...good, envelope: { ...good.envelope, created: new Date(0) } }],
    ['an undefined field', 'FORMAT_VALUE', { ...good, status: undefined }],
    ['an object that throws', 'STEP_UNEXPECTED', throwing],
    ['strings without end', 'FORMAT_TOO_LARGE', { ...good, status: { note: 'x'.repeat(MAX_EVIDENCE_CHARACTERS) } }],
  ])('is refused: %s', (_, code, source) => {
    expect(failures(verifier.verify(source))).toEqual({ format: code })
  })

  it(`is read to a depth of ${MAX_EVIDENCE_DEPTH}`, () => {
    const status = (depth: number): JsonObject => ({ deep: deepList(depth) })
    const verdictAt = (depth: number) => failures(verifier.verify({ ...good, status: status(depth) }))
    expect(verdictAt(MAX_EVIDENCE_DEPTH - 2)).toEqual({})
    expect(verdictAt(MAX_EVIDENCE_DEPTH - 1)).toEqual({ format: 'FORMAT_TOO_DEEP' })
  })
})

describe('anything at all', () => {
  it('gets a verdict', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), (source) => {
        const verdict = verifier.verify(source)
        expect(verdict.valid).toBe(false)
        expect(verdict.steps.map(({ step }) => step)).toEqual([...EVIDENCE_STEPS])
      }),
    )
  })

  it('in place of a part of the bundle gets one', () => {
    const keys = Object.keys(good) as (keyof EvidenceBundle)[]
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        expect(verifier.verify({ ...good, [key]: value }).valid).toBe(false)
      }),
    )
  })
})

describe('a trust anchor', () => {
  it('is read with its checkpoints and the set that seals block 1', () => {
    const text = JSON.stringify(chain.trustAnchor(4, 9))
    const { chainId, genesisHash, checkpoints, validators } = parseTrustAnchor(text)
    expect({ chainId, genesisHash }).toEqual(good.chain)
    expect(checkpoints.map(({ height, hash }) => [height, hash])).toEqual([[4, chain.hashes[4]], [9, chain.hashes[9]]])
    expect(validators).toHaveLength(4)
  })

  it.each([...badTrustAnchors(), ['undefined', 'TRUST_ANCHOR_FORMAT', undefined] as const])(
    'is refused: %s',
    (_, code, source) => {
      expect(codeOf(() => parseTrustAnchor(source))).toBe(code)
    },
  )
})
