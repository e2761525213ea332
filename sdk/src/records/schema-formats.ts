import { isCitizenId } from './personal-data.js'
import { isUscc } from '../protocol/uscc.js'

/** The `format`s a schema may name; every one is asserted. A date may have `-` or `/`, as 双公示 files have either. */

const DATE = /^(\d{4})([-/])(\d\d)\2(\d\d)$/
const DATE_TIME = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** Nothing that is not seen, and nothing that a terminal would obey. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>"{}|\\^`]+$/u
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isDayOfMonth(year: number, month: number, day: number): boolean {
  const isLeapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return isLeapDay || (day > 0 && day <= (MONTH_DAYS[month - 1] ?? 0))
}

function isDate(text: string): boolean {
  return DATE.test(text) && isDayOfMonth(+text.slice(0, 4), +text.slice(5, 7), +text.slice(8, 10))
}

function isDateTime(text: string): boolean {
  return DATE_TIME.test(text) && isDate(text.slice(0, 10))
}

export interface Format {
  accepts: (text: string) => boolean
  zh: string
  en: string
}

export const FORMATS: Readonly<Record<string, Format>> = {
  date: { accepts: isDate, zh: '日期（如 2026-04-01）', en: 'a calendar date such as 2026-04-01' },
  'date-time': {
    accepts: isDateTime,
    zh: '带时区的时间（RFC 3339，如 2026-04-01T09:00:00+08:00）',
    en: 'a time with its zone (RFC 3339), such as 2026-04-01T09:00:00+08:00',
  },
  uri: { accepts: (text) => URI.test(text), zh: 'URI', en: 'a URI' },
  uuid: {
    accepts: (text) => UUID.test(text),
    zh: '小写 UUID',
    en: 'a UUID in lower case',
  },
  uscc: {
    accepts: isUscc,
    zh: '校验位正确的 18 位统一社会信用代码（GB 32100）',
    en: 'a unified social credit code of 18 characters with correct check characters (GB 32100)',
  },
  'citizen-id': {
    accepts: isCitizenId,
    zh: '校验位正确的 18 位公民身份号码（GB 11643）',
    en: 'a citizen number of 18 characters with a correct check character (GB 11643)',
  },
}

const CHINA_OFFSET_MS = 8 * 3_600_000

function midnightMs(date: string): number {
  const utc = new Date(0).setUTCFullYear(+date.slice(0, 4), +date.slice(5, 7) - 1, +date.slice(8, 10))
  return utc - CHINA_OFFSET_MS
}

/** The instant a date or time stands for, in ms since 1970; a date is midnight in China. */
export function instantOf(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  if (isDate(text)) return midnightMs(text)
  return isDateTime(text) ? Date.parse(text.replace(/:60(?=[.Z+-])/, ':59')) : undefined
}

/** The same day and time of China that many calendar months later; the last day of a shorter month. */
export function monthsLater(instantMs: number, months: number): number {
  const local = new Date(instantMs + CHINA_OFFSET_MS)
  const day = local.getUTCDate()
  local.setUTCDate(1)
  local.setUTCMonth(local.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate()
  local.setUTCDate(Math.min(day, lastDay))
  return local.getTime() - CHINA_OFFSET_MS
}
