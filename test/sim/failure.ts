export interface FailedRun {
  readonly invariant: string
  readonly seed: number
  readonly validators: number
}

/** A promise of the chain was broken in a simulated run; `invariant` names it. */
export class SimFailure extends Error implements FailedRun {
  readonly invariant: string
  readonly seed: number
  readonly validators: number

  constructor(message: string, { invariant, seed, validators, cause }: FailedRun & { cause?: unknown }) {
    super(`${invariant}: ${message} (seed ${seed}, ${validators} validators)`, { cause })
    this.name = 'SimFailure'
    this.invariant = invariant
    this.seed = seed
    this.validators = validators
  }
}
