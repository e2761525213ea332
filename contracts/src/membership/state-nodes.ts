// What NodeRegister.sol holds, read at its fixed slots without calling its code.
import type { Address, Hash, Hex } from '@songhua/sdk/protocol/bytes'
import { NODE_REGISTER_ADDRESS } from '../addresses.js'
import { BODY, NODE_KIND, type NodeKindName, NODE_STATUS } from './kinds.js'
import { NODE_SLOT, NODE_WORD, type PackedLayout, addressKey, mappingSlot, unpackWord, usccOf, wordOf } from './slots.js'
import {
  type Page, type Paged, type ReadSlot, type SystemState, addressOf, addressOrNone, asciiOf, hashOrNone, nameOf, readArray, readSet, storageOf,
} from './state-words.js'

/** Word 7 of a node. */
const APPLICANT_WORD = [['applicant', 160], ['rotatedAt', 64]] as const satisfies PackedLayout
const CHANGE_WORDS = 2n

export type NodeStatusName = Exclude<keyof typeof NODE_STATUS, 'none'>

export interface NodeState {
  readonly address: Address
  /** Compressed, 33 bytes. */
  readonly publicKey: Hex
  readonly kind: NodeKindName
  readonly status: NodeStatusName
  /** The status to which reinstating leads back. */
  readonly suspendedFrom: NodeStatusName | undefined
  readonly city: string
  readonly industry: string | undefined
  readonly acCode: string | undefined
  /** Block times in seconds. */
  readonly since: number
  readonly rotatedAt: number
  readonly confirmations: readonly (keyof typeof BODY)[]
  readonly government: string | undefined
  readonly telecom: string | undefined
  readonly operator: string | undefined
  readonly endpointsHash: Hash | undefined
  readonly documentsHash: Hash | undefined
  readonly applicant: Address | undefined
  /** The government body that suspended it; undefined: the council. */
  readonly suspendedBy: string | undefined
}

export interface ValidatorChangeState {
  /** First block that the set seals. */
  readonly height: number
  readonly validators: readonly Address[]
}

const statusOf = (number: bigint): NodeStatusName | undefined => {
  const name = nameOf(NODE_STATUS, number)
  return name === 'none' ? undefined : name
}

/** Undefined for one that never applied. */
export function readNode(state: SystemState, address: Address): NodeState | undefined {
  const read = storageOf(state, NODE_REGISTER_ADDRESS)
  const slot = mappingSlot(addressKey(address), NODE_SLOT.nodes)
  const word = unpackWord(NODE_WORD, read(slot + 1n))
  const [status, kind] = [statusOf(word.status), nameOf(NODE_KIND, word.kind)]
  if (status === undefined || kind === undefined) return undefined
  const { applicant, rotatedAt } = unpackWord(APPLICANT_WORD, read(slot + 7n))
  return {
    address, kind, status, suspendedFrom: statusOf(word.suspendedFrom),
    publicKey: `0x0${word.keyPrefix.toString(16)}${wordOf(read(slot)).slice(2)}`,
    city: asciiOf(word.city) ?? '', industry: asciiOf(word.industry), acCode: asciiOf(word.acCode),
    since: Number(word.since), rotatedAt: Number(rotatedAt),
    confirmations: (Object.keys(BODY) as (keyof typeof BODY)[]).filter((body) => (Number(word.confirmations) & BODY[body]) !== 0),
    government: usccOf(read(slot + 2n)), telecom: usccOf(read(slot + 3n)), operator: usccOf(read(slot + 4n)),
    endpointsHash: hashOrNone(read(slot + 5n)), documentsHash: hashOrNone(read(slot + 6n)),
    applicant: addressOrNone(applicant), suspendedBy: usccOf(read(slot + 8n)),
  }
}

/** Of a node that has applied once. */
export function readNodeStatus(state: SystemState, address: Address): NodeStatusName | undefined {
  const slot = mappingSlot(addressKey(address), NODE_SLOT.nodes)
  return statusOf(unpackWord(NODE_WORD, state.readSlot(NODE_REGISTER_ADDRESS, slot + 1n)).status)
}

/** All that ever applied, in the order of the contract's list. */
export const readNodeAddresses = (state: SystemState, page?: Page): Paged<Address> =>
  readSet(storageOf(state, NODE_REGISTER_ADDRESS), NODE_SLOT.all, { ...(page && { page }), value: addressOf })

/** How many may connect. */
export const readConnectableCount = (state: SystemState): number => Number(state.readSlot(NODE_REGISTER_ADDRESS, NODE_SLOT.connectable))

/** The node that an AC code names. @param acCode 4 characters */
export function readNodeByAcCode(state: SystemState, acCode: string): Address | undefined {
  const key = new Uint8Array(32)
  key.set([...acCode].map((character) => character.charCodeAt(0)))
  return addressOrNone(state.readSlot(NODE_REGISTER_ADDRESS, mappingSlot(key, NODE_SLOT.acCodes)))
}

/**
 * The set that seals a block, and those that follow it.
 * @param height of the block after the one whose state this is
 */
export function readValidatorSchedule(state: SystemState, height: number): { validators: readonly Address[]; pending: readonly ValidatorChangeState[] } {
  const read = storageOf(state, NODE_REGISTER_ADDRESS)
  const changes = readArray(read, NODE_SLOT.pending, {
    words: CHANGE_WORDS, entry: (at) => ({ height: Number(read(at)), validators: readAddresses(read, at + 1n) }),
  }).items
  const due = changes.findLast((change) => change.height <= height)
  return {
    validators: due?.validators ?? readAddresses(read, NODE_SLOT.validators),
    pending: changes.filter((change) => change.height > height),
  }
}

const readAddresses = (read: ReadSlot, slot: bigint): readonly Address[] => readArray(read, slot, { entry: (at) => addressOf(read(at)) }).items
