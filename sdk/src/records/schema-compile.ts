import { canonicalJson } from '../protocol/canonical-json.js'
import { isCodedError } from '../protocol/errors.js'
import { hasField, isJsonObject, pointerStep } from './json-value.js'
import { FORMATS, instantOf, monthsLater } from './schema-formats.js'
import { describeType, labelOf, messages } from './schema-messages.js'
import type { Bilingual, JsonSchema, JsonTypeName, Violation, ViolationCode } from './schema-types.js'

/**
 * Schemas as closures, made once for each. A quiet run stops at the first failure and makes no text; a loud one goes
 * through all and tells each, so that a valid record, the usual one, pays for no path, label or message.
 */

export type Check = (value: unknown, run: Run) => boolean

export interface Run {
  readonly nowMs: number
  /** Undefined: quiet. A loud run that has told enough is made quiet, and so ends at its next failure. */
  report: ((violation: Violation) => void) | undefined
  /** From the whole to the value at hand; kept in a loud run only. */
  readonly steps: (string | number)[]
}

/** Where a schema stands. */
interface Site {
  /** The name of the value at hand. */
  readonly label: (run: Run) => Bilingual
  /** Fields as the schemas around name them: a rule inside `then` need not name them again. */
  readonly named: Readonly<Record<string, JsonSchema>>
}

type Maker = (schema: JsonSchema, site: Site) => Check[]

/** @param field of the value at hand */
function fail(run: Run, code: ViolationCode, text: () => Bilingual, field?: string): false {
  const steps = field === undefined ? run.steps : [...run.steps, field]
  run.report?.({ path: steps.map(pointerStep).join(''), code, ...text() })
  return false
}

function all(checks: readonly Check[]): Check {
  if (checks.length === 1) return checks[0]!
  return (value, run) => {
    let holds = true
    for (const check of checks) {
      if (check(value, run)) continue
      if (run.report === undefined) return false
      holds = false
    }
    return holds
  }
}

/** The value of a field or an entry. */
function checkInner(check: Check, value: unknown, at: { step: string | number; run: Run }): boolean {
  const { step, run } = at
  if (run.report === undefined) return check(value, run)
  run.steps.push(step)
  const holds = check(value, run)
  run.steps.pop()
  return holds
}

const quietly = (check: Check): Check => (value, { nowMs }) => check(value, { nowMs, report: undefined, steps: [] })

// ------------------------------------------------------------------------------------------------ single values

const IS_OF_TYPE: Record<JsonTypeName, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  object: isJsonObject,
  array: (value) => Array.isArray(value),
  null: (value) => value === null,
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** The same for equal values; an object that is no JSON (NaN, a function inside) equals itself only. */
function identityOf(value: unknown): unknown {
  if (!isObject(value)) return typeof value === 'string' ? `"${value}` : value
  try {
    return canonicalJson(value)
  } catch (error) {
    if (isCodedError(error)) return value
    throw error
  }
}

function isOneOf(allowed: readonly unknown[]): (value: unknown) => boolean {
  const plain = new Set(allowed)
  const objects = new Set(allowed.filter(isObject).map(identityOf))
  return (value) => plain.has(value) || (objects.size > 0 && isObject(value) && objects.has(identityOf(value)))
}

const valueChecks: Maker = (schema, { label }) => {
  const { enum: allowed, const: only, 'x-message': message } = schema
  const checks: Check[] = []
  if (allowed) {
    const isAllowed = isOneOf(allowed)
    checks.push((value, run) => isAllowed(value) || fail(run, 'VALUE', () => messages.oneOf(label(run), allowed)))
  }
  if (only !== undefined) {
    const isOnly = isOneOf([only])
    const text = (run: Run) => (): Bilingual => message ?? messages.oneOf(label(run), [only])
    checks.push((value, run) => isOnly(value) || fail(run, 'VALUE', text(run)))
  }
  return checks
}

const ofStrings = (check: (text: string, run: Run) => boolean): Check => (value, run) =>
  typeof value !== 'string' || check(value, run)

/** Characters are code points; a text has at least half as many as code units. */
function hasLength(text: string, { min, max }: { min: number; max: number }): boolean {
  if (text.length <= max && Math.ceil(text.length / 2) >= min) return true
  const length = [...text].length
  return length >= min && length <= max
}

const stringChecks: Maker = (schema, { label }) => {
  const { minLength: min = 0, maxLength: max = Infinity, pattern, format: name } = schema
  const checks: Check[] = []
  if (min > 0 || max < Infinity) {
    const text = (run: Run) => (): Bilingual => messages.length(label(run), { min, max })
    checks.push(ofStrings((value, run) => hasLength(value, { min, max }) || fail(run, 'LENGTH', text(run))))
  }
  if (pattern !== undefined) {
    const regex = new RegExp(pattern, 'u')
    const text = (run: Run) => (): Bilingual => schema['x-message'] ?? messages.pattern(label(run), pattern)
    checks.push(ofStrings((value, run) => regex.test(value) || fail(run, 'PATTERN', text(run))))
  }
  if (name !== undefined) {
    const format = FORMATS[name]!
    const text = (run: Run) => (): Bilingual => messages.format(label(run), format)
    checks.push(ofStrings((value, run) => format.accepts(value) || fail(run, 'FORMAT', text(run))))
  }
  if (schema['x-notFuture']) {
    const text = (run: Run) => (): Bilingual => messages.future(label(run))
    const isPast = (value: string, run: Run): boolean => (instantOf(value) ?? 0) <= run.nowMs
    checks.push(ofStrings((value, run) => isPast(value, run) || fail(run, 'FUTURE_DATE', text(run))))
  }
  return checks
}

const numberChecks: Maker = (schema, { label }) => {
  const { minimum = -Infinity, exclusiveMinimum, maximum = Infinity, exclusiveMaximum } = schema
  const isBounded = [schema.minimum, exclusiveMinimum, schema.maximum, exclusiveMaximum].some((one) => one !== undefined)
  if (!isBounded) return []
  const isInside = (value: number): boolean =>
    value >= minimum && value <= maximum &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (exclusiveMaximum === undefined || value < exclusiveMaximum)
  const text = (run: Run) => (): Bilingual => messages.range(label(run), schema)
  return [(value, run) => typeof value !== 'number' || isInside(value) || fail(run, 'RANGE', text(run))]
}

// ------------------------------------------------------------------------------------------------------- lists

const ofLists = (check: (list: readonly unknown[], run: Run) => boolean): Check => (value, run) =>
  !Array.isArray(value) || check(value, run)

const listChecks: Maker = (schema, { label }) => {
  const { minItems: min = 0, maxItems: max = Infinity, items } = schema
  const checks: Check[] = []
  if (min > 0 || max < Infinity) {
    const text = (run: Run) => (): Bilingual => messages.items(label(run), { min, max })
    const hasCount = (list: readonly unknown[]): boolean => list.length >= min && list.length <= max
    checks.push(ofLists((list, run) => hasCount(list) || fail(run, 'ITEMS', text(run))))
  }
  if (schema.uniqueItems) {
    const isUnique = (list: readonly unknown[]): boolean => new Set(list.map(identityOf)).size === list.length
    const text = (run: Run) => (): Bilingual => messages.unique(label(run))
    checks.push(ofLists((list, run) => isUnique(list) || fail(run, 'ITEMS', text(run))))
  }
  if (items) {
    // The entry's own step stands last by then; the list's name is asked for without it.
    const listLabel = (run: Run): Bilingual => label({ ...run, steps: run.steps.slice(0, -1) })
    const entryLabel = (run: Run): Bilingual =>
      labelOf(items, messages.entry(listLabel(run), Number(run.steps.at(-1))))
    checks.push(ofLists(checkEntries(compile(items, { label: entryLabel, named: {} }))))
  }
  return checks
}

const checkEntries = (check: Check) => (list: readonly unknown[], run: Run): boolean => {
  let holds = true
  for (let step = 0; step < list.length; step++) {
    if (checkInner(check, list[step], { step, run })) continue
    if (run.report === undefined) return false
    holds = false
  }
  return holds
}

// ----------------------------------------------------------------------------------------------------- objects

type JsonObject = Record<string, unknown>

const ofObjects = (check: (object: JsonObject, run: Run) => boolean): Check => (value, run) =>
  !isJsonObject(value) || check(value, run)

function fieldLabel(schema: JsonSchema | undefined, named: Site['named'], key: string): Bilingual {
  const own = schema && Object.hasOwn(schema, 'title') ? schema : undefined
  return labelOf(own ?? (Object.hasOwn(named, key) ? named[key] : undefined), key)
}

const objectChecks: Maker = (schema, site) => {
  const { properties = {}, required = [], minProperties: min = 0 } = schema
  const { label, named } = site
  const checks = required.map((key): Check => {
    const text = (): Bilingual => messages.required(fieldLabel(properties[key], named, key))
    return ofObjects((object, run) => hasField(object, key) || fail(run, 'REQUIRED', text, key))
  })
  if (min > 0) {
    const text = (run: Run) => (): Bilingual => messages.items(label(run), { min, max: Infinity })
    checks.push(ofObjects((object, run) => Object.keys(object).length >= min || fail(run, 'ITEMS', text(run))))
  }
  const { patternProperties, additionalProperties } = schema
  const isOpen = schema.properties === undefined && patternProperties === undefined && additionalProperties !== false
  return isOpen ? checks : [...checks, ofObjects(checkFields(schema, site))]
}

/** Each field by its own schema and by those of the patterns that its name matches. */
function checkFields(schema: JsonSchema, { named }: Site): (object: JsonObject, run: Run) => boolean {
  const { properties = {}, patternProperties = {}, additionalProperties = true } = schema
  const compileField = (inner: JsonSchema): Check =>
    compile(inner, { label: (run) => fieldLabel(inner, named, String(run.steps.at(-1))), named: {} })
  const patterns = Object.entries(patternProperties).map(
    ([pattern, inner]) => ({ regex: new RegExp(pattern, 'u'), check: compileField(inner) }),
  )
  const matching = (key: string): Check[] => patterns.filter(({ regex }) => regex.test(key)).map(({ check }) => check)
  const known = new Map(
    Object.entries(properties).map(([key, inner]) => [key, all([compileField(inner), ...matching(key)])]),
  )
  const checkField = (key: string, value: unknown, run: Run): boolean => {
    const check = known.get(key)
    if (check !== undefined) return checkInner(check, value, { step: key, run })
    const others = matching(key)
    if (others.length > 0) return checkInner(all(others), value, { step: key, run })
    return additionalProperties || fail(run, 'UNKNOWN_FIELD', () => messages.unknown(labelOf(undefined, key)), key)
  }
  return (object, run) => {
    let holds = true
    for (const key of Object.keys(object)) {
      const value = object[key]
      if (value === undefined || checkField(key, value, run)) continue
      if (run.report === undefined) return false
      holds = false
    }
    return holds
  }
}

const dateChecks: Maker = (schema, { named }) => {
  const { properties = {}, 'x-dateOrder': pairs = [], 'x-monthsAfter': spans = [] } = schema
  const label = (key: string): Bilingual => fieldLabel(properties[key], named, key)
  const ordered = pairs.map(([first, second]): Check => {
    const text = (): Bilingual => messages.dateOrder(label(first), label(second))
    return ofObjects((object, run) => {
      const [from, to] = [instantOf(object[first]), instantOf(object[second])]
      return from === undefined || to === undefined || from <= to || fail(run, 'DATE_ORDER', text, second)
    })
  })
  const spanned = spans.map((rule): Check => {
    const text = (): Bilingual => messages.months(label(rule.from), label(rule.field), rule)
    return ofObjects((object, run) => {
      const [from, to] = [instantOf(object[rule.from]), instantOf(object[rule.field])]
      if (from === undefined || to === undefined) return true
      const tooEarly = rule.min !== undefined && to < monthsLater(from, rule.min)
      const tooLate = rule.max !== undefined && to > monthsLater(from, rule.max)
      return (!tooEarly && !tooLate) || fail(run, 'DATE_ORDER', text, rule.field)
    })
  })
  return [...ordered, ...spanned]
}

// ------------------------------------------------------------------------------------------------ combinations

const combinationChecks: Maker = (schema, outer) => {
  const site = { label: outer.label, named: { ...outer.named, ...schema.properties } }
  const { allOf = [], anyOf, not, 'x-message': message } = schema
  const checks = allOf.map((inner) => compile(inner, site))
  if (anyOf) {
    const choices = anyOf.map((inner) => quietly(compile(inner, site)))
    const text = (run: Run) => (): Bilingual => message ?? messages.anyOf(site.label(run), anyOf)
    const holds: Check = (value, run) => choices.some((choice) => choice(value, run))
    checks.push((value, run) => holds(value, run) || fail(run, 'COMBINATION', text(run)))
  }
  if (not) {
    const forbidden = quietly(compile(not, site))
    const text = (run: Run) => (): Bilingual => message ?? messages.not(site.label(run))
    checks.push((value, run) => !forbidden(value, run) || fail(run, 'COMBINATION', text(run)))
  }
  if (schema.if) {
    const condition = quietly(compile(schema.if, site))
    const [met, unmet] = [schema.then, schema.else].map((inner) => inner && compile(inner, site))
    checks.push((value, run) => (condition(value, run) ? met : unmet)?.(value, run) ?? true)
  }
  return checks
}

const MAKERS = [
  valueChecks, stringChecks, numberChecks, listChecks, objectChecks, dateChecks, combinationChecks,
]

function compile(schema: JsonSchema, site: Site): Check {
  const check = all(MAKERS.flatMap((make) => make(schema, site)))
  if (schema.type === undefined) return check
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type
  const text = (run: Run) => (): Bilingual => messages.type(site.label(run), types.map(describeType))
  const [first, ...others] = types.map((type) => IS_OF_TYPE[type])
  const isRight = (value: unknown): boolean => first!(value) || others.some((isOther) => isOther(value))
  return (value, run) => (isRight(value) ? check(value, run) : fail(run, 'TYPE', text(run)))
}

/** For a value of its own, not part of another. */
export function compileSchema(schema: JsonSchema): Check {
  return compile(schema, { label: () => labelOf(schema, ''), named: {} })
}
