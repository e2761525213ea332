import { type SizeBounds, brokenBound, deeperPath } from './json-value.js'
import { type Check, type Run, compileSchema } from './schema-compile.js'
import { messages } from './schema-messages.js'
import type { JsonSchema, Violation } from './schema-types.js'
import { MORE, VIOLATIONS_MAX } from './violations.js'

/**
 * The part of JSON Schema 2020-12 that records need. Our own, because schemas arrive at run time, browsers forbid
 * `eval` under a content security policy, which other compiling validators live by; and because each failure must name
 * its field in Chinese and English. A schema with a keyword not known here is refused when it is registered, never
 * half obeyed. `format` is asserted. Our own keywords begin with `x-`.
 */

export interface ValidationContext {
  /** ms since 1970, for `x-notFuture`. */
  nowMs: number
}

/** Levels of nesting of a validated value. */
export const JSON_DEPTH_MAX = 32
/** Values in a validated value, itself and all members of its objects and lists; counted before anything else. */
export const JSON_VALUES_MAX = 100_000

const compiled = new WeakMap<JsonSchema, Check>()

function checkOf(schema: JsonSchema): Check {
  let check = compiled.get(schema)
  if (check === undefined) compiled.set(schema, (check = compileSchema(schema)))
  return check
}

function distinct(violations: readonly Violation[]): Violation[] {
  const byKey = new Map(violations.map((violation) => [`${violation.path}\n${violation.en}`, violation]))
  return [...byKey.values()]
}

const BOUNDS: SizeBounds = { levels: JSON_DEPTH_MAX, values: JSON_VALUES_MAX }

function sizeViolation(value: unknown): Violation | undefined {
  switch (brokenBound(value, BOUNDS)) {
    case 'levels':
      return { path: deeperPath(value, JSON_DEPTH_MAX), code: 'TOO_DEEP', ...messages.tooDeep(JSON_DEPTH_MAX) }
    case 'values':
      return { path: '', code: 'TOO_MANY_VALUES', ...messages.tooManyValues(JSON_VALUES_MAX) }
    case undefined:
      return undefined
  }
}

/** A value of which nothing is said but that it is too large: nobody else should look inside. */
export function isOversized([first]: readonly Violation[]): boolean {
  return first?.code === 'TOO_DEEP' || first?.code === 'TOO_MANY_VALUES'
}

/**
 * Every failing field, in the schema's order, up to `VIOLATIONS_MAX` and then `MORE`; none when the value is valid.
 * Never throws on a bad value.
 */
export function validateJson(schema: JsonSchema, value: unknown, { nowMs }: ValidationContext): Violation[] {
  const size = sizeViolation(value)
  if (size !== undefined) return [size]
  const check = checkOf(schema)
  if (check(value, { nowMs, report: undefined, steps: [] })) return []
  const found: Violation[] = []
  const run: Run = { nowMs, report, steps: [] }
  function report(violation: Violation): void {
    found.push(violation)
    // One more than are told, to know that there is more.
    if (found.length > VIOLATIONS_MAX) run.report = undefined
  }
  check(value, run)
  return run.report === undefined ? [...distinct(found.slice(0, VIOLATIONS_MAX)), MORE] : distinct(found)
}
