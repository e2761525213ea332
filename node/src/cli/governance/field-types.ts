import {
  DOORS, type Door, NODE_KINDS, NO_LIMIT, ORGANISATION_KINDS, READ_LEVELS, ROLE_BITS, type ReadLevel, type Role,
} from '@songhua/sdk/governance/codes'
import { type Address, type Hash, type Hex, ZERO_ADDRESS, hexToBytes, isHex, toAddress, toHash, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex, publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import { CITIES, isCityCode, knownCities } from '../cities.js'
import { type Text, type TextValues, fillText } from './texts.js'

/** What is wrong with the value of a field, for the clerk who wrote it. */
export class FieldProblem extends Error {
  readonly text: Text

  constructor(text: Text, values: TextValues = {}) {
    super(fillText(text.en, values))
    this.text = { en: this.message, zh: fillText(text.zh, values) }
  }
}

/** The words of fields that take no others, for the help. */
export const FIELD_WORDS = {
  roles: Object.keys(ROLE_BITS).join(', '),
  doors: Object.keys(DOORS).join(', '),
  levels: READ_LEVELS.join(', '),
  kinds: ORGANISATION_KINDS.join(', '),
} as const

/** How the text of a flag, or a value of a JSON file, becomes what the contracts take. */
export interface FieldType<T> {
  /** By which values are shown to people. */
  readonly shape: Shape
  /** Of the flag, in its help. */
  readonly placeholder: string
  /** @throws FieldProblem */
  readonly parse: (value: unknown) => T
}

export type Shape =
  | 'text' | 'organisation' | 'account' | 'accounts' | 'node' | 'nodes' | 'words' | 'quota' | 'number' | 'levels' | 'city'

const MAX_NAME_BYTES = 100
const UNLIMITED = 'unlimited'

const fail = (en: string, zh: string, values: TextValues = {}): never => {
  throw new FieldProblem({ en, zh }, values)
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim()
  return fail('must be a text', '应为文本')
}

/** Of a file a list, of a flag words with commas between. */
function wordsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(textOf)
  return value === '' ? [] : textOf(value).split(',').map((word) => word.trim()).filter((word) => word !== '')
}

function oneOf<const T extends string>(word: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === word)
  return found ?? fail('must be one of {choices}; it is {word}', '应为 {choices} 之一，而非 {word}', { choices: choices.join(', '), word })
}

const text = <T>(shape: Shape, placeholder: string, parse: (text: string) => T): FieldType<T> => ({
  shape, placeholder, parse: (value) => parse(textOf(value)),
})

export const USCC = text('organisation', '<uscc>', (value) => {
  const uscc = value.toUpperCase()
  if (isUscc(uscc)) return uscc
  return fail(
    'is {value}, no unified social credit code: 18 characters whose check characters hold (GB 32100)',
    '{value} 不是有效的统一社会信用代码：应为 18 位且校验码正确（GB 32100）', { value },
  )
})

export const NAME = text('text', '<name>', (value) => {
  const bytes = utf8ToBytes(value).length
  if (bytes <= MAX_NAME_BYTES) return value
  return fail('has {bytes} bytes in UTF-8; at most {max} are possible', '的 UTF-8 长度为 {bytes} 字节，至多 {max} 字节', { bytes, max: MAX_NAME_BYTES })
})

/** Mixed case is a checksum (EIP-55): a digit that was mistyped is found by it. */
function readAddress(value: string): Address {
  if (!isHex(value, 20)) return fail('is {value}, no address: 0x and 40 hexadecimal digits', '{value} 不是地址：应为 0x 加 40 位十六进制数', { value })
  const address = toAddress(value)
  const digits = value.slice(2)
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  if (isMixed && digits !== checksummed(address)) {
    return fail('is {value}, an address whose checksum does not hold: a digit is mistyped (EIP-55)', '{value} 的校验不成立：有字符输错（EIP-55）', { value })
  }
  return address === ZERO_ADDRESS ? fail('is the zero address, whose key nobody has', '不能为零地址：无人持有其私钥') : address
}

function checksummed(address: Address): string {
  const hash = keccak256Hex(utf8ToBytes(address.slice(2))).slice(2)
  return [...address.slice(2)].map((digit, at) => (parseInt(hash[at]!, 16) >= 8 ? digit.toUpperCase() : digit)).join('')
}

export const ACCOUNT = text('account', '<address>', readAddress)
export const NODE = text('node', '<address>', readAddress)
export const NODES: FieldType<Address[]> = {
  shape: 'nodes', placeholder: '<address,…>', parse: (value) => wordsOf(value).map(readAddress),
}

export const HASH = text<Hash>('text', '<hash>', (value) => {
  if (isHex(value, 32)) return toHash(value)
  return fail('is {value}, no hash: 0x and 64 hexadecimal digits', '{value} 不是哈希：应为 0x 加 64 位十六进制数', { value })
})

export const SIGNATURE = text<Hex>('text', '<signature>', (value) => {
  if (isHex(value, 65)) return value.toLowerCase() as Hex
  return fail('must be a signature: 0x and 130 hexadecimal digits', '应为签名：0x 加 130 位十六进制数')
})

export const PUBLIC_KEY = text<Hex>('text', '<key>', (value) => {
  const problem = ['must be a compressed public key of secp256k1: 0x and 66 hexadecimal digits, as songhua keys show prints it',
    '应为 secp256k1 压缩公钥：0x 加 66 位十六进制数，见 songhua keys show'] as const
  if (!isHex(value, 33)) return fail(...problem)
  try {
    publicKeyToAddress(hexToBytes(value))
    return value.toLowerCase() as Hex
  } catch (error) {
    if (isCodedError(error, 'PUBLIC_KEY_INVALID')) return fail(...problem)
    throw error
  }
})

export const ROLES: FieldType<Role[]> = {
  shape: 'words',
  placeholder: '<role,…>',
  parse: (value) => [...new Set(wordsOf(value).map((word) => oneOf(word, Object.keys(ROLE_BITS) as Role[])))],
}

export const ORGANISATION_KIND = text('words', '<kind>', (value) => oneOf(value, ORGANISATION_KINDS))
export const NODE_KIND = text('words', '<kind>', (value) => oneOf(value, NODE_KINDS))

/** A whole number from 0 to 2^64 - 1, or no limit; a bigint is one that was read before. */
export const QUOTA: FieldType<bigint> = {
  shape: 'quota',
  placeholder: `<number|${UNLIMITED}>`,
  parse: (value) => {
    if (value === UNLIMITED) return NO_LIMIT
    const shown = String(value)
    const isWhole = typeof value === 'string' ? /^[0-9]{1,20}$/.test(value.trim()) : typeof value === 'bigint' || Number.isSafeInteger(value)
    const quota = isWhole ? BigInt(shown.trim()) : -1n
    if (quota >= 0n && quota <= NO_LIMIT) return quota
    return fail('is {shown}; it must be a whole number of digits alone, or unlimited', '为 {shown}；应为仅含数字的整数，或 unlimited（不限）', { shown })
  },
}

export const quotaToText = (quota: bigint): string => (quota === NO_LIMIT ? UNLIMITED : String(quota))

export function integer(min: number, max: number): FieldType<number> {
  return {
    shape: 'number',
    placeholder: '<number>',
    parse: (value) => {
      const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value.trim()) ? Number(value) : value
      if (typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max) return number
      return fail('is {shown}; it must be a whole number from {min} to {max}', '为 {shown}；应为 {min} 至 {max} 的整数', { shown: String(value), min, max })
    },
  }
}

/** A block height that a motion may name. */
export const HEIGHT = integer(1, Number.MAX_SAFE_INTEGER)

export const AC_CODE = text('text', '<code>', (value) =>
  /^[a-z0-9]{4}$/.test(value) ? value : fail('is {value}; an AC code is four characters of a-z and 0-9', '为 {value}；AC 号应为 4 位小写字母或数字', { value }))

/** The code of a division of this province, or its name: those that a genesis takes. */
export const CITY = text('city', '<code>', (value) => {
  const known = CITIES.find(({ zh, en }) => [zh, `${zh}市`, `${zh}地区`, en].includes(value))
  if (known !== undefined) return known.code
  if (isCityCode(value)) return value
  throw new FieldProblem({
    en: `is ${value}; it must be one of the codes ${knownCities('en')}`,
    zh: `为 ${value}；应为以下代码之一：${knownCities('zh')}`,
  })
})

export const INDUSTRY = text('text', '<letter>', (value) =>
  /^[A-T]$/.test(value) ? value : fail('is {value}; it must be a letter from A to T (GB/T 4754)', '为 {value}；应为 GB/T 4754 门类字母 A 至 T', { value }))

const DOOR_NAMES = Object.keys(DOORS) as Door[]
export const DOOR_LIST: FieldType<Door[]> = {
  shape: 'words', placeholder: '<door,…>', parse: (value) => wordsOf(value).map((word) => oneOf(word, DOOR_NAMES)),
}

/** Of a file an object, of a flag `door=level` with commas between. */
export const LEVELS: FieldType<Partial<Record<Door, ReadLevel>>> = {
  shape: 'levels',
  placeholder: '<door=level,…>',
  parse: (value) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    const pairs = isObject ? Object.entries(value) : wordsOf(value).map((word) => word.split('=') as [string, string?])
    const levels = pairs.map(([door, level]) => [oneOf(door, DOOR_NAMES), oneOf(String(level ?? ''), READ_LEVELS)] as const)
    return Object.fromEntries(levels)
  },
}

/** One of a list of names that is only known elsewhere. */
export const choice = <const T extends string>(choices: readonly T[], placeholder: string): FieldType<T> =>
  text('words', placeholder, (value) => oneOf(value, choices))
