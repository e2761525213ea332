// What PolicyRegister.sol and UsageRegister.sol hold, read at their fixed slots without calling their code.
import type { Address } from '@songhua/sdk/protocol/bytes'
import { POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS } from '../addresses.js'
import { DOOR, type Door, READ_LEVEL, type ReadLevel } from './kinds.js'
import {
  NEWCOMERS_WORD, NEWCOMER_WORD, PARAMETERS_WORD, POLICY_SLOT, PROTOCOL_WORD, USAGE_SLOT, USAGE_WORD, mappingSlot, unpackWord,
} from './slots.js'
import { type SystemState, addressOf, nameOf, readArray, storageOf } from './state-words.js'

export interface PolicyState {
  /** Who may change the policy: the council, or its successor. */
  readonly governor: Address
  /** Of accounts that are bound to no organisation. */
  readonly newcomers: {
    /** Bits of `ROLE`. */
    readonly roles: number
    readonly gasPerDay: bigint
    readonly bytesPerDay: bigint
    readonly gasPerDayTotal: bigint
    readonly bytesPerDayTotal: bigint
  }
  readonly readLevels: Readonly<Record<Door, ReadLevel>>
  readonly minValidators: number
  /** Blocks. */
  readonly validatorNotice: number
  readonly protocolNotice: number
  /** Seconds. */
  readonly motionLifetime: number
  readonly protocolChanges: readonly { readonly height: number; readonly version: number }[]
}

export interface UsageState {
  readonly gas: bigint
  readonly bytes: bigint
  readonly transactions: number
}

export function readPolicy(state: SystemState): PolicyState {
  const read = storageOf(state, POLICY_REGISTER_ADDRESS)
  const { roles, gasPerDay, bytesPerDay } = unpackWord(NEWCOMER_WORD, read(POLICY_SLOT.newcomer))
  const together = unpackWord(NEWCOMERS_WORD, read(POLICY_SLOT.newcomers))
  const parameters = unpackWord(PARAMETERS_WORD, read(POLICY_SLOT.parameters))
  const levels = read(POLICY_SLOT.readLevels)
  const levelOf = (door: Door): ReadLevel => nameOf(READ_LEVEL, (levels >> BigInt(2 * DOOR[door])) & 3n) ?? 'listed'
  return {
    governor: addressOf(read(POLICY_SLOT.governor)),
    newcomers: {
      roles: Number(roles), gasPerDay, bytesPerDay, gasPerDayTotal: together.gasPerDay, bytesPerDayTotal: together.bytesPerDay,
    },
    readLevels: Object.fromEntries((Object.keys(DOOR) as Door[]).map((door) => [door, levelOf(door)])) as Record<Door, ReadLevel>,
    minValidators: Number(parameters.minValidators), validatorNotice: Number(parameters.validatorNotice),
    protocolNotice: Number(parameters.protocolNotice), motionLifetime: Number(parameters.motionLifetime),
    protocolChanges: readArray(read, POLICY_SLOT.protocol, {
      entry: (at) => {
        const { height, version } = unpackWord(PROTOCOL_WORD, read(at))
        return { height: Number(height), version: Number(version) }
      },
    }).items,
  }
}

/** @param key of an account, an organisation or all newcomers. @param day what was counted on another one is nothing now */
export function readUsage(state: SystemState, key: Uint8Array, day: number): UsageState {
  const word = unpackWord(USAGE_WORD, state.readSlot(USAGE_REGISTER_ADDRESS, mappingSlot(key, USAGE_SLOT.usage)))
  if (Number(word.day) !== day) return { gas: 0n, bytes: 0n, transactions: 0 }
  return { gas: word.gas, bytes: word.bytes, transactions: Number(word.transactions) }
}
