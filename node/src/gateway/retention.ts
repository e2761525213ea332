import type { RetentionClass } from '@songhua/sdk/records/record-schema'

const YEARS: Record<Exclude<RetentionClass, 'permanent' | 'consent'>, number> = { '30y': 30, '10y': 10, '5y': 5 }

/**
 * Until when a payload is to be kept, ms: calendar years from its creation. `consent`: until the subject takes it back,
 * which may be at once.
 * @returns null when it is kept for ever
 */
export function retainedUntilMs(retention: RetentionClass, createdMs: number): number | null {
  if (retention === 'permanent') return null
  if (retention === 'consent') return createdMs
  const until = new Date(createdMs)
  until.setUTCFullYear(until.getUTCFullYear() + YEARS[retention])
  return until.getTime()
}
