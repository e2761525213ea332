import { hexToBytes, isHex } from '../protocol/bytes.js'
import { type EvidenceBundle, parseEvidence } from '../protocol/evidence-format.js'
import type { RecordEnvelope } from '../records/envelope.js'
import { matchesDigests } from '../records/payload-digest.js'
import { createProgressCounter, type ProgressCounter } from '../connection/progress.js'
import {
  type AnchorManyOptions,
  type AnchorOptions,
  type AnchoredRecord,
  type AnyRecordInput,
  type RefusedRecord,
  type TableOptions,
  isRefused,
} from '../connection/record.js'
import type { ProofTarget } from '../connection/proved-under.js'
import { type RefusedRow, SonghuaError, isSonghuaError, toSonghuaError } from '../connection/songhua-error.js'
import { type Source, createTurns, groupsOf, mapInOrder } from '../connection/stream.js'
import { type SubmitOutcome, badAnswer } from './answer.js'
import { base64ToBytes } from './base64.js'
import type { CheckAnchored } from './evidence-check.js'
import type { HttpClient } from './http-client.js'
import { type GatewayRecord, type RecordFilter, subjectToText } from './model.js'
import { type CheckOnce, type Submitted, createOnceCheck, refuse } from './same-record.js'
import { bodyOf, submit, submitMany, submitOne } from './submit.js'

export interface GatewayRecordsParts {
  readonly http: HttpClient
  readonly check: CheckAnchored
}

/** Records in one request: some 6 MB of answer. */
export const BATCH_SIZE = 1_000
export const REQUESTS_IN_FLIGHT = 4
export const BATCH_DELAY_MS = 200
/** How long the check of evidence keeps the thread at one time. */
const SLICE_MS = 20
/** Of one request; a gateway takes 32 MiB. */
const BODY_CHARACTERS_MAX = 8 * 1024 * 1024

export async function anchorOne(
  { http, check }: GatewayRecordsParts,
  input: AnyRecordInput,
  options: AnchorOptions,
): Promise<AnchoredRecord> {
  const startedMs = Date.now()
  const outcome = await submitOne(http, input, options)
  check(outcome, { sent: input, startedMs })
  return outcome.anchored
}

// --------------------------------------------------------------------------------------------------------- many

/** What goes into one request. */
interface Order {
  readonly inputs: readonly AnyRecordInput[]
  readonly bodies: readonly string[]
  /** Records of the source before these. */
  readonly before: number
}

export async function* anchorStream(
  parts: GatewayRecordsParts,
  source: Source<AnyRecordInput>,
  options: AnchorManyOptions,
): AsyncGenerator<AnchoredRecord | RefusedRecord> {
  const progress = createProgressCounter(options.onProgress)
  const answered = mapInOrder(ordersOf(source, options), {
    concurrency: options.concurrency ?? REQUESTS_IN_FLIGHT,
    signal: options.signal,
    run: async (order, signal) => {
      const startedMs = Date.now()
      return { order, startedMs, outcomes: await send(parts.http, order, { ...options, signal, progress }) }
    },
  })
  const checks = { check: parts.check, once: createOnceCheck() }
  const turn = createTurns(SLICE_MS)
  for await (const { order, startedMs, outcomes } of answered) {
    const results: (AnchoredRecord | RefusedRecord)[] = []
    for (const [at, outcome] of outcomes.entries()) {
      const submitted = { sent: order.inputs[at]!, startedMs }
      results.push(resultOf(outcome, { ...checks, submitted, row: order.before + at + 1 }))
      await turn()
    }
    countResults(results, progress)
    yield* results
  }
}

interface Checking {
  readonly check: CheckAnchored
  readonly once: CheckOnce
  readonly submitted: Submitted
  readonly row: number
}

/** @throws SonghuaError `EVIDENCE_INVALID` */
function resultOf(outcome: SubmitOutcome, { check, once, submitted, row }: Checking): AnchoredRecord | RefusedRecord {
  if ('refusal' in outcome) return { row, refusal: outcome.refusal }
  check(outcome, submitted)
  once(outcome.anchored, submitted.sent)
  return outcome.anchored
}

function countResults(results: readonly (AnchoredRecord | RefusedRecord)[], progress: ProgressCounter): void {
  const refused = results.filter(isRefused).length
  progress.refused(refused)
  progress.anchored(results.length - refused)
}

async function* ordersOf(source: Source<AnyRecordInput>, options: AnchorManyOptions): AsyncGenerator<Order> {
  const groups = { size: options.batchSize ?? BATCH_SIZE, delayMs: options.batchDelayMs ?? BATCH_DELAY_MS }
  let before = 0
  for await (const group of groupsOf(source, groups)) {
    for (const inputs of splitBySize(group.map((input) => ({ input, body: bodyOf(input) })))) {
      yield { inputs: inputs.map(({ input }) => input), bodies: inputs.map(({ body }) => body), before }
      before += inputs.length
    }
  }
}

function* splitBySize<T extends { readonly body: string }>(items: readonly T[]): Generator<T[]> {
  let part: T[] = []
  let characters = 0
  for (const item of items) {
    if (part.length > 0 && characters + item.body.length > BODY_CHARACTERS_MAX) {
      yield part
      part = []
      characters = 0
    }
    part.push(item)
    characters += item.body.length
  }
  yield part
}

async function send(
  http: HttpClient,
  { bodies, before }: Order,
  options: AnchorManyOptions & { progress: ProgressCounter },
): Promise<SubmitOutcome[]> {
  const { progress, partial } = options
  const submitting = { ...options, isPartial: partial === true, onAccepted: (count: number) => progress.accepted(count) }
  const sent = submitMany(http, bodies, submitting)
  return orRefusals(sent, { isPartial: partial === true, before, size: bodies.length })
}

/** With `partial`, an error that names every record says that not one of the request was good. */
async function orRefusals(
  sent: Promise<SubmitOutcome[]>,
  { isPartial, before, size }: { isPartial: boolean; before: number; size?: number },
): Promise<SubmitOutcome[]> {
  try {
    return await sent
  } catch (error) {
    if (!isSonghuaError(error, 'SUBMISSION_REFUSED')) throw error
    const isAll = error.rows.length === (size ?? error.rows.length) && error.rows.every(({ row }, at) => row === at + 1)
    if (isPartial && isAll) return error.rows.map(toOutcome)
    throw withRowsFrom(error, before)
  }
}

function toOutcome({ code, message, violations = [], existingId }: RefusedRow): SubmitOutcome {
  return { refusal: { code, message, violations, ...(existingId === undefined ? {} : { existingId }) } }
}

/** Rows of the whole source instead of the request's. */
function withRowsFrom(error: SonghuaError, before: number): SonghuaError {
  const rows = error.rows.map((refused) => ({ ...refused, row: refused.row + before }))
  const { code, message, status, details, field } = error
  const [first] = rows
  const where = first === undefined ? message : `${message} (row ${first.row}: ${first.message})`
  return new SonghuaError(code, where, { status, details, field, rows, violations: first?.violations, cause: error })
}

// -------------------------------------------------------------------------------------------------------- tables

/** The rows of a CSV, in one request. */
export async function anchorTable(
  { http, check }: GatewayRecordsParts,
  table: Uint8Array | string,
  options: TableOptions,
): Promise<(AnchoredRecord | RefusedRecord)[]> {
  const { schema, version, mapping, charset, idempotencyKey, partial, ...anchoring } = options
  const progress = createProgressCounter(options.onProgress)
  const isPartial = partial === true
  const submission = {
    // Text is sent as UTF-8, whatever it was before it was text.
    body: table,
    query: { schema, version, mapping: mapping && JSON.stringify(mapping) },
    headers: { 'content-type': `text/csv; charset=${typeof table === 'string' ? 'utf-8' : (charset ?? 'utf-8')}` },
    idempotencyKey,
  }
  const onAccepted = (count: number): void => progress.accepted(count)
  const submitted = {
    sent: { schema, ...(version === undefined ? {} : { version }) },
    startedMs: Date.now(),
    isKeyChosen: idempotencyKey !== undefined,
  }
  const answer = submit(http, submission, { ...anchoring, isPartial, onAccepted })
  const outcomes = await orRefusals(answer, { isPartial, before: 0 })
  const once = createOnceCheck()
  const results = outcomes.map((outcome, at) => resultOf(outcome, { check, once, submitted, row: at + 1 }))
  countResults(results, progress)
  return results
}

// ------------------------------------------------------------------------------------------------------ reading

interface Asking {
  readonly signal?: AbortSignal | undefined
}

const pathOf = (id: string, part = ''): string => `/v1/records/${encodeURIComponent(id)}${part}`

export async function getRecord(http: HttpClient, id: string, { signal }: Asking): Promise<GatewayRecord> {
  return readRecord((await http.request({ method: 'GET', path: pathOf(id), signal })).json)
}

/** Only that it is one: what it says is the gateway's word. @throws SonghuaError `GATEWAY_ANSWER` */
function readRecord(json: unknown): GatewayRecord {
  const { id, status } = (json ?? {}) as Partial<GatewayRecord>
  return typeof id === 'string' && typeof status === 'string' ? (json as GatewayRecord) : badAnswer('a record has no id or no status')
}

/**
 * Evidence that holds under the target: the plain bundle where that does, else one that leads into the checkpoint.
 * @throws SonghuaError `RECORD_PENDING` while it is not anchored, `REFRESH_HEIGHT`, `EVIDENCE_INVALID`
 */
export async function getEvidence(
  http: HttpClient,
  id: string,
  { target, signal }: Asking & { readonly target: ProofTarget | undefined },
): Promise<EvidenceBundle> {
  const height = target?.height
  const bundle = await askEvidence(http, id, { height, signal }).catch(async (error: unknown) => {
    if (height === undefined || !isSonghuaError(error, 'REFRESH_HEIGHT')) throw error
    const plain = await askEvidence(http, id, { height: undefined, signal })
    // Else it is the height that is wrong: the chain has not come so far.
    if (plain.anchor.blockNumber >= height) return plain
    throw error
  })
  return target === undefined ? bundle : target.check(bundle)
}

async function askEvidence(
  http: HttpClient,
  id: string,
  { height, signal }: Asking & { readonly height: number | undefined },
): Promise<EvidenceBundle> {
  const path = pathOf(id, '/evidence')
  const { json } = await http.request({ method: 'GET', path, query: { under: height }, signal })
  const bundle = orBadAnswer(() => parseEvidence(json))
  if (bundle.envelope.id !== id.toLowerCase()) {
    refuse({ id }, `the gateway gave the evidence of record ${JSON.stringify(bundle.envelope.id)}`)
  }
  return bundle
}

function orBadAnswer<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw toSonghuaError(error, 'GATEWAY_ANSWER')
  }
}

interface Content {
  readonly payload: Uint8Array
  readonly salt: Uint8Array
}

/**
 * @param asking.target with one, they are held against the digests of evidence that holds under it
 * @throws SonghuaError `PAYLOAD_ERASED`, `PAYLOAD_WITHHELD`; as `getEvidence` with a target
 */
export async function getPayload(
  http: HttpClient,
  id: string,
  { target, signal }: Asking & { readonly target: ProofTarget | undefined },
): Promise<Content> {
  const { json } = await http.request({ method: 'GET', path: pathOf(id, '/payload'), signal })
  const content = orBadAnswer(() => readContent(json))
  if (target === undefined) return content
  const { payloadDigests } = (await getEvidence(http, id, { target, signal })).envelope as unknown as RecordEnvelope
  if (matchesDigests(payloadDigests, content.salt, content.payload)) return content
  return refuse({ id }, 'payload and salt do not give the digests of its evidence')
}

function readContent(json: unknown): Content {
  const { payload, salt } = (json ?? {}) as { payload?: unknown; salt?: unknown }
  if (typeof payload !== 'string' || !isHex(salt)) return badAnswer('payload or salt is missing')
  return { payload: base64ToBytes(payload, 'payload'), salt: hexToBytes(salt, 'salt') }
}

export async function* findRecords(http: HttpClient, filter: RecordFilter): AsyncGenerator<GatewayRecord> {
  const { subject, schema, from, to, pageSize, signal } = filter
  const query = {
    subject: subject && subjectToText(subject),
    schema,
    from: from instanceof Date ? from.toISOString() : from,
    to: to instanceof Date ? to.toISOString() : to,
    limit: pageSize,
  }
  for (let cursor: string | undefined; ; ) {
    const { json } = await http.request({ method: 'GET', path: '/v1/records', query: { ...query, cursor }, signal })
    const { records, next } = readPage(json)
    yield* records
    if (next === undefined) return
    if (next === cursor) badAnswer('a page leads to itself')
    cursor = next
  }
}

function readPage(json: unknown): { readonly records: readonly GatewayRecord[]; readonly next: string | undefined } {
  const { records, next } = (json ?? {}) as { readonly records?: unknown; readonly next?: unknown }
  if (!Array.isArray(records)) return badAnswer('a page has no records')
  if (next !== undefined && typeof next !== 'string') return badAnswer('the cursor of the next page is no text')
  return { records: records.map(readRecord), next }
}

// ------------------------------------------------------------------------------------------------------ custody

/** Changes of what is kept; each may be asked for twice without harm. */
export type CustodyChange =
  | { readonly kind: 'erase' }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'release' }

export async function changeCustody(
  http: HttpClient,
  id: string,
  change: CustodyChange & Asking,
): Promise<GatewayRecord> {
  const { signal } = change
  switch (change.kind) {
    case 'erase':
      return readRecord((await http.request({ method: 'DELETE', path: pathOf(id, '/payload'), signal })).json)
    case 'hold':
      return holdRecord(http, id, change)
    case 'release':
      return readRecord((await http.request({ method: 'DELETE', path: pathOf(id, '/hold'), signal })).json)
  }
}

/** Asked twice for one reason, because an answer was lost, it stands once. */
async function holdRecord(
  http: HttpClient,
  id: string,
  { reason, signal }: { readonly reason: string } & Asking,
): Promise<GatewayRecord> {
  try {
    const body = JSON.stringify({ reason })
    return readRecord((await http.request({ method: 'PUT', path: pathOf(id, '/hold'), body, signal })).json)
  } catch (error) {
    if (!isSonghuaError(error, 'LEGAL_HOLD')) throw error
    const record = await getRecord(http, id, { signal })
    if (record.hold?.reason === reason) return record
    throw error
  }
}
