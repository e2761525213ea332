import { CodedError } from '@songhua/sdk/protocol/errors'

/**
 * For bugs, never for what the world sends: a failed assertion means this program is wrong.
 * @throws CodedError `ASSERTION_FAILED`
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CodedError('ASSERTION_FAILED', `assertion failed: ${message} (a bug in this program)`)
}

/** The default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new CodedError('ASSERTION_FAILED', `assertion failed: unexpected value ${JSON.stringify(value)}`)
}
