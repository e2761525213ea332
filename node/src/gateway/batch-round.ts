import { messageOf } from '@songhua/sdk/protocol/errors'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type BatchLimits, type CloseParts, closeBatch, isDue } from './close-batch.js'
import { RETRY_MS_MAX } from './engine-limits.js'
import { FAMILIES } from './keys.js'
import type { OpenBatch, Progress } from './progress.js'
import { type ProposeParts, afterFailure, proposeBatch } from './propose.js'
import { type SettleParts, settleBatch } from './settle.js'

export interface RoundParts {
  readonly limits: BatchLimits
  readonly progress: Progress
  readonly close: CloseParts
  readonly propose: ProposeParts
  readonly settle: SettleParts
  readonly clock: Clock
  readonly logger: Logger
}

/** Why a round is made, besides for records that have come. */
export interface RoundWork {
  /** A block has come. */
  readonly settle: boolean
  /** News may have been lost, or a proposal. */
  readonly check: boolean
}

/** Finds what is anchored, proposes what is not, closes what is due. */
export async function batchRound({ settle, check }: RoundWork, parts: RoundParts): Promise<void> {
  const { progress, clock, propose } = parts
  if (settle || check) for (const batch of [...progress.open]) await settleOne(batch, parts)
  const nowMs = clock.now()
  const unproposed = progress.open.filter((batch) => (check || !batch.isProposed) && mayRetry(batch, nowMs))
  for (const batch of unproposed) await proposeBatch(batch, clock.now(), propose)
  for (let due = dueFamily(parts); due !== undefined; due = dueFamily(parts)) {
    const batch = await closeBatch(due, { limits: parts.limits, nowMs: clock.now(), parts: parts.close })
    propose.counters.batchesClosed++
    await proposeBatch(batch, clock.now(), propose)
  }
}

/** A clock that was set back must not stretch a pause. */
function mayRetry({ retryAtMs }: OpenBatch, nowMs: number): boolean {
  return retryAtMs <= nowMs || retryAtMs > nowMs + RETRY_MS_MAX
}

async function settleOne(batch: OpenBatch, { settle, propose, progress, clock, logger }: RoundParts): Promise<void> {
  try {
    const standing = await settleBatch(batch.row, clock.now(), settle)
    if (standing === 'failed') await afterFailure(batch, clock.now(), propose)
    if (standing !== 'anchored') return
    propose.counters.batchesAnchored++
    progress.settle(batch)
  } catch (error) {
    // The next check tries again; the others need not wait for this one.
    const { family, first, last } = batch.row
    logger.error('a batch could not be settled; it is tried again', { family, first, last, error: messageOf(error) })
  }
}

function dueFamily({ progress, limits, clock }: RoundParts): RecordFamily | undefined {
  if (progress.open.length >= limits.inFlightMax) return undefined
  const due = FAMILIES.filter((family) => isDue(progress.waiting[family], limits, clock.now()))
  // Whoever has waited longest, so that a flood of one family does not hold up the others.
  return due.sort((a, b) => progress.waiting[a].oldestMs - progress.waiting[b].oldestMs)[0]
}

/**
 * Until a batch is due by its time, or to be proposed again, ms; Infinity when nothing is. One that waits for a place in
 * flight waits for a block.
 */
export function nextRoundMs({ progress, limits, clock }: RoundParts): number {
  const retries = progress.open.filter(({ isProposed }) => !isProposed).map(({ retryAtMs }) => retryAtMs)
  const hasPlace = progress.open.length < limits.inFlightMax
  const waiting = FAMILIES.map((family) => progress.waiting[family]).filter(({ first, next }) => first < next)
  const nowMs = clock.now()
  const dues = hasPlace ? waiting.map(({ oldestMs }) => Math.min(oldestMs, nowMs) + limits.delayMsMax) : []
  return Math.min(...retries.map((retryMs) => Math.min(retryMs, nowMs + RETRY_MS_MAX)), ...dues) - nowMs
}
