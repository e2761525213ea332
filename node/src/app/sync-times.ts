import type { ConsensusLog } from '../storage/consensus-log.js'

/** Syncs that the percentiles are taken over: at ten blocks a second, the last ten seconds or so. */
const SAMPLES = 512

/** How long the disk took to make votes durable, milliseconds, over the last syncs. */
export interface SyncTimes {
  /** Of the samples. */
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lastMs: number
}

/** The same log, its appends timed: nothing else of a validator waits for the disk before it speaks. */
export function timedLog(log: ConsensusLog, nowMs: () => number): { log: ConsensusLog; times: () => SyncTimes } {
  const samples: number[] = []
  const timed = async <T>(run: () => Promise<T>): Promise<T> => {
    const startedMs = nowMs()
    const result = await run()
    if (samples.push(nowMs() - startedMs) > SAMPLES) samples.shift()
    return result
  }
  return {
    log: {
      status: log.status,
      owner: log.owner,
      halves: log.halves,
      height: log.height,
      records: log.records,
      append: (payload) => timed(() => log.append(payload)),
      startEpoch: (height, records) => log.startEpoch(height, records),
      close: () => log.close(),
    },
    times: () => syncTimesOf(samples),
  }
}

export function syncTimesOf(samples: readonly number[]): SyncTimes {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), lastMs: samples.at(-1) ?? 0 }
}
