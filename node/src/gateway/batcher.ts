import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import { type RoundParts, batchRound, nextRoundMs } from './batch-round.js'
import { CHECK_INTERVAL_MS, RETRY_MS_MIN } from './engine-limits.js'
import type { ChainWriter } from './ports.js'

/** Brings accepted records onto the chain, round by round: whenever records or blocks come, and now and then. */
export interface Batcher {
  /** Records have come. */
  wake(): void
  /** Ends the round that is under way; what is not anchored goes on at the next start. */
  stop(): Promise<void>
}

export function createBatcher(parts: RoundParts, writer: Pick<ChainWriter, 'onBlock'>): Batcher {
  const { clock, progress, logger } = parts
  let running: Promise<void> | undefined
  /** At the start, what the last run left open is looked for. */
  let wanted = { settle: false, check: true }
  let isAsked = false
  let isStopped = false
  let cancelTimer = (): void => undefined

  async function run(): Promise<void> {
    while (isAsked && !isStopped) {
      const work = wanted
      wanted = { settle: false, check: false }
      isAsked = false
      schedule(await round(work))
    }
    running = undefined
  }

  /** @returns when the next is due, ms */
  async function round(work: typeof wanted): Promise<number> {
    try {
      await batchRound(work, parts)
      return nextRoundMs(parts)
    } catch (error) {
      logger.error('the batcher failed; it goes on', { error: messageOf(error) })
      wanted.check = true
      return RETRY_MS_MIN
    }
  }

  function ask(): void {
    if (isStopped) return
    isAsked = true
    running ??= run()
  }

  function schedule(delayMs: number): void {
    cancelTimer()
    cancelTimer = Number.isFinite(delayMs) ? clock.after(Math.max(0, delayMs), ask) : () => undefined
  }

  function askFor(work: 'settle' | 'check'): void {
    if (progress.open.length === 0) return
    wanted[work] = true
    ask()
  }

  const stopChecks = repeat(clock, CHECK_INTERVAL_MS, () => askFor('check'))
  const stopBlocks = writer.onBlock(() => askFor('settle'))
  ask()

  return {
    wake: ask,
    async stop() {
      isStopped = true
      stopBlocks()
      stopChecks()
      await running
      cancelTimer()
    },
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
