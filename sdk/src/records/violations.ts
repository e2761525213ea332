import { messages } from './schema-messages.js'
import type { Violation } from './schema-types.js'

/** How many violations of one record, heading or envelope are told; a last one, `MORE`, says that there are others. */
export const VIOLATIONS_MAX = 1000
/** How many of them the message of an error repeats; its details have all that are told. */
const MESSAGE_VIOLATIONS_MAX = 20

/** Stands last where there are more than are told. */
export const MORE: Violation = { path: '', code: 'MORE', ...messages.more(VIOLATIONS_MAX) }

/** The first of them, and `more` where some are left out. */
export function cappedViolations<V extends Violation>(found: V[], more: NoInfer<V>): V[] {
  return found.length <= VIOLATIONS_MAX ? found : [...found.slice(0, VIOLATIONS_MAX), more]
}

/** For the message of an error. */
export function violationsText(violations: readonly Violation[]): string {
  const told = violations.slice(0, MESSAGE_VIOLATIONS_MAX).map(({ en }) => en)
  const left = violations.length - told.length
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join('; ')
}
