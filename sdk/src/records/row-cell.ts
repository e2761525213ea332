import { isJsonObject } from './json-value.js'
import type { JsonSchema, JsonTypeName } from './schema-types.js'

/** What a cell of a table stands for, by the schema of its field. */

const NUMBER = /^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?(e[+-]?\d{1,3})?$/i
/** A number of more digits would not come out of a double as it went in. */
const SIGNIFICANT_DIGITS_MAX = 15
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([['是', true], ['true', true], ['否', false], ['false', false]])
const SEPARATOR = /[;；]/

/** Undefined when the text is none. Thousands may have commas; full-width digits count as digits. */
function numberOf(text: string): number | undefined {
  const plain = text.normalize('NFKC')
  if (!NUMBER.test(plain)) return undefined
  const digits = plain.replace(/e.*$/i, '').replace(/\D/g, '').replace(/^0+/, '')
  const value = Number(plain.replaceAll(',', ''))
  return digits.length <= SIGNIFICANT_DIGITS_MAX && Number.isFinite(value) ? value : undefined
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function listOf(text: string, items: JsonSchema | undefined): unknown[] | undefined {
  if (items !== undefined && typesOf(items).includes('object')) return objectsOf(text)
  const parts = text.split(SEPARATOR).map((part) => part.trim()).filter((part) => part !== '')
  const values = parts.map((part) => (items === undefined ? part : readCell(items, part)))
  return values.includes(undefined) ? undefined : values
}

/** A list in JSON, or an object as a list of one. */
function objectsOf(text: string): unknown[] | undefined {
  const parsed = jsonOf(text)
  if (Array.isArray(parsed)) return parsed as unknown[]
  return isJsonObject(parsed) ? [parsed] : undefined
}

const OF_TYPE: Record<JsonTypeName, (text: string, schema: JsonSchema) => unknown> = {
  string: (text) => text,
  number: numberOf,
  integer: (text) => {
    const value = numberOf(text)
    return Number.isSafeInteger(value) ? value : undefined
  },
  boolean: (text) => BOOLEANS.get(text.toLowerCase()),
  array: (text, { items }) => listOf(text, items),
  object: (text) => (text.startsWith('{') ? jsonOf(text) : undefined),
  null: () => undefined,
}

/** In the order in which a cell is tried: text last, since every cell is text. */
const TRIED: readonly JsonTypeName[] = ['object', 'array', 'boolean', 'integer', 'number', 'string']

/** The types that a schema names, or those of the values that it lists; text where it says nothing. */
export function typesOf(schema: JsonSchema): readonly JsonTypeName[] {
  if (schema.type !== undefined) return typeof schema.type === 'string' ? [schema.type] : schema.type
  const listed = schema.const === undefined ? (schema.enum ?? []) : [schema.const]
  const types = new Set(listed.map((value) => (Array.isArray(value) ? 'array' : typeof value) as JsonTypeName))
  return types.size === 0 ? ['string'] : [...types]
}

/**
 * Numbers, 是/否 or true/false, lists with `;` between; objects and lists of objects as JSON.
 * @param text trimmed, not empty
 * @returns undefined when the text stands for no value of the schema's type
 */
export function readCell(schema: JsonSchema, text: string): unknown {
  const types = typesOf(schema)
  const isText = types.includes('string') && !text.startsWith('[')
  for (const type of TRIED) {
    if (!types.includes(type) || (type === 'array' && isText)) continue
    const value = OF_TYPE[type](text, schema)
    if (value !== undefined) return value
  }
  return undefined
}
