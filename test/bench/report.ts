/** What every benchmark prints; `--json` prints it as one line. */
export interface BenchReport {
  scenario: string
  validators: number
  seconds: number
  transactions: number
  txPerSecond: number
  finalityMsP50: number
  finalityMsP99: number
  errors: number
  /** The largest resident memory that any node reached, in MB (2^20 bytes). */
  rssMbMax: number
  /** CPU of all nodes together, for one final transaction, in microseconds. */
  cpuUsPerTx: number
  /** From the start of the devnet process to its ready line. */
  readyMs: number
}

export function percentile(sorted: number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
}

export function printReport(report: object, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(report)}\n`)
    return
  }
  for (const [name, value] of Object.entries(report)) process.stdout.write(`${name.padEnd(22)} ${String(value)}\n`)
}
