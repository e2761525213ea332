import { isCodedError } from '@songhua/sdk/protocol/errors'
import { envelopeViolations } from '@songhua/sdk/records/envelope'
import { JSON_VALUES_MAX, validateJson } from '@songhua/sdk/records/json-schema'
import { SHOWN_CHARACTERS_MAX, brokenBound, pointerStep, shorten } from '@songhua/sdk/records/json-value'
import { findPersonalNumbers } from '@songhua/sdk/records/personal-data'
import { createRowReader } from '@songhua/sdk/records/row'
import type { Violation } from '@songhua/sdk/records/schema-types'
import { VIOLATIONS_MAX } from '@songhua/sdk/records/violations'
import { describe, expect, it } from 'vitest'
import { LICENCE, NOW_MS, USCC, builder, registry } from './samples.js'

const context = { nowMs: NOW_MS }
const validate = (payload: unknown): Violation[] => registry.validate({ schema: 'government.licence', payload }, context)
const keys = (count: number, value: unknown = 1): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]))
const codesOf = (violations: readonly Violation[]): string[] => [...new Set(violations.map(({ code }) => code))]

/** What a build is refused with. */
function refusal(payload: unknown, more: object = {}): { message: string; violations: Violation[] } {
  try {
    builder.build({ id: 'government.licence' }, { payload, issuer: `uscc:${USCC.bureau}`, ...more })
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { message: error.message, violations: error.details.violations as Violation[] }
  }
  throw new Error('It was built')
}

/** Answers like an object of many fields, and counts what is asked of it. */
function counted(fields: Record<string, unknown>): { value: object; reads: () => number } {
  let reads = 0
  const value = new Proxy(fields, {
    get: (target, key) => {
      reads++
      return Reflect.get(target, key) as unknown
    },
  })
  return { value, reads: () => reads }
}

describe('the violations of one record', () => {
  it('are all told up to the limit, without MORE', () => {
    const found = validate({ ...LICENCE, ...keys(VIOLATIONS_MAX) })
    expect(found).toHaveLength(VIOLATIONS_MAX)
    expect(codesOf(found)).toEqual(['UNKNOWN_FIELD'])
  })

  it('end with MORE in both languages when there is one more', () => {
    const found = validate({ ...LICENCE, ...keys(VIOLATIONS_MAX + 1) })
    expect(found).toHaveLength(VIOLATIONS_MAX + 1)
    expect(found.at(-1)).toEqual({
      path: '', code: 'MORE', zh: '还有更多问题；只列出前 1000 个', en: 'there is more; only the first 1000 are told',
    })
  })

  it('are looked for no further than that', () => {
    const { value, reads } = counted({ ...LICENCE, ...keys(50_000) })
    expect(validate(value)).toHaveLength(VIOLATIONS_MAX + 1)
    // Counted once; then one quiet run that ends at once, and a loud one that ends at the limit.
    expect(reads()).toBeLessThan(2 * 50_000 + 2 * VIOLATIONS_MAX)
  })

  it('of lists and of lists in lists end there too', () => {
    const schema = { type: 'array', items: { type: 'array', items: { type: 'string' } } } as const
    const found = validateJson(schema, Array.from({ length: 300 }, () => Array.from({ length: 300 }, () => 1)), context)
    expect(found).toHaveLength(VIOLATIONS_MAX + 1)
    expect(found.at(-2)).toMatchObject({ path: '/3/99', code: 'TYPE' })
  })

  it('of payload, subject and envelope together are so many in a refused build', () => {
    const { message, violations } = refusal({ ...LICENCE, ...keys(VIOLATIONS_MAX) }, { issuer: 'no uri' })
    expect(violations).toHaveLength(VIOLATIONS_MAX + 1)
    expect(violations.at(-1)?.code).toBe('MORE')
    expect(message).toContain('and 981 more')
    expect(message.length).toBeLessThan(2000)
  })

  it('of an envelope are bounded, personal numbers included', () => {
    const proof = Array.from({ length: 3000 }, () => ({ algorithm: '13812345678', keyId: '13812345678', value: 'x' }))
    const found = envelopeViolations({ proof, issuer: `uscc:${USCC.bureau}` })
    expect(found).toHaveLength(VIOLATIONS_MAX + 1)
    expect(found.at(-1)?.code).toBe('MORE')
    expect(findPersonalNumbers(proof, 7)).toHaveLength(7)
  })

  it('of a heading are bounded', () => {
    const columns = Array.from({ length: 3000 }, (_, i) => `no field ${i}`)
    const { violations } = createRowReader(registry.get('government.licence'), columns, keys(3000, 'nowhere') as Record<string, string>)
    expect(violations).toHaveLength(VIOLATIONS_MAX + 1)
    expect(violations.at(-1)).toMatchObject({ code: 'MORE', column: '' })
  })
})

describe('a payload of too many values', () => {
  it('is refused before any schema looks at it', () => {
    const { value, reads } = counted(keys(JSON_VALUES_MAX))
    expect(validate(value)).toEqual([expect.objectContaining({ path: '', code: 'TOO_MANY_VALUES' })])
    expect(validate(value)[0]?.zh).toContain(String(JSON_VALUES_MAX))
    // Two runs of two reads at most: `Object.values` of a proxy reads each member once.
    expect(reads()).toBeLessThanOrEqual(2 * JSON_VALUES_MAX)
  })

  it.each<[string, unknown]>([
    ['members', keys(400_000)],
    ['entries', new Array(400_000).fill(0)],
    ['lists in lists', Array.from({ length: 1000 }, () => new Array<unknown>(200).fill([]))],
    ['members shared by many', Array.from({ length: 30 }).reduce<unknown>((inner) => [inner, inner], 1)],
  ])('is refused with one violation: %s', (_, payload) => {
    const { violations } = refusal(payload)
    expect(violations.filter(({ path }) => path.startsWith('/payload'))).toEqual([
      expect.objectContaining({ path: '/payload', code: 'TOO_MANY_VALUES' }),
    ])
    expect(codesOf(envelopeViolations(payload))).toEqual(['TOO_MANY_VALUES'])
  })

  it('begins one above the limit', () => {
    expect(validateJson({}, new Array(JSON_VALUES_MAX - 1).fill(0), context)).toEqual([])
    expect(codesOf(validateJson({}, new Array(JSON_VALUES_MAX).fill(0), context))).toEqual(['TOO_MANY_VALUES'])
    const value = { a: [1, { b: 2 }], c: 'text' }
    expect(brokenBound(value, { levels: 3, values: 6 })).toBeUndefined()
    expect(brokenBound(value, { levels: 3, values: 5 })).toBe('values')
    expect(brokenBound(value, { levels: 2, values: 6 })).toBe('levels')
  })

  it('and one of a thousand list entries is not', () => {
    expect(validateJson({ type: 'array' }, new Array(1000).fill({ a: [1, 2] }), context)).toEqual([])
  })
})

describe('a key of a megabyte', () => {
  const key = 'k'.repeat(1_000_000)

  it('is told by its beginning', () => {
    const [violation] = validate({ ...LICENCE, [key]: 1 })
    expect(violation).toMatchObject({ code: 'UNKNOWN_FIELD', path: `/${'k'.repeat(SHOWN_CHARACTERS_MAX)}…` })
    expect(JSON.stringify(violation).length).toBeLessThan(600)
  })

  it('is told so in the texts of an envelope, a column and a schema id too', () => {
    const long = '13812345678/'.repeat(80_000)
    expect(JSON.stringify(envelopeViolations({ subject: { [long]: long }, [key]: 1 })).length).toBeLessThan(20_000)
    const { violations } = createRowReader(registry.get('government.licence'), [key])
    expect(JSON.stringify(violations).length).toBeLessThan(1000)
    expect(() => registry.get(key)).toThrow(/^There is no schema k{128}…;/)
  })

  it('keeps characters whole', () => {
    const text = `${'x'.repeat(SHOWN_CHARACTERS_MAX - 1)}😀😀`
    expect(shorten(text)).toBe(`${'x'.repeat(SHOWN_CHARACTERS_MAX - 1)}…`)
    expect(pointerStep('a/b')).toBe('/a~1b')
  })
})
