import type { AnchorProgress } from './record.js'

/** Counts, and tells after each change. */
export interface ProgressCounter {
  accepted(records: number): void
  anchored(records: number): void
  refused(records: number): void
}

export function createProgressCounter(onProgress: ((progress: AnchorProgress) => void) | undefined): ProgressCounter {
  const count = { accepted: 0, anchored: 0, refused: 0 }
  const add = (what: keyof AnchorProgress) => (records: number) => {
    if (records === 0) return
    count[what] += records
    onProgress?.({ ...count })
  }
  return { accepted: add('accepted'), anchored: add('anchored'), refused: add('refused') }
}
