import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import type { Random } from './random.js'

/**
 * `forger`: says what it likes. `twin`: two copies of one key. `silent`: never speaks. `rollback`: runs the node's own
 * code, but its whole disk is now and then one from before, which no node can see.
 */
export const BYZANTINE_KINDS = ['forger', 'forger', 'twin', 'silent', 'rollback'] as const
export type ByzantineKind = (typeof BYZANTINE_KINDS)[number]

/** Who plays what in a run; nodes by the index of their key. */
export interface Cast {
  readonly spares: number
  /** The validator sets, one after the other; the first is the genesis's. */
  readonly sets: readonly (readonly number[])[]
  /** How many validators the council suspends, out of every set. */
  readonly suspensions: number
  readonly byzantine: readonly { readonly at: number; readonly kind: ByzantineKind }[]
  /** Those whose log or store may be lost, damaged or restored. */
  readonly forgetful: readonly number[]
  /** More than f may be Byzantine or forgetful together: then the chain may lawfully stand still, and may not fork. */
  readonly isBeyondBudget: boolean
}

const SPARES_MAX = 3
const SET_CHANGES_MAX = 3
/** From here on more validators cost time and show little. */
const LARGE = 10

/** At most f of the smallest set are Byzantine; Byzantine and forgetful together are at most f, unless beyond the budget. */
export function planCast(validators: number, random: Random): Cast {
  const spares = random.integer(0, validators >= LARGE ? 1 : SPARES_MAX)
  const everybody = random.shuffled(Array.from({ length: validators + spares }, (_, at) => at))
  const sets = planSets(everybody, validators, random)
  const suspensions = random.chance(0.1) ? 1 : 0
  const f = Math.min(...sets.map((set) => faultTolerance(Math.max(1, set.length - suspensions))))
  const faulty = random.chance(0.4) ? f : random.integer(0, f)
  const byzantine = sets[0]!.slice(0, faulty).map((at) => ({ at, kind: random.pick(BYZANTINE_KINDS) }))
  const honest = random.shuffled(everybody.filter((at) => !byzantine.some((one) => one.at === at)))
  const isBeyondBudget = random.chance(0.15)
  const forgetful = isBeyondBudget ? honest.filter(() => random.chance(0.6)) : honest.slice(0, f - faulty)
  return { spares, sets, suspensions, byzantine, forgetful, isBeyondBudget }
}

function planSets(everybody: readonly number[], validators: number, random: Random): number[][] {
  const sets = [everybody.slice(0, validators)]
  const changes = random.chance(0.5) ? random.integer(1, SET_CHANGES_MAX) : 0
  for (let change = 0; change < changes; change++) sets.push(changedSet(sets.at(-1)!, everybody, random))
  return sets
}

/** Grown, shrunk or with one replaced, as far as there is somebody; or all but one replaced by everybody else. */
function changedSet(set: readonly number[], everybody: readonly number[], random: Random): number[] {
  const outside = everybody.filter((at) => !set.includes(at))
  if (outside.length > 0 && random.chance(0.3)) return [random.pick(set), ...outside]
  const leaver = random.pick(set)
  const staying = set.filter((at) => at !== leaver)
  const joins = outside.length > 0 && random.chance(0.7)
  if (joins) return [...(random.chance(0.5) ? set : staying), random.pick(outside)]
  return staying.length > 0 ? staying : [...set]
}
