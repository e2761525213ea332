import { bytesToHex, hexToBytes, isHex } from '../protocol/bytes.js'
import { parseEvidence } from '../protocol/evidence-format.js'
import { randomBytes } from '@noble/hashes/utils.js'
import type { RecordEnvelope } from '../records/envelope.js'
import type { Violation } from '../records/schema-types.js'
import type { AnchorOptions, AnchoredRecord, AnyRecordInput, Refusal } from '../connection/record.js'
import { sleep } from '../connection/retry.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { base64ToBytes } from './base64.js'
import type { HttpAnswer, HttpClient } from './http-client.js'

/** One of the answers to a submission of many. */
export type SubmitOutcome = AnchoredRecord | { readonly refusal: Refusal }

export interface Submitting extends AnchorOptions {
  readonly isPartial?: boolean
  /** The records are on the gateway's disk; called once, with how many. */
  readonly onAccepted?: (records: number) => void
}

export const FINALITY_TIMEOUT_MS = 120_000
/** One request waits so long for the chain at most. */
const WAIT_MS_MAX = 30_000
/** Above the wait, for the answer itself. */
const ANSWER_MS = 30_000
/** A gateway that has no room to wait answers at once. */
const AGAIN_MS = 300
const KEY_BYTES = 16

/**
 * Submits one and waits until it is anchored: again and again with the same Idempotency-Key, which adds nothing.
 * @throws SonghuaError as the gateway says; `ANCHOR_TIMEOUT`: it is accepted, and will be anchored later
 */
export async function submitOne(
  http: HttpClient,
  input: AnyRecordInput,
  options: Submitting,
): Promise<AnchoredRecord> {
  const json = await submitUntilFinal(http, bodyOf(input), options, (answer) => [answer])
  const [outcome] = json.map(readOutcome)
  if (outcome !== undefined && !('refusal' in outcome)) return outcome
  throw badAnswer('a submission of one was answered with no record')
}

/** Many in one request. @param bodies JSON of each. @throws as `submitOne` */
export async function submitMany(
  http: HttpClient,
  bodies: readonly string[],
  options: Submitting,
): Promise<SubmitOutcome[]> {
  const json = await submitUntilFinal(http, `{"records":[${bodies.join(',')}]}`, options, (answer) => {
    const { records } = answer as { records?: unknown }
    if (Array.isArray(records) && records.length === bodies.length) return records
    throw badAnswer(`a submission of ${bodies.length} was answered with another number of records`)
  })
  return json.map(readOutcome)
}

/** @throws SonghuaError `OPTION_INVALID` for what has no JSON, such as a bigint */
export function bodyOf(input: AnyRecordInput): string {
  try {
    return JSON.stringify(input)
  } catch (error) {
    throw new SonghuaError('OPTION_INVALID', 'The record has no JSON form: it holds a bigint, or itself', { cause: error })
  }
}

async function submitUntilFinal(
  http: HttpClient,
  body: string,
  options: Submitting,
  recordsOf: (json: unknown) => readonly unknown[],
): Promise<readonly unknown[]> {
  const deadlineMs = Date.now() + (options.timeoutMs ?? FINALITY_TIMEOUT_MS)
  const key = bytesToHex(randomBytes(KEY_BYTES)).slice(2)
  let isAccepted = false
  for (;;) {
    const waitMs = Math.min(WAIT_MS_MAX, Math.max(1, deadlineMs - Date.now()))
    const answer = await post(http, { body, key, waitMs, options })
    const records = recordsOf(answer.json)
    if (!isAccepted) options.onAccepted?.(records.filter((one) => !isRefusedJson(one)).length)
    isAccepted = true
    if (records.every((one) => isRefusedJson(one) || hasEvidence(one))) return records
    if (Date.now() >= deadlineMs) throw timedOut(records)
    await sleep(AGAIN_MS, options.signal)
  }
}

function post(
  http: HttpClient,
  request: { body: string; key: string; waitMs: number; options: Submitting },
): Promise<HttpAnswer> {
  const { body, key, waitMs, options } = request
  return http.request({
    method: 'POST',
    path: '/v1/records',
    query: { wait: 'final', waitMs: Math.ceil(waitMs), ...(options.isPartial === true ? { partial: true } : {}) },
    headers: { 'idempotency-key': key },
    body,
    timeoutMs: waitMs + ANSWER_MS,
    signal: options.signal,
  })
}

// ------------------------------------------------------------------------------------------------------ answers

interface AnswerJson {
  readonly id?: unknown
  readonly status?: unknown
  readonly evidence?: unknown
  readonly payload?: unknown
  readonly salt?: unknown
  readonly error?: { code?: unknown; message?: unknown; violations?: readonly Violation[]; existingId?: string }
}

const isRefusedJson = (one: unknown): boolean => typeof one === 'object' && one !== null && 'error' in one
const hasEvidence = (one: unknown): boolean => typeof one === 'object' && one !== null && 'evidence' in one

function readOutcome(json: unknown): SubmitOutcome {
  const { id, evidence, payload, salt, error } = json as AnswerJson
  if (error !== undefined) {
    const { code, message, violations = [], existingId } = error
    const refusal = { code: String(code), message: String(message), violations }
    return { refusal: existingId === undefined ? refusal : { ...refusal, existingId } }
  }
  if (typeof id !== 'string') throw badAnswer('a record has no id')
  const bundle = readBundle(evidence)
  return {
    id,
    evidence: bundle,
    envelope: bundle.envelope as unknown as RecordEnvelope,
    payload: typeof payload === 'string' ? base64ToBytes(payload, 'payload') : undefined,
    salt: isHex(salt) ? hexToBytes(salt, 'salt') : undefined,
  }
}

function readBundle(evidence: unknown): AnchoredRecord['evidence'] {
  try {
    return parseEvidence(evidence)
  } catch (error) {
    throw badAnswer('a record came with evidence that cannot be read', error)
  }
}

function badAnswer(what: string, cause?: unknown): SonghuaError {
  return new SonghuaError('GATEWAY_ANSWER', `The gateway's answer is not as its interface has it: ${what}`, { cause })
}

function timedOut(records: readonly unknown[]): SonghuaError {
  const ids = records.flatMap((one) => (isRefusedJson(one) ? [] : [String((one as AnswerJson).id)]))
  const message = `Accepted, and not anchored in the time given: ask for the evidence of ${ids.slice(0, 3).join(', ')} later`
  return new SonghuaError('ANCHOR_TIMEOUT', message, { details: { ids } })
}
