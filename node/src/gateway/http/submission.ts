import type { RecordSchema } from '@songhua/sdk/records/record-schema'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { concatBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { mapInSlices } from '../../base/slices.js'
import { fillIn, GATEWAY_ERRORS, GatewayError, gatewayError } from '../errors.js'
import { createJudge } from '../judge.js'
import { GATEWAY_LIMITS, type GatewayLimits } from '../limits.js'
import type { Acceptance, Outcome, Refusal, Submission, SubmittedRecord } from '../model.js'
import { takeRandom } from '../random.js'
import { type CsvRecords, charsetOf, parseMapping, readCsv, withColumns } from './csv-body.js'
import type { Language } from './error-reply.js'
import type { Call } from './route.js'

/** What a request asks to be anchored. */
export interface Order {
  readonly records: readonly SubmittedRecord[]
  readonly isMany: boolean
  /** Rows of a CSV that are no payload yet; by index. */
  readonly unreadable: ReadonlyMap<number, Refusal>
  /** What can be said of all of them without taking any: every bad row at once. */
  preview(): Promise<readonly (Outcome | undefined)[]>
  /** The refusal as the caller sees it: with the columns of his CSV. */
  explain(refusal: Refusal): Refusal
}

interface Reading {
  readonly registry: SchemaRegistry
  readonly limits: GatewayLimits
  readonly nowMs: () => number
}

/** @throws GatewayError for what cannot be read at all */
export async function readOrder(call: Call, reading: Reading): Promise<Order> {
  return Buffer.isBuffer(call.body) ? readCsvOrder(call, reading) : readJsonOrder(call)
}

function readJsonOrder({ body, query }: Call): Order {
  for (const name of ['schema', 'version', 'mapping']) {
    if (query[name] === undefined) continue
    throw gatewayError('REQUEST_INVALID', {
      field: name,
      problems: `${name} is for text/csv; JSON names its schema in the body`,
      problemsZh: `${name} 仅用于 text/csv`,
    })
  }
  const many = (body as { records?: readonly SubmittedRecord[] }).records
  return {
    records: many ?? [body as SubmittedRecord],
    isMany: many !== undefined,
    unreadable: new Map(),
    preview: () => Promise.resolve([]),
    explain: (refusal) => refusal,
  }
}

async function readCsvOrder(call: Call, { registry, limits, nowMs }: Reading): Promise<Order> {
  const { query } = call
  if (typeof query.schema !== 'string') {
    throw gatewayError('REQUEST_INVALID', {
      field: 'schema',
      problems: 'schema: is required with text/csv',
      problemsZh: 'schema：text/csv 必须指明模式',
    })
  }
  const schema = schemaOf(registry, query.schema, query.version as string | undefined)
  const { id, version } = schema
  const csv = await readCsvOf(call, { schema, limits })
  const records = csv.records.map((one): SubmittedRecord => ({ schema: id, version, ...one }))
  const judge = createJudge(registry, { nowMs, randomBytes: takeRandom })
  const refusalOf = (record: SubmittedRecord): Refusal | undefined => {
    const judgement = judge(record, call.caller)
    return 'refusal' in judgement ? judgement.refusal : undefined
  }
  const unreadable = await unreadableRows(csv, (at) => refusalOf(records[at]!))
  return {
    records,
    isMany: true,
    unreadable,
    preview: () =>
      mapInSlices(records, (record, at) => {
        const refusal = unreadable.get(at) ?? refusalOf(record)
        return refusal && { refusal }
      }),
    explain: (refusal) => explainRow(refusal, csv),
  }
}

function readCsvOf({ query, request, bodyBytes }: Call, { schema, limits }: { schema: RecordSchema; limits: GatewayLimits }) {
  const given = query.mapping ?? request.headers['x-songhua-mapping']
  const mapping = parseMapping(typeof given === 'string' ? given : undefined, limits)
  const charset = charsetOf(request.headers['content-type'])
  return readCsv({ bytes: bodyBytes, charset, schema, mapping }, limits)
}

/** A refusal as the sender of the table sees it: each failing field with its column. */
function explainRow(refusal: Refusal, csv: CsvRecords): Refusal {
  const { code, violations } = refusal
  if (violations !== undefined) return { ...refusal, violations: withColumns(violations, csv) }
  if (code !== 'ISSUER_NOT_ALLOWED' || csv.columnOf('/issuer') === undefined) return refusal
  const { zh, en } = GATEWAY_ERRORS[code]
  return { ...refusal, violations: withColumns([{ path: '/issuer', code: 'VALUE', zh, en }], csv) }
}

/** @throws GatewayError `SCHEMA_UNKNOWN` */
export function schemaOf(registry: SchemaRegistry, id: string, version?: string) {
  try {
    return registry.get(id, version)
  } catch (error) {
    if (!isCodedError(error, 'SCHEMA_UNKNOWN')) throw error
    throw gatewayError('SCHEMA_UNKNOWN', { schema: version === undefined ? id : `${id} ${version}` }, error)
  }
}

/** Every failing field of each row with a cell that cannot be read: its other fields too, each field once. */
async function unreadableRows(
  csv: CsvRecords,
  refusalOf: (at: number) => Refusal | undefined,
): Promise<ReadonlyMap<number, Refusal>> {
  return new Map(
    await mapInSlices([...csv.violations], ([at, cells]): [number, Refusal] => {
      const told = new Set(cells.map(({ path }) => path))
      const others = withColumns(refusalOf(at)?.violations ?? [], csv).filter(({ path }) => !told.has(path))
      const { en } = GATEWAY_ERRORS.RECORD_INVALID
      return [at, { code: 'RECORD_INVALID', message: en, violations: [...cells, ...others] }]
    }),
  )
}

/** The request without what does not change its effect: whether and how long its caller waits. */
export function requestBytes({ query, request, bodyBytes }: Call): Uint8Array {
  const { schema = null, version = null, mapping = null, partial = null } = query
  const type = request.headers['content-type'] ?? null
  const head = [type, schema, version, mapping, partial, request.headers['x-songhua-mapping'] ?? null]
  return concatBytes(utf8ToBytes(`${JSON.stringify(head)}\n`), bodyBytes)
}

/** What was made of a request: all that its answer needs, and nothing of the request itself, which may be large. */
export interface Settlement {
  readonly isMany: boolean
  /** The same request had been accepted before. */
  readonly replayed: boolean
  /** For each record, in order: its id, or its refusal as JSON. */
  readonly outcomes: readonly ({ readonly id: string } | { readonly refusal: string })[]
}

/**
 * Has the readable records accepted, and puts the refusals of the others in their places.
 * @throws GatewayError `SUBMISSION_REFUSED` with `rows`, or the refusal of a single record
 */
export async function submit(
  order: Order,
  submission: Omit<Submission, 'records'>,
  port: { accept(submission: Submission): Promise<Acceptance>; language: Language },
): Promise<Settlement> {
  const { records, unreadable, isMany } = order
  const sent = records.filter((_record, at) => !unreadable.has(at))
  const isDoomed = unreadable.size > 0 && !submission.partial
  if (isDoomed || sent.length === 0) throw refused(order, await order.preview(), port.language)
  const acceptance = await acceptOrOutcomes(port, { ...submission, records: sent })
  const outcomes = interleave(order, acceptance.outcomes)
  if (acceptance.isRefused || !outcomes.some((one) => 'id' in one)) throw refused(order, outcomes, port.language)
  const refusals = refusalsToJson(order, outcomes, port.language)
  return {
    isMany,
    replayed: acceptance.replayed,
    outcomes: outcomes.map((one, at) =>
      'id' in one ? { id: one.id } : { refusal: JSON.stringify({ error: refusals.get(at), row: at + 1 }) },
    ),
  }
}

async function acceptOrOutcomes(
  port: { accept(submission: Submission): Promise<Acceptance> },
  submission: Submission,
): Promise<Acceptance & { isRefused: boolean }> {
  try {
    return { ...(await port.accept(submission)), isRefused: false }
  } catch (error) {
    if (!isCodedError(error, 'SUBMISSION_REFUSED')) throw error
    return { outcomes: error.details.outcomes as Outcome[], replayed: false, isRefused: true }
  }
}

/** Outcomes of the records that were sent, and refusals of those that were not, in the order of the request. */
function interleave({ records, unreadable }: Order, outcomes: readonly Outcome[]): Outcome[] {
  let next = 0
  return records.map((_record, at) => {
    const refusal = unreadable.get(at)
    return refusal ? { refusal } : outcomes[next++]!
  })
}

/** A refusal as a part of a body. */
function refusalToJson(refusal: Refusal, language: Language): Record<string, unknown> {
  const { code, violations, existingId } = refusal
  const message = language === 'zh' ? fillIn(GATEWAY_ERRORS[code].zh, { ...refusal }) : refusal.message
  return { code, message, ...(violations ? { violations } : {}), ...(existingId === undefined ? {} : { existingId }) }
}

/**
 * The refusals, by index. Every row is told, but of all the violations no more than a person reads: a body must not come
 * back a hundred times larger.
 */
function refusalsToJson(
  order: Order,
  outcomes: readonly (Outcome | undefined)[],
  language: Language,
): ReadonlyMap<number, Record<string, unknown>> {
  const told = new Map<number, Record<string, unknown>>()
  let room = GATEWAY_LIMITS.violationsMax
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome === undefined || 'id' in outcome) continue
    const whole = order.explain(outcome.refusal)
    const refusal = withinRoom(whole, room)
    const count = refusal.violations?.length ?? 0
    room -= count
    const more = (whole.violations?.length ?? 0) - count
    told.set(at, { ...refusalToJson(refusal, language), ...(more === 0 ? {} : { moreViolations: more }) })
  }
  return told
}

function withinRoom(refusal: Refusal, room: number): Refusal {
  const { violations } = refusal
  return violations === undefined || violations.length <= room ? refusal : { ...refusal, violations: violations.slice(0, room) }
}

function refused(order: Order, outcomes: readonly (Outcome | undefined)[], language: Language): GatewayError {
  const first = outcomes.find((one) => one !== undefined && 'refusal' in one)
  if (!order.isMany && first !== undefined && 'refusal' in first) {
    const { code, message, ...parts } = order.explain(first.refusal)
    return new GatewayError(code, message, { details: parts })
  }
  const rows = [...refusalsToJson(order, outcomes, language)].map(([at, refusal]) => ({ row: at + 1, ...refusal }))
  return gatewayError('SUBMISSION_REFUSED', { refused: rows.length, records: order.records.length, rows })
}
