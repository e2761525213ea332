import type { Result } from 'ethers'
import { type Address, type Hash, type Hex, ZERO_HASH, toAddress } from '../protocol/bytes.js'
import { ORGANISATION_KINDS, bitsToDoors, bitsToRoles, hexToText, nameOf, wordToLevels } from './codes.js'
import { type MotionArguments, type MotionKind, type OrganisationEntry, decodeMotion, motionKindOf } from './motions.js'

type Values = readonly unknown[]
type FromAbi<K extends MotionKind> = (values: Values) => MotionArguments[K]

const big = (value: unknown): bigint => value as bigint
const address = (value: unknown): Address => toAddress(String(value))
const addresses = (value: unknown): Address[] => (value as Result).toArray().map(address)

/** What the chain has in a place where a name is due: a contract may hold numbers that this SDK has no name for. */
class NamelessValue extends Error {}

function named<T>(name: T | undefined): T {
  if (name === undefined) throw new NamelessValue()
  return name
}

const text = (value: unknown): string => named(hexToText(String(value)))
const body = <K extends string>(name: K, value: unknown): Partial<Record<K, string>> => {
  const uscc = hexToText(String(value))
  return uscc === undefined ? {} : ({ [name]: uscc } as Record<K, string>)
}
const hash = <K extends string>(name: K, value: unknown): Partial<Record<K, Hash>> =>
  value === ZERO_HASH ? {} : ({ [name]: value as Hash } as Record<K, Hash>)

const uscc = ([code]: Values): { uscc: string } => ({ uscc: text(code) })
const node = ([value]: Values): { node: Address } => ({ node: address(value) })

function abiToEntry(entry: Result): OrganisationEntry {
  return {
    uscc: text(entry.uscc), kind: named(nameOf(ORGANISATION_KINDS, big(entry.kind))), roles: bitsToRoles(big(entry.roles)),
    nameZh: String(entry.nameZh), nameEn: String(entry.nameEn), ...hash('contactHash', entry.contactHash),
    administrator: address(entry.administrator), gasPerDay: big(entry.gasPerDay), bytesPerDay: big(entry.bytesPerDay),
  }
}

/** The inverse of `entryToAbi`; undefined for what this SDK has no name for. */
export const entryFromAbi = (entry: Result): OrganisationEntry | undefined => ifNamed(() => abiToEntry(entry))

function ifNamed<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof NamelessValue) return undefined
    throw error
  }
}

/** The inverse of each motion's `toAbi`. */
const READERS: { readonly [K in MotionKind]: FromAbi<K> } = {
  admitOrganisation: ([entry]) => abiToEntry(entry as Result),
  suspendOrganisation: uscc,
  reinstateOrganisation: uscc,
  setOrganisationRights: ([code, roles, gasPerDay, bytesPerDay]) => ({
    uscc: text(code), roles: bitsToRoles(big(roles)), gasPerDay: big(gasPerDay), bytesPerDay: big(bytesPerDay),
  }),
  replaceAdministrator: ([code, administrator]) => ({ uscc: text(code), administrator: address(administrator) }),
  seat: uscc,
  unseat: uscc,
  admitNode: ([value, applicationHash]) => ({ node: address(value), ...hash('applicationHash', applicationHash) }),
  suspendNode: ([value, reasonHash]) => ({ node: address(value), ...hash('reasonHash', reasonHash) }),
  reinstateNode: node,
  retireNode: node,
  issueAcCode: ([value, acCode]) => ({ node: address(value), acCode: text(acCode) }),
  withdrawAcCode: ([acCode]) => ({ acCode: text(acCode) }),
  setNodeBodies: ([value, government, telecom, operator]) => ({
    node: address(value), ...body('government', government), ...body('telecom', telecom), operator: text(operator),
  }),
  changeValidators: ([added, removed, height]) => ({ added: addresses(added), removed: addresses(removed), height: Number(height) }),
  setNewcomers: ([roles, gasPerDay, bytesPerDay, gasPerDayTotal, bytesPerDayTotal]) => ({
    roles: bitsToRoles(big(roles)), gasPerDay: big(gasPerDay), bytesPerDay: big(bytesPerDay),
    gasPerDayTotal: big(gasPerDayTotal), bytesPerDayTotal: big(bytesPerDayTotal),
  }),
  setReadLevels: ([levels]) => ({ levels: wordToLevels(big(levels)) }),
  setReader: ([reader, doors]) => ({ reader: address(reader), doors: bitsToDoors(big(doors)) }),
  setParameters: ([minValidators, validatorNotice, protocolNotice, motionLifetime]) => ({
    minValidators: Number(minValidators), validatorNotice: Number(validatorNotice),
    protocolNotice: Number(protocolNotice), motionLifetime: Number(motionLifetime),
  }),
  scheduleProtocol: ([version, height]) => ({ version: Number(version), height: Number(height) }),
  cancelProtocol: () => ({}),
  setThreshold: ([kind, permille]) => ({ kind: named(motionKindOf(big(kind))), permille: Number(permille) }),
  handOver: ([successor]) => ({ successor: address(successor) }),
  cancelValidatorChange: () => ({}),
}

/**
 * A motion's arguments as `propose` takes them; undefined when the bytes are no such arguments, or hold numbers for which
 * this SDK has no name (`decodeMotion` gives what is there).
 */
export function motionArguments<K extends MotionKind>(kind: K, bytes: Hex): MotionArguments[K] | undefined {
  const decoded = decodeMotion(kind, bytes)
  if (decoded === undefined) return undefined
  return ifNamed(() => READERS[kind](decoded.values))
}
