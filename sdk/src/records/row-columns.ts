import type { JsonSchema } from './schema-types.js'

/** Which field of a payload a column of a table fills. */

export interface RowField {
  /** Names of fields, and whole numbers for the entries of lists. */
  readonly steps: readonly (string | number)[]
  readonly schema: JsonSchema
}

const ENTRY = /^(0|[1-9]\d{0,2})$/

function innerOf(schema: JsonSchema, step: string): { schema: JsonSchema; step: string | number } | undefined {
  const { properties = {}, patternProperties = {}, items } = schema
  if (items !== undefined) return ENTRY.test(step) ? { schema: items, step: Number(step) } : undefined
  if (step === '__proto__') return undefined
  if (Object.hasOwn(properties, step)) return { schema: properties[step]!, step }
  const match = Object.entries(patternProperties).find(([pattern]) => new RegExp(pattern, 'u').test(step))
  return match && { schema: match[1], step }
}

/** The field at a path such as `environment.system` or `bizTransactionList.0.type`. Undefined: there is none. */
export function fieldAt(schema: JsonSchema, path: string): RowField | undefined {
  const steps: (string | number)[] = []
  let at = schema
  for (const name of path.split('.')) {
    const inner = innerOf(at, name)
    if (inner === undefined) return undefined
    steps.push(inner.step)
    at = inner.schema
  }
  return { steps, schema: at }
}

/** As people write one name in many ways: width, case and spaces do not count. */
export const plainName = (name: string): string =>
  name.normalize('NFKC').replace(/[\s\uFEFF]/g, '').toLowerCase()

/** Every field that is no object, by its path, its title in Chinese and in English. */
export function fieldNames(schema: JsonSchema): Map<string, RowField[]> {
  const names = new Map<string, RowField[]>()
  const add = (name: string | undefined, field: RowField): void => {
    if (name === undefined) return
    const fields = names.get(plainName(name)) ?? []
    if (!fields.includes(field)) names.set(plainName(name), [...fields, field])
  }
  const visit = (inner: JsonSchema, steps: readonly string[]): void => {
    for (const [key, schemaOfKey] of Object.entries(inner.properties ?? {})) {
      const field = { steps: [...steps, key], schema: schemaOfKey }
      add(field.steps.join('.'), field)
      if (schemaOfKey.properties !== undefined) visit(schemaOfKey, field.steps)
      else [schemaOfKey.title, schemaOfKey['x-en']].forEach((title) => add(title, field))
    }
  }
  visit(schema, [])
  return names
}
