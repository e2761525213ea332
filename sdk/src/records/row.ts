import { isJsonObject, pointerStep, shorten } from './json-value.js'
import type { RecordSchema } from './record-schema.js'
import { readCell, typesOf } from './row-cell.js'
import { type RowField, fieldAt, fieldNames, plainName } from './row-columns.js'
import { describeType, labelOf, messages } from './schema-messages.js'
import type { Bilingual, JsonSchema, Violation } from './schema-types.js'
import { MORE, cappedViolations } from './violations.js'

/**
 * Rows of a table, such as the CSV export of a legacy system, as payloads. A column is named as its field
 * (`environment.system`), as the field's title in Chinese or English, or a mapping says which field it fills.
 */

export interface RowViolation extends Violation {
  /** A long name is cut as in the texts. */
  readonly column: string
}

/** Column → path of the field, with dots; '' leaves the column out. */
export type ColumnMapping = Readonly<Record<string, string>>

export interface RowReader {
  /** Columns that fill no field, or one that another fills too; columns of the mapping that are not there. */
  readonly violations: readonly RowViolation[]
  /**
   * An empty cell is an absent field. A cell that stands for no value of its field's type is a violation, and stays in
   * the payload as text: validation of the payload tells the same once more.
   */
  read(row: Readonly<Record<string, string>>): { payload: Record<string, unknown>; violations: RowViolation[] }
  /** The column behind a violation of the payload. @param path JSON pointer within the payload */
  columnOf(path: string): string | undefined
}

type Cell = readonly [column: string, field: RowField]

const pointerOf = ({ steps }: RowField): string => steps.map(pointerStep).join('')

function atColumn(column: string, violation: Violation): RowViolation {
  const { path, code, zh, en } = violation
  const name = shorten(column)
  return { column: name, path, code, zh: `列“${name}”：${zh}`, en: `Column "${name}": ${en}` }
}

const columnViolation = (column: string, text: Bilingual): RowViolation =>
  atColumn(column, { path: '', code: 'COLUMN', ...text })

/** More of them than are told. */
const ALL_COLUMNS: RowViolation = { column: '', ...MORE }

/** A reader for all rows under one heading. @param columns the heading, in order */
export function createRowReader(
  { schema }: RecordSchema,
  columns: readonly string[],
  mapping: ColumnMapping = {},
): RowReader {
  const { cells, violations } = resolveColumns(schema, columns, mapping)
  const byPointer = new Map(cells.map(([column, field]) => [pointerOf(field), column]))
  return {
    violations,
    read: (row) => readRow(cells, row),
    columnOf: (path) => columnOf(byPointer, path),
  }
}

/** One row; for many under one heading see `createRowReader`. */
export function rowToPayload(
  schema: RecordSchema,
  row: Readonly<Record<string, string>>,
  mapping?: ColumnMapping,
): { payload: Record<string, unknown>; violations: RowViolation[] } {
  const reader = createRowReader(schema, Object.keys(row), mapping)
  const { payload, violations } = reader.read(row)
  return { payload, violations: [...reader.violations, ...violations] }
}

// ----------------------------------------------------------------------------------------------------- columns

function resolveColumns(
  schema: JsonSchema,
  columns: readonly string[],
  mapping: ColumnMapping,
): { cells: Cell[]; violations: RowViolation[] } {
  const names = fieldNames(schema)
  const filledBy = new Map<string, string>()
  const cells: Cell[] = []
  const present = new Set(columns)
  const absent = Object.keys(mapping).filter((column) => !present.has(column))
  const violations = absent.map((column) => columnViolation(column, messages.columnMissing()))
  for (const column of columns) {
    const path = Object.hasOwn(mapping, column) ? mapping[column] : undefined
    if (path === '') continue
    const field = path === undefined ? fieldNamed(names, schema, column) : (fieldAt(schema, path) ?? { unknown: path })
    if ('steps' in field) {
      const pointer = pointerOf(field)
      const other = filledBy.get(pointer)
      if (other === undefined) cells.push([column, field])
      else violations.push(columnViolation(column, messages.columnTwice(pointer, other)))
      filledBy.set(pointer, other ?? column)
    } else {
      violations.push(columnViolation(column, problemOf(field)))
    }
  }
  return { cells, violations: cappedViolations(violations, ALL_COLUMNS) }
}

type NoField = { readonly unknown: string } | { readonly choices: readonly RowField[] }

/** The exact name before a similar one, a field of the record before one inside another. */
function fieldNamed(names: Map<string, RowField[]>, schema: JsonSchema, column: string): RowField | NoField {
  const exact = fieldAt(schema, column.trim())
  if (exact !== undefined) return exact
  const similar = names.get(plainName(column)) ?? []
  const depth = Math.min(...similar.map(({ steps }) => steps.length))
  const [first, ...others] = similar.filter(({ steps }) => steps.length === depth)
  if (first === undefined) return { unknown: column }
  return others.length === 0 ? first : { choices: [first, ...others] }
}

function problemOf(problem: NoField): Bilingual {
  if ('unknown' in problem) return messages.columnUnknown(problem.unknown)
  return messages.columnAmbiguous(problem.choices.map(({ steps }) => steps.join('.')))
}

function columnOf(byPointer: ReadonlyMap<string, string>, path: string): string | undefined {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const column = byPointer.get(at)
    if (column !== undefined) return column
  }
  const within = path === '' ? undefined : [...byPointer].find(([pointer]) => pointer.startsWith(`${path}/`))
  return within?.[1]
}

// -------------------------------------------------------------------------------------------------------- rows

function readRow(
  cells: readonly Cell[],
  row: Readonly<Record<string, string>>,
): { payload: Record<string, unknown>; violations: RowViolation[] } {
  const payload: Record<string, unknown> = {}
  const violations: RowViolation[] = []
  for (const [column, field] of cells) {
    const text = (row[column] ?? '').trim()
    if (text === '') continue
    const value = readCell(field.schema, text)
    if (value === undefined) violations.push(atColumn(column, typeViolation(field)))
    put(payload, field.steps, value ?? text)
  }
  return { payload, violations: cappedViolations(violations, ALL_COLUMNS) }
}

function typeViolation(field: RowField): Violation {
  const label = labelOf(field.schema, String(field.steps.at(-1)))
  return { path: pointerOf(field), code: 'TYPE', ...messages.type(label, typesOf(field.schema).map(describeType)) }
}

/** Makes the objects and lists on the way. Where a cell has put a value in the way, that is left to validation. */
function put(payload: Record<string, unknown>, steps: readonly (string | number)[], value: unknown): void {
  let at: Record<string | number, unknown> = payload
  steps.slice(0, -1).forEach((step, i) => {
    const inner = (at[step] ??= typeof steps[i + 1] === 'number' ? [] : {})
    at = isJsonObject(inner) || Array.isArray(inner) ? (inner as Record<string | number, unknown>) : {}
  })
  at[steps.at(-1)!] = value
}
