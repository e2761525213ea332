import { messageOf } from '@songhua/sdk/protocol/errors'

const RIGHTS_CODES: readonly unknown[] = ['EACCES', 'EPERM']
/** As LevelDB says it, by `strerror`. */
const RIGHTS_TEXT = /Permission denied|Operation not permitted/
const CAUSES_MAX = 16

/** Whether the root of an error is that this user may not. */
export function isRightsTrouble(error: unknown): boolean {
  let cause = error
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if (RIGHTS_CODES.includes((cause as NodeJS.ErrnoException).code) || RIGHTS_TEXT.test(cause.message)) return true
    cause = cause.cause
  }
  return RIGHTS_TEXT.test(messageOf(error))
}

/** What to do about a file that cannot be read or written: the end of the sentence that says so. */
export function ioAdvice(error: unknown): string {
  return isRightsTrouble(error)
    ? 'see to its owner and rights: the user who runs the node must be able to read and write it (chown -R USER of its folder)'
    : 'make room or mend the disk, then restart'
}
