import { gs1CheckDigit } from './gs1-link.js'

/** Numbers of goods, parcels and places in Digital Links, told from other digits by their length and check digit. */

interface KeyForm {
  /** Lengths of the part that ends with the check digit. */
  readonly lengths: readonly number[]
  /** Digits that may follow it within the same segment. */
  readonly serial?: number
}

const GTIN: KeyForm = { lengths: [8, 12, 13, 14] }
const LOCATION: KeyForm = { lengths: [13] }
const EIGHTEEN: KeyForm = { lengths: [18] }
/** GTIN, piece and total. */
const ITIP: KeyForm = { lengths: [14], serial: 4 }

const KEYS: Readonly<Record<string, KeyForm>> = {
  '01': GTIN, gtin: GTIN,
  '414': LOCATION, gln: LOCATION, '417': LOCATION, party: LOCATION,
  '00': EIGHTEEN, sscc: EIGHTEEN, '8017': EIGHTEEN, gsrnp: EIGHTEEN, '8018': EIGHTEEN, gsrn: EIGHTEEN,
  '8006': ITIP, itip: ITIP,
  '253': { lengths: [13], serial: 17 }, gdti: { lengths: [13], serial: 17 },
  '255': { lengths: [13], serial: 12 }, gcn: { lengths: [13], serial: 12 },
  '402': { lengths: [17] }, gsin: { lengths: [17] },
  '8003': { lengths: [14], serial: 16 }, grai: { lengths: [14], serial: 16 },
}

/** A key; then the serial or lot behind it, which may be any run of digits too short for a citizen's. */
const KEY = new RegExp(
  `(?<=/)(${Object.keys(KEYS).join('|')})/(\\d{8,30})(?:/(?:10|21|235|254)/\\d{1,17})?(?=/|$)`,
  'g',
)

function isKey(name: string, digits: string): boolean {
  const { lengths, serial = 0 } = KEYS[name]!
  return lengths.some((length) => {
    const isLength = digits.length >= length && digits.length <= length + serial
    return isLength && gs1CheckDigit(digits.slice(0, length - 1)) === digits[length - 1]
  })
}

/** A text without the GS1 keys in it, and their serials; but for those that `isKept` says are something else too. */
export function withoutGs1Numbers(text: string, isKept: (digits: string) => boolean): string {
  const path = /^https?:\/\/[^?#]*/.exec(text)?.[0]
  if (path === undefined) return text
  const kept = path.replace(KEY, (whole, name: string, digits: string) => {
    return isKey(name, digits) && !isKept(digits) ? '|' : whole
  })
  return kept + text.slice(path.length)
}
