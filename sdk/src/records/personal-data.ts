import { pointerStep } from './json-value.js'

/**
 * Numbers that name a natural person and must not leave the salted payload: they are few enough to be tried one by
 * one, so not even a bare hash hides them. Precise rather than broad: a record's own digits must not raise the alarm.
 */

export const PERSONAL_KINDS = ['citizen-id', 'mobile', 'bank-card'] as const
export type PersonalKind = (typeof PERSONAL_KINDS)[number]

export interface PersonalFinding {
  /** JSON pointer of the field. */
  path: string
  kind: PersonalKind
}

const CITIZEN_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const CITIZEN_CHECKS = '10X98765432'
/** GB/T 2260: 11 to 15 north, 21 to 23 north-east, …, 71, 81 to 83 residence permits of Taiwan, Hong Kong, Macao. */
const CITIZEN_ID = /^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])\d{4}(18|19|20)\d{9}[\dXx]$/

function isCalendarDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/** 公民身份号码, GB 11643-1999: division, birth date, sequence, check character modulo 11. */
export function isCitizenId(text: string): boolean {
  if (!CITIZEN_ID.test(text)) return false
  if (!isCalendarDate(+text.slice(6, 10), +text.slice(10, 12), +text.slice(12, 14))) return false
  const sum = CITIZEN_WEIGHTS.reduce((total, weight, i) => total + Number(text[i]) * weight, 0)
  return CITIZEN_CHECKS[sum % 11] === text[17]!.toUpperCase()
}

/** Mobile numbers of mainland China: 11 digits from 13 to 19. */
export function isMobileNumber(text: string): boolean {
  return /^1[3-9]\d{9}$/.test(text)
}

/** UnionPay, Visa, Mastercard or American Express by its first digits, and the check digit of ISO/IEC 7812 (Luhn). */
export function isBankCard(text: string): boolean {
  if (!/^(62\d{14,17}|4\d{15}|5[1-5]\d{14}|3[47]\d{13})$/.test(text)) return false
  const sum = [...text].reverse().reduce((total, digit, i) => {
    const doubled = Number(digit) * (i % 2 === 0 ? 1 : 2)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return sum % 10 === 0
}

function personalKind(token: string): PersonalKind | undefined {
  if (isCitizenId(token)) return 'citizen-id'
  if (isMobileNumber(token)) return 'mobile'
  return isBankCard(token) ? 'bank-card' : undefined
}

/** A country code before a mobile number. */
const withoutCountryCode = (digits: string): string => digits.replace(/^(?:00)?86(?=1\d{10}$)/, '')

/** GS1 keys number goods, places and parcels; the serial behind one may be any run of digits but a citizen's. */
const GS1_KEY = new RegExp(
  '/(?:00|01|414|417|8006|8017|8018|gtin|sscc|gln|party|gsrnp?)/\\d{8,18}' +
    '(?:/(?:10|21|235|254)/\\d{1,17})?(?=[/?#]|$)',
  'g',
)

/** Digits in groups, as people write numbers: 138-1234-5678, 6222 0200 …; letters on either side mean a code. */
const NUMBERS = /(?<![0-9A-Za-z])\d(?:[ -]?\d){9,20}[Xx]?(?![0-9A-Za-z])/g

const ASCII = /^[\0-\x7f]*$/
/** What every personal number has in it. */
const TEN_DIGITS = /\d(?:[ -]?\d){9}/

/** Which kind of personal number stands in a text, if any. Full-width digits count as digits. */
export function findPersonalNumber(text: string): PersonalKind | undefined {
  if (ASCII.test(text) && !TEN_DIGITS.test(text)) return undefined
  const plain = text.normalize('NFKC')
  if (!TEN_DIGITS.test(plain)) return undefined
  for (const [token] of plain.replace(GS1_KEY, '').matchAll(NUMBERS)) {
    const bare = withoutCountryCode(token.replace(/[ -]/g, ''))
    const kind = personalKind(bare)
    if (kind !== undefined) return kind
  }
  return undefined
}

/** The fields of a JSON value, keys included, in which a personal number stands; the first `max` of them. */
export function findPersonalNumbers(value: unknown, max = Infinity): PersonalFinding[] {
  const found: PersonalFinding[] = []
  collectFindings(value, [], { found, max })
  return found
}

interface Collection {
  readonly found: PersonalFinding[]
  readonly max: number
}

/** Paths are written for what is found only. */
function collectFindings(value: unknown, steps: string[], into: Collection): void {
  if (into.found.length >= into.max) return
  if (typeof value === 'string' || typeof value === 'number') return collectFinding(String(value), steps, into)
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    steps.push(key)
    collectFinding(key, steps, into)
    collectFindings(inner, steps, into)
    steps.pop()
    if (into.found.length >= into.max) return
  }
}

function collectFinding(text: string, steps: readonly string[], { found }: Collection): void {
  const kind = findPersonalNumber(text)
  if (kind !== undefined) found.push({ path: steps.map(pointerStep).join(''), kind })
}
