// The registers' storage as genesis and council leave it, written word by word.
import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import {
  ACCOUNT_BYTES_WORD, ACCOUNT_WORD, NEWCOMERS_WORD, NEWCOMER_WORD, ORGANISATION_SLOT, ORGANISATION_WORD, POLICY_SLOT, USAGE_SLOT, USAGE_WORD,
  accountUsageKey, addressKey, dayOf, mappingSlot, organisationKey, packWord, packedUscc, unpackWord, wordOf,
} from '@songhua/contracts/membership/slots'
import type { PolicyState } from '@songhua/node/permission/policy'
import type { Asking } from '@songhua/node/permission/gate'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'

export interface Limits {
  readonly roles: number
  readonly gas: bigint
  readonly bytes: bigint
}

export interface Registers {
  readonly organisations?: Readonly<Record<string, Limits & { readonly status?: bigint; readonly administrator?: Address }>>
  readonly accounts?: Readonly<Record<Address, Limits & { readonly organisation: string }>>
  readonly newcomer?: Limits
  readonly newcomers?: Omit<Limits, 'roles'>
  /** The council when absent. */
  readonly governor?: Address
}

export const BUREAU = '11230000MB1234567A'
export const BANK = '91230100MA18C2D35X'
/** 2027-01-15, noon in Beijing. */
export const NOON = 1_800_000_000 - ((1_800_000_000 + 28_800) % 86_400) + 43_200
export const TODAY = dayOf(NOON)
/** The first second of the next day in Beijing. */
export const MIDNIGHT = NOON + 43_200

export const accountSlot = (account: Address): bigint => mappingSlot(addressKey(account), ORGANISATION_SLOT.accounts)
export const organisationSlot = (uscc: string): bigint => mappingSlot(organisationKey(uscc), ORGANISATION_SLOT.organisations)
export const usageSlot = (key: Uint8Array): bigint => mappingSlot(key, USAGE_SLOT.usage)

export function accountWords({ organisation, roles, gas, bytes }: Limits & { organisation: string }): [bigint, bigint] {
  return [
    packWord(ACCOUNT_WORD, { organisation: packedUscc(organisation), roles: BigInt(roles), gasPerDay: gas }),
    packWord(ACCOUNT_BYTES_WORD, { bytesPerDay: bytes }),
  ]
}

export function organisationWord({ status = 1n, roles, gas, bytes }: Limits & { status?: bigint }): bigint {
  return packWord(ORGANISATION_WORD, { status, kind: 4n, roles: BigInt(roles), gasPerDay: gas, bytesPerDay: bytes })
}

/** contract → slot → value */
export type Storage = Map<Address, Map<Hash, bigint>>

export function storageOf({ organisations = {}, accounts = {}, newcomer, newcomers, governor = COUNCIL_ADDRESS }: Registers): Storage {
  const register = new Map([[wordOf(ORGANISATION_SLOT.governor), BigInt(governor)]])
  for (const [uscc, entry] of Object.entries(organisations)) {
    const slot = organisationSlot(uscc)
    register.set(wordOf(slot), organisationWord(entry))
    if (entry.administrator !== undefined) register.set(wordOf(slot + 1n), BigInt(entry.administrator))
  }
  for (const [account, entry] of Object.entries(accounts)) {
    const slot = accountSlot(account as Address)
    accountWords(entry).forEach((word, index) => register.set(wordOf(slot + BigInt(index)), word))
  }
  const policy = new Map<Hash, bigint>()
  if (newcomer) {
    const word = packWord(NEWCOMER_WORD, { roles: BigInt(newcomer.roles), gasPerDay: newcomer.gas, bytesPerDay: newcomer.bytes })
    policy.set(wordOf(POLICY_SLOT.newcomer), word)
  }
  if (newcomers) {
    policy.set(wordOf(POLICY_SLOT.newcomers), packWord(NEWCOMERS_WORD, { gasPerDay: newcomers.gas, bytesPerDay: newcomers.bytes }))
  }
  const storage: Storage = new Map()
  storage.set(ORGANISATION_REGISTER_ADDRESS, register).set(POLICY_REGISTER_ADDRESS, policy)
  return storage.set(NODE_REGISTER_ADDRESS, new Map()).set(COUNCIL_ADDRESS, new Map()).set(USAGE_REGISTER_ADDRESS, new Map())
}

/** A state that counts what is read of it. */
export function stateOfStorage(storage: Storage): PolicyState & { reads: number } {
  return {
    reads: 0,
    readSlot(contract, slot) {
      this.reads++
      return storage.get(contract)?.get(wordOf(slot)) ?? 0n
    },
  }
}

export interface StoredUsage {
  readonly gas: bigint
  readonly bytes: bigint
  readonly transactions?: bigint
  readonly day?: number
}

export function setUsage(storage: Storage, key: Uint8Array, { gas, bytes, transactions = 1n, day = TODAY }: StoredUsage): void {
  const word = packWord(USAGE_WORD, { day: BigInt(day), gas, bytes, transactions })
  storage.get(USAGE_REGISTER_ADDRESS)!.set(wordOf(usageSlot(key)), word)
}

type ReadonlyStorage = ReadonlyMap<Address, ReadonlyMap<Hash, bigint>>

export function usageIn(storage: ReadonlyStorage, key: Uint8Array) {
  return unpackWord(USAGE_WORD, storage.get(USAGE_REGISTER_ADDRESS)?.get(wordOf(usageSlot(key))) ?? 0n)
}

export const usageOfAccount = (storage: ReadonlyStorage, account: Address) => usageIn(storage, accountUsageKey(account))

/** A transaction of so much gas and so many bytes; `to` undefined creates. */
export function asking(sender: Address, to: Address | undefined, gas: bigint, bytes = 100): Asking {
  return { sender, to, gasLimit: gas, raw: new Uint8Array(bytes) }
}
