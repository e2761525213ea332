// What the registers say, read at fixed slots without calling their code.
import {
  ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import {
  ACCOUNT_BYTES_WORD, ACCOUNT_WORD, ADMINISTRATOR_WORD, NEWCOMERS_WORD, NEWCOMER_WORD, ORGANISATION_SLOT, ORGANISATION_WORD, POLICY_SLOT, USAGE_SLOT,
  USAGE_WORD, addressKey, mappingSlot, organisationKey, packWord, unpackWord, usccOf, wordOf,
} from '@songhua/contracts/membership/slots'
import { addressOf } from '@songhua/contracts/membership/state-words'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'

/** The storage of one state. */
export interface PolicyState {
  /** 0n when unset. */
  readSlot(contract: Address, slot: bigint): bigint
}

export function policyStateOf(state: { getStorage(address: Address, slot: Hash): bigint }): PolicyState {
  return { readSlot: (contract, slot) => state.getStorage(contract, wordOf(slot)) }
}

/** Gas and transaction bytes of one day. */
export interface Quota {
  readonly gas: bigint
  readonly bytes: bigint
}

export interface Usage {
  readonly gas: bigint
  readonly bytes: bigint
  readonly transactions: bigint
}

export interface AccountEntry {
  /** Its unified social credit code. */
  readonly organisation: string
  /** Bits of `ROLE`. */
  readonly roles: number
  readonly quota: Quota
}

export interface OrganisationEntry {
  readonly isActive: boolean
  readonly roles: number
  readonly quota: Quota
}

/** Of accounts that are bound to no organisation. */
export interface NewcomerEntry {
  readonly roles: number
  readonly quota: Quota
}

/** OrganisationRegister.sol: `Status.Active`. */
const ACTIVE = 1n
export const NO_USAGE: Usage = { gas: 0n, bytes: 0n, transactions: 0n }

const readOrganisations = (state: PolicyState, slot: bigint): bigint => state.readSlot(ORGANISATION_REGISTER_ADDRESS, slot)
const readPolicy = (state: PolicyState, slot: bigint): bigint => state.readSlot(POLICY_REGISTER_ADDRESS, slot)

/** In the OrganisationRegister: the first of its two words. */
export const accountSlot = (address: Address): bigint => mappingSlot(addressKey(address), ORGANISATION_SLOT.accounts)
/** In the OrganisationRegister: the word that holds status, rights and quotas. */
export const organisationSlot = (uscc: string): bigint => mappingSlot(organisationKey(uscc), ORGANISATION_SLOT.organisations)

/** Undefined: bound to no organisation. @param slot of {@link accountSlot} */
export function readAccount(state: PolicyState, slot: bigint): AccountEntry | undefined {
  const { organisation: packed, roles, gasPerDay } = unpackWord(ACCOUNT_WORD, readOrganisations(state, slot))
  const organisation = usccOf(packed)
  if (organisation === undefined) return undefined
  const { bytesPerDay } = unpackWord(ACCOUNT_BYTES_WORD, readOrganisations(state, slot + 1n))
  return { organisation, roles: Number(roles), quota: { gas: gasPerDay, bytes: bytesPerDay } }
}

/** One that is not registered is not active and has no rights. @param slot of {@link organisationSlot} */
export function readOrganisation(state: PolicyState, slot: bigint): OrganisationEntry {
  const { status, roles, gasPerDay, bytesPerDay } = unpackWord(ORGANISATION_WORD, readOrganisations(state, slot))
  return { isActive: status === ACTIVE, roles: Number(roles), quota: { gas: gasPerDay, bytes: bytesPerDay } }
}

/** Who speaks for an organisation; its second word. @param slot of {@link organisationSlot} */
export function readAdministrator(state: PolicyState, slot: bigint): Address {
  return addressOf(unpackWord(ADMINISTRATOR_WORD, readOrganisations(state, slot + 1n)).administrator)
}

/**
 * What an administrator may use of a day to govern: its own quota, of which its organisation cannot give it more than the
 * council has given the organisation.
 */
export function administratorQuota(own: Quota, organisation: Quota): Quota {
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
  return { gas: least(own.gas, organisation.gas), bytes: least(own.bytes, organisation.bytes) }
}

/** Whom the registers obey: the council, or who follows it. It hands over all of them at once. */
export const readGovernor = (state: PolicyState): Address => addressOf(readOrganisations(state, ORGANISATION_SLOT.governor))

/** What each newcomer may. */
export function readNewcomer(state: PolicyState): NewcomerEntry {
  const { roles, gasPerDay, bytesPerDay } = unpackWord(NEWCOMER_WORD, readPolicy(state, POLICY_SLOT.newcomer))
  return { roles: Number(roles), quota: { gas: gasPerDay, bytes: bytesPerDay } }
}

/** What all newcomers may together. */
export function readNewcomersQuota(state: PolicyState): Quota {
  const { gasPerDay, bytesPerDay } = unpackWord(NEWCOMERS_WORD, readPolicy(state, POLICY_SLOT.newcomers))
  return { gas: gasPerDay, bytes: bytesPerDay }
}

/** @param key of the usage: of an account, an organisation, or all newcomers */
export const usageSlot = (key: Uint8Array): bigint => mappingSlot(key, USAGE_SLOT.usage)

export function readUsage(state: PolicyState, slot: bigint, day: number): Usage {
  return usageOfWord(state.readSlot(USAGE_REGISTER_ADDRESS, slot), day)
}

/** Counting starts anew each day. */
export function usageOfWord(word: bigint, day: number): Usage {
  const { day: counted, gas, bytes, transactions } = unpackWord(USAGE_WORD, word)
  return counted === BigInt(day) ? { gas, bytes, transactions } : NO_USAGE
}

export function usageToWord({ gas, bytes, transactions }: Usage, day: number): bigint {
  return packWord(USAGE_WORD, { day: BigInt(day), gas, bytes, transactions })
}

/** Two bits for each door. */
export const readReadLevels = (state: PolicyState): bigint => readPolicy(state, POLICY_SLOT.readLevels)

/** Bits of the doors for which the account is listed as a reader. */
export function readReaderDoors(state: PolicyState, account: Address): bigint {
  return readPolicy(state, mappingSlot(addressKey(account), POLICY_SLOT.readers))
}
