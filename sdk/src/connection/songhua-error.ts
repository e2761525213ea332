import { CodedError, isCodedError, messageOf } from '../protocol/errors.js'
import type { Violation } from '../records/schema-types.js'
import type { FieldViolation } from './record.js'

/** What fails on this side; a gateway's and a chain's own codes come through as they are. */
export type ConnectionErrorCode =
  | 'OPTION_INVALID'
  | 'GATEWAY_UNREACHABLE'
  | 'GATEWAY_ANSWER'
  | 'RPC_UNREACHABLE'
  | 'RPC_ANSWER'
  | 'RPC_REFUSED'
  | 'ANSWER_TOO_LARGE'
  | 'GENESIS_MISMATCH'
  | 'ANCHOR_TIMEOUT'
  | 'ANCHOR_FAILED'
  | 'EVIDENCE_INVALID'
  | 'REPLAY_WITHOUT_PAYLOAD'
  | 'SUBMISSION_REFUSED'
  | 'GOVERNANCE_REFUSED'
  | 'GOVERNANCE_TIMEOUT'

/** One record of many that was refused; rows count from 1, in the order in which records were given. */
export interface RefusedRow {
  readonly row: number
  readonly code: string
  readonly message: string
  readonly violations?: readonly FieldViolation[]
  /** The record that is there already, when it is a duplicate. */
  readonly existingId?: string
}

export interface SonghuaErrorOptions {
  readonly details?: Record<string, unknown>
  readonly cause?: unknown
  /** HTTP status, when a gateway answered. */
  readonly status?: number | undefined
  /** The one field or parameter at fault. */
  readonly field?: string | undefined
  /** Every failing field of the record. */
  readonly violations?: readonly FieldViolation[] | undefined
  /** Every refused record of a submission. */
  readonly rows?: readonly RefusedRow[] | undefined
}

/** Whatever a connection throws, except the reason of the caller's own `AbortSignal`, which comes through untouched. */
export class SonghuaError extends CodedError {
  readonly status: number | undefined
  readonly field: string | undefined
  readonly violations: readonly FieldViolation[]
  readonly rows: readonly RefusedRow[]

  constructor(code: ConnectionErrorCode | (string & {}), message: string, options: SonghuaErrorOptions = {}) {
    super(code, message, { details: options.details ?? {}, cause: options.cause })
    this.name = 'SonghuaError'
    this.status = options.status
    this.field = options.field
    this.violations = options.violations ?? []
    this.rows = options.rows ?? []
  }
}

/** True for a `SonghuaError`, and with `code` given only for that code. */
export function isSonghuaError(error: unknown, code?: string): error is SonghuaError {
  return error instanceof SonghuaError && (code === undefined || error.code === code)
}

/** An error of the layers below (a record that is invalid, evidence that cannot be cut) as connections throw it. */
export function toSonghuaError(error: unknown, code: ConnectionErrorCode): SonghuaError {
  if (error instanceof SonghuaError) return error
  if (!isCodedError(error)) return new SonghuaError(code, messageOf(error), { cause: error })
  const { details } = error
  const violations = Array.isArray(details.violations) ? (details.violations as Violation[]) : undefined
  const field = typeof details.path === 'string' ? details.path : undefined
  return new SonghuaError(error.code, error.message, { details, cause: error, violations, field })
}
