import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { RecordSchema } from '@songhua/sdk/records/record-schema'
import { type ColumnMapping, createRowReader, type RowReader, type RowViolation } from '@songhua/sdk/records/row'
import type { Violation } from '@songhua/sdk/records/schema-types'
import { mapInSlices } from '../../base/slices.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import { type EnvelopeColumns, type EnvelopeParts, takeEnvelopeColumns } from './csv-columns.js'

/** A row: its payload, and what its columns say of the record beside it. */
export type CsvRecord = EnvelopeParts & { readonly payload: Record<string, unknown> }

/** Rows of a CSV. They count from 1, the first after the heading. */
export interface CsvRecords {
  readonly records: readonly CsvRecord[]
  /** Of cells that stand for no value of their field, and of columns; by row index from 0. */
  readonly violations: ReadonlyMap<number, readonly RowViolation[]>
  /** The column behind a violation; path within the record: `/payload/…`, `/subject`. */
  columnOf(path: string): string | undefined
}

export interface CsvSource {
  readonly bytes: Uint8Array
  readonly charset: string
  readonly schema: RecordSchema
  readonly mapping: ColumnMapping
}

/** Bytes between two turns of the event loop. */
const CHUNK_CHARACTERS = 256 * 1024

/** The charset that a content-type names; UTF-8 when it names none. @throws GatewayError `CHARSET_INVALID` */
export function charsetOf(contentType: string | undefined): string {
  const named = /;\s*charset\s*=\s*"?([\w-]{1,32})"?/i.exec(contentType ?? '')?.[1]?.toLowerCase() ?? 'utf-8'
  if (named === 'utf8' || named === 'utf-8') return 'utf-8'
  if (['gb18030', 'gbk', 'gb2312'].includes(named)) return 'gb18030'
  throw gatewayError('CHARSET_INVALID', { charset: `utf-8 | gb18030 (${named})` })
}

function decode(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw gatewayError('CHARSET_INVALID', { charset }, cause)
  }
}

function* chunksOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += CHUNK_CHARACTERS) yield text.slice(at, at + CHUNK_CHARACTERS)
}

/** @throws GatewayError `CHARSET_INVALID`, `CSV_INVALID`, `TOO_MANY_RECORDS` */
export async function readCsv(source: CsvSource, limits: GatewayLimits): Promise<CsvRecords> {
  const [heading, ...rows] = await readRows(decode(source.bytes, source.charset), limits)
  if (heading === undefined || rows.length === 0) {
    throw gatewayError('CSV_INVALID', { reason: 'there is no row below the heading' })
  }
  checkHeading(heading, limits)
  const envelope = takeEnvelopeColumns(heading, source.mapping)
  const fields = createRowReader(source.schema, envelope.columns, envelope.mapping)
  const bad = [...envelope.violations, ...fields.violations]
  if (bad.length > 0) throw columnsInvalid(bad)
  const violations = new Map<number, readonly RowViolation[]>()
  const records = await mapInSlices(rows, (cells, at) => {
    const row = Object.fromEntries(heading.map((column, i) => [column, cells[i] ?? '']))
    const { parts, violations: inParts } = envelope.read(row)
    const { payload, violations: inFields } = fields.read(row)
    const found = [...inParts, ...inFields.map((one) => ({ ...one, path: `/payload${one.path}` }))]
    if (found.length > 0) violations.set(at, found)
    return { payload, ...parts }
  })
  return { records, violations, columnOf: (path) => columnOf(path, { envelope, fields }) }
}

function columnOf(
  path: string,
  { envelope, fields }: { envelope: EnvelopeColumns; fields: RowReader },
): string | undefined {
  const isOfPayload = path === PAYLOAD || path.startsWith(`${PAYLOAD}/`)
  return isOfPayload ? fields.columnOf(path.slice(PAYLOAD.length)) : envelope.columnOf(path)
}

const PAYLOAD = '/payload'

function columnsInvalid(violations: readonly RowViolation[]): Error {
  const reason = violations.slice(0, 5).map(({ en, zh }) => `${en} · ${zh}`).join('; ')
  return gatewayError('CSV_INVALID', { reason, field: violations[0]!.column, violations })
}

function checkHeading(heading: readonly string[], limits: GatewayLimits): void {
  if (heading.length > limits.csvColumnsMax) {
    throw gatewayError('CSV_INVALID', { reason: `${heading.length} columns; at most ${limits.csvColumnsMax}` })
  }
  const twice = heading.find((column, at) => heading.indexOf(column) < at)
  if (twice !== undefined) throw gatewayError('CSV_INVALID', { reason: `the column "${twice}" is there twice`, field: twice })
}

async function readRows(text: string, limits: GatewayLimits): Promise<string[][]> {
  const parser = parse({
    bom: true,
    skip_empty_lines: true,
    relax_column_count: false,
    max_record_size: limits.csvRowCharactersMax,
  })
  const rows: string[][] = []
  const input = Readable.from(chunksOf(text)).pipe(parser)
  try {
    for await (const row of input as AsyncIterable<string[]>) {
      rows.push(row)
      if (rows.length > limits.recordsPerRequestMax + 1) {
        throw gatewayError('TOO_MANY_RECORDS', { limit: 'recordsPerRequestMax', max: limits.recordsPerRequestMax })
      }
    }
  } catch (error) {
    // The parser's own errors tell the line.
    if (error instanceof CsvError) throw gatewayError('CSV_INVALID', { reason: error.message }, error)
    throw error
  }
  return rows
}

/** Names the column beside each violation of a row; paths as the engine gives them. */
export function withColumns(
  violations: readonly Violation[],
  csv: Pick<CsvRecords, 'columnOf'>,
): readonly (Violation & { column?: string })[] {
  return violations.map((violation) => {
    const column = csv.columnOf(violation.path)
    return column === undefined ? violation : { ...violation, column }
  })
}

/** `{ column: field }` as JSON, URL-encoded or not. @throws GatewayError `MAPPING_INVALID` */
export function parseMapping(text: string | undefined, limits: GatewayLimits): ColumnMapping {
  if (text === undefined) return {}
  const problem = (reason: string, cause?: unknown) => gatewayError('MAPPING_INVALID', { reason, field: 'mapping' }, cause)
  if (text.length > limits.csvMappingCharactersMax) throw problem(`longer than ${limits.csvMappingCharactersMax} characters`)
  let value: unknown
  try {
    value = JSON.parse(text.startsWith('%7B') || text.startsWith('%7b') ? decodeURIComponent(text) : text)
  } catch (cause) {
    throw problem('is no JSON', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem('must be an object: column → field')
  const bad = Object.entries(value).find(([, field]) => typeof field !== 'string')
  if (bad) throw problem(`${bad[0].slice(0, 80)}: must be the path of a field, as text`)
  return value as ColumnMapping
}
