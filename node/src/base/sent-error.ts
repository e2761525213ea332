import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'

/** An error as it travels between threads, which keep neither classes nor fields of errors. */
export interface SentError {
  /** Undefined for an error that has no code: a bug. */
  readonly code: string | undefined
  readonly message: string
  readonly details: Record<string, unknown>
}

export function errorToSent(error: unknown): SentError {
  if (isCodedError(error)) return { code: error.code, message: error.message, details: error.details }
  const stack = error instanceof Error ? error.stack : undefined
  return { code: undefined, message: messageOf(error), details: { stack } }
}

/** @param failure what a bug on the other side is called on this one */
export function sentToError(sent: SentError, failure: { code: string; message: string }): CodedError {
  const { code = failure.code, details } = sent
  const message = sent.code === undefined ? `${failure.message}: ${sent.message}` : sent.message
  return new CodedError(code, message, { details })
}
