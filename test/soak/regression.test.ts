import { describe, expect, it } from 'vitest'
import { createSeeded } from '../support/seeded.js'
import { type Point, studentT, trendOf } from './regression.js'
import { QUANTITIES, verdictOf } from './report.js'

const MEMORY = QUANTITIES.find(({ name }) => name === 'unboundedMb')!
/** 40 minutes, a sample every 10 s. */
const hours = Array.from({ length: 240 }, (_, index) => (index * 10) / 3600)

/** Memory of a process whose collector lets 20 MB gather, at no regular pace, and then takes them back. */
function sawTooth(growthPerHour: number, seed = 7): Point[] {
  const random = createSeeded(seed)
  let gathered = 0
  return hours.map((x) => {
    gathered = gathered > 20 ? 0 : gathered + 2 * random.next()
    return { x, y: 180 + growthPerHour * x + gathered }
  })
}

describe('the trend of a process', () => {
  it('has the critical values of the tables', () => {
    expect(studentT(4)).toBeCloseTo(2.776, 1)
    expect(studentT(10)).toBeCloseTo(2.228, 2)
    expect(studentT(100)).toBeCloseTo(1.984, 3)
  })

  it('is exact without noise', () => {
    const { slope, low, high, mean } = trendOf(hours.map((x) => ({ x, y: 100 + 12 * x })))
    expect([slope, low, high].map((one) => Math.round(one * 1e6) / 1e6)).toEqual([12, 12, 12])
    expect(mean).toBeCloseTo(100 + 12 * (hours.at(-1)! / 2), 6)
  })

  it('holds the true slope in its interval for at least 90 of 100 saw-tooths, where plain least squares would not', () => {
    const trends = Array.from({ length: 100 }, (_, seed) => trendOf(sawTooth(10, seed)))
    expect(trends.filter(({ low, high }) => low <= 10 && high >= 10).length).toBeGreaterThanOrEqual(90)
  })

  it('calls a saw-tooth flat, and one that leaks 30 MB an hour growing', () => {
    expect(verdictOf(trendOf(sawTooth(0)), MEMORY)).toBe('flat')
    expect(verdictOf(trendOf(sawTooth(30)), MEMORY)).toBe('growing')
    expect(verdictOf(trendOf(sawTooth(-30)), MEMORY)).toBe('shrinking')
  })

  it('decides nothing on few samples, or on an interval in which a leak would hide', () => {
    expect(verdictOf(trendOf(sawTooth(0).slice(0, 5)), MEMORY)).toBe('undecided')
    expect(verdictOf(trendOf(sawTooth(0).slice(0, 24)), MEMORY)).toBe('undecided')
  })
})
