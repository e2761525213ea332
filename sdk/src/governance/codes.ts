import { type Address, type Hex, bytesToHex, hexToBytes, toAddress, utf8ToBytes } from '../protocol/bytes.js'
import { isUscc } from '../protocol/uscc.js'
import { SonghuaError } from '../connection/songhua-error.js'

/** Numbers of the contracts' enumerations begin at 1: the place in these lists, plus one. */
export const ORGANISATION_KINDS = [
  'government-body', 'telecom-operator', 'operating-entity', 'enterprise', 'court', 'notary', 'bank',
] as const
export type OrganisationKind = (typeof ORGANISATION_KINDS)[number]

/** 超级, 骨干, 服务. */
export const NODE_KINDS = ['super', 'backbone', 'service'] as const
export type NodeKind = (typeof NODE_KINDS)[number]

export const ORGANISATION_STATUSES = ['active', 'suspended'] as const
export type OrganisationStatus = (typeof ORGANISATION_STATUSES)[number]

export const NODE_STATUSES = ['applied', 'admitted', 'active', 'suspended', 'retired'] as const
export type NodeStatus = (typeof NODE_STATUSES)[number]

/** Rights of accounts, by the bit that stands for each on the chain. */
export const ROLE_BITS = { anchor: 1, deploy: 2, issue: 4, administer: 8, read: 16, apply: 32 } as const
export type Role = keyof typeof ROLE_BITS

/** Doors whose reads the policy opens, by their place in the chain's word of levels. */
export const DOORS = {
  eth: 0, net: 1, web3: 2, txpool: 3, debug: 4, qbft: 5, songhua: 6, government: 16, trace: 17, credit: 18,
} as const
export type Door = keyof typeof DOORS
export const READ_LEVELS = ['listed', 'members', 'public'] as const
export type ReadLevel = (typeof READ_LEVELS)[number]

/** A quota that limits nothing. */
export const NO_LIMIT = 2n ** 64n - 1n

const fail = (field: string, problem: string): never => {
  throw new SonghuaError('OPTION_INVALID', `${field} ${problem}`, { field })
}

/** @returns number of a name in an enumeration @throws SonghuaError `OPTION_INVALID` */
export function numberOf(names: readonly string[], name: string, field: string): number {
  const at = names.indexOf(name)
  return at < 0 ? fail(field, `must be one of ${names.join(', ')}; it is ${name}`) : at + 1
}

/** Name of a number; undefined for 0, which means none. */
export function nameOf<const T extends string>(names: readonly T[], number: bigint): T | undefined {
  return names[Number(number) - 1]
}

/** @throws SonghuaError `OPTION_INVALID` */
export function rolesToBits(roles: readonly Role[], field = 'roles'): number {
  return roles.reduce((bits, role) => bits | (ROLE_BITS[role] ?? fail(field, `must be of ${Object.keys(ROLE_BITS).join(', ')}; it has ${String(role)}`)), 0)
}

export function bitsToRoles(bits: bigint): Role[] {
  return (Object.entries(ROLE_BITS) as [Role, number][]).filter(([, bit]) => (Number(bits) & bit) !== 0).map(([role]) => role)
}

/** A credit code as the contracts take it. @throws SonghuaError `OPTION_INVALID` */
export function usccToHex(uscc: string, field = 'uscc'): Hex {
  if (!isUscc(uscc)) fail(field, `is ${uscc}, no unified social credit code: 18 characters whose check characters hold (GB 32100)`)
  return textToHex(uscc, 18, field)
}

/** ASCII of at most `length` characters, filled up with zeros. @throws SonghuaError `OPTION_INVALID` */
export function textToHex(text: string, length: number, field: string): Hex {
  const bytes = new Uint8Array(length)
  const ascii = utf8ToBytes(text)
  if (ascii.length > length || ascii.some((byte) => byte < 0x20 || byte > 0x7e)) {
    fail(field, `must be at most ${length} ASCII characters; it is ${JSON.stringify(text)}`)
  }
  bytes.set(ascii)
  return bytesToHex(bytes)
}

/** Text of fixed bytes; undefined when they are zero. */
export function hexToText(hex: string): string | undefined {
  const bytes = hexToBytes(hex)
  const end = bytes.findIndex((byte) => byte === 0)
  const text = String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)))
  return text === '' ? undefined : text
}

/** @throws SonghuaError `OPTION_INVALID` */
export function addressOption(value: string, field: string): Address {
  try {
    return toAddress(value, field)
  } catch (error) {
    throw new SonghuaError('OPTION_INVALID', `${field} is ${value}, no address: 0x and 40 digits`, { field, cause: error })
  }
}

/** Levels of all doors as the chain's word; what is absent is `listed`, the most closed. */
export function levelsToWord(levels: Readonly<Partial<Record<Door, ReadLevel>>>): bigint {
  return (Object.entries(levels) as [Door, ReadLevel][]).reduce((word, [door, level]) => {
    const at = DOORS[door] ?? fail('levels', `knows no door ${door}`)
    const value = READ_LEVELS.indexOf(level)
    if (value < 0) fail(`levels.${door}`, `must be one of ${READ_LEVELS.join(', ')}`)
    return word | (BigInt(value) << BigInt(2 * at))
  }, 0n)
}

export function wordToLevels(word: bigint): Record<Door, ReadLevel> {
  const entries = (Object.entries(DOORS) as [Door, number][]).map(
    ([door, at]) => [door, READ_LEVELS[Number((word >> BigInt(2 * at)) & 3n)] ?? 'listed'] as const,
  )
  return Object.fromEntries(entries) as Record<Door, ReadLevel>
}

/** @throws SonghuaError `OPTION_INVALID` */
export function doorsToBits(doors: readonly Door[]): bigint {
  return doors.reduce((bits, door) => bits | (1n << BigInt(DOORS[door] ?? fail('doors', `knows no door ${String(door)}`))), 0n)
}

export function bitsToDoors(bits: bigint): Door[] {
  return (Object.entries(DOORS) as [Door, number][]).filter(([, at]) => ((bits >> BigInt(at)) & 1n) === 1n).map(([door]) => door)
}
