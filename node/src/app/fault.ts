import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { ioAdvice, isRightsTrouble } from '../storage/io-advice.js'

/** An error as it was thrown. */
export interface Fault {
  readonly code: string
  readonly message: string
}

/** What was thrown, for the doctor: that this user may not read a file is no damage, and has a code of its own. */
export function faultOf(error: unknown): Fault {
  const message = messageOf(error)
  if (isRightsTrouble(error)) return { code: 'RIGHTS', message: message.includes(ioAdvice(error)) ? message : `${message}; ${ioAdvice(error)}` }
  const code: unknown = isCodedError(error) ? error.code : (error as NodeJS.ErrnoException).code
  return { code: typeof code === 'string' ? code : 'UNKNOWN', message }
}
