import type { QbftConfig } from '@songhua/sdk/protocol/qbft-config'

/** The part of the genesis by which rounds are timed. */
export type Timing = Pick<
  QbftConfig,
  'roundTimeoutMs' | 'roundTimeoutStepMs' | 'roundTimeoutCapMs' | 'minBlockPeriodMs' | 'emptyBlockPeriodS'
>

/** Linear growth up to the cap: after a night without a quorum the timer still is seconds, not hours. */
export function roundTimeoutMs(timing: Timing, round: number): number {
  return Math.min(timing.roundTimeoutMs + round * timing.roundTimeoutStepMs, timing.roundTimeoutCapMs)
}

/**
 * The highest round that f + 1 distinct signers have reached: at least one of them is honest, so somebody's timer did
 * run out there. -1 when fewer than f + 1 have spoken.
 * @param rounds the newest round of each signer
 */
export function reachedRound(rounds: readonly number[], faultTolerance: number): number {
  const descending = [...rounds].sort((a, b) => b - a)
  return descending[faultTolerance] ?? -1
}
