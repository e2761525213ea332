import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CANONICAL_DEPTH_MAX, canonicalBytes, canonicalJson } from '@songhua/sdk/protocol/canonical-json'

const refused = expect.objectContaining({ code: 'CANONICAL_JSON' }) as Error

describe('canonical JSON', () => {
  it('writes the examples of RFC 8785', () => {
    const value = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    ) as unknown
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
    const sorted = { '€': 1, '\r': 2, '\ufb33': 3, 1: 4, '😀': 5, '\u0080': 6, ö: 7 }
    expect(canonicalJson(sorted)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
    expect(canonicalJson({ 10: 1, 9: 2, a: 3 })).toBe('{"10":1,"9":2,"a":3}')
    expect(canonicalJson(-0)).toBe('0')
  })

  it('agrees with another implementation', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 })
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.boolean(), fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(text, tie('value'), { maxKeys: 5 }),
      ),
    })).value
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value))
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value))
      }),
      { numRuns: 1000 },
    )
  })

  it('takes what is undefined as absent, and obeys toJSON', () => {
    const value = { b: undefined, a: [undefined, new Date(0)], c: { toJSON: () => ({ z: 1, y: 2 }) } }
    expect(canonicalJson(value)).toBe('{"a":[null,"1970-01-01T00:00:00.000Z"],"c":{"y":2,"z":1}}')
  })

  it('is UTF-8', () => {
    expect(canonicalBytes({ 名: '𠮷' })).toEqual(new Uint8Array(Buffer.from('{"名":"𠮷"}')))
    const long = '松花'.repeat(20_000)
    expect(canonicalBytes(long)).toEqual(new Uint8Array(Buffer.from(`"${long}"`)))
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = [cycle]
  it.each<[string, unknown]>([
    ['NaN', { a: Number.NaN }],
    ['infinity', [Infinity]],
    ['a lone surrogate', '\ud800x'],
    ['a lone surrogate as key', { '\udc00': 1 }],
    ['a lone surrogate behind an escape', '\\"\ud800'],
    ['a bigint', { a: 1n }],
    ['a function', { a: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['nothing', undefined],
    ['a cycle', cycle],
    ['endless nesting', JSON.parse('['.repeat(5000) + ']'.repeat(5000))],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(refused)
  })

  it('goes as deep as it says', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    expect(canonicalJson(nested(CANONICAL_DEPTH_MAX))).toHaveLength(2 * CANONICAL_DEPTH_MAX)
    expect(() => canonicalJson(nested(CANONICAL_DEPTH_MAX + 1))).toThrow(refused)
  })
})
