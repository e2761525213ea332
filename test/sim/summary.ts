import type { Result } from './fleet.js'

export interface Summary {
  readonly runs: number
  readonly failed: number
  /** Clean runs by size of the first validator set. */
  readonly cleanBySize: Record<string, number>
  readonly heights: number
  readonly messages: number
  readonly acknowledged: number
  readonly virtualHours: number
  readonly wallSeconds: number
  /** The most rounds that any height took after healing. */
  readonly roundsAfterHealingMax: number
  /** How often each fault has happened; one that is missing is dead. */
  readonly faults: Record<string, number>
}

const MS_PER_HOUR = 3_600_000

export function summarise(results: readonly Result[], wallMs: number): Summary {
  const clean = results.flatMap((result) => ('report' in result ? [result.report] : []))
  const sum = (of: (report: (typeof clean)[number]) => number): number => clean.reduce((total, report) => total + of(report), 0)
  return {
    runs: results.length,
    failed: results.length - clean.length,
    cleanBySize: countBy(clean.map(({ validators }) => [String(validators), 1] as const)),
    heights: sum(({ heights }) => heights),
    messages: sum(({ messages }) => messages),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    virtualHours: Math.round((sum(({ virtualMs }) => virtualMs) / MS_PER_HOUR) * 100) / 100,
    wallSeconds: Math.round(wallMs / 100) / 10,
    roundsAfterHealingMax: clean.reduce((most, { roundsAfterHealing }) => Math.max(most, roundsAfterHealing), 0),
    faults: countBy(clean.flatMap(({ faults }) => Object.entries(faults))),
  }
}

function countBy(entries: readonly (readonly [string, number])[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const [name, count] of entries) counts.set(name, (counts.get(name) ?? 0) + count)
  return Object.fromEntries([...counts].sort(([left], [right]) => left.localeCompare(right, 'en', { numeric: true })))
}

/** The line that repeats a run. */
export const lineToRepeat = ({ seed, validators }: { seed: number; validators: number }): string =>
  `npm run sim -- --seeds ${seed}..${seed} --validators ${validators} --trace`
