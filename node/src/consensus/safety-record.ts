import type { PreparedCertificate, ProposedBlock } from './messages.js'

/** How far a validator has gone in a round, ascending. */
export const STEPS = ['roundChange', 'prepare', 'commit'] as const
export type Step = (typeof STEPS)[number]

/**
 * What a validator binds itself to. It is on disk before anything that it covers is signed, and the signer signs
 * nothing that it does not cover.
 */
export interface SafetyRecord {
  readonly height: number
  readonly round: number
  readonly step: Step
  /** Accepted in this round; undefined at step `roundChange`. */
  readonly block: ProposedBlock | undefined
  /** The newest one of the height; at step `roundChange` it is what the round change carries. */
  readonly certificate: PreparedCertificate | undefined
}

/** A later round, or a later step of the same round for the same block. */
export function isAfter(next: SafetyRecord, last: SafetyRecord): boolean {
  if (next.height !== last.height) return next.height > last.height
  if (next.round !== last.round) return next.round > last.round
  if (STEPS.indexOf(next.step) <= STEPS.indexOf(last.step)) return false
  return last.block === undefined || last.block.digest === next.block?.digest
}
