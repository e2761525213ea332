import type { ParamType } from 'ethers'
import { type Address, type Hash, type Hex, ZERO_HASH } from '../protocol/bytes.js'
import { messageOf } from '../protocol/errors.js'
import { SonghuaError } from '../connection/songhua-error.js'
import {
  type Door, ORGANISATION_KINDS, type OrganisationKind, type ReadLevel, type Role,
  addressOption, doorsToBits, levelsToWord, numberOf, rolesToBits, textToHex, usccToHex,
} from './codes.js'
import { COUNCIL, NODE_REGISTER, ORGANISATION_REGISTER, POLICY_REGISTER, type SystemContract } from './contracts.js'

/** An organisation as it applies, and as a motion admits it. */
export interface OrganisationEntry {
  readonly uscc: string
  readonly kind: OrganisationKind
  /** Rights that its accounts may have; `administer` its administrator has always. */
  readonly roles: readonly Role[]
  readonly nameZh: string
  readonly nameEn: string
  /** Of the contact data, which stay off the chain. */
  readonly contactHash?: Hash
  readonly administrator: string
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

/** What each kind of motion says. */
export interface MotionArguments {
  admitOrganisation: OrganisationEntry
  suspendOrganisation: { readonly uscc: string }
  reinstateOrganisation: { readonly uscc: string }
  setOrganisationRights: { readonly uscc: string; readonly roles: readonly Role[]; readonly gasPerDay: bigint; readonly bytesPerDay: bigint }
  replaceAdministrator: { readonly uscc: string; readonly administrator: string }
  seat: { readonly uscc: string }
  unseat: { readonly uscc: string }
  /** `applicationHash`: what is voted on; another application is not admitted. `propose` fills in the one that stands. */
  admitNode: { readonly node: string; readonly applicationHash?: Hash }
  suspendNode: { readonly node: string; readonly reasonHash?: Hash }
  reinstateNode: { readonly node: string }
  retireNode: { readonly node: string }
  issueAcCode: { readonly node: string; readonly acCode: string }
  withdrawAcCode: { readonly acCode: string }
  setNodeBodies: { readonly node: string; readonly government?: string; readonly telecom?: string; readonly operator: string }
  /** `height`: the first block that the new set seals. */
  changeValidators: { readonly added?: readonly string[]; readonly removed?: readonly string[]; readonly height: number }
  setNewcomers: {
    readonly roles: readonly Role[]
    readonly gasPerDay: bigint; readonly bytesPerDay: bigint
    readonly gasPerDayTotal: bigint; readonly bytesPerDayTotal: bigint
  }
  setReadLevels: { readonly levels: Readonly<Partial<Record<Door, ReadLevel>>> }
  setReader: { readonly reader: string; readonly doors: readonly Door[] }
  setParameters: {
    readonly minValidators: number; readonly validatorNotice: number
    readonly protocolNotice: number; readonly motionLifetime: number
  }
  scheduleProtocol: { readonly version: number; readonly height: number }
  cancelProtocol: Record<string, never>
  /** `permille` of the seats must be exceeded. */
  setThreshold: { readonly kind: MotionKind; readonly permille: number }
  handOver: { readonly successor: string }
  cancelValidatorChange: Record<string, never>
}
export type MotionKind = keyof MotionArguments

interface MotionForm<K extends MotionKind> {
  readonly number: number
  readonly contract: SystemContract
  /** More than half of the seats is not enough. */
  readonly isFundamental: boolean
  /** Arguments in the order of the function of the same name. */
  readonly toAbi: (args: MotionArguments[K]) => unknown[]
}

const body = (uscc: string | undefined, field: string): Hex => (uscc === undefined ? `0x${'00'.repeat(18)}` : usccToHex(uscc, field))
const node = (address: string): Address => addressOption(address, 'node')

/** As the contracts take an organisation. @throws SonghuaError `OPTION_INVALID` */
export function entryToAbi(entry: OrganisationEntry): unknown[] {
  return [
    usccToHex(entry.uscc), numberOf(ORGANISATION_KINDS, entry.kind, 'kind'), rolesToBits(entry.roles), entry.nameZh, entry.nameEn,
    entry.contactHash ?? ZERO_HASH, addressOption(entry.administrator, 'administrator'), entry.gasPerDay, entry.bytesPerDay,
  ]
}

const form = <K extends MotionKind>(
  number: number, contract: SystemContract, isFundamental: boolean, toAbi: (args: MotionArguments[K]) => unknown[],
): MotionForm<K> => ({ number, contract, isFundamental, toAbi })

export const MOTIONS: { readonly [K in MotionKind]: MotionForm<K> } = {
  admitOrganisation: form(1, ORGANISATION_REGISTER, false, (entry) => [entryToAbi(entry)]),
  suspendOrganisation: form(2, ORGANISATION_REGISTER, false, ({ uscc }) => [usccToHex(uscc)]),
  reinstateOrganisation: form(3, ORGANISATION_REGISTER, false, ({ uscc }) => [usccToHex(uscc)]),
  setOrganisationRights: form(4, ORGANISATION_REGISTER, false, ({ uscc, roles, gasPerDay, bytesPerDay }) => [
    usccToHex(uscc), rolesToBits(roles), gasPerDay, bytesPerDay,
  ]),
  replaceAdministrator: form(5, ORGANISATION_REGISTER, true, ({ uscc, administrator }) => [
    usccToHex(uscc), addressOption(administrator, 'administrator'),
  ]),
  seat: form(6, COUNCIL, true, ({ uscc }) => [usccToHex(uscc)]),
  unseat: form(7, COUNCIL, true, ({ uscc }) => [usccToHex(uscc)]),
  admitNode: form(8, NODE_REGISTER, false, (args) => [node(args.node), args.applicationHash ?? ZERO_HASH]),
  suspendNode: form(9, NODE_REGISTER, false, (args) => [node(args.node), args.reasonHash ?? ZERO_HASH]),
  reinstateNode: form(10, NODE_REGISTER, false, (args) => [node(args.node)]),
  retireNode: form(11, NODE_REGISTER, false, (args) => [node(args.node)]),
  issueAcCode: form(12, NODE_REGISTER, false, (args) => [node(args.node), textToHex(args.acCode, 4, 'acCode')]),
  withdrawAcCode: form(13, NODE_REGISTER, false, ({ acCode }) => [textToHex(acCode, 4, 'acCode')]),
  setNodeBodies: form(14, NODE_REGISTER, true, (args) => [
    node(args.node), body(args.government, 'government'), body(args.telecom, 'telecom'), usccToHex(args.operator, 'operator'),
  ]),
  changeValidators: form(15, NODE_REGISTER, true, ({ added = [], removed = [], height }) => [
    added.map((one) => addressOption(one, 'added')), removed.map((one) => addressOption(one, 'removed')), height,
  ]),
  setNewcomers: form(16, POLICY_REGISTER, true, (args) => [
    rolesToBits(args.roles), args.gasPerDay, args.bytesPerDay, args.gasPerDayTotal, args.bytesPerDayTotal,
  ]),
  setReadLevels: form(17, POLICY_REGISTER, true, ({ levels }) => [levelsToWord(levels)]),
  setReader: form(18, POLICY_REGISTER, false, ({ reader, doors }) => [addressOption(reader, 'reader'), doorsToBits(doors)]),
  setParameters: form(19, POLICY_REGISTER, true, (args) => [
    args.minValidators, args.validatorNotice, args.protocolNotice, args.motionLifetime,
  ]),
  scheduleProtocol: form(20, POLICY_REGISTER, true, ({ version, height }) => [version, height]),
  cancelProtocol: form(21, POLICY_REGISTER, true, () => []),
  setThreshold: form(22, COUNCIL, true, ({ kind, permille }) => [MOTIONS[kind].number, permille]),
  handOver: form(23, COUNCIL, true, ({ successor }) => [addressOption(successor, 'successor')]),
  cancelValidatorChange: form(24, NODE_REGISTER, true, () => []),
}

const MOTION_KINDS = Object.keys(MOTIONS) as MotionKind[]

/** @throws SonghuaError `OPTION_INVALID` naming the kinds that there are */
export function motionKind(name: string): MotionKind {
  const found = MOTION_KINDS.find((kind) => kind === name)
  if (found !== undefined) return found
  throw new SonghuaError('OPTION_INVALID', `kind is ${name}; it must be one of ${MOTION_KINDS.join(', ')}`, { field: 'kind' })
}

/** Name of a kind's number; a council that was replaced may have others. */
export const motionKindOf = (number: bigint): MotionKind | undefined =>
  MOTION_KINDS.find((kind) => MOTIONS[kind].number === Number(number))

const functionOf = (kind: MotionKind) => {
  const found = MOTIONS[kind].contract.abi.getFunction(kind)
  if (found === null) throw new TypeError(`${MOTIONS[kind].contract.name} has no ${kind}`)
  return found
}

/** @returns the bytes that `Council.propose` takes @throws SonghuaError `OPTION_INVALID` naming the field */
export function encodeMotion<K extends MotionKind>(kind: K, args: MotionArguments[K]): Hex {
  const { contract, toAbi } = MOTIONS[kind]
  const values = toAbi(args)
  const { inputs } = functionOf(kind)
  try {
    return contract.abi.getAbiCoder().encode(inputs, values) as Hex
  } catch (error) {
    throw new SonghuaError('OPTION_INVALID', `the arguments of ${kind} do not fit: ${messageOf(error)}`, { field: 'arguments', cause: error })
  }
}

/** Names and values of a motion's arguments as the chain has them; undefined when the bytes are no such arguments. */
export function decodeMotion(kind: MotionKind, bytes: Hex): { inputs: readonly ParamType[]; values: readonly unknown[] } | undefined {
  const { inputs } = functionOf(kind)
  try {
    return { inputs, values: MOTIONS[kind].contract.abi.getAbiCoder().decode(inputs, bytes).toArray() as unknown[] }
  } catch {
    // What is there stands on the chain and cannot be mended: a council executes it only when it decodes.
    return undefined
  }
}

