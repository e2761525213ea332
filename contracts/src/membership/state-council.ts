// What Council.sol holds, read at its slots without calling its code.
import { type Address, type Hex, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { COUNCIL_ADDRESS } from '../addresses.js'
import { COUNCIL_SLOT, type PackedLayout, elementsSlot, mappingSlot, organisationKey, unpackWord, usccOf, wordOf } from './slots.js'
import { type ReadSlot, type SystemState, addressOf, listedUscc, nameOf, readArray, readBytes, readSet, readString, storageOf } from './state-words.js'

/** Kinds of motions by their numbers: `MotionKinds.sol`. */
export const MOTION_KIND = {
  admitOrganisation: 1, suspendOrganisation: 2, reinstateOrganisation: 3, setOrganisationRights: 4, replaceAdministrator: 5, seat: 6, unseat: 7,
  admitNode: 8, suspendNode: 9, reinstateNode: 10, retireNode: 11, issueAcCode: 12, withdrawAcCode: 13, setNodeBodies: 14, changeValidators: 15,
  setNewcomers: 16, setReadLevels: 17, setReader: 18, setParameters: 19, scheduleProtocol: 20, cancelProtocol: 21, setThreshold: 22, handOver: 23,
  cancelValidatorChange: 24,
} as const
export type MotionKindName = keyof typeof MOTION_KIND

const MOTION_STATUS = { open: 1, executed: 2, cancelled: 3 } as const
const FUNDAMENTAL: readonly number[] = [5, 6, 7, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24]
const [ORDINARY_PERMILLE, FUNDAMENTAL_PERMILLE] = [500, 666]
const MOTION_WORDS = 5n
const MOTION_WORD = [['kind', 8], ['status', 8], ['seat', 144], ['expiresAt', 64]] as const satisfies PackedLayout
const PROPOSER_WORD = [['proposer', 160], ['proposedAt', 64]] as const satisfies PackedLayout
const BALLOT_WORD = [['seat', 144], ['approve', 8]] as const satisfies PackedLayout

export interface BallotState {
  readonly seat: string
  readonly approve: boolean
  /** Those of seats that are no more do not count. */
  readonly counts: boolean
}

export interface MotionState {
  readonly id: number
  /** Undefined for a number that stands for nothing here. */
  readonly kind: MotionKindName | undefined
  readonly kindNumber: number
  readonly status: keyof typeof MOTION_STATUS | 'expired'
  readonly seat: string
  readonly proposer: Address
  /** Block times in seconds. */
  readonly proposedAt: number
  readonly expiresAt: number
  readonly reason: string
  readonly ballots: readonly BallotState[]
  readonly approvals: number
  readonly rejections: number
  readonly needed: number
}

/** A motion that nobody has carried out or cancelled. */
export interface OpenMotion {
  readonly id: number
  /** Block time in seconds, from which on it is expired. */
  readonly expiresAt: number
}

const councilOf = (state: SystemState): ReadSlot => storageOf(state, COUNCIL_ADDRESS)

/** Credit codes, in no particular order. */
export const readSeats = (state: SystemState): readonly string[] => readSet(councilOf(state), COUNCIL_SLOT.seats, { value: listedUscc }).items

export const readMotionCount = (state: SystemState): number => Number(councilOf(state)(COUNCIL_SLOT.motions))

/** How many of a thousand seats are not yet enough. */
export function readThreshold(state: SystemState, kind: number): number {
  const set = Number(councilOf(state)(mappingSlot(hexToBytes(wordOf(BigInt(kind))), COUNCIL_SLOT.thresholds)))
  if (set !== 0) return set
  return FUNDAMENTAL.includes(kind) ? FUNDAMENTAL_PERMILLE : ORDINARY_PERMILLE
}

export const neededVotes = (seats: number, permille: number): number => Math.floor((seats * permille) / 1000) + 1

/** Of all seats, oldest first, those among them whose time is over. */
export function readOpenMotions(state: SystemState): OpenMotion[] {
  const read = councilOf(state)
  const ids = readSeats(state).flatMap((uscc) =>
    readSet(read, mappingSlot(organisationKey(uscc), COUNCIL_SLOT.open), { value: Number }).items)
  return ids.sort((a, b) => a - b).map((id) => ({ id, expiresAt: Number(unpackWord(MOTION_WORD, read(motionSlot(id))).expiresAt) }))
}

const motionSlot = (id: number): bigint => elementsSlot(COUNCIL_SLOT.motions) + BigInt(id) * MOTION_WORDS

/** @param timestamp of the block whose state this is, seconds. @returns undefined when there is no such motion */
export function readMotion(state: SystemState, id: number, timestamp: number): MotionState | undefined {
  const read = councilOf(state)
  if (id >= readMotionCount(state)) return undefined
  const slot = motionSlot(id)
  const word = unpackWord(MOTION_WORD, read(slot))
  const { proposer, proposedAt } = unpackWord(PROPOSER_WORD, read(slot + 1n))
  const [kindNumber, expiresAt, seats] = [Number(word.kind), Number(word.expiresAt), readSeats(state)]
  const ballots = readArray(read, slot + 4n, { entry: (at) => readBallot(read(at), seats) }).items
  const stored = nameOf(MOTION_STATUS, word.status) ?? 'open'
  const votes = (approve: boolean): number => ballots.filter((ballot) => ballot.counts && ballot.approve === approve).length
  return {
    id, kindNumber, kind: nameOf(MOTION_KIND, word.kind), status: stored === 'open' && timestamp >= expiresAt ? 'expired' : stored,
    seat: usccOf(word.seat) ?? '', proposer: addressOf(proposer), proposedAt: Number(proposedAt), expiresAt,
    reason: readString(read, slot + 3n), ballots, approvals: votes(true), rejections: votes(false), needed: neededVotes(seats.length, readThreshold(state, kindNumber)),
  }
}

/** ABI-encoded arguments of the kind's function, of a motion that there is: 4,096 bytes at most. */
export const readMotionArguments = (state: SystemState, id: number): Hex =>
  bytesToHex(readBytes(councilOf(state), motionSlot(id) + 2n))

function readBallot(word: bigint, seats: readonly string[]): BallotState {
  const { seat, approve } = unpackWord(BALLOT_WORD, word)
  const uscc = usccOf(seat) ?? ''
  return { seat: uscc, approve: approve !== 0n, counts: seats.includes(uscc) }
}
