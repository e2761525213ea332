import { describe, expect, it } from 'vitest'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { DEFAULT_MAX_SEALS, createEvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { createHeaderReader } from '@songhua/sdk/protocol/evidence-header'
import { readEvidenceJson } from '@songhua/sdk/protocol/evidence-json'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { chain, good } from './evidence-cases-support.js'
import { failures } from './evidence-support.js'
import { codeOf } from './support.js'

const trustAnchor = chain.trustAnchor()

/** Seals of the headers that the good bundle needs under the genesis. */
const reader = createHeaderReader(16)
const sealsOfHistory = good.validatorHistory.map((header) => reader.read(header).extraData.seals.length)
const sealsOfAll = [...sealsOfHistory, reader.read(good.header).extraData.seals.length].reduce((sum, one) => sum + one, 0)

describe('the seals of one bundle', () => {
  it('may be as many as the limit', () => {
    expect(sealsOfHistory.length).toBeGreaterThan(0)
    expect(verifyEvidence(good, { trustAnchor, maxSeals: sealsOfAll }).valid).toBe(true)
    expect(sealsOfAll).toBeLessThan(DEFAULT_MAX_SEALS)
  })

  it('are refused one above it, at the header’s own seals', () => {
    expect(failures(verifyEvidence(good, { trustAnchor, maxSeals: sealsOfAll - 1 }))).toEqual({ seals: 'STEP_LIMIT' })
  })

  it('are refused at the history, whose dear part is then not done', () => {
    const verdict = verifyEvidence(good, { trustAnchor, maxSeals: 0 })
    expect(failures(verdict)).toMatchObject({ validators: 'STEP_LIMIT' })
    expect(verdict.steps.find(({ step }) => step === 'validators')?.message).toContain('more than 0 seals')
  })

  it('do not count when they were checked before, or when a checkpoint vouches', () => {
    const verifier = createEvidenceVerifier(parseTrustAnchor(trustAnchor), { maxSeals: sealsOfAll })
    expect([verifier.verify(good).valid, verifier.verify(good).valid, verifier.verify(chain.bundle(15, 3)).valid]).toEqual([
      true, true, true,
    ])
    expect(verifyEvidence(good, { trustAnchor: chain.trustAnchor(15), maxSeals: 0 }).valid).toBe(true)
  })
})

describe('the values of a text', () => {
  const list = (count: number, value: string): string => `{"a":[${new Array(count).fill(value).join(' ,')}]}`

  it.each<[string, number, string]>([
    ['numbers', 16_383, '1'],
    ['empty lists', 16_383, '[ ]'],
    ['empty objects', 16_383, '{}'],
    ['texts with brackets and commas', 16_383, '"[,{,"'],
  ])('are counted before they are parsed: %s', (_, most, value) => {
    expect(readEvidenceJson(list(most, value))).toHaveProperty('a.length', most)
    expect(codeOf(() => readEvidenceJson(list(most + 1, value)))).toBe('FORMAT_TOO_LARGE')
    // No parser is asked: it would say that this is no JSON.
    expect(codeOf(() => readEvidenceJson(`${list(32_769, value)}!`))).toBe('FORMAT_TOO_LARGE')
    expect(codeOf(() => readEvidenceJson(`${list(most, value)}!`))).toBe('FORMAT_NOT_JSON')
  })

  it('may be so many empty objects as members', () => {
    const members = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"${i}":{ }`).join()}}`
    expect(Object.keys(readEvidenceJson(members(32_767)) as object)).toHaveLength(32_767)
    expect(codeOf(() => readEvidenceJson(members(32_768)))).toBe('FORMAT_TOO_LARGE')
  })
})

describe('what throws when it is read', () => {
  const evil = (field: string): Error =>
    Object.defineProperty(new Error('x'), field, {
      get: () => {
        throw new Error('no')
      },
    })
  const thrown: [string, unknown][] = [
    ['an object without prototype', Object.create(null)],
    ['a toString that throws', { toString: () => { throw new Error('no') } }],
    ['a message that throws', evil('message')],
    ['a message that is no text', Object.assign(new Error('x'), { message: Object.create(null) as string })],
    ['a symbol', Symbol('s')],
    ['a revoked proxy', revoked()],
  ]

  function revoked(): unknown {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }

  it.each(thrown)('has a text: %s', (_, error) => expect(typeof messageOf(error)).toBe('string'))

  it.each(thrown)('gives a verdict: %s', (_, error) => {
    const source = {
      get version() {
        throw error
      },
    }
    expect(failures(verifyEvidence(source, { trustAnchor }))).toEqual({ format: 'STEP_UNEXPECTED' })
    expect(verifyEvidence(good, { get trustAnchor() { throw error } }).valid).toBe(false)
  })
})
