// What OrganisationRegister.sol holds, read at its fixed slots without calling its code.
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { ORGANISATION_REGISTER_ADDRESS } from '../addresses.js'
import { ORGANISATION_KIND } from './kinds.js'
import {
  ACCOUNT_BYTES_WORD, ACCOUNT_WORD, ADMINISTRATOR_WORD, ORGANISATION_SLOT, ORGANISATION_WORD, addressKey, mappingSlot, organisationKey, unpackWord,
  usccOf,
} from './slots.js'
import {
  type Page, type Paged, type SystemState, addressOf, hashOrNone, listedUscc, nameOf, readSet, readString, storageOf,
} from './state-words.js'

const ORGANISATION_STATUS = { active: 1, suspended: 2 } as const

export interface OrganisationState {
  readonly uscc: string
  readonly status: keyof typeof ORGANISATION_STATUS
  readonly kind: keyof typeof ORGANISATION_KIND
  /** Bits of `ROLE`. */
  readonly roles: number
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
  readonly administrator: Address
  /** Block time in seconds at which the status began; 0 for genesis. */
  readonly since: number
  readonly contactHash: Hash | undefined
  readonly nameZh: string
  readonly nameEn: string
}

export interface AccountState {
  readonly address: Address
  readonly uscc: string
  /** Bits of `ROLE`. */
  readonly roles: number
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

/** Undefined for one that was never admitted. */
export function readOrganisation(state: SystemState, uscc: string): OrganisationState | undefined {
  const read = storageOf(state, ORGANISATION_REGISTER_ADDRESS)
  const slot = mappingSlot(organisationKey(uscc), ORGANISATION_SLOT.organisations)
  const word = unpackWord(ORGANISATION_WORD, read(slot))
  const [status, kind] = [nameOf(ORGANISATION_STATUS, word.status), nameOf(ORGANISATION_KIND, word.kind)]
  if (status === undefined || kind === undefined) return undefined
  const { administrator, since } = unpackWord(ADMINISTRATOR_WORD, read(slot + 1n))
  return {
    uscc, status, kind, roles: Number(word.roles), gasPerDay: word.gasPerDay, bytesPerDay: word.bytesPerDay,
    administrator: addressOf(administrator), since: Number(since), contactHash: hashOrNone(read(slot + 2n)),
    nameZh: readString(read, slot + 3n), nameEn: readString(read, slot + 4n),
  }
}

/** Credit codes of all that were ever admitted, in the order of the contract's list. */
export const readOrganisationCodes = (state: SystemState, page?: Page): Paged<string> =>
  readSet(storageOf(state, ORGANISATION_REGISTER_ADDRESS), ORGANISATION_SLOT.list, { ...(page && { page }), value: listedUscc })

/** Undefined for an account that is bound to no organisation. */
export function readAccount(state: SystemState, address: Address): AccountState | undefined {
  const read = storageOf(state, ORGANISATION_REGISTER_ADDRESS)
  const slot = mappingSlot(addressKey(address), ORGANISATION_SLOT.accounts)
  const { organisation, roles, gasPerDay } = unpackWord(ACCOUNT_WORD, read(slot))
  const uscc = usccOf(organisation)
  if (uscc === undefined) return undefined
  const { bytesPerDay } = unpackWord(ACCOUNT_BYTES_WORD, read(slot + 1n))
  return { address, uscc, roles: Number(roles), gasPerDay, bytesPerDay }
}

export function readAccountsOf(state: SystemState, uscc: string, page: Page): Paged<AccountState> {
  const slot = mappingSlot(organisationKey(uscc), ORGANISATION_SLOT.accountsOf)
  const { total, items } = readSet(storageOf(state, ORGANISATION_REGISTER_ADDRESS), slot, { page, value: addressOf })
  return { total, items: items.map((address) => readAccount(state, address)).filter((account) => account !== undefined) }
}
