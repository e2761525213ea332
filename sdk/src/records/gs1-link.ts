import { entryOf } from './json-value.js'

/**
 * GS1 identifiers in their one canonical form, the GS1 Digital Link URI on https://id.gs1.org with the finest level
 * of identification and nothing else: EPC URNs (EPC Tag Data Standard §6) and Digital Links of any domain become it.
 */

const CANONICAL_HOST = 'https://id.gs1.org'

/** Modulo 10, weights 3 and 1 from the right: GS1 General Specifications §7.9.1. */
export function gs1CheckDigit(digits: string): string {
  let sum = 0
  for (let i = 0; i < digits.length; i++) sum += Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 3 : 1)
  return String((10 - (sum % 10)) % 10)
}

const withCheckDigit = (digits: string): string => digits + gs1CheckDigit(digits)

/** An EPC URN taken apart. `prefix` is the GS1 company prefix; `rest` what follows the reference, often a serial. */
interface EpcParts {
  prefix: string
  reference: string
  rest: string[]
}

interface EpcScheme {
  /** Digits of prefix and reference together; undefined where the reference may have letters. */
  digits?: number
  /** The path behind the host, for one item. */
  path: (parts: EpcParts) => string
  /** The same for all items of a kind, where the URN has `*` for the serial. */
  pattern?: (parts: EpcParts) => string
}

/** The first digit of the reference is the indicator, which stands before the company prefix. */
const indicatorFirst = ({ prefix, reference }: EpcParts): string =>
  withCheckDigit(reference.slice(0, 1) + prefix + reference.slice(1))
const joined = ({ prefix, reference }: EpcParts): string => withCheckDigit(prefix + reference)
const plain = ({ prefix, reference, rest }: EpcParts): string => encode([prefix + reference, ...rest].join('.'))
const serial = ({ rest }: EpcParts, from = 0): string => encode(rest.slice(from).join('.'))

/** What the Digital Link standard wants percent-encoded and an EPC URN may have bare. */
function encode(text: string): string {
  return text.replace(/[!()*+,:]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

const EPC_SCHEMES: Record<string, EpcScheme> = {
  sgtin: {
    digits: 13,
    path: (parts) => `/01/${indicatorFirst(parts)}/21/${serial(parts)}`,
    pattern: (parts) => `/01/${indicatorFirst(parts)}`,
  },
  lgtin: { digits: 13, path: (parts) => `/01/${indicatorFirst(parts)}/10/${serial(parts)}` },
  upui: {
    digits: 13,
    path: (parts) => `/01/${indicatorFirst(parts)}/235/${serial(parts)}`,
    pattern: (parts) => `/01/${indicatorFirst(parts)}`,
  },
  itip: {
    digits: 13,
    path: (parts) => `/8006/${indicatorFirst(parts)}${parts.rest.slice(0, 2).join('')}/21/${serial(parts, 2)}`,
    pattern: (parts) => `/8006/${indicatorFirst(parts)}${parts.rest.slice(0, 2).join('')}`,
  },
  sscc: { digits: 17, path: (parts) => `/00/${indicatorFirst(parts)}` },
  sgln: {
    digits: 12,
    path: (parts) => `/414/${joined(parts)}${parts.rest.join('.') === '0' ? '' : `/254/${serial(parts)}`}`,
  },
  pgln: { digits: 12, path: (parts) => `/417/${joined(parts)}` },
  grai: {
    digits: 12,
    path: (parts) => `/8003/0${joined(parts)}${serial(parts)}`,
    pattern: (parts) => `/8003/0${joined(parts)}`,
  },
  giai: { path: (parts) => `/8004/${plain(parts)}` },
  gsrn: { digits: 17, path: (parts) => `/8018/${joined(parts)}` },
  gsrnp: { digits: 17, path: (parts) => `/8017/${joined(parts)}` },
  gdti: {
    digits: 12,
    path: (parts) => `/253/${joined(parts)}${serial(parts)}`,
    pattern: (parts) => `/253/${joined(parts)}`,
  },
  sgcn: {
    digits: 12,
    path: (parts) => `/255/${joined(parts)}${serial(parts)}`,
    pattern: (parts) => `/255/${joined(parts)}`,
  },
  cpi: {
    path: (parts) => `/8010/${encode(parts.prefix + parts.reference)}/8011/${serial(parts)}`,
    pattern: (parts) => `/8010/${encode(parts.prefix + parts.reference)}`,
  },
  ginc: { path: (parts) => `/401/${plain(parts)}` },
  gsin: { digits: 16, path: (parts) => `/402/${joined(parts)}` },
}

const EPC_URN = /^urn:epc:(id|class|idpat):([a-z]+):([0-9]{6,12})\.([^.]*)(?:\.(.*))?$/

function epcToDigitalLink(urn: string): string | undefined {
  const match = EPC_URN.exec(urn)
  const scheme = match ? entryOf(EPC_SCHEMES, match[2]!) : undefined
  if (!match || !scheme) return undefined
  const [, kind, , prefix, reference, tail] = match
  const parts: EpcParts = { prefix: prefix!, reference: reference!, rest: tail === undefined ? [] : tail.split('.') }
  if (scheme.digits !== undefined) {
    if (!/^[0-9]*$/.test(parts.reference) || prefix!.length + reference!.length !== scheme.digits) return undefined
  }
  if (kind !== 'idpat') return CANONICAL_HOST + scheme.path(parts)
  return parts.rest.at(-1) === '*' && scheme.pattern ? CANONICAL_HOST + scheme.pattern(parts) : undefined
}

/** Short names of application identifiers, which older Digital Links use. */
const AI_OF_NAME: Record<string, string> = {
  gtin: '01', itip: '8006', cpid: '8010', gln: '414', party: '417', gsrnp: '8017', gsrn: '8018', gcn: '255',
  sscc: '00', gdti: '253', ginc: '401', gsin: '402', grai: '8003', giai: '8004', cpv: '22', lot: '10', ser: '21',
}

/** Each primary key: the form of its value, and its qualifiers, the finest first; `dropped` are never kept. */
const PRIMARY_KEYS: Record<string, { value: RegExp; qualifiers: string[]; dropped?: string }> = {
  '00': { value: /^\d{18}$/, qualifiers: [] },
  '01': { value: /^\d{14}$/, qualifiers: ['21', '235', '10'], dropped: '22' },
  '253': { value: /^\d{13}.{0,17}$/, qualifiers: [] },
  '255': { value: /^\d{13,25}$/, qualifiers: [] },
  '401': { value: /^.{1,30}$/, qualifiers: [] },
  '402': { value: /^\d{17}$/, qualifiers: [] },
  '414': { value: /^\d{13}$/, qualifiers: ['254'] },
  '417': { value: /^\d{13}$/, qualifiers: [] },
  '8003': { value: /^\d{14}.{0,16}$/, qualifiers: [] },
  '8004': { value: /^.{1,30}$/, qualifiers: [] },
  '8006': { value: /^\d{18}$/, qualifiers: ['21', '10'], dropped: '22' },
  '8010': { value: /^.{1,30}$/, qualifiers: ['8011'] },
  '8017': { value: /^\d{18}$/, qualifiers: [] },
  '8018': { value: /^\d{18}$/, qualifiers: [] },
}

const aiOf = (name: string): string => entryOf(AI_OF_NAME, name) ?? name
const isPrimary = (name: string): boolean => Object.hasOwn(PRIMARY_KEYS, aiOf(name))

/** GTINs of 8, 12 and 13 digits are the same number with zeros in front. */
const padGtin = (value: string): string => (/^(\d{8}|\d{12,13})$/.test(value) ? value.padStart(14, '0') : value)

function linkToDigitalLink(uri: string): string | undefined {
  const address = /^https?:\/\/[^/?#]+([^?#]*)/.exec(uri)
  if (!address) return undefined
  const segments = address[1]!.split('/').slice(1)
  if (segments.at(-1) === '') segments.pop()
  const start = segments.findIndex((name, i) => isPrimary(name) && /^\d{4}/.test(segments[i + 1] ?? ''))
  if (start < 0 || (segments.length - start) % 2 !== 0) return undefined
  const names = segments.slice(start).map((name, i) => (i % 2 === 0 ? aiOf(name) : name))
  const [ai, raw] = names as [string, string]
  const key = PRIMARY_KEYS[ai]!
  const value = ai === '01' ? padGtin(raw) : raw
  if (!key.value.test(value)) return undefined
  const qualifiers = new Map<string, string>()
  for (let i = 2; i < names.length; i += 2) qualifiers.set(names[i]!, names[i + 1]!)
  for (const name of qualifiers.keys()) if (!key.qualifiers.includes(name) && name !== key.dropped) return undefined
  const finest = key.qualifiers.find((name) => qualifiers.has(name))
  return `${CANONICAL_HOST}/${ai}/${value}${finest === undefined ? '' : `/${finest}/${qualifiers.get(finest)}`}`
}

/** The canonical Digital Link of an EPC URN or of a Digital Link of any domain; undefined when it is neither. */
export function toCanonicalDigitalLink(uri: string): string | undefined {
  if (!uri.startsWith('urn:epc:')) return linkToDigitalLink(uri)
  const link = epcToDigitalLink(uri)
  // A URN without its serial, or with a bare # in it, would give a link that names something else.
  return link !== undefined && linkToDigitalLink(link) === link ? link : undefined
}
