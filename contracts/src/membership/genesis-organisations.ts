// Storage of OrganisationRegister.sol at genesis.
import { type Address, type Hash, ZERO_ADDRESS, toAddress, toHash, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { isCreditCode } from './credit-code.js'
import { type Storage, demand, hashWord, put, putAddressSet, putSet, putString, repeatedAt } from './genesis-words.js'
import { ORGANISATION_KIND } from './kinds.js'
import {
  ACCOUNT_BYTES_WORD, ACCOUNT_WORD, NO_LIMIT, ORGANISATION_SLOT, ORGANISATION_WORD, ROLE,
  addressKey, mappingSlot, organisationKey, packWord, packedUscc,
} from './slots.js'

/** An organisation that the chain has, active, from its first block. */
export interface OrganisationGenesis {
  /** Unified social credit code, 18 characters. */
  readonly uscc: string
  /** One of `ORGANISATION_KIND`. */
  readonly kind: number
  /** Bits of `ROLE`. */
  readonly roles: number
  /** 1 to 100 bytes of UTF-8, as `nameEn`. */
  readonly nameZh: string
  readonly nameEn: string
  readonly contactHash?: Hash
  /** The account that acts for it; it gets its roles and ADMINISTER, and its quotas. */
  readonly administrator: Address
  /** Gas and bytes of raw transactions a day; 2^64 - 1 for no limit. */
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

/** Another account of an organisation. */
export interface AccountGenesis {
  readonly address: Address
  readonly uscc: string
  readonly roles: number
  readonly gasPerDay: bigint
  readonly bytesPerDay: bigint
}

export const MAX_ORGANISATION_ACCOUNTS = 1_024
const MAX_NAME_BYTES = 100
const ALL_ROLES = Object.values(ROLE).reduce((all, role) => all | role, 0)
const ORGANISATION_ACTIVE = 1n

/**
 * @param governor the address in slot 0
 * @throws CodedError `GOVERNANCE_USCC`, `GOVERNANCE_DUPLICATE_ORGANISATION`, `GOVERNANCE_ORGANISATION_KIND`, `GOVERNANCE_ROLES`,
 *   `GOVERNANCE_QUOTA`, `GOVERNANCE_NAME`, `GOVERNANCE_ACCOUNT`, `GOVERNANCE_DUPLICATE_ACCOUNT`,
 *   `GOVERNANCE_UNKNOWN_ORGANISATION`, `GOVERNANCE_ACCOUNT_COUNT`
 */
export function organisationStorage(
  organisations: readonly OrganisationGenesis[],
  others: readonly AccountGenesis[],
  governor: Address,
): Storage {
  organisations.forEach((organisation, index) => checkOrganisation(organisation, `organisations[${index}]`))
  const twice = repeatedAt(organisations.map(({ uscc }) => uscc))
  demand(twice < 0, 'GOVERNANCE_DUPLICATE_ORGANISATION', `organisations[${twice}].uscc`, 'names an organisation that stands before')
  others.forEach((account, index) => checkAccount(account, organisations, `accounts[${index}]`))
  const accounts = [...organisations.map(administratorOf), ...others]
  checkAccountsDiffer(accounts, organisations.length)

  const storage: Storage = {}
  put(storage, ORGANISATION_SLOT.governor, BigInt(governor))
  for (const organisation of organisations) putOrganisation(storage, organisation)
  for (const account of accounts) putAccount(storage, account)
  putSet(storage, ORGANISATION_SLOT.list, organisations.map(({ uscc }) => organisationKey(uscc)))
  organisations.forEach(({ uscc }, index) => {
    const own = accounts.filter((account) => account.uscc === uscc).map(({ address }) => toAddress(address))
    demand(own.length <= MAX_ORGANISATION_ACCOUNTS, 'GOVERNANCE_ACCOUNT_COUNT', `organisations[${index}]`,
      `has ${own.length} accounts; at most ${MAX_ORGANISATION_ACCOUNTS} are possible`)
    putAddressSet(storage, mappingSlot(organisationKey(uscc), ORGANISATION_SLOT.accountsOf), own)
  })
  return storage
}

function putOrganisation(storage: Storage, organisation: OrganisationGenesis): void {
  const { uscc, kind, roles, gasPerDay, bytesPerDay, administrator, nameZh, nameEn, contactHash } = organisation
  const slot = mappingSlot(organisationKey(uscc), ORGANISATION_SLOT.organisations)
  const word = { status: ORGANISATION_ACTIVE, kind: BigInt(kind), roles: BigInt(roles), gasPerDay, bytesPerDay }
  put(storage, slot, packWord(ORGANISATION_WORD, word))
  // `since`, above the administrator, is zero: since before the first block.
  put(storage, slot + 1n, BigInt(administrator))
  put(storage, slot + 2n, hashWord(contactHash))
  putString(storage, slot + 3n, nameZh)
  putString(storage, slot + 4n, nameEn)
}

function putAccount(storage: Storage, { address, uscc, roles, gasPerDay, bytesPerDay }: AccountGenesis): void {
  const slot = mappingSlot(addressKey(address), ORGANISATION_SLOT.accounts)
  put(storage, slot, packWord(ACCOUNT_WORD, { organisation: packedUscc(uscc), roles: BigInt(roles), gasPerDay }))
  put(storage, slot + 1n, packWord(ACCOUNT_BYTES_WORD, { bytesPerDay }))
}

const administratorOf = ({ administrator, uscc, roles, gasPerDay, bytesPerDay }: OrganisationGenesis): AccountGenesis =>
  ({ address: administrator, uscc, roles: roles | ROLE.administer, gasPerDay, bytesPerDay })

function checkOrganisation(organisation: OrganisationGenesis, field: string): void {
  const { uscc, kind, roles, nameZh, nameEn, contactHash, administrator } = organisation
  demand(isCreditCode(uscc), 'GOVERNANCE_USCC', `${field}.uscc`, `is "${uscc}"; expected 18 characters with the right check character`)
  demand(Object.values<number>(ORGANISATION_KIND).includes(kind), 'GOVERNANCE_ORGANISATION_KIND', `${field}.kind`,
    `is ${kind}; expected 1 to 7`)
  checkRoles(roles, ALL_ROLES, `${field}.roles`)
  checkName(nameZh, `${field}.nameZh`)
  checkName(nameEn, `${field}.nameEn`)
  if (contactHash !== undefined) toHash(contactHash, `${field}.contactHash`)
  checkAddress(administrator, `${field}.administrator`)
  checkQuotas(organisation, field)
}

function checkAccount(account: AccountGenesis, organisations: readonly OrganisationGenesis[], field: string): void {
  const organisation = organisations.find(({ uscc }) => uscc === account.uscc)
  demand(organisation !== undefined, 'GOVERNANCE_UNKNOWN_ORGANISATION', `${field}.uscc`, `is "${account.uscc}", no organisation of this genesis`)
  checkAddress(account.address, `${field}.address`)
  checkRoles(account.roles, organisation.roles, `${field}.roles`)
  checkQuotas(account, field)
}

/** One account acts for one organisation, and no two organisations have one administrator. */
function checkAccountsDiffer(accounts: readonly AccountGenesis[], administrators: number): void {
  const twice = repeatedAt(accounts.map(({ address }) => toAddress(address)))
  const field = twice < administrators ? `organisations[${twice}].administrator` : `accounts[${twice - administrators}].address`
  demand(twice < 0, 'GOVERNANCE_DUPLICATE_ACCOUNT', field, `is bound before: an account acts for one organisation`)
}

function checkAddress(address: Address, field: string): void {
  demand(toAddress(address, field) !== ZERO_ADDRESS, 'GOVERNANCE_ACCOUNT', field, 'is the zero address, which has no key')
}

/** @param allowed bits that may be set */
export function checkRoles(roles: number, allowed: number, field: string): void {
  const isGood = Number.isInteger(roles) && roles >= 0 && (roles & ~allowed) === 0
  demand(isGood, 'GOVERNANCE_ROLES', field, `is ${roles}; expected bits of ${allowed}`)
}

function checkName(name: string, field: string): void {
  const { length } = utf8ToBytes(name)
  demand(length >= 1 && length <= MAX_NAME_BYTES, 'GOVERNANCE_NAME', field, `has ${length} bytes; expected 1 to ${MAX_NAME_BYTES}`)
}

export function checkQuotas(quotas: { gasPerDay: bigint; bytesPerDay: bigint }, field: string): void {
  checkQuota(quotas.gasPerDay, `${field}.gasPerDay`)
  checkQuota(quotas.bytesPerDay, `${field}.bytesPerDay`)
}

export function checkQuota(value: bigint, field: string): void {
  demand(value >= 0n && value <= NO_LIMIT, 'GOVERNANCE_QUOTA', field, `is ${value}; expected 0 to 2^64 - 1`)
}
