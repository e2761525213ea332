import { GATEWAY_LIMITS } from '../limits.js'
import type { RecordSchema } from '@songhua/sdk/records/record-schema'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { concatBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { fillIn, GATEWAY_ERRORS, GatewayError, gatewayError } from '../errors.js'
import { createJudge } from '../judge.js'
import type { GatewayLimits } from '../limits.js'
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
  preview(): readonly (Outcome | undefined)[]
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
    preview: () => [],
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
  const unreadable = unreadableRows(csv, (at) => refusalOf(records[at]!))
  return {
    records,
    isMany: true,
    unreadable,
    preview: () =>
      records.map((record, at) => {
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
function unreadableRows(
  csv: CsvRecords,
  refusalOf: (at: number) => Refusal | undefined,
): ReadonlyMap<number, Refusal> {
  return new Map(
    [...csv.violations].map(([at, cells]) => {
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

/**
 * Has the readable records accepted, and puts the refusals of the others in their places.
 * @throws GatewayError `SUBMISSION_REFUSED` with `rows`, or the refusal of a single record
 */
export async function submit(
  order: Order,
  submission: Omit<Submission, 'records'>,
  port: { accept(submission: Submission): Promise<Acceptance>; language: Language },
): Promise<Acceptance> {
  const { records, unreadable } = order
  const sent = records.filter((_record, at) => !unreadable.has(at))
  const isDoomed = unreadable.size > 0 && !submission.partial
  if (isDoomed || sent.length === 0) throw refused(order, order.preview(), port.language)
  const acceptance = await acceptOrOutcomes(port, { ...submission, records: sent })
  const outcomes = interleave(order, acceptance.outcomes)
  if (acceptance.isRefused || !outcomes.some((one) => 'id' in one)) throw refused(order, outcomes, port.language)
  return { outcomes, replayed: acceptance.replayed }
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
export function refusalToJson(refusal: Refusal, language: Language): Record<string, unknown> {
  const { code, violations, existingId } = refusal
  const message = language === 'zh' ? fillIn(GATEWAY_ERRORS[code].zh, { ...refusal }) : refusal.message
  return { code, message, ...(violations ? { violations } : {}), ...(existingId === undefined ? {} : { existingId }) }
}

/** Every row is told, but of all the violations no more than a person reads: a body must not come back a hundred times larger. */
function withinRoom(refusal: Refusal, room: number): Refusal {
  const { violations } = refusal
  return violations === undefined || violations.length <= room ? refusal : { ...refusal, violations: violations.slice(0, room) }
}

function refused(order: Order, outcomes: readonly (Outcome | undefined)[], language: Language): GatewayError {
  const refusals = outcomes.flatMap((one, at) => (one && 'refusal' in one ? [{ at, refusal: order.explain(one.refusal) }] : []))
  const first = refusals[0]
  if (!order.isMany && first) {
    const { code, message, ...parts } = first.refusal
    return new GatewayError(code, message, { details: parts })
  }
  let room = GATEWAY_LIMITS.violationsMax
  const rows = refusals.map(({ at, refusal }) => {
    const told = withinRoom(refusal, room)
    room -= told.violations?.length ?? 0
    const more = (refusal.violations?.length ?? 0) - (told.violations?.length ?? 0)
    return { row: at + 1, ...refusalToJson(told, language), ...(more === 0 ? {} : { moreViolations: more }) }
  })
  return gatewayError('SUBMISSION_REFUSED', { refused: rows.length, records: order.records.length, rows })
}
