import { CodedError } from '../protocol/errors.js'
import { shorten } from './json-value.js'
import { type ValidationContext, validateJson } from './json-schema.js'
import { type RecordSchema, parseRecordSchema } from './record-schema.js'
import type { Violation } from './schema-types.js'

export type SchemaRegistryErrorCode = 'SCHEMA_UNKNOWN' | 'SCHEMA_DUPLICATE'

export interface SchemaRegistry {
  /** That version, or the newest. @throws SCHEMA_UNKNOWN */
  get(id: string, version?: string): RecordSchema
  list(): readonly RecordSchema[]
  /** Every failing field of a payload. @throws SCHEMA_UNKNOWN */
  validate(request: { schema: string; version?: string; payload: unknown }, context: ValidationContext): Violation[]
  /** A registry with these besides, in place of those with the same id and version. */
  extend(schemas: readonly unknown[]): SchemaRegistry
}

const keyOf = ({ id, version }: RecordSchema): string => `${id} ${version}`

/**
 * Schemas by id and version. They may come from the package, a file or the network: each is checked first. What is in
 * a file needs no release: `createSchemaRegistry(RECORD_SCHEMAS).extend(files.map((text) => JSON.parse(text)))`, where
 * a file holds one `RecordSchema`, as `JSON.stringify` of one from `list()` writes it.
 * @throws CodedError `SCHEMA_INVALID` for one that is malformed, `SCHEMA_DUPLICATE` for one given twice
 */
export function createSchemaRegistry(schemas: readonly unknown[]): SchemaRegistry {
  const byKey = new Map<string, RecordSchema>()
  const newest = new Map<string, RecordSchema>()
  schemas.forEach((given, i) => {
    const schema = parseRecordSchema(given, `schemas[${i}]`)
    if (byKey.has(keyOf(schema))) {
      const message = `Schema ${schema.id} version ${schema.version} is there twice; count its version up`
      throw new CodedError<SchemaRegistryErrorCode>('SCHEMA_DUPLICATE', message, { details: { id: schema.id } })
    }
    byKey.set(keyOf(schema), schema)
    if (Number(schema.version) > Number(newest.get(schema.id)?.version ?? 0)) newest.set(schema.id, schema)
  })

  const get = (id: string, version?: string): RecordSchema => {
    const schema = version === undefined ? newest.get(id) : byKey.get(`${id} ${version}`)
    if (schema) return schema
    const details = { id: shorten(String(id)), version: version && shorten(String(version)) }
    const wanted = version === undefined ? details.id : `${details.id} version ${details.version}`
    const message = `There is no schema ${wanted}; known are ${[...newest.keys()].join(', ')}`
    throw new CodedError<SchemaRegistryErrorCode>('SCHEMA_UNKNOWN', message, { details })
  }

  return {
    get,
    list: () => [...byKey.values()],
    validate: ({ schema, version, payload }, context) => validateJson(get(schema, version).schema, payload, context),
    extend: (more) => {
      const replaced = new Set(more.map((given, i) => keyOf(parseRecordSchema(given, `schemas[${i}]`))))
      return createSchemaRegistry([...[...byKey.values()].filter((old) => !replaced.has(keyOf(old))), ...more])
    },
  }
}
