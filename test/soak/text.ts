import type { Audit } from '../support/audit.js'
import { type FinalityWindow, type ProcessTrend, type ProcessUse, QUANTITIES } from './report.js'

export interface SoakReport {
  /** Memory flat, no error, nothing found by the audit. */
  ok: boolean
  minutes: number
  rate: number
  seed: number
  warmUpS: number
  transactions: number
  records: number
  reads: number
  errors: Record<string, number>
  audit: Audit
  trends: ProcessTrend[]
  storesOverLimit: string[]
  uses: ProcessUse[]
  finality: FinalityWindow[]
}

const BY_DESIGN = `Grows by design, and is not judged: mapped files (LevelDB maps the tables it reads; the system takes those pages back
when it needs them), files (LevelDB holds its tables open, at most 1,000), disk (a chain keeps its history; compaction
makes it saw-toothed).
Judged by their limits, and left out of unboundedMb: LevelDB's block cache and write buffers (24 MB), and the indexes of
its tables (15 KB for each of at most 1,000). They take longer than the warm-up to fill.`

const one = (value: number): string => value.toFixed(1)

/** For people. */
export function soakText(report: SoakReport): string {
  const { audit, errors } = report
  const bounds = QUANTITIES.map(({ name, unit, boundPerHour }) => `${name} ${boundPerHour} ${unit}`).join(', ')
  return [
    `${report.ok ? 'OK' : 'FAILED'}: ${one(report.minutes)} minutes, seed ${report.seed}, ${report.rate} transactions/s and ${report.rate / 2} records/s`,
    `${report.transactions} transactions and ${report.records} records accepted, ${report.reads} reads, ${audit.heights} blocks`,
    `audit: ${audit.transactionsFinal} transactions final exactly once, ${audit.recordsVerified} bundles verify, ${audit.problems.length} problems`,
    ...audit.problems.map((problem) => `  ${problem}`),
    `errors: ${Object.keys(errors).length === 0 ? 'none' : ''}`,
    ...Object.entries(errors).map(([what, count]) => `  ${count} × ${what}`),
    '',
    `Trends after a warm-up of ${report.warmUpS} s; 95 % intervals; flat below ${bounds}, or 0 inside a narrow interval`,
    ...report.trends.map(trendLine),
    '',
    ...report.storesOverLimit.map((process) => `LevelDB of ${process} held more than its limits allow`),
    'process, resident MB at start, end and most; mapped MB at end; heap MB at end; LevelDB MB at start and end; files; CPU share of a core; disk MB/h',
    ...report.uses.map(useLine),
    '',
    BY_DESIGN,
    '',
    'Finality, ms: from, to (s), transactions, p50, p99',
    ...report.finality.map(({ fromS, toS, count, p50Ms, p99Ms }) => `  ${fromS} to ${toS}: ${count}, ${p50Ms}, ${p99Ms}`),
    '',
  ].join('\n')
}

const trendLine = ({ process, quantity, unit, mean, slope, low, high, verdict }: ProcessTrend): string =>
  `  ${process.padEnd(16)} ${quantity.padEnd(12)} mean ${one(mean)}, slope ${one(slope)} [${one(low)}, ${one(high)}] ${unit}: ${verdict}`

const useLine = (use: ProcessUse): string =>
  `  ${use.process.padEnd(16)} ${one(use.rssMbStart)}, ${one(use.rssMbEnd)}, ${one(use.rssMbMax)}; ${one(use.mappedMbEnd)}; ` +
  `${use.heapMbEnd ?? '–'}; ${use.storeMbStart ?? '–'}, ${use.storeMbEnd ?? '–'}; ${use.filesMax}; ${use.cpuShare}; ${use.diskMbPerHour ?? '–'}`
