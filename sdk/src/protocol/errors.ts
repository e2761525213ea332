/**
 * An error of the world (bad input, a failed check), never of a bug.
 * `code` is stable and machine-readable; `details` names the field or value that failed; `message` says what to do.
 */
export class CodedError<C extends string = string> extends Error {
  readonly code: C
  readonly details: Record<string, unknown>

  constructor(code: C, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CodedError'
    this.code = code
    this.details = options.details ?? {}
  }
}

/** True for a `CodedError`, and with `code` given only for that code. Never throws: a revoked proxy is none. */
export function isCodedError(error: unknown, code?: string): error is CodedError {
  try {
    return error instanceof CodedError && (code === undefined || error.code === code)
  } catch {
    return false
  }
}

/** The text of whatever was thrown, for messages that carry a cause. Never throws, whatever the thrown does when read. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'something that has no text was thrown'
  }
}
