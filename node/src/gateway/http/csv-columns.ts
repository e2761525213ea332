import { type RetentionClass, RETENTION_CLASSES } from '@songhua/sdk/records/record-schema'
import type { ColumnMapping, RowViolation } from '@songhua/sdk/records/row'
import type { Bilingual, ViolationCode } from '@songhua/sdk/records/schema-types'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { fillIn, GATEWAY_ERRORS } from '../errors.js'
import type { SubmittedPayload } from '../model.js'
import { parseSubject } from './record-view.js'

/** Of a record, what a column may give beside the payload. */
export type EnvelopeParts = Pick<SubmittedPayload, 'subject' | 'supersedes' | 'retention' | 'issuer'>

/** A column is named so, or mapped to it; no field of a payload begins with `$`. */
const PARTS = {
  $subject: (text) => ({ subject: parseSubject(text) }),
  $supersedes: (text) => ({ supersedes: text.toLowerCase() }),
  $retention: (text) => ({ retention: parseRetention(text) }),
  $issuer: (text) => ({ issuer: text }),
} as const satisfies Record<string, (text: string) => EnvelopeParts>

type PartName = keyof typeof PARTS
export const CSV_PARTS = Object.keys(PARTS) as readonly PartName[]

export interface EnvelopeColumns {
  /** What is left for the payload. */
  readonly columns: readonly string[]
  readonly mapping: ColumnMapping
  /** Columns that name what there is not, or what another gives too. */
  readonly violations: readonly RowViolation[]
  /** An empty cell gives nothing. */
  read(row: Readonly<Record<string, string>>): { parts: EnvelopeParts; violations: RowViolation[] }
  /** The column behind a violation of the envelope; path within the record. */
  columnOf(path: string): string | undefined
}

/** Takes from a heading the columns that fill the envelope. */
export function takeEnvelopeColumns(heading: readonly string[], mapping: ColumnMapping): EnvelopeColumns {
  const targets = heading.map((column) => [column, targetOf(column, mapping)] as const)
  const taken = targets.filter(([, target]) => target.startsWith('$'))
  const cells = new Map<PartName, string>()
  const violations: RowViolation[] = []
  for (const [column, target] of taken) {
    const name = CSV_PARTS.find((one) => one === target)
    const other = name && cells.get(name)
    if (name === undefined) violations.push(atColumn(column, { path: '', code: 'COLUMN' }, unknown(target)))
    else if (other !== undefined) violations.push(atColumn(column, { path: '', code: 'COLUMN' }, twice(name, other)))
    else cells.set(name, column)
  }
  const own = new Set(taken.map(([column]) => column))
  return {
    columns: heading.filter((column) => !own.has(column)),
    mapping: Object.fromEntries(Object.entries(mapping).filter(([column]) => !own.has(column))),
    violations,
    read: (row) => readParts(cells, row),
    columnOf: (path) => cells.get(`$${path.split('/')[1] ?? ''}` as PartName),
  }
}

function targetOf(column: string, mapping: ColumnMapping): string {
  return (Object.hasOwn(mapping, column) ? mapping[column]! : column).trim()
}

function readParts(cells: ReadonlyMap<PartName, string>, row: Readonly<Record<string, string>>) {
  const violations: RowViolation[] = []
  let parts: EnvelopeParts = {}
  for (const [name, column] of cells) {
    const text = (row[column] ?? '').trim()
    if (text === '') continue
    try {
      parts = { ...parts, ...PARTS[name](text) }
    } catch (error) {
      violations.push(atColumn(column, { path: `/${name.slice(1)}`, code: 'FORMAT' }, reasonOf(error)))
    }
  }
  return { parts, violations }
}

function atColumn(column: string, at: { path: string; code: ViolationCode }, { zh, en }: Bilingual): RowViolation {
  return { column, ...at, zh: `列“${column}”：${zh}`, en: `Column "${column}": ${en}` }
}

const names = CSV_PARTS.join(', ')
const unknown = (name: string): Bilingual => ({
  zh: `没有“${name.slice(0, 80)}”；以 $ 开头的只有 ${names}`,
  en: `there is no "${name.slice(0, 80)}"; with $ there are ${names}`,
})
const twice = (name: string, other: string): Bilingual => ({
  zh: `${name} 已由列“${other}”给出`,
  en: `${name} is given by column "${other}" already`,
})

class RetentionUnknown extends Error {}

function parseRetention(text: string): RetentionClass {
  const found = RETENTION_CLASSES.find((one) => one === text)
  if (found === undefined) throw new RetentionUnknown(RETENTION_CLASSES.join(' | '))
  return found
}

function reasonOf(error: unknown): Bilingual {
  if (error instanceof RetentionUnknown) return { zh: `应为 ${error.message}`, en: `must be ${error.message}` }
  if (!isCodedError(error, 'SUBJECT_INVALID')) throw error
  const { zh, en } = GATEWAY_ERRORS.SUBJECT_INVALID
  return { zh: fillIn(zh, error.details), en: fillIn(en, error.details) }
}
