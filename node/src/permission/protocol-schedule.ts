import { POLICY_SLOT, PROTOCOL_WORD, elementsSlot, unpackWord, wordOf } from '@songhua/contracts/membership/slots'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'

/** From block `height` on the rules of `version` hold. */
export interface ProtocolChange {
  readonly height: number
  readonly version: number
}

/** Ascending by height, each version above the one before; the first holds from block 0. */
export type ProtocolSchedule = readonly ProtocolChange[]

/** The storage of one state; a slot that is not set reads 0. */
export interface StorageReader {
  getStorage(address: Address, slot: Hash): bigint
}

/** Of the register's list the last so many are read: what it costs is bounded, whatever stands in its length. */
export const PROTOCOL_CHANGES_READ_MAX = 64

/** What the genesis lays down: version by the height from which it holds, as in `config.qbft.protocolVersions`. */
export function genesisSchedule(protocolVersions: Readonly<Record<number, number>>): ProtocolSchedule {
  return growing(Object.entries(protocolVersions).map(([height, version]) => ({ height: Number(height), version })))
}

/**
 * What is known in one state: the genesis's schedule and what the PolicyRegister lists behind it, read at fixed slots. The
 * version of block N + 1 follows from the state after block N. Farther ahead a motion may still change what is said here,
 * though no sooner than the policy's notice allows, so that every node hears of a change that many blocks before it.
 *
 * The version at a height is the highest that genesis or register name for it or for a lower one. So a list in any order
 * has one meaning; an entry that repeats a version or goes back changes nothing, and none can undo another. The register
 * writes none of the following, and each is passed over: an entry of height 0, of version 0, or of a height that no block
 * number can have (above 2^53 − 1), and all but the last {@link PROTOCOL_CHANGES_READ_MAX} entries.
 */
export function readProtocolSchedule(state: StorageReader, register: Address, genesis: ProtocolSchedule): ProtocolSchedule {
  const wordAt = (slot: bigint): bigint => state.getStorage(register, wordOf(BigInt.asUintN(256, slot)))
  const length = wordAt(POLICY_SLOT.protocol)
  const count = Math.min(PROTOCOL_CHANGES_READ_MAX, Number(length))
  const first = elementsSlot(POLICY_SLOT.protocol) + length - BigInt(count)
  const listed = Array.from({ length: count }, (_, index) => {
    const { height, version } = unpackWord(PROTOCOL_WORD, wordAt(first + BigInt(index)))
    return { height: Number(height), version: Number(version) }
  })
  return growing([...genesis, ...listed.filter(({ height }) => height > 0 && Number.isSafeInteger(height))])
}

function growing(changes: readonly ProtocolChange[]): ProtocolSchedule {
  const ordered = [...changes].sort((a, b) => a.height - b.height || b.version - a.version)
  let version = 0
  return ordered.filter((change) => {
    const isHigher = change.version > version
    if (isHigher) version = change.version
    return isHigher
  })
}

/** The version at a height, as far as the schedule knows. */
export function versionAt(schedule: ProtocolSchedule, height: number): number {
  return schedule.findLast((change) => change.height <= height)!.version
}

/** The change from which on a program that knows versions up to `max` must be newer; undefined: none is known. */
export function changeBeyond(schedule: ProtocolSchedule, max: number): ProtocolChange | undefined {
  return schedule.find(({ version }) => version > max)
}
