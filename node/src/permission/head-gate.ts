import {
  ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import { dayOf } from '@songhua/contracts/membership/slots'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { type Asking, type PendingWork, PolicyGate } from './gate.js'
import type { PolicyState } from './policy.js'
import type { PermissionRefusal } from './refusal.js'

/** What the block after the head would say of a transaction. */
export interface HeadGate {
  /** @param pending beside this one: gas limits and bytes */
  check(transaction: Asking, nowMs: number, pending?: PendingWork): PermissionRefusal | undefined
  /** With whom together the sender may fill a pool no further than a shared quota lets out in a day; undefined: alone. */
  groupOf(sender: Address, nowMs: number): string | undefined
  /** Whether an administrator speaks to the contracts that govern. */
  isGovernance(transaction: Pick<Asking, 'sender' | 'to'>, nowMs: number): boolean
  /** Whether the sender may at all, whatever its quotas. */
  checkRight(transaction: Asking, nowMs: number): PermissionRefusal | undefined
  /** A block has become final. @returns whether it changed the rights of anybody */
  onBlock(block: HeadBlock): boolean
}

export interface HeadBlock {
  /** Seconds. */
  readonly timestamp: number
  /** What it changed: contract → slot → value. */
  readonly storage: ReadonlyMap<Address, ReadonlyMap<Hash, bigint>>
}

/** Whoever makes up senders must not fill the memory: 16,384 of them take some 10 MB. */
const SENDERS_MAX = 16_384

/** @param state always the head's. @param timestamp of the head, s: the next block has no earlier one */
export function createHeadGate(state: PolicyState, timestamp: number): HeadGate {
  let headTimestamp = timestamp
  let gate: PolicyGate | undefined
  const gateAt = (nowMs: number): PolicyGate => {
    const day = dayOf(Math.max(headTimestamp, Math.floor(nowMs / 1000)))
    if (gate?.day !== day || gate.size >= SENDERS_MAX) gate = new PolicyGate(state, day)
    return gate
  }
  return {
    check: (transaction, nowMs, pending) => gateAt(nowMs).check(transaction, pending),
    groupOf: (sender, nowMs) => gateAt(nowMs).groupOf(sender),
    isGovernance: (transaction, nowMs) => gateAt(nowMs).isGovernance(transaction),
    checkRight: (transaction, nowMs) => gateAt(nowMs).checkRight(transaction),
    onBlock({ timestamp, storage }) {
      headTimestamp = timestamp
      const organisations = slotsOf(storage, ORGANISATION_REGISTER_ADDRESS)
      const policy = slotsOf(storage, POLICY_REGISTER_ADDRESS)
      const isPolicyChanged = organisations.size + policy.size > 0
      if (isPolicyChanged) gate?.forget(organisations, policy)
      for (const [slot, word] of storage.get(USAGE_REGISTER_ADDRESS) ?? []) gate?.follow(BigInt(slot), word)
      return isPolicyChanged
    },
  }
}

function slotsOf(storage: HeadBlock['storage'], address: Address): ReadonlySet<bigint> {
  return new Set([...storage.get(address)?.keys() ?? []].map(BigInt))
}
