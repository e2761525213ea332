import { canonicalJson } from './canonical-json.js'
import { FORMATS, instantOf, monthsLater } from './schema-formats.js'
import { describeType, labelOf, messages } from './schema-messages.js'
import type { Bilingual, JsonSchema, JsonTypeName, Violation } from './schema-types.js'

/**
 * An interpreter of the part of JSON Schema 2020-12 that records need. It interprets because schemas arrive at run
 * time and browsers forbid `eval` under a content security policy, which compiling validators live by; and because
 * each failure must name its field in Chinese and English. A schema with a keyword not known here is refused when it
 * is registered, never half obeyed. `format` is asserted. Our own keywords begin with `x-`.
 */

export interface ValidationContext {
  /** ms since 1970, for `x-notFuture`. */
  nowMs: number
}

/** Levels of nesting of a validated value. */
export const JSON_DEPTH_MAX = 32

interface Place {
  value: unknown
  path: string
  label: Bilingual
  /** Fields as the schemas around name them: a rule inside `then` need not name them again. */
  named: Readonly<Record<string, JsonSchema>>
}

type Report = (violation: Violation) => void
type Check = (schema: JsonSchema, place: Place, run: Run) => void

interface Run extends ValidationContext {
  report: Report
}

export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A step of a JSON pointer. */
export function pointerStep(key: string | number): string {
  const text = String(key)
  return /[~/]/.test(text) ? `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}` : `/${text}`
}

/** Present as JSON sees it: a property that is undefined is absent. */
const has = (object: Record<string, unknown>, key: string): boolean =>
  Object.hasOwn(object, key) && object[key] !== undefined

function isOfType(value: unknown, type: JsonTypeName): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'integer':
      return Number.isInteger(value)
    case 'object':
      return isJsonObject(value)
    case 'array':
      return Array.isArray(value)
    case 'null':
      return value === null
    default:
      return type satisfies never
  }
}

const typesOf = (schema: JsonSchema): readonly JsonTypeName[] | undefined =>
  typeof schema.type === 'string' ? [schema.type] : schema.type

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  return typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b)
}

/** Compiled once for each pattern, not for each value. */
const compiled = new Map<string, RegExp>()

function regexOf(pattern: string): RegExp {
  let regex = compiled.get(pattern)
  if (!regex) compiled.set(pattern, (regex = new RegExp(pattern, 'u')))
  return regex
}

const checkValue: Check = (schema, { value, path, label }, { report }) => {
  if (schema.enum && !schema.enum.some((allowed) => isSame(allowed, value))) {
    report({ path, code: 'VALUE', ...messages.oneOf(label, schema.enum) })
  }
  if (schema.const !== undefined && !isSame(schema.const, value)) {
    report({ path, code: 'VALUE', ...(schema['x-message'] ?? messages.oneOf(label, [schema.const])) })
  }
}

const checkString: Check = (schema, { value, path, label }, run) => {
  if (typeof value !== 'string') return
  const { minLength = 0, maxLength = Infinity, pattern, format } = schema
  const length = minLength === 0 && value.length <= maxLength ? value.length : [...value].length
  if (length < minLength || length > maxLength) {
    run.report({ path, code: 'LENGTH', ...messages.length(label, { min: minLength, max: maxLength }) })
  }
  if (pattern !== undefined && !regexOf(pattern).test(value)) {
    run.report({ path, code: 'PATTERN', ...(schema['x-message'] ?? messages.pattern(label, pattern)) })
  }
  if (format !== undefined && !FORMATS[format]!.accepts(value)) {
    run.report({ path, code: 'FORMAT', ...messages.format(label, FORMATS[format]!) })
  }
  if (schema['x-notFuture'] && (instantOf(value) ?? 0) > run.nowMs) {
    run.report({ path, code: 'FUTURE_DATE', ...messages.future(label) })
  }
}

const checkNumber: Check = (schema, { value, path, label }, { report }) => {
  if (typeof value !== 'number') return
  const tooSmall = value < (schema.minimum ?? -Infinity) || value <= (schema.exclusiveMinimum ?? -Infinity)
  const tooLarge = value > (schema.maximum ?? Infinity) || value >= (schema.exclusiveMaximum ?? Infinity)
  if (tooSmall || tooLarge) report({ path, code: 'RANGE', ...messages.range(label, schema) })
}

const checkArray: Check = (schema, { value, path, label }, run) => {
  if (!Array.isArray(value)) return
  const { minItems = 0, maxItems = Infinity } = schema
  if (value.length < minItems || value.length > maxItems) {
    run.report({ path, code: 'ITEMS', ...messages.items(label, { min: minItems, max: maxItems }) })
  }
  if (schema.uniqueItems && new Set(value.map(canonicalJson)).size < value.length) {
    run.report({ path, code: 'ITEMS', ...messages.unique(label) })
  }
  const { items } = schema
  if (!items) return
  value.forEach((item: unknown, i) => {
    const entry = labelOf(items, messages.entry(label, i))
    evaluate(items, { value: item, path: path + pointerStep(i), label: entry, named: {} }, run)
  })
}

const fieldLabel = (schema: JsonSchema | undefined, place: Place, key: string): Bilingual => {
  const own = schema && Object.hasOwn(schema, 'title') ? schema : undefined
  return labelOf(own ?? (Object.hasOwn(place.named, key) ? place.named[key] : undefined), key)
}

const checkObject: Check = (schema, place, run) => {
  const { value, path, label } = place
  if (!isJsonObject(value)) return
  const { properties = {}, patternProperties = {}, required = [], additionalProperties = true } = schema
  for (const key of required) {
    if (has(value, key)) continue
    const missing = messages.required(fieldLabel(properties[key], place, key))
    run.report({ path: path + pointerStep(key), code: 'REQUIRED', ...missing })
  }
  if (Object.keys(value).length < (schema.minProperties ?? 0)) {
    run.report({ path, code: 'ITEMS', ...messages.items(label, { min: schema.minProperties!, max: Infinity }) })
  }
  const patterns = Object.entries(patternProperties).map(([text, inner]) => ({ test: regexOf(text), inner }))
  for (const key of Object.keys(value).filter((name) => has(value, name))) {
    const known = Object.hasOwn(properties, key) ? [properties[key]!] : []
    const inner = [...known, ...patterns.filter(({ test }) => test.test(key)).map((match) => match.inner)]
    const at = path + pointerStep(key)
    for (const one of inner) {
      evaluate(one, { value: value[key], path: at, label: fieldLabel(one, place, key), named: {} }, run)
    }
    if (inner.length === 0 && !additionalProperties) {
      run.report({ path: at, code: 'UNKNOWN_FIELD', ...messages.unknown(labelOf(undefined, key)) })
    }
  }
}

const checkDateOrder: Check = (schema, place, { report }) => {
  const { value, path } = place
  const label = (key: string): Bilingual => fieldLabel(schema.properties?.[key], place, key)
  if (!isJsonObject(value)) return
  for (const [first, second] of schema['x-dateOrder'] ?? []) {
    const [from, to] = [instantOf(value[first]), instantOf(value[second])]
    if (from === undefined || to === undefined || from <= to) continue
    const text = messages.dateOrder(label(first), label(second))
    report({ path: path + pointerStep(second), code: 'DATE_ORDER', ...text })
  }
}

const checkMonths: Check = (schema, place, { report }) => {
  const { value, path } = place
  const label = (key: string): Bilingual => fieldLabel(schema.properties?.[key], place, key)
  if (!isJsonObject(value)) return
  for (const rule of schema['x-monthsAfter'] ?? []) {
    const [from, to] = [instantOf(value[rule.from]), instantOf(value[rule.field])]
    if (from === undefined || to === undefined) continue
    const tooEarly = rule.min !== undefined && to < monthsLater(from, rule.min)
    const tooLate = rule.max !== undefined && to > monthsLater(from, rule.max)
    if (!tooEarly && !tooLate) continue
    const text = messages.months(label(rule.from), label(rule.field), rule)
    report({ path: path + pointerStep(rule.field), code: 'DATE_ORDER', ...text })
  }
}

const checkCombinations: Check = (schema, outer, run) => {
  const place = { ...outer, named: { ...outer.named, ...schema.properties } }
  for (const inner of schema.allOf ?? []) evaluate(inner, place, run)
  const matches = (inner: JsonSchema): boolean => violationsAt(inner, place, run).length === 0
  const combination = { path: place.path, code: 'COMBINATION' as const }
  if (schema.anyOf && !schema.anyOf.some(matches)) {
    run.report({ ...combination, ...(schema['x-message'] ?? messages.anyOf(place.label, schema.anyOf)) })
  }
  if (schema.not && matches(schema.not)) {
    run.report({ ...combination, ...(schema['x-message'] ?? messages.not(place.label)) })
  }
  const next = schema.if && (matches(schema.if) ? schema.then : schema.else)
  if (next) evaluate(next, place, run)
}

const CHECKS = [
  checkValue, checkString, checkNumber, checkArray, checkObject, checkDateOrder, checkMonths, checkCombinations,
]

function evaluate(schema: JsonSchema, place: Place, run: Run): void {
  const types = typesOf(schema)
  if (types && !types.some((type) => isOfType(place.value, type))) {
    run.report({ path: place.path, code: 'TYPE', ...messages.type(place.label, types.map(describeType)) })
    return
  }
  for (const check of CHECKS) check(schema, place, run)
}

function violationsAt(schema: JsonSchema, place: Place, context: ValidationContext): Violation[] {
  const found: Violation[] = []
  evaluate(schema, place, { nowMs: context.nowMs, report: (violation) => found.push(violation) })
  return found
}

/** Where nesting goes deeper than the limit. */
function findTooDeep(value: unknown, path: string, levels: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (levels === 0) return path
  for (const [key, inner] of Object.entries(value)) {
    const found = findTooDeep(inner, path + pointerStep(key), levels - 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** Every failing field, in the schema's order; none when the value is valid. Never throws on a bad value. */
export function validateJson(schema: JsonSchema, value: unknown, context: ValidationContext): Violation[] {
  const label = labelOf(schema, '')
  const deep = findTooDeep(value, '', JSON_DEPTH_MAX)
  if (deep !== undefined) return [{ path: deep, code: 'TOO_DEEP', ...messages.tooDeep(JSON_DEPTH_MAX) }]
  const seen = new Set<string>()
  return violationsAt(schema, { value, path: '', label, named: {} }, context).filter((violation) => {
    const key = `${violation.path}\n${violation.en}`
    return !seen.has(key) && seen.add(key)
  })
}
