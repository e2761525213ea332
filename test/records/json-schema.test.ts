import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { validateJson } from '@songhua/sdk/records/json-schema'
import { createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import type { JsonSchema } from '@songhua/sdk/records/schema-types'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { describe, expect, it } from 'vitest'
import { ENTRY, EVENT, LICENCE, NOW_MS, PENALTY, REPAIR, registry } from './samples.js'

interface AjvLike {
  compile(schema: unknown): (value: unknown) => boolean
  addFormat(name: string, check: (text: string) => boolean): AjvLike
}

/** Ajv 8, which fastify brings: another implementation of the same standard, to be measured against. */
const require = createRequire(createRequire(import.meta.url).resolve('@fastify/ajv-compiler'))
const { default: Ajv2020 } = require('ajv/dist/2020') as { default: new (options: object) => AjvLike }
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })

/** Without our own keywords, which Ajv does not know. */
function standardPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(standardPart)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(
    ([key]) => !['x-dateOrder', 'x-monthsAfter', 'x-notFuture', 'format'].includes(key),
  )
  return Object.fromEntries(kept.map(([key, inner]) => [key, standardPart(inner)]))
}

const samples: Record<string, object> = {
  'government.licence': LICENCE,
  'government.penalty': PENALTY,
  'credit.public.repair': REPAIR,
  'credit.reporting.entry': ENTRY,
  'trace.object-event': EVENT,
}

describe('the schema interpreter', () => {
  const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('自然人', '身份证', '罚款', 'DELETE', 'ADD', true, []))

  it.each(Object.entries(samples))('judges changed records as Ajv does: %s', (id, sample) => {
    const schema = standardPart(registry.get(id).schema) as JsonSchema
    const accepts = ajv.compile(schema)
    const keys = [...Object.keys(schema.properties ?? {}), 'unknown', 'x:extension']
    const change = fc.record({ key: fc.constantFrom(...keys), value: fc.option(junk, { nil: undefined }) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), (changes) => {
        const changed: Record<string, unknown> = { ...sample }
        for (const { key, value } of changes) {
          if (value === undefined) delete changed[key]
          else changed[key] = value
        }
        expect(validateJson(schema, changed, { nowMs: NOW_MS }).length === 0).toBe(accepts(changed))
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, JsonSchema, unknown, string[]]>([
    ['a property of the prototype is not there', { required: ['toString'] }, {}, ['/toString']],
    [
      'an own __proto__ is a field like others',
      { additionalProperties: false },
      JSON.parse('{"__proto__":1}'),
      ['/__proto__'],
    ],
    ['characters are code points', { maxLength: 2 }, '𠮷𠮷', []],
    ['objects are equal whatever their order', { uniqueItems: true }, [{ a: 1, b: 2 }, { b: 2, a: 1 }], ['']],
    ['what is no JSON is like nothing else', { uniqueItems: true }, [{ a: Number.NaN }, { a: Number.NaN }], []],
    ['a text is not the object it writes', { uniqueItems: true }, ['{"a":1}', { a: 1 }], []],
    ['an object may be listed', { enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, []],
    ['a text of two halves is one character', { minLength: 2 }, '𠮷', ['']],
    ['NaN is no number', { type: 'number' }, Number.NaN, ['']],
    ['null is no object', { type: 'object' }, null, ['']],
    ['a field that is undefined is absent', { required: ['a'] }, { a: undefined }, ['/a']],
    ['a pointer escapes', { properties: { 'a/b~c': { type: 'string' } } }, { 'a/b~c': 1 }, ['/a~1b~0c']],
    ['dates exist', { format: 'date' }, '2026-02-29', ['']],
    ['dates keep one separator', { format: 'date' }, '2026-02/28', ['']],
    ['times have zones', { format: 'date-time' }, '2026-02-28T10:00:00', ['']],
    ['not later than now', { 'x-notFuture': true }, '2026-11-24', ['']],
    ['today is not the future', { 'x-notFuture': true }, '2026-11-23', []],
    [
      'a month later is the last day of a shorter one',
      { 'x-monthsAfter': [{ from: 'a', field: 'b', min: 1, max: 1 }] },
      { a: '2026-01-31', b: '2026-02-28' },
      [],
    ],
    [
      'a day less is too early',
      { 'x-monthsAfter': [{ from: 'a', field: 'b', min: 1 }] },
      { a: '2026-01-31', b: '2026-02-27' },
      ['/b'],
    ],
  ])('%s', (_, schema, value, paths) => {
    expect(validateJson(schema, value, { nowMs: NOW_MS }).map(({ path }) => path)).toEqual(paths)
  })

  it('stops at a depth no record has, without a throw', () => {
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown
    expect(validateJson({}, deep, { nowMs: 0 })).toMatchObject([{ code: 'TOO_DEEP' }])
  })
})

describe('the schema registry', () => {
  const own = { ...registry.get('government.document'), id: 'government.own-kind' }

  it('holds every schema of the package, each plain JSON', () => {
    expect(registry.list()).toHaveLength(17)
    for (const schema of RECORD_SCHEMAS) expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  })

  it('takes schemas at run time, and newer versions beside the old', () => {
    const schema = { type: 'object', required: ['stamp'] }
    const extended = registry.extend(JSON.parse(JSON.stringify([own, { ...own, version: '2', schema }])) as unknown[])
    const failing = (version?: string) =>
      extended.validate(
        { schema: own.id, payload: {}, ...(version && { version }) },
        { nowMs: 0 },
      ).map(({ path }) => path)
    expect(failing()).toEqual(['/stamp'])
    expect(failing('1')).toContain('/sha256')
    expect(() => registry.get(own.id)).toThrow(expect.objectContaining({ code: 'SCHEMA_UNKNOWN' }))
  })

  it('reads schemas from a folder of files: one taken out, changed and put back as the next version', () => {
    const folder = mkdtempSync(join(tmpdir(), 'songhua-schemas-'))
    try {
      for (const schema of registry.list()) {
        writeFileSync(join(folder, `${schema.id}.${schema.version}.json`), JSON.stringify(schema))
      }
      const licence = join(folder, 'government.licence.1.json')
      const changed = JSON.parse(readFileSync(licence, 'utf8')) as { schema: { required: string[] } }
      changed.schema.required.push('BZ')
      writeFileSync(licence.replace('.1.', '.2.'), JSON.stringify({ ...changed, version: '2' }))
      const files = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown)
      const fromFiles = createSchemaRegistry(files)
      expect(fromFiles.list()).toHaveLength(registry.list().length + 1)
      const build = (version?: string) => () =>
        createRecordBuilder(fromFiles).build(
          { id: 'government.licence', ...(version && { version }) },
          { payload: LICENCE, issuer: 'did:x:1' },
        )
      expect(build()).toThrow(/BZ \(remarks\) is required/)
      expect(build('1')().envelope.schema).toEqual({ id: 'government.licence', version: '1' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('replaces a schema of the same version only when told to', () => {
    const replacement = { ...own, schema: {} }
    expect(
      registry.extend([own]).extend([replacement]).validate({ schema: own.id, payload: 1 }, { nowMs: 0 }),
    ).toEqual([])
    expect(() => registry.extend([own, replacement])).toThrow(expect.objectContaining({ code: 'SCHEMA_DUPLICATE' }))
  })

  it.each<[string, object, string]>([
    ['an unknown keyword', { schema: { properties: { a: { maximun: 3 } } } }, 'schemas[0].schema.properties.a.maximun'],
    ['$ref', { schema: { $ref: '#' } }, 'schemas[0].schema.$ref'],
    ['an unknown format', { schema: { format: 'email' } }, 'schemas[0].schema.format'],
    ['a broken pattern', { schema: { pattern: '(' } }, 'schemas[0].schema.pattern'],
    ['another family', { id: 'health.record' }, 'schemas[0].id'],
    ['an id longer than an envelope takes', { id: `government${`.${'x'.repeat(32)}`.repeat(4)}` }, 'schemas[0].id'],
    [
      'a subject of an unknown scheme',
      { subjectField: { field: 'a', scheme: 'passport' } },
      'schemas[0].subjectField.scheme',
    ],
    ['an order of three dates', { schema: { 'x-dateOrder': [['a', 'b', 'c']] } }, 'schemas[0].schema.x-dateOrder[0]'],
    ['a version with a dot', { version: '1.0' }, 'schemas[0].version'],
    ['no English title', { title: { zh: '甲' } }, 'schemas[0].title.en'],
    ['an unknown retention class', { retention: '7y' }, 'schemas[0].retention'],
    ['a type that is none', { schema: { type: 'text' } }, 'schemas[0].schema.type'],
  ])('refuses %s and names it', (_, change, path) => {
    expect(() => registry.extend([{ ...own, ...change }])).toThrow(
      expect.objectContaining({ code: 'SCHEMA_INVALID', details: expect.objectContaining({ path }) as unknown }),
    )
  })
})
