import { type Address } from './bytes.js'
import { CodedError } from './errors.js'

export interface MissedTurns {
  /** Turns missed since this validator last proposed a block. */
  readonly streak: number
  /** Last height at which others go first. */
  readonly skipUntil: number
}

/**
 * Whose turn it is, computed from the chain alone: every node that has the same blocks has the same rotation. Only
 * what the block hash covers goes in; the round in which a block was sealed is not covered, its coinbase is.
 */
export interface Rotation {
  readonly missed: Record<Address, MissedTurns>
  /** Coinbase of the newest block; undefined after the genesis. */
  readonly lastProposer: Address | undefined
}

export type ProposerErrorCode = 'PROPOSER_UNKNOWN'

/** A validator that stays away is tried at least this often, in blocks. */
export const MAX_SKIP_BLOCKS = 1024

export const INITIAL_ROTATION: Rotation = { missed: {}, lastProposer: undefined }

interface Turn {
  /** The set that seals this height, ascending. */
  validators: readonly Address[]
  height: number
}

/** Ascending and starting behind the last proposer, who need not be a validator any more. */
function rotated(validators: readonly Address[], last: Address | undefined): Address[] {
  if (last === undefined) return [...validators]
  const start = validators.findIndex((validator) => validator > last)
  return start <= 0 ? [...validators] : [...validators.slice(start), ...validators.slice(0, start)]
}

/** The proposers of rounds 0, 1, 2 … of this height; those who missed their turns come last. */
export function proposerOrder(turn: Turn & { rotation: Rotation }): Address[] {
  const { validators, rotation, height } = turn
  const isSkipped = (validator: Address): boolean => (rotation.missed[validator]?.skipUntil ?? -1) >= height
  const order = rotated(validators, rotation.lastProposer)
  return [...order.filter((validator) => !isSkipped(validator)), ...order.filter(isSkipped)]
}

/** The proposer of a round. */
export function proposerOf(order: readonly Address[], round: number): Address {
  const proposer = order[round % order.length]
  if (proposer === undefined) throw new CodedError<ProposerErrorCode>('PROPOSER_UNKNOWN', 'There are no validators')
  return proposer
}

function skipBlocks(validatorCount: number, streak: number): number {
  return Math.min(validatorCount * 2 ** Math.min(streak - 1, 10), MAX_SKIP_BLOCKS)
}

/**
 * The rotation after a block. Everyone whose turn came before the block's coinbase missed it: the back-off doubles with
 * each turn missed. The coinbase starts afresh, and those who left the set are forgotten.
 */
export function advanceRotation(rotation: Rotation, block: Turn & { coinbase: Address }): Rotation {
  const { validators, height, coinbase } = block
  const order = proposerOrder({ validators, rotation, height })
  const position = order.indexOf(coinbase)
  if (position < 0) {
    const message = `Block ${height} was proposed by ${coinbase}, which is no validator`
    throw new CodedError<ProposerErrorCode>('PROPOSER_UNKNOWN', message, { details: { height, coinbase } })
  }
  const late = new Set(order.slice(0, position))
  const missed: Record<Address, MissedTurns> = {}
  for (const validator of validators) {
    const before = rotation.missed[validator]
    if (late.has(validator)) {
      const streak = (before?.streak ?? 0) + 1
      missed[validator] = { streak, skipUntil: height + skipBlocks(validators.length, streak) }
    } else if (before !== undefined && validator !== coinbase) {
      missed[validator] = before
    }
  }
  return { missed, lastProposer: coinbase }
}
