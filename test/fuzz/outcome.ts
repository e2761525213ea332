import { isCodedError } from '@songhua/sdk/protocol/errors'

/** What reading a small input may allocate at most, bytes: a length that is only claimed must cost nothing. */
const ALLOCATED_BYTES_MAX = 16 * 1024 * 1024

export type Outcome<T> = { readonly value: T } | { readonly code: string }

/**
 * What a reader makes of an input: a value, or an error of the world whose code is among `codes`.
 * @throws Error for everything else that leaves it, and for a great allocation
 */
export function outcomeOf<T>(codes: RegExp, read: () => T): Outcome<T> {
  const before = process.memoryUsage().arrayBuffers
  const outcome = valueOrCode(codes, read)
  const allocated = process.memoryUsage().arrayBuffers - before
  if (allocated > ALLOCATED_BYTES_MAX) throw new Error(`${allocated} bytes were allocated`)
  return outcome
}

function valueOrCode<T>(codes: RegExp, read: () => T): Outcome<T> {
  try {
    return { value: read() }
  } catch (error) {
    return { code: knownCode(codes, error) }
  }
}

/** @throws Error when it is no `CodedError`, or one whose code nobody documents */
export function knownCode(codes: RegExp, error: unknown): string {
  if (isCodedError(error) && codes.test(error.code)) {
    if (error.message !== '') return error.code
    throw new Error(`the error ${error.code} has no message`, { cause: error })
  }
  const what = isCodedError(error) ? `the code ${error.code}` : 'an error without a code'
  throw new Error(`${what} left the reader: ${String(error)}`, { cause: error })
}

/** Nothing that was read has left a mark on what all objects share. */
export function assertNoPollution(): void {
  const marked = [Object.prototype, Array.prototype, Function.prototype].flatMap((shared) => Object.keys(shared))
  if (marked.length > 0) throw new Error(`a prototype was polluted: ${marked.join(', ')}`)
}
