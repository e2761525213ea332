import { CodedError } from '../protocol/errors.js'
import { RECORD_FAMILY_NAMES, type RecordFamily } from '../protocol/evidence-envelope.js'
import { type JsonObject, failField, readObject, readShape } from '../protocol/json-fields.js'
import { FORMATS } from './schema-formats.js'
import type { Bilingual, JsonSchema } from './schema-types.js'
import { PUBLIC_SCHEMES } from './subject.js'

/** One kind of record, as data: what its payload must hold, and what the envelope may say of it in public. */
export interface RecordSchema {
  /** Begins with the family: `government.licence`. */
  readonly id: string
  /** A whole number as text, counted up with each change of what is valid. */
  readonly version: string
  readonly title: Bilingual
  readonly retention: RetentionClass
  /** How the envelope may name the subject. */
  readonly subjects: readonly SubjectKind[]
  /** The payload field whose value is the subject's public identifier. */
  readonly subjectField?: { readonly field: string; readonly scheme: string }
  /** How two records of one event are told to be the same. */
  readonly naturalKey?: 'epcis-event-hash'
  readonly schema: JsonSchema
}

/** How long a payload is kept at least; `consent`: as long as the subject agrees. The proof is kept for ever. */
export const RETENTION_CLASSES = ['permanent', '30y', '10y', '5y', 'consent'] as const
export type RetentionClass = (typeof RETENTION_CLASSES)[number]

export const SUBJECT_KINDS = ['public', 'commitment'] as const
export type SubjectKind = (typeof SUBJECT_KINDS)[number]

export type RecordSchemaErrorCode = 'SCHEMA_INVALID'

/** As envelopes name it. */
export const SCHEMA_ID_CHARACTERS_MAX = 128
/** Levels of nesting of a schema. */
const SCHEMA_DEPTH_MAX = 24

const ID = new RegExp(`^(${RECORD_FAMILY_NAMES.join('|')})(\\.[a-z][a-z0-9-]{0,31}){1,4}$`)

export function familyOf(schemaId: string): RecordFamily {
  const dot = schemaId.indexOf('.')
  return (dot === -1 ? schemaId : schemaId.slice(0, dot)) as RecordFamily
}

type KeywordCheck = (value: unknown, path: string, levels: number) => void

const expect = (holds: boolean, path: string, wanted: string): void => {
  if (!holds) failField('JSON_TYPE', path, `must be ${wanted}`)
}

const text: KeywordCheck = (value, path) => expect(typeof value === 'string', path, 'a text')
const flag: KeywordCheck = (value, path) => expect(typeof value === 'boolean', path, 'true or false')
const number: KeywordCheck = (value, path) => expect(Number.isFinite(value), path, 'a number')
const size: KeywordCheck = (value, path) => expect(Number.isSafeInteger(value) && Number(value) >= 0, path, 'a size')
const anything: KeywordCheck = () => undefined
const list =
  (entry: KeywordCheck): KeywordCheck =>
  (value, path, levels) => {
    if (!Array.isArray(value) || value.length === 0) return failField('JSON_TYPE', path, 'must be a list with entries')
    value.forEach((one, i) => entry(one, `${path}[${i}]`, levels))
  }
const mapOf =
  (entry: KeywordCheck, key: (name: string, path: string) => void = () => undefined): KeywordCheck =>
  (value, path, levels) => {
    for (const [name, inner] of Object.entries(readObject(value, path))) {
      key(name, path)
      entry(inner, `${path}.${name}`, levels)
    }
  }
const pattern = (value: unknown, path: string): void => {
  text(value, path, 0)
  try {
    new RegExp(value as string, 'u')
  } catch (cause) {
    throw new CodedError('JSON_TYPE', `${path} is no regular expression`, { details: { path }, cause })
  }
}
const inner: KeywordCheck = (value, path, levels) => checkSchema(value, path, levels - 1)
const bilingual: KeywordCheck = (value, path) => {
  const { zh, en } = readShape(value, path, { required: ['zh', 'en'] })
  text(zh, `${path}.zh`, 0)
  text(en, `${path}.en`, 0)
}
const typeName: KeywordCheck = (value, path) => {
  const names = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
  expect(names.includes(value as string), path, `one of ${names.join(', ')}`)
}
const pair: KeywordCheck = (value, path, levels) => {
  expect(Array.isArray(value) && value.length === 2, path, 'two names of fields')
  list(text)(value, path, levels)
}
const monthsAfter: KeywordCheck = (value, path, levels) => {
  const rule = readShape(value, path, { required: ['from', 'field'], optional: ['min', 'max'] })
  text(rule.from, `${path}.from`, levels)
  text(rule.field, `${path}.field`, levels)
  for (const bound of ['min', 'max']) if (rule[bound] !== undefined) size(rule[bound], `${path}.${bound}`, levels)
}

const KEYWORDS: Record<keyof JsonSchema, KeywordCheck> = {
  $schema: text, $id: text, $comment: text, title: text, description: text,
  type: (value, path, levels) => (Array.isArray(value) ? list(typeName) : typeName)(value, path, levels),
  enum: list(anything), const: anything,
  minLength: size, maxLength: size, pattern,
  format: (value, path) => expect(Object.hasOwn(FORMATS, value as string), path, Object.keys(FORMATS).join(' or ')),
  minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number,
  items: inner, minItems: size, maxItems: size, uniqueItems: flag,
  properties: mapOf(inner), patternProperties: mapOf(inner, pattern), required: list(text),
  additionalProperties: flag, minProperties: size,
  allOf: list(inner), anyOf: list(inner), not: inner, if: inner, then: inner, else: inner,
  'x-en': text, 'x-message': bilingual, 'x-dateOrder': list(pair), 'x-monthsAfter': list(monthsAfter),
  'x-notFuture': flag,
}

function checkSchema(value: unknown, path: string, levels: number): void {
  if (levels === 0) failField('JSON_RANGE', path, `is nested deeper than ${SCHEMA_DEPTH_MAX} levels`)
  for (const [keyword, given] of Object.entries(readObject(value, path))) {
    const check = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword as keyof JsonSchema] : undefined
    if (!check) failField('JSON_UNKNOWN_KEY', `${path}.${keyword}`, 'is no keyword that records know')
    else check(given, `${path}.${keyword}`, levels)
  }
}

function checkHead(value: JsonObject, path: string): void {
  const isId = typeof value.id === 'string' && ID.test(value.id) && value.id.length <= SCHEMA_ID_CHARACTERS_MAX
  expect(isId, `${path}.id`, `a family and names, with dots between, of at most ${SCHEMA_ID_CHARACTERS_MAX} characters`)
  const isVersion = typeof value.version === 'string' && /^[1-9]\d{0,5}$/.test(value.version)
  expect(isVersion, `${path}.version`, 'a number as text')
  bilingual(value.title, `${path}.title`, 0)
  const isRetention = RETENTION_CLASSES.includes(value.retention as RetentionClass)
  expect(isRetention, `${path}.retention`, RETENTION_CLASSES.join(' or '))
  const kind: KeywordCheck = (one, at) =>
    expect(SUBJECT_KINDS.includes(one as SubjectKind), at, SUBJECT_KINDS.join(' or '))
  list(kind)(value.subjects, `${path}.subjects`, 0)
  if (value.subjectField !== undefined) {
    const { field, scheme } = readShape(value.subjectField, `${path}.subjectField`, { required: ['field', 'scheme'] })
    text(field, `${path}.subjectField.field`, 0)
    const isScheme = PUBLIC_SCHEMES.includes(scheme as (typeof PUBLIC_SCHEMES)[number])
    expect(isScheme, `${path}.subjectField.scheme`, PUBLIC_SCHEMES.join(' or '))
  }
  const key = value.naturalKey
  expect(key === undefined || key === 'epcis-event-hash', `${path}.naturalKey`, 'epcis-event-hash')
}

/**
 * Reads a schema that came from outside. Unknown keywords are refused, so that none is silently not enforced.
 * @throws CodedError `SCHEMA_INVALID`; `details.path` names the place
 */
export function parseRecordSchema(value: unknown, path = 'schema'): RecordSchema {
  try {
    const required = ['id', 'version', 'title', 'retention', 'subjects', 'schema']
    const read = readShape(value, path, { required, optional: ['subjectField', 'naturalKey'] })
    checkHead(read, path)
    checkSchema(read.schema, `${path}.schema`, SCHEMA_DEPTH_MAX)
    return read as unknown as RecordSchema
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    const { message, details } = error
    throw new CodedError<RecordSchemaErrorCode>('SCHEMA_INVALID', message, { details, cause: error })
  }
}
