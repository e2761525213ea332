import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import {
  type AnchoredRecords,
  assembleEvidence,
  createEvidenceAssembler,
  refreshEvidence,
} from '@songhua/sdk/protocol/evidence-assembly'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { codeOf } from './support.js'
import { HEIGHT, codes, createEvidenceChain, failures, leavesOf, record, records } from './evidence-support.js'

const chain = createEvidenceChain()
const anchored = chain.anchored(8)
const envelopes = chain.batch.map(({ envelope }) => envelope)

describe('assembling', () => {
  it('cuts bundles of one batch that share all but record and path', () => {
    const cut = createEvidenceAssembler(anchored)
    const [a, b] = [cut(envelopes[0]!, 0), cut(envelopes[6]!, 6)]
    expect(cut(envelopes[4]!, 4)).toEqual(chain.bundle(8, 4))
    expect({ ...a, envelope: b.envelope, inclusion: b.inclusion }).toEqual(b)
  })

  it('gives a bundle of a batch of a thousand in 4 kB of gzip', () => {
    const bundle = createEvidenceChain(records(1000)).bundle(3, 577)
    expect(verifyEvidence(bundle, { trustAnchor: chain.trustAnchor() }).valid).toBe(true)
    expect(gzipSync(JSON.stringify(bundle)).length).toBeLessThanOrEqual(4096)
  })

  const block = (changes: Partial<AnchoredRecords['block']>): AnchoredRecords => ({
    ...anchored,
    block: { ...anchored.block, ...changes },
  })
  const strangers = leavesOf(envelopes.map((_, at) => record(at + 50)))
  it.each<[string, string, AnchoredRecords]>([
    ['receipts of another block', 'ASSEMBLY_RECEIPTS', block({ receipts: chain.receipts.slice(1) })],
    ['another block', 'ASSEMBLY_RECEIPTS', block({ header: chain.headers[9]! })],
    ['another transaction', 'ASSEMBLY_NO_ANCHOR', block({ transactionIndex: 3 })],
    ['no transaction', 'ASSEMBLY_NO_ANCHOR', block({ transactionIndex: 99 })],
    ['a record less', 'ASSEMBLY_NO_ANCHOR', { ...anchored, leaves: anchored.leaves.slice(1) }],
    ['no record', 'ASSEMBLY_NO_ANCHOR', { ...anchored, leaves: [] }],
    ['records in another order', 'ASSEMBLY_NO_ANCHOR', { ...anchored, leaves: [...anchored.leaves].reverse() }],
    ['other records', 'ASSEMBLY_NO_ANCHOR', { ...anchored, leaves: strangers }],
  ])('refuses a batch with %s', (_, code, parts) => {
    expect(codeOf(() => createEvidenceAssembler(parts))).toBe(code)
  })

  const [first, second] = envelopes as [JsonObject, JsonObject]
  const { proof: _, ...incomplete } = first
  it.each<[string, string, JsonObject, number]>([
    ['a leaf that is not there', 'ASSEMBLY_LEAF_INDEX', first, 7],
    ['a leaf before the first', 'ASSEMBLY_LEAF_INDEX', first, -1],
    ['half a leaf', 'ASSEMBLY_LEAF_INDEX', first, 0.5],
    ['the envelope of another place', 'ASSEMBLY_LEAF', second, 0],
    ['an envelope with a field changed', 'ASSEMBLY_LEAF', { ...first, retention: '5y' }, 0],
    ['an envelope with a field more', 'ASSEMBLY_LEAF', { ...first, note: '' }, 0],
    ['an envelope that lacks a field', 'LEAF_ENVELOPE', incomplete, 0],
    ['an envelope larger than any', 'LEAF_TOO_LARGE', { ...first, note: 'x'.repeat(70_000) }, 0],
  ])('refuses %s', (_, code, envelope, leafIndex) => {
    expect(codeOf(() => assembleEvidence(anchored, envelope, leafIndex))).toBe(code)
  })

  it('takes an envelope whatever the order of its keys', () => {
    const shuffled = Object.fromEntries(Object.entries(first).reverse())
    expect(assembleEvidence(anchored, shuffled, 0)).toEqual(chain.bundle(8, 0))
  })

  it.each([
    ['of another family than the batch', 'ASSEMBLY_FAMILY', 'trace'],
    ['of no family', 'LEAF_ENVELOPE', 'medical'],
  ])('refuses an envelope %s', (_, code, family) => {
    const mixed = records(7)
    mixed[3] = record(3, { family })
    const parts = createEvidenceChain(mixed).anchored(8)
    expect(codeOf(() => assembleEvidence(parts, mixed[3]!.envelope, 3))).toBe(code)
    expect(assembleEvidence(parts, mixed[2]!.envelope, 2).inclusion.leafIndex).toBe(2)
  })
})

describe('refreshing', () => {
  const old = chain.bundle(3)

  it('proves an old bundle under a newer checkpoint, and no further', () => {
    const refreshed = refreshEvidence(old, { height: 18, proofs: chain.proofs })
    const verdict = verifyEvidence(refreshed, { trustAnchor: chain.trustAnchor(6, 18) })
    expect(failures(verdict)).toEqual({})
    expect(codes(verdict).slice(7, 9)).toEqual(['SEALS_BY_CHECKPOINT', 'VALIDATORS_BY_CHECKPOINT'])
    expect(verdict.facts).toMatchObject({ block: { number: 3 }, horizon: { proof: 'checkpoint', height: 18 } })
    expect(verifyEvidence(old, { trustAnchor: chain.trustAnchor(6, 18) }).valid).toBe(false)
  })

  it('under any checkpoint that the trust anchor has', () => {
    const refreshed = refreshEvidence(old, { height: 6, proofs: chain.proofs })
    expect(verifyEvidence(refreshed, { trustAnchor: chain.trustAnchor(4, 6, 18) }).valid).toBe(true)
  })

  it('under the head, by the seals of the validators of today', () => {
    const refreshed = refreshEvidence(old, { height: HEIGHT, proofs: chain.proofs })
    const verdict = verifyEvidence(refreshed, { trustAnchor: chain.trustAnchor() })
    expect(failures(verdict)).toEqual({})
    expect(verdict.facts?.horizon).toEqual({ proof: 'validators', fromHeight: 0, sealedHeight: HEIGHT })
  })

  it('again and again', () => {
    const once = refreshEvidence(old, { height: 9, proofs: chain.proofs })
    const twice = refreshEvidence(once, { height: 19, proofs: chain.proofs })
    expect(twice).toEqual(refreshEvidence(old, { height: 19, proofs: chain.proofs }))
  })

  it.each<[string, string, number, Partial<typeof chain.proofs>]>([
    ['an earlier block', 'REFRESH_HEIGHT', 2, {}],
    ['the block itself', 'REFRESH_HEIGHT', 3, {}],
    ['half a block', 'REFRESH_HEIGHT', 4.5, {}],
    ['another header', 'REFRESH_PROOFS', 10, { header: () => chain.headers[11]! }],
    ['another path', 'REFRESH_PROOFS', 10, { historyPath: () => chain.proofs.historyPath({ number: 2, size: 10 }) }],
    ['no path', 'REFRESH_PROOFS', 10, { historyPath: () => [] }],
    ['changes without end', 'REFRESH_PROOFS', 10, { validatorHistory: () => Array<never>(1025) }],
  ])('refuses %s', (_, code, height, wrong) => {
    expect(codeOf(() => refreshEvidence(old, { height, proofs: { ...chain.proofs, ...wrong } }))).toBe(code)
  })
})
