import fc from 'fast-check'
import { strange } from './json.js'

export type Schema = Readonly<Record<string, unknown>>

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
const schemasIn = (value: unknown): Schema[] => (Array.isArray(value) ? value.filter(isSchema) : [])

/** Patterns with what fast-check cannot invert (look-around, `\p`) give any text. */
function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern))
  } catch (error) {
    if (error instanceof Error) return fc.string({ maxLength: 30 })
    throw error
  }
}

const bounded = (value: unknown, usual: number): number => (typeof value === 'number' && Number.isSafeInteger(value) ? value : usual)

/** Values that a JSON Schema describes, as far as the documents of the node use it; what it does not say is left to chance. */
export function valuesOf(schema: Schema, resolve: (reference: string) => Schema = () => ({})): fc.Arbitrary<unknown> {
  const inner = (one: unknown): fc.Arbitrary<unknown> => (isSchema(one) ? valuesOf(one, resolve) : strange)
  if (typeof schema.$ref === 'string') return valuesOf(resolve(schema.$ref), resolve)
  if (Array.isArray(schema.enum)) return fc.constantFrom<unknown[]>(...(schema.enum as unknown[]))
  if ('const' in schema) return fc.constant(schema.const)
  const choices = [...schemasIn(schema.anyOf), ...schemasIn(schema.oneOf)]
  if (choices.length > 0) return fc.oneof(...choices.map(inner))
  const types = Array.isArray(schema.type) ? (schema.type as unknown[]) : [schema.type]
  return fc.oneof(...types.map((type) => ofType(type, schema, inner)))
}

function ofType(type: unknown, schema: Schema, inner: (schema: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string': return typeof schema.pattern === 'string' ? matching(schema.pattern) : fc.string({ maxLength: 30 })
    case 'integer': return fc.integer({ min: bounded(schema.minimum, -1), max: Math.max(bounded(schema.minimum, -1), bounded(schema.maximum, 1_000)) })
    case 'number': return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean': return fc.boolean()
    case 'null': return fc.constant(null)
    case 'array': return fc.array(inner(schema.items), { maxLength: 4 })
    case 'object': return objectsOf(schema, inner)
    default: return strange
  }
}

function objectsOf(schema: Schema, inner: (schema: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = isSchema(schema.properties) ? schema.properties : {}
  const named = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)]))
  const requiredKeys = Array.isArray(schema.required) ? (schema.required as string[]).filter((name) => name in named) : []
  const known = fc.record(named, { requiredKeys })
  if (!isSchema(schema.additionalProperties)) return known
  const names = isSchema(schema.propertyNames) ? inner(schema.propertyNames).map(String) : fc.string({ maxLength: 12 })
  return fc.tuple(known, fc.dictionary(names, inner(schema.additionalProperties), { maxKeys: 3 })).map(([own, more]) => ({ ...more, ...own }))
}
