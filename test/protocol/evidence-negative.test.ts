import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { sha256 } from '@songhua/sdk/protocol/crypto'
import { type EvidenceInput, createEvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_CODES, type EvidenceCode } from '@songhua/sdk/protocol/evidence-codes'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import { leafHash } from '@songhua/sdk/protocol/merkle-tree'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { NEGATIVE_CASES, POSITIVE_CASES } from './evidence-cases.js'
import { chain, good } from './evidence-cases-support.js'
import { codes, failures } from './evidence-support.js'

const verifier = createEvidenceVerifier(parseTrustAnchor(chain.trustAnchor()))

/** The steps that fail with these codes; no other may. */
function failuresWith(expected: readonly EvidenceCode[]): Record<string, string> {
  return Object.fromEntries(expected.map((code) => [EVIDENCE_CODES[code].step, code]))
}

const groups = [...new Set(NEGATIVE_CASES.map(({ group }) => group))]

describe.each(groups)('%s', (group) => {
  const cases = NEGATIVE_CASES.filter((one) => one.group === group)
  it.each(cases)('refuses $what', ({ codes, source, trustAnchor, input }) => {
    const verdict = verifyEvidence(source, { ...input, trustAnchor })
    expect(failures(verdict)).toEqual(failuresWith(codes))
    expect(verdict).toMatchObject({ valid: false, facts: undefined })
  })
})

describe('the cases', () => {
  it('are good bundles but for what each says', () => {
    const refused = POSITIVE_CASES.filter(
      ({ source, trustAnchor, input }) => !verifyEvidence(source, { ...input, trustAnchor }).valid,
    )
    expect(refused.map(({ what }) => what)).toEqual([])
  })

  it('show every code that a bundle from a file can get', () => {
    const shown = new Set(NEGATIVE_CASES.flatMap(({ codes }) => codes))
    const bad = (Object.keys(EVIDENCE_CODES) as EvidenceCode[]).filter((code) => !EVIDENCE_CODES[code].ok)
    // A payload that is no bytes comes from a program, not from a file; the others are the verifier's own.
    expect(bad.filter((code) => !shown.has(code))).toEqual([
      'STEP_NOT_REACHED', 'STEP_UNEXPECTED', 'STEP_LIMIT', 'PAYLOAD_TYPE',
    ])
  })
})

describe('from a program', () => {
  const { salt } = chain.batch[4]!
  it.each<[string, object]>([
    ['a payload as text', { payload: 'text', salt }],
    ['null', { payload: null, salt }],
  ])('the payload refuses %s', (_, input) => {
    expect(failures(verifier.verify(good, input as EvidenceInput))).toEqual({ payload: 'PAYLOAD_TYPE' })
  })

  it('an inner node as a leaf has another hash: RFC 9162 puts 0 before leaves, 1 before nodes', () => {
    const leaf = hexToBytes(verifier.verify(good).facts!.leafHash)
    const children = concatBytes(leaf, hexToBytes(good.inclusion.path[0]!))
    const asNode = sha256(concatBytes(Uint8Array.of(1), children))
    expect(bytesToHex(leafHash(children))).not.toBe(bytesToHex(asNode))
  })
})

describe('any change of a byte', () => {
  const text = JSON.stringify(refreshEvidence(good, { height: 18, proofs: chain.proofs }))

  it('of the file is refused with a code, and never throws', () => {
    const reference = verifier.verify(text)
    expect(reference.valid).toBe(true)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
        const verdict = verifier.verify(changed)
        expect(verdict.steps).toHaveLength(10)
        // Upper-case digits mean the same bytes; the vouching header stands in for the seals of the block below it.
        if (verdict.valid) expect(verdict.facts).toEqual(reference.facts)
        else expect(codes(verdict)).not.toEqual(codes(reference))
      }),
      { numRuns: 300 },
    )
  })
})
