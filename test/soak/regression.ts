export interface Point {
  /** Hours. */
  x: number
  y: number
}

export interface Trend {
  samples: number
  mean: number
  /** Units of y an hour. */
  slope: number
  /** 95 % confidence interval of the slope. */
  low: number
  high: number
}

const SAMPLES_MIN = 8

/** Critical value of Student's t at 97.5 %: Cornish-Fisher around the normal's, off by less than 1 % from 4 degrees on. */
export function studentT(degrees: number): number {
  const z = 1.959964
  const first = (z ** 3 + z) / 4
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3
}

/**
 * Least squares. Neighbouring samples of memory resemble each other, as a collector's saw-tooth spans many of them, so
 * the interval counts as many independent samples as their correlation leaves: n·(1−ρ)/(1+ρ) with the residuals' ρ at
 * lag 1 (Santer et al. 2000, doi:10.1029/1999JD901105). Plain least squares would call any saw-tooth a trend.
 * Fewer than 8 points have no trend: their interval is everything.
 */
export function trendOf(points: readonly Point[]): Trend {
  const n = points.length
  if (n < SAMPLES_MIN) return { samples: n, mean: NaN, slope: NaN, low: -Infinity, high: Infinity }
  const meanX = sum(points.map(({ x }) => x)) / n
  const mean = sum(points.map(({ y }) => y)) / n
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2))
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - mean))) / spread
  const residuals = points.map(({ x, y }) => y - mean - slope * (x - meanX))
  const independent = independentSamples(residuals)
  const error = Math.sqrt(sum(residuals.map((one) => one ** 2)) / (independent - 2) / spread)
  const half = studentT(independent - 2) * error
  return { samples: n, mean, slope, low: slope - half, high: slope + half }
}

function independentSamples(residuals: readonly number[]): number {
  const n = residuals.length
  const total = sum(residuals.map((one) => one ** 2))
  if (total === 0) return n
  const lagged = sum(residuals.slice(1).map((one, index) => one * residuals[index]!))
  const correlation = Math.min(0.99, Math.max(0, lagged / total))
  return Math.max(6, (n * (1 - correlation)) / (1 + correlation))
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
