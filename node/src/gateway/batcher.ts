import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type BatchLimits, type CloseParts, closeBatch, isDue } from './close-batch.js'
import { CHECK_INTERVAL_MS, RETRY_MS_MIN } from './engine-limits.js'
import { FAMILIES } from './keys.js'
import type { ChainWriter } from './ports.js'
import type { OpenBatch, Progress } from './progress.js'
import { type ProposeParts, afterFailure, proposeBatch } from './propose.js'
import { type SettleParts, settleBatch } from './settle.js'

/** Brings accepted records onto the chain: closes batches, proposes them, finds them anchored. */
export interface Batcher {
  /** Records have come. */
  wake(): void
  /** Ends what is under way; what is not anchored goes on at the next start. */
  stop(): Promise<void>
}

export interface BatcherParts {
  readonly progress: Progress
  readonly writer: Pick<ChainWriter, 'onBlock'>
  readonly close: CloseParts
  readonly propose: ProposeParts
  readonly settle: SettleParts
  readonly clock: Clock
  readonly logger: Logger
}

export function createBatcher(limits: BatchLimits, parts: BatcherParts): Batcher {
  const { clock, progress, logger } = parts
  let running: Promise<void> | undefined
  /** What to do in the next round. */
  let wanted = { settle: false, check: false }
  let isStopped = false
  let isAsked = false
  let cancelTimer = (): void => undefined

  async function round(): Promise<void> {
    const { settle, check } = wanted
    wanted = { settle: false, check: false }
    if (settle || check) for (const batch of [...progress.open]) await settleOne(batch, parts)
    const toPropose = progress.open.filter((batch) => (check || !batch.isProposed) && batch.retryAtMs <= clock.now())
    for (const batch of toPropose) await proposeBatch(batch, clock.now(), parts.propose)
    for (let due = dueFamily(); due !== undefined && !isStopped; due = dueFamily()) {
      const batch = await closeBatch(due, { limits, nowMs: clock.now(), parts: parts.close })
      parts.propose.counters.batchesClosed++
      await proposeBatch(batch, clock.now(), parts.propose)
    }
  }

  function dueFamily() {
    if (progress.open.length >= limits.inFlightMax) return undefined
    return FAMILIES.find((family) => isDue(progress.waiting[family], limits, clock.now()))
  }

  async function run(): Promise<void> {
    while (isAsked && !isStopped) {
      isAsked = false
      try {
        await round()
        schedule(nextDelayMs())
      } catch (error) {
        logger.error('the batcher failed; it goes on', { error: messageOf(error) })
        wanted.check = true
        schedule(RETRY_MS_MIN)
      }
    }
    running = undefined
  }

  function ask(): void {
    if (isStopped) return
    isAsked = true
    running ??= run()
  }

  /** Until a batch is due by its time, or to be proposed again. One that waits for a place in flight waits for a block. */
  function nextDelayMs(): number {
    const retries = progress.open.filter(({ isProposed }) => !isProposed).map(({ retryAtMs }) => retryAtMs)
    const hasPlace = progress.open.length < limits.inFlightMax
    const waiting = FAMILIES.map((family) => progress.waiting[family]).filter(({ first, next }) => hasPlace && first < next)
    return Math.min(...retries, ...waiting.map(({ oldestMs }) => oldestMs + limits.delayMsMax)) - clock.now()
  }

  function schedule(delayMs: number): void {
    cancelTimer()
    cancelTimer = Number.isFinite(delayMs) ? clock.after(Math.max(0, delayMs), ask) : () => undefined
  }

  const stopChecks = repeat(clock, CHECK_INTERVAL_MS, () => {
    if (progress.open.length === 0) return
    wanted.check = true
    ask()
  })
  const stopBlocks = parts.writer.onBlock(() => {
    if (progress.open.length === 0) return
    wanted.settle = true
    ask()
  })
  wanted.check = true
  ask()

  return {
    wake: ask,
    async stop() {
      isStopped = true
      stopBlocks()
      stopChecks()
      cancelTimer()
      await running
      cancelTimer()
    },
  }
}

async function settleOne(batch: OpenBatch, { settle, propose, progress, clock, logger }: BatcherParts): Promise<void> {
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

/** @returns what ends it */
export function repeat(clock: Clock, intervalMs: number, run: () => void): () => void {
  let cancel = clock.after(intervalMs, again)
  function again(): void {
    cancel = clock.after(intervalMs, again)
    run()
  }
  return () => cancel()
}
