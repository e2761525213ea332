import type { Clock } from '../base/clock.js'
import { mapInSlices } from '../base/slices.js'
import { gatewayError } from './errors.js'
import { type RequestToken, checkSameRequest, findPast, pastOutcomes, tokenChanges, tokenOf } from './idempotency.js'
import type { Draft, Judge, Judgement } from './judge.js'
import type { Acceptance, Intake, Outcome, Submission } from './model.js'
import type { Progress } from './progress.js'
import type { RecordWriter } from './record-writer.js'
import type { Reservations } from './reservations.js'
import type { IdempotencyRow, PastOutcome } from './rows.js'
import { sealPayload } from './seal.js'
import { type GatewayStore, findPlace } from './store.js'
import type { Tags } from './tags.js'

export interface IntakeParts {
  readonly judge: Judge
  readonly reservations: Reservations
  readonly writer: RecordWriter
  readonly progress: Pick<Progress, 'pending' | 'whenAnchored'>
  readonly store: Pick<GatewayStore, 'get'>
  readonly tags: Tags
  readonly clock: Pick<Clock, 'now'>
}

export interface IntakeOptions {
  readonly outboxRecordsMax: number
  readonly idempotencyDays: number
}

const DAY_MS = 24 * 60 * 60 * 1000

interface Running {
  readonly fingerprint: Uint8Array
  readonly answer: Promise<Acceptance>
}

/** Takes records in: judged, told from what is there already, sealed, and on disk before it answers. */
export function createIntake(options: IntakeOptions, parts: IntakeParts): Intake {
  /** Requests under way by the HMAC of their key: a second one gets the first one's answer. */
  const running = new Map<string, Running>()

  async function acceptOnce(submission: Submission, token: RequestToken): Promise<Acceptance> {
    const name = Buffer.from(token.mac).toString('base64')
    const first = running.get(name)
    if (first !== undefined) {
      checkSameRequest(token, first.fingerprint)
      return { ...(await first.answer), replayed: true }
    }
    const past = findPast(parts.store, token, parts.clock.now())
    if (past !== undefined) {
      checkSameRequest(token, past.fingerprint)
      return replay(submission, past, parts.judge)
    }
    const answer = take(submission, token, { options, parts })
    running.set(name, { fingerprint: token.fingerprint, answer })
    try {
      return await answer
    } finally {
      running.delete(name)
    }
  }

  return {
    accept(submission) {
      const token = tokenOf(submission, parts.tags)
      return token === undefined ? take(submission, undefined, { options, parts }) : acceptOnce(submission, token)
    },
    async anchored(ids, timeoutMs, signal) {
      const places = await mapInSlices(ids, (id) => findPlace(parts.store, id))
      const known = places.filter((place) => place !== undefined)
      if (known.length < ids.length) return false
      return parts.progress.whenAnchored(known, timeoutMs, signal)
    },
  }
}

interface TakeContext {
  readonly options: IntakeOptions
  readonly parts: IntakeParts
}

async function take(
  submission: Submission,
  token: RequestToken | undefined,
  { options, parts }: TakeContext,
): Promise<Acceptance> {
  const { caller, records, partial } = submission
  const { judge, reservations, writer, clock } = parts
  const checkRoom = (count: number): void => {
    const max = options.outboxRecordsMax
    if (parts.progress.pending() + reservations.records() + count > max) throw gatewayError('OUTBOX_FULL', { limit: 'outboxRecordsMax', max })
  }
  checkRoom(records.length)
  const judged = await mapInSlices(records, (record) => judge(record, caller))
  const reservation = await reservations.reserve(judged, checkRoom)
  try {
    const { outcomes, drafts } = reservation
    if (!partial && drafts.length < records.length) throw gatewayError('SUBMISSION_REFUSED', { outcomes })
    if (drafts.length === 0) return { outcomes, replayed: false }
    const entries = await mapInSlices(drafts, (draft) => entryOf(draft, caller.keyId, clock.now()))
    const expiresMs = clock.now() + options.idempotencyDays * DAY_MS
    const besides = token === undefined ? [] : tokenChanges(token, pastOutcomes({ outcomes }), expiresMs)
    await writer.write({ entries, besides })
    return { outcomes, replayed: false }
  } finally {
    reservation.release()
  }
}

function entryOf(draft: Draft, acceptedBy: string, acceptedAtMs: number) {
  const sealed = draft.content && sealPayload(draft.envelope.id, draft.content)
  return { draft, sealed, acceptedBy, acceptedAtMs }
}

/** What was answered before. Why a record was refused is found again in the record, as the table keeps no text of it. */
async function replay({ records, caller }: Submission, past: IdempotencyRow, judge: Judge): Promise<Acceptance> {
  const outcomes = await mapInSlices(past.outcomes, (outcome, index): Outcome => {
    if ('id' in outcome) return outcome
    const judgement: Judgement | undefined = records[index] && judge(records[index], caller)
    const isSame = judgement !== undefined && 'refusal' in judgement && judgement.refusal.code === outcome.code
    return { refusal: isSame ? judgement.refusal : pastRefusal(outcome) }
  })
  return { outcomes, replayed: true }
}

function pastRefusal({
  code,
  existingId,
}: Exclude<PastOutcome, { id: string }>): Extract<Outcome, { refusal: unknown }>['refusal'] {
  const message =
    existingId === undefined ? 'it was refused when it was first submitted' : `record ${existingId} is there already`
  return { code, message, ...(existingId === undefined ? {} : { existingId }) }
}
