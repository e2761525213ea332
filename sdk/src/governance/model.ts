import type { Result } from 'ethers'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH, toAddress } from '../protocol/bytes.js'
import type { Hex } from '../protocol/bytes.js'
import {
  NODE_KINDS, NODE_STATUSES, type NodeKind, type NodeStatus, ORGANISATION_KINDS, ORGANISATION_STATUSES, type OrganisationKind,
  type OrganisationStatus, type Role, bitsToRoles, hexToText, nameOf,
} from './codes.js'
import { type MotionKind, motionKindOf } from './motions.js'

/** Times are block times, seconds since 1970. */
export interface Organisation {
  readonly uscc: string
  readonly status: OrganisationStatus
  readonly kind: OrganisationKind
  readonly roles: readonly Role[]
  readonly nameZh: string
  readonly nameEn: string
  readonly administrator: Address
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
  readonly since: number
  readonly contactHash: Hash | undefined
}

export interface BoundAccount {
  readonly address: Address
  readonly uscc: string
  readonly roles: readonly Role[]
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

export interface RegisteredNode {
  /** Of its key; as a validator it seals under this address. */
  readonly address: Address
  readonly publicKey: Hex
  readonly kind: NodeKind
  readonly status: NodeStatus
  readonly isValidator: boolean
  /** GB/T 2260. */
  readonly city: string
  /** GB/T 4754. */
  readonly industry: string | undefined
  readonly acCode: string | undefined
  readonly government: string | undefined
  readonly telecom: string | undefined
  readonly operator: string | undefined
  /** Which of its bodies have said yes to its application. */
  readonly confirmedBy: readonly NodeBody[]
  /** Of a suspended node: the government body that suspended it; undefined when the council did. */
  readonly suspendedBy: string | undefined
  readonly endpointsHash: Hash | undefined
  readonly documentsHash: Hash | undefined
  readonly applicant: Address | undefined
  readonly since: number
}

export const NODE_BODIES = ['government', 'telecom', 'operator'] as const
export type NodeBody = (typeof NODE_BODIES)[number]

export const MOTION_STATUSES = ['open', 'executed', 'cancelled', 'expired'] as const
export type MotionStatus = (typeof MOTION_STATUSES)[number]

export interface MotionState {
  readonly id: number
  /** Undefined for one that this SDK does not know. */
  readonly kind: MotionKind | undefined
  readonly status: MotionStatus
  /** Credit code of the seat that proposed it. */
  readonly seat: string
  readonly proposedAt: number
  readonly expiresAt: number
  /** ABI-encoded: see `decodeMotion`. */
  readonly arguments: Hex
  readonly reason: string
  readonly approvals: number
  readonly rejections: number
  /** Approvals that it takes at present. */
  readonly needed: number
}

export interface Usage {
  /** Days since 1970 in Beijing. */
  readonly day: number
  readonly gas: bigint
  readonly bytes: bigint
  readonly transactions: number
}

/** What an account may still use today: of both quotas that hold for it. */
export interface Quota {
  readonly account: { readonly gasPerDay: bigint; readonly bytesPerDay: bigint; readonly used: Usage }
  /** Of its organisation, or of all newcomers together. */
  readonly group: { readonly uscc: string | undefined; readonly gasPerDay: bigint; readonly bytesPerDay: bigint; readonly used: Usage }
}

const hashOrNone = (hash: unknown): Hash | undefined => (hash === ZERO_HASH ? undefined : (hash as Hash))
const big = (value: unknown): bigint => value as bigint

/** @returns undefined for an organisation that the register does not know */
export function organisationOf(uscc: string, answer: Result): Organisation | undefined {
  const status = nameOf(ORGANISATION_STATUSES, big(answer.status))
  const kind = nameOf(ORGANISATION_KINDS, big(answer.kind))
  if (status === undefined || kind === undefined) return undefined
  return {
    uscc, status, kind, roles: bitsToRoles(big(answer.roles)), nameZh: String(answer.nameZh), nameEn: String(answer.nameEn),
    administrator: toAddress(String(answer.administrator)), gasPerDay: big(answer.gasPerDay), bytesPerDay: big(answer.bytesPerDay),
    since: Number(answer.since), contactHash: hashOrNone(answer.contactHash),
  }
}

/** @returns undefined for an account that is bound to no organisation */
export function accountOf(address: Address, answer: Result): BoundAccount | undefined {
  const uscc = hexToText(String(answer.organisation))
  if (uscc === undefined) return undefined
  return { address, uscc, roles: bitsToRoles(big(answer.roles)), gasPerDay: big(answer.gasPerDay), bytesPerDay: big(answer.bytesPerDay) }
}

/** @returns undefined for a node that never applied */
export function nodeOf(address: Address, answer: Result, isValidator: boolean): RegisteredNode | undefined {
  const status = nameOf(NODE_STATUSES, big(answer.status))
  const kind = nameOf(NODE_KINDS, big(answer.kind))
  if (status === undefined || kind === undefined) return undefined
  const text = (name: string): string | undefined => hexToText(String(answer[name]))
  const applicant = toAddress(String(answer.applicant))
  return {
    address, kind, status, isValidator,
    publicKey: `0x0${big(answer.keyPrefix).toString(16)}${String(answer.keyX).slice(2)}`,
    city: text('city') ?? '', industry: text('industry'), acCode: text('acCode'),
    government: text('government'), telecom: text('telecom'), operator: text('operator'),
    confirmedBy: NODE_BODIES.filter((_body, bit) => (Number(answer.confirmations) & (1 << bit)) !== 0),
    suspendedBy: status === 'suspended' ? text('suspendedBy') : undefined,
    endpointsHash: hashOrNone(answer.endpointsHash), documentsHash: hashOrNone(answer.documentsHash),
    applicant: applicant === ZERO_ADDRESS ? undefined : applicant, since: Number(answer.since),
  }
}

export function motionOf(id: number, answer: Result): MotionState {
  const status = nameOf(MOTION_STATUSES, big(answer.status))
  if (status === undefined) throw new TypeError(`motion ${id} has the status ${String(answer.status)}`)
  return {
    id, status, kind: motionKindOf(big(answer.kind)), seat: hexToText(String(answer.seat)) ?? '',
    proposedAt: Number(answer.proposedAt), expiresAt: Number(answer.expiresAt), arguments: answer.arguments as Hex,
    reason: String(answer.reason), approvals: Number(answer.approvals), rejections: Number(answer.rejections), needed: Number(answer.needed),
  }
}

export function usageOf(answer: Result): Usage {
  return { day: Number(answer.day), gas: big(answer.gas), bytes: big(answer.bytes_), transactions: Number(answer.transactions) }
}
