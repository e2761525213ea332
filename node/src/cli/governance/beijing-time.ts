const OFFSET_S = 28_800

/** @param seconds since 1970 @returns `2026-01-31 09:30:00 (UTC+8)` */
export function beijingTime(seconds: number): string {
  return `${new Date((seconds + OFFSET_S) * 1000).toISOString().slice(0, 19).replace('T', ' ')} (UTC+8)`
}

/** @param day since 1970 in Beijing @returns `2026-01-31` */
export function beijingDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10)
}
