import { percentile } from '../bench/report.js'
import { type Trend, trendOf } from './regression.js'
import type { Sample } from './sampler.js'

/** A finality, and when it was seen. */
export interface Finality {
  /** Seconds since the load began. */
  atS: number
  ms: number
}

export interface Quantity {
  name: 'unboundedMb' | 'sockets'
  unit: string
  /** A slope below this is no leak that matters, units an hour. */
  boundPerHour: number
  /** An interval wider than this to either side says nothing: the run was too short or too restless. */
  resolutionPerHour: number
}

/**
 * At the default rate of 20 transactions and 10 records a second, 4 MB an hour would be 58 bytes for each transaction: less than the
 * smallest thing that one could forget in a map (key, value and entry take over 100). A real leak of one object for each
 * transaction, record or block is above it; what the allocator still gathers after the warm-up is below. LevelDB's caches
 * and the indexes of its tables take longer than a warm-up to fill, and are judged by their limits instead.
 * A forgotten connection for every ten minutes would be 6 sockets an hour.
 */
export const QUANTITIES: readonly Quantity[] = [
  { name: 'unboundedMb', unit: 'MB/h', boundPerHour: 4, resolutionPerHour: 15 },
  { name: 'sockets', unit: 'sockets/h', boundPerHour: 6, resolutionPerHour: 15 },
]

/** LevelDB's block cache of 16 MB and two write buffers of 4 MB, which it may overshoot by one entry each. */
const STORE_MB_MAX = 25

/** Of 1,000 tables of 2 MB: 15 KB each were measured, of a chain of records. */
const INDEX_MB_MAX = 20

/** Processes whose LevelDB held more than its limits allow. */
export function storesOverLimit(samples: readonly Sample[]): string[] {
  const isOver = ({ storeMb = 0, indexMb = 0 }: Sample): boolean => storeMb > STORE_MB_MAX || indexMb > INDEX_MB_MAX
  return [...new Set(samples.filter(isOver).map(({ process }) => process))]
}

export type TrendVerdict = 'flat' | 'growing' | 'shrinking' | 'undecided'

export interface ProcessTrend extends Trend {
  process: string
  quantity: Quantity['name']
  unit: string
  verdict: TrendVerdict
}

/** Flat: the slope is below the bound, or its interval includes 0 and is narrow enough that a leak would have shown. */
export function verdictOf({ slope, low, high }: Trend, { boundPerHour, resolutionPerHour }: Quantity): TrendVerdict {
  if ((high - low) / 2 > resolutionPerHour) return low > 0 ? 'growing' : 'undecided'
  if (Math.abs(slope) < boundPerHour || (low <= 0 && high >= 0)) return 'flat'
  return slope > 0 ? 'growing' : 'shrinking'
}

/**
 * The first third of a run, at most half an hour, fills caches, heaps and connections, and is left out: what V8 has
 * committed for its old generation levels off after some 30,000 transactions (at 100 a second after 5 minutes).
 */
export const warmUpS = (seconds: number): number => Math.min(seconds / 3, 30 * 60)

export function trendsOf(samples: readonly Sample[], fromS: number): ProcessTrend[] {
  const names = [...new Set(samples.map(({ process }) => process))]
  return QUANTITIES.flatMap((quantity) =>
    names.map((process) => {
      const own = samples.filter((one) => one.process === process && one.atS >= fromS)
      const trend = trendOf(own.map((one) => ({ x: one.atS / 3600, y: one[quantity.name] })))
      return { process, quantity: quantity.name, unit: quantity.unit, ...trend, verdict: verdictOf(trend, quantity) }
    }),
  )
}

export interface ProcessUse {
  process: string
  rssMbStart: number
  rssMbEnd: number
  rssMbMax: number
  mappedMbStart: number
  mappedMbEnd: number
  heapMbEnd: number | undefined
  storeMbStart: number | undefined
  storeMbEnd: number | undefined
  filesMax: number
  /** Share of one core, mean over the run. */
  cpuShare: number
  diskMbPerHour: number | undefined
}

export function usesOf(samples: readonly Sample[]): ProcessUse[] {
  return [...new Set(samples.map(({ process }) => process))].map((process) => {
    const own = samples.filter((one) => one.process === process)
    const [first, last] = [own[0]!, own.at(-1)!]
    const hours = (last.atS - first.atS) / 3600
    return {
      process,
      rssMbStart: first.rssMb,
      rssMbEnd: last.rssMb,
      rssMbMax: Math.max(...own.map(({ rssMb }) => rssMb)),
      mappedMbStart: first.mappedMb,
      mappedMbEnd: last.mappedMb,
      heapMbEnd: last.heapMb,
      storeMbStart: first.storeMb,
      storeMbEnd: last.storeMb,
      filesMax: Math.max(...own.map(({ files }) => files)),
      cpuShare: Math.round(((last.cpuS - first.cpuS) / (last.atS - first.atS)) * 1000) / 1000,
      diskMbPerHour: last.diskMb === undefined ? undefined : Math.round((last.diskMb - first.diskMb!) / hours),
    }
  })
}

export interface FinalityWindow {
  fromS: number
  toS: number
  count: number
  p50Ms: number
  p99Ms: number
}

/** In ten windows of the same length. */
export function finalityOverTime(finality: readonly Finality[], seconds: number): FinalityWindow[] {
  return Array.from({ length: 10 }, (_, index) => {
    const [fromS, toS] = [(seconds * index) / 10, (seconds * (index + 1)) / 10]
    const sorted = finality.filter(({ atS }) => atS >= fromS && atS < toS).map(({ ms }) => ms).sort((a, b) => a - b)
    const at = (share: number): number => Math.round(percentile(sorted, share))
    return { fromS: Math.round(fromS), toS: Math.round(toS), count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
  })
}
