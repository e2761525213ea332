import { type Address, ZERO_ADDRESS, toAddress } from './bytes.js'
import { CodedError } from './errors.js'

/** Each seal costs a recovery and 67 bytes in every header. */
export const MAX_VALIDATORS = 64

export type ValidatorSetErrorCode =
  | 'VALIDATORS_EMPTY'
  | 'VALIDATORS_TOO_MANY'
  | 'VALIDATORS_DUPLICATE'
  | 'VALIDATORS_ZERO_ADDRESS'
  | 'VALIDATORS_UNSORTED'

/** Validators that may be faulty without harm: f = ⌊(n − 1) / 3⌋. */
export function faultTolerance(count: number): number {
  return Math.floor((count - 1) / 3)
}

/** Signers that decide: ⌈2n / 3⌉, for justifications, prepares, commits and seals alike. */
export function quorumSize(count: number): number {
  return Math.ceil((2 * count) / 3)
}

function fail(code: ValidatorSetErrorCode, message: string, details: Record<string, unknown> = {}): never {
  throw new CodedError(code, message, { details })
}

/** Refuses a list that is not a validator set: empty, above 64, unsorted, with a duplicate or the zero address. */
export function checkValidatorSet(validators: readonly Address[]): void {
  if (validators.length === 0) fail('VALIDATORS_EMPTY', 'A validator set has at least one member')
  if (validators.length > MAX_VALIDATORS) {
    fail('VALIDATORS_TOO_MANY', `${validators.length} validators; at most ${MAX_VALIDATORS}`)
  }
  validators.forEach((validator, index) => {
    const previous = validators[index - 1] ?? ''
    if (validator === ZERO_ADDRESS) fail('VALIDATORS_ZERO_ADDRESS', 'The zero address cannot be a validator')
    if (validator === previous) fail('VALIDATORS_DUPLICATE', `Validator ${validator} is listed twice`, { validator })
    if (validator < previous) fail('VALIDATORS_UNSORTED', `${validator} stands after ${previous}`, { validator })
  })
}

/** Ascending by address, lower-case. A duplicate is refused, not dropped: whoever listed it meant something else. */
export function normalizeValidators(validators: readonly string[]): Address[] {
  const sorted = validators.map((validator) => toAddress(validator, 'validator')).sort()
  checkValidatorSet(sorted)
  return sorted
}
