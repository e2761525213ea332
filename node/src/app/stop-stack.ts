import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Logger } from '../base/logger.js'

/** Each part that has started pushes how it is stopped; stopping pops them, the last one first. */
export interface StopStack {
  push(name: string, stop: () => Promise<void> | void): void
  /** Stops everything, whatever fails on the way: failures are logged. Later calls answer the same promise. */
  run(): Promise<void>
}

export function createStopStack(logger: Logger): StopStack {
  const stops: { name: string; stop: () => Promise<void> | void }[] = []
  let running: Promise<void> | undefined
  const unwind = async (): Promise<void> => {
    for (let entry = stops.pop(); entry !== undefined; entry = stops.pop()) {
      try {
        await entry.stop()
      } catch (error) {
        logger.error('a part of the node did not stop cleanly', { part: entry.name, error: messageOf(error) })
      }
    }
  }
  return {
    push: (name, stop) => void stops.push({ name, stop }),
    run: () => (running ??= unwind()),
  }
}
