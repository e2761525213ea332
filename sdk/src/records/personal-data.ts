import { withoutGs1Numbers } from './gs1-numbers.js'
import { pointerStep } from './json-value.js'
import { plainDigits } from './plain-digits.js'

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

// -------------------------------------------------------------------------------------------------- where they stand

/** Digits of machines' making: a UUID of versions 4 to 8, a digest, a key or a signature in hexadecimal. */
const MACHINE_DIGITS = new RegExp(
  '(?<![0-9A-Za-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[4-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}' +
    '|(?:0x)?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}|[0-9a-f]{130}))(?![0-9A-Za-z])',
  'gi',
)

/** Between the groups of one number, as people write it: 138-1234-5678, 6222 0200 …, 138.1234.5678. */
const SEPARATORS = '[\\s\\p{Pd}./_]'
/** What every personal number has in it: 11 digits. */
const ELEVEN_DIGITS = new RegExp(`\\d(?:${SEPARATORS}*\\d){10}`, 'u')
const GROUPS = new RegExp(`\\d+(?:${SEPARATORS}+\\d+)*[Xx]?`, 'gu')
const GROUP = new RegExp(`(\\d+[Xx]?)(${SEPARATORS}*)`, 'gu')
/** A citizen number has 18 characters, a bank card 19 digits, and 0086 may stand before a mobile number's 11. */
const NUMBER_CHARACTERS_MAX = 19
const NUMBER_CHARACTERS_MIN = 11

/** A country code before a mobile number. */
const withoutCountryCode = (digits: string): string => digits.replace(/^0{0,2}86(?=1\d{10}$)/, '')

/** A letter before or after digits makes them part of a code, unless it is a word that announces a telephone. */
const IN_A_CODE = /[0-9A-Za-z]$/
const TELEPHONE = /(?<![A-Za-z])(?:tel|telephone|phone|mobile|mob|cell|cellphone|shouji|sj|dianhua|dh|wechat|weixin|wx)$/i

interface Group {
  readonly digits: string
  /** What follows it joins loosely. */
  readonly isLoose: boolean
}

interface Joined {
  readonly digits: string
  readonly groups: readonly Group[]
  /** Dots, slashes or underscores join more than people's numbers: addresses, decimals, paths. */
  readonly isLoose: boolean
}

const isUsual = ({ groups, isLoose }: Joined, groupings: RegExp): boolean =>
  !isLoose || groupings.test(groups.map(({ digits }) => digits.length).join())

function kindOf(joined: Joined, isInCode: boolean): PersonalKind | undefined {
  const { digits } = joined
  // Date and check character say enough: whatever stands around it.
  if (isCitizenId(digits)) return 'citizen-id'
  if (isInCode) return undefined
  if (isMobileNumber(withoutCountryCode(digits)) && isUsual(joined, /^[3567],4,4$/)) return 'mobile'
  return isBankCard(digits) && isUsual(joined, /^4,4,4,4(?:,[123])?$|^4,6,5$/) ? 'bank-card' : undefined
}

/** Each group of a run, and each of those with the groups that follow it: all that are as long as a number. */
function* joinsOf(groups: readonly Group[]): Generator<Joined> {
  for (let first = 0; first < groups.length; first++) {
    let [digits, isLoose] = ['', false]
    for (let last = first; last < groups.length; last++) {
      const group = groups[last]!
      digits += group.digits
      if (digits.length > NUMBER_CHARACTERS_MAX) break
      if (digits.length >= NUMBER_CHARACTERS_MIN) yield { digits, groups: groups.slice(first, last + 1), isLoose }
      isLoose ||= group.isLoose
    }
  }
}

function kindInRun(run: string, around: { before: string; after: string }): PersonalKind | undefined {
  const groups = Array.from(run.matchAll(GROUP), ([, digits, after]): Group => ({
    digits: digits!,
    isLoose: /[./_]/.test(after!),
  }))
  const isCodeBefore = IN_A_CODE.test(around.before) && !TELEPHONE.test(around.before)
  const isCodeAfter = /^[0-9A-Za-z]/.test(around.after)
  for (const joined of joinsOf(groups)) {
    const isFirst = joined.groups[0] === groups[0]
    const isLast = joined.groups.at(-1) === groups.at(-1)
    const isInCode = (isFirst && isCodeBefore) || (isLast && isCodeAfter)
    const kind = kindOf(joined, isInCode)
    if (kind !== undefined) return kind
  }
  return undefined
}

/** Of what stands before a run of digits, as much as a word can be. */
const WORD_CHARACTERS_MAX = 12

/**
 * Which kind of personal number stands in a text, if any. Percent-encoding, digits of other scripts, unseen characters
 * and separators do not hide it. GS1 keys and their serials, UUIDs and digests are none, unless a citizen's is in the key.
 */
export function findPersonalNumber(text: string): PersonalKind | undefined {
  const digits = plainDigits(text)
  if (!ELEVEN_DIGITS.test(digits)) return undefined
  const plain = withoutGs1Numbers(digits, isCitizenId).replace(MACHINE_DIGITS, '|')
  for (const { 0: run, index } of plain.matchAll(plain.startsWith('urn:epc:') ? EPC_GROUPS : GROUPS)) {
    const end = index + run.length
    const around = { before: plain.slice(Math.max(0, index - WORD_CHARACTERS_MAX), index), after: plain.slice(end, end + 1) }
    const kind = kindInRun(run, around)
    if (kind !== undefined) return kind
  }
  return undefined
}

/** In an EPC URN dots stand between the parts of a number of goods: each is taken by itself. */
const EPC_GROUPS = /\d+[Xx]?/g

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
