import { randomBytes } from '@noble/hashes/utils.js'
import { bytesToHex } from '../protocol/bytes.js'
import type { AnchorOptions, AnyRecordInput } from '../connection/record.js'
import { sleep } from '../connection/retry.js'
import { SonghuaError } from '../connection/songhua-error.js'
import {
  type AnchoredOutcome,
  SHARED_ANSWER_TYPE,
  type SubmitOutcome,
  badAnswer,
  idOf,
  isAnchoredJson,
  isRefusedJson,
  readOutcomes,
  recordsOf,
} from './answer.js'
import type { HttpAnswer, HttpClient, HttpRequest } from './http-client.js'

/** Records on their way to a gateway. */
export interface Submission extends Pick<HttpRequest, 'query' | 'headers'> {
  readonly body: string | Uint8Array
  /** How many; undefined where only the gateway can tell. */
  readonly size?: number
  /** Made by chance when left out. */
  readonly idempotencyKey?: string | undefined
}

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
/** Of an answer, bytes: 10,000 records of a table with their bundles have some 60 MB, and payloads come on top. */
export const SUBMIT_ANSWER_BYTES_MAX = 256 * 1024 * 1024

/**
 * Submits one and waits until it is anchored: again and again with the same Idempotency-Key, which adds nothing.
 * @throws SonghuaError as the gateway says; `ANCHOR_TIMEOUT`: it is accepted, and will be anchored later
 */
export async function submitOne(
  http: HttpClient,
  input: AnyRecordInput,
  options: Submitting,
): Promise<AnchoredOutcome> {
  const [outcome] = await submit(http, { body: bodyOf(input), size: 1 }, options)
  if (outcome !== undefined && 'anchored' in outcome) return outcome
  return badAnswer('a submission of one was answered with no record')
}

/** Many in one request. @param bodies JSON of each. @throws as `submitOne` */
export function submitMany(
  http: HttpClient,
  bodies: readonly string[],
  options: Submitting,
): Promise<SubmitOutcome[]> {
  const headers = { accept: `${SHARED_ANSWER_TYPE}, application/json;q=0.9` }
  return submit(http, { body: `{"records":[${bodies.join(',')}]}`, size: bodies.length, headers }, options)
}

/** @throws SonghuaError `OPTION_INVALID` for what has no JSON, such as a bigint */
export function bodyOf(input: AnyRecordInput): string {
  try {
    return JSON.stringify(input)
  } catch (error) {
    throw new SonghuaError('OPTION_INVALID', 'The record has no JSON form: it holds a bigint, or itself', { cause: error })
  }
}

/** @throws as `submitOne` */
export async function submit(http: HttpClient, submission: Submission, options: Submitting): Promise<SubmitOutcome[]> {
  const deadlineMs = Date.now() + (options.timeoutMs ?? FINALITY_TIMEOUT_MS)
  const idempotencyKey = submission.idempotencyKey ?? bytesToHex(randomBytes(KEY_BYTES)).slice(2)
  let isAccepted = false
  for (;;) {
    const waitMs = Math.min(WAIT_MS_MAX, Math.max(1, deadlineMs - Date.now()))
    const { json } = await post(http, { ...submission, idempotencyKey, waitMs }, options)
    const records = recordsOf(json)
    if (records.length !== (submission.size ?? records.length)) {
      badAnswer(`a submission of ${submission.size} was answered with another number of records`)
    }
    if (!isAccepted) options.onAccepted?.(records.filter((one) => !isRefusedJson(one)).length)
    isAccepted = true
    if (records.every((one) => isRefusedJson(one) || isAnchoredJson(one))) return readOutcomes(json)
    if (Date.now() >= deadlineMs) throw timedOut(records)
    await sleep(AGAIN_MS, options.signal)
  }
}

function post(
  http: HttpClient,
  { body, query, headers, idempotencyKey, waitMs }: Submission & { idempotencyKey: string; waitMs: number },
  { isPartial, signal }: Submitting,
): Promise<HttpAnswer> {
  return http.request({
    method: 'POST',
    path: '/v1/records',
    query: { ...query, wait: 'final', waitMs: Math.ceil(waitMs), ...(isPartial === true ? { partial: true } : {}) },
    headers: { ...headers, 'idempotency-key': idempotencyKey },
    body,
    timeoutMs: waitMs + ANSWER_MS,
    answerBytesMax: SUBMIT_ANSWER_BYTES_MAX,
    signal,
  })
}

function timedOut(records: readonly unknown[]): SonghuaError {
  const ids = records.filter((one) => !isRefusedJson(one)).map(idOf)
  const message = `Accepted, and not anchored in the time given: ask for the evidence of ${ids.slice(0, 3).join(', ')} later`
  return new SonghuaError('ANCHOR_TIMEOUT', message, { details: { ids } })
}
