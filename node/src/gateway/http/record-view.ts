import { CodedError } from '@songhua/sdk/protocol/errors'
import { gs1Subject, PUBLIC_SCHEMES, type Subject } from '@songhua/sdk/records/subject'
import { gatewayError } from '../errors.js'
import type { StoredRecord } from '../model.js'
import { retainedUntilMs } from '../retention.js'

export const toTime = (ms: number): string => new Date(ms).toISOString()

/** A record as `GET /v1/records/{id}` shows it. */
export function recordToJson(record: StoredRecord): Record<string, unknown> {
  const { id, status, payload, acceptedAtMs, acceptedBy, envelope, batch, hold, erased } = record
  const untilMs = retainedUntilMs(envelope.retention, Date.parse(envelope.createdAt))
  return {
    id,
    status,
    payload,
    acceptedAt: toTime(acceptedAtMs),
    acceptedBy,
    retainUntil: untilMs === null ? null : toTime(untilMs),
    envelope,
    ...(batch ? { batch } : {}),
    ...(hold ? { hold: { reason: hold.reason, since: toTime(hold.sinceMs), by: hold.by, issuer: hold.issuer } } : {}),
    ...(erased ? { erased: { at: toTime(erased.atMs), by: erased.by } } : {}),
  }
}

const COMMITMENT = /^commitment:([^:]{1,128}):([0-9a-f]{64})$/

/**
 * `uscc:…`, `did:…`, `gs1:<uri>`, `uri:<uri>`, `number:…` or `commitment:<keyId>:<hex>`.
 * @throws GatewayError `SUBJECT_INVALID`
 */
export function parseSubject(text: string): Subject {
  const commitment = COMMITMENT.exec(text)
  if (commitment) return { kind: 'commitment', algorithm: 'HMAC-SHA-256', keyId: commitment[1]!, value: commitment[2]! }
  const at = text.indexOf(':')
  const scheme = PUBLIC_SCHEMES.find((one) => one === text.slice(0, at))
  const id = text.slice(at + 1)
  if (scheme === undefined || id === '') {
    const reason = `write ${PUBLIC_SCHEMES.map((one) => `${one}:…`).join(', ')} or commitment:<keyId>:<64 hexadecimal digits>`
    throw gatewayError('SUBJECT_INVALID', { reason })
  }
  if (scheme === 'gs1') return readGs1(id)
  // A DID is its own scheme: the whole of it is the identifier.
  return { kind: 'public', scheme, id: scheme === 'did' ? text : id }
}

function readGs1(uri: string): Subject {
  try {
    return gs1Subject(uri)
  } catch (error) {
    if (error instanceof CodedError) throw gatewayError('SUBJECT_INVALID', { reason: error.message }, error)
    throw error
  }
}

const TIME = /^\d{4}-\d{2}-\d{2}(?:[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2}))?$/

/** RFC 3339 date (its midnight, UTC) or date-time as ms; undefined when it is neither. */
export function parseTime(text: string): number | undefined {
  const ms = TIME.test(text) ? Date.parse(text.toUpperCase()) : NaN
  return Number.isNaN(ms) ? undefined : ms
}

