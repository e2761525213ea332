import type { Bilingual } from '@songhua/sdk/records/schema-types'
import type { GatewayLimits } from '../limits.js'

/** Where the delivery of a webhook stands; what is done of it is on disk. */
export interface WebhookState {
  /** All up to here is delivered or a dead letter; null: nothing yet. */
  readonly cursor: string | null
  /** The delivery that has failed and is tried again: its last event, so that each attempt carries the same. */
  readonly pending?: Pending
  /** Number of the next dead letter. */
  readonly nextLetter: number
  /** Nothing is sent while it stands; events wait in the feed. */
  readonly suspended?: Suspension
}

/** Why nothing is sent any more: its key is no more, or may read nothing by the chain's policy, or its receiver says 410 Gone. */
export interface Suspension {
  readonly reason: 'KEY_REVOKED' | 'READ_LOST' | 'RECEIVER_GONE'
  readonly atMs: number
}

export const SUSPENSION_TEXTS: Readonly<Record<Suspension['reason'], Bilingual>> = {
  KEY_REVOKED: {
    zh: '登记或重新启用它的 API 密钥已撤销；请以同一签发者的另一密钥 POST …/replay 重新启用',
    en: 'the API key that answers for it is revoked; another key of the same issuer enables it again: POST …/replay',
  },
  READ_LOST: {
    zh: '按链上策略，登记或重新启用它的 API 密钥已不可读取任何家族；恢复后请 POST …/replay 重新启用',
    en: "by the chain's policy the API key that answers for it may read no family any more; once that is mended, POST …/replay enables it again",
  },
  RECEIVER_GONE: {
    zh: '接收方答复 410 Gone；恢复后请 POST …/replay 重新启用',
    en: 'its receiver answered 410 Gone; once that is mended, POST …/replay enables it again',
  },
}

export interface Pending {
  readonly through: string
  readonly attempts: number
  readonly firstAttemptMs: number
  readonly nextAttemptMs: number
  readonly lastFailure: string
}

/** A delivery that was given up: which events, not the events, for the feed keeps them. */
export interface DeadLetter {
  readonly n: number
  readonly after: string | null
  readonly through: string
  readonly events: number
  readonly attempts: number
  readonly lastFailure: string
  readonly atMs: number
}

type RetryLimits = Pick<GatewayLimits, 'webhookRetryMsMin' | 'webhookRetryMsMax' | 'webhookGiveUpMs'>

export interface Failure {
  readonly reason: string
  readonly retryAfterMs?: number
}

export interface Attempt {
  readonly through: string
  readonly events: number
  readonly nowMs: number
  /** In [0, 1), for jitter. */
  readonly random: number
  readonly limits: RetryLimits
}

const GROWTH = 4
/** Pauses vary by a tenth either way, so that many webhooks of one receiver do not come at one moment. */
const JITTER = 0.1

/** The pause after so many attempts, ms: 5 s, 20 s, 80 s … 6 h. */
export function retryDelayMs(attempts: number, random: number, limits: RetryLimits): number {
  const { webhookRetryMsMin, webhookRetryMsMax } = limits
  const delayMs = webhookRetryMsMin * GROWTH ** Math.min(attempts - 1, 20)
  const varied = delayMs * (1 - JITTER + 2 * JITTER * random)
  return Math.round(Math.min(webhookRetryMsMax, Math.max(webhookRetryMsMin, varied)))
}

export function afterSuccess(state: WebhookState, through: string): WebhookState {
  return { cursor: through, nextLetter: state.nextLetter }
}

/** What was under way is begun anew when it is enabled again. */
export function afterSuspension({ cursor, nextLetter }: WebhookState, suspended: Suspension): WebhookState {
  return { cursor, nextLetter, suspended }
}

/** Another attempt later, or, when attempts have gone on for long enough, a dead letter and on to what follows it. */
export function afterFailure(
  state: WebhookState,
  failure: Failure,
  attempt: Attempt,
): { state: WebhookState; letter?: DeadLetter } {
  const { nowMs, through, limits } = attempt
  const attempts = (state.pending?.attempts ?? 0) + 1
  const firstAttemptMs = state.pending?.firstAttemptMs ?? nowMs
  const lastFailure = failure.reason
  if (nowMs - firstAttemptMs >= limits.webhookGiveUpMs) {
    const { events } = attempt
    const letter = { n: state.nextLetter, after: state.cursor, through, events, attempts, lastFailure, atMs: nowMs }
    return { state: { cursor: through, nextLetter: state.nextLetter + 1 }, letter }
  }
  const asked = Math.min(failure.retryAfterMs ?? 0, limits.webhookRetryMsMax)
  const nextAttemptMs = nowMs + Math.max(asked, retryDelayMs(attempts, attempt.random, limits))
  return { state: { ...state, pending: { through, attempts, firstAttemptMs, nextAttemptMs, lastFailure } } }
}
