import { deeperPath, isDeeper } from './json-value.js'
import { type Check, compileSchema } from './schema-compile.js'
import { messages } from './schema-messages.js'
import type { JsonSchema, Violation } from './schema-types.js'

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

/** Every failing field, in the schema's order; none when the value is valid. Never throws on a bad value. */
export function validateJson(schema: JsonSchema, value: unknown, { nowMs }: ValidationContext): Violation[] {
  if (isDeeper(value, JSON_DEPTH_MAX)) {
    const path = deeperPath(value, JSON_DEPTH_MAX)
    return [{ path, code: 'TOO_DEEP', ...messages.tooDeep(JSON_DEPTH_MAX) }]
  }
  const check = checkOf(schema)
  if (check(value, { nowMs, report: undefined, steps: [] })) return []
  const found: Violation[] = []
  check(value, { nowMs, report: (violation) => found.push(violation), steps: [] })
  return distinct(found)
}
