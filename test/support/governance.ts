// Governance for tests: organisations with valid credit codes, seats for all of them, nodes that they answer for.
import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import type { NodeGenesis } from '@songhua/contracts/membership/genesis-nodes'
import type { OrganisationGenesis } from '@songhua/contracts/membership/genesis-organisations'
import { ORGANISATION_KIND } from '@songhua/contracts/membership/kinds'
import { NO_LIMIT, ROLE } from '@songhua/contracts/membership/slots'
import { devAccounts } from '@songhua/node/cli/dev-accounts'
import type { Address, Hex } from '@songhua/sdk/protocol/bytes'
import { isUscc, usccCheckCharacter } from '@songhua/sdk/protocol/uscc'

export const ALL_ROLES = Object.values(ROLE).reduce((all, role) => all | role, 0)
/** Harbin 哈尔滨. */
const CITY = '230100'
/** The first four: the three responsible bodies of every node, and one more for the council's least size. */
const KINDS = [
  ORGANISATION_KIND.governmentBody, ORGANISATION_KIND.telecomOperator, ORGANISATION_KIND.operatingEntity, ORGANISATION_KIND.bank,
]

/** Administrators of a devnet's organisations: the well-known accounts. */
export const devAddresses = (): Address[] => devAccounts().map(({ address }) => address)

/** A code that holds in both its check characters, another for each number from 0 to 99,999,999. */
export function testUscc(number: number): string {
  const start = `11230000${String(number).padStart(8, '0')}`
  const codes = [...'0123456789X'].map((inner) => `${start}${inner}${usccCheckCharacter(start + inner)}`)
  return codes.find(isUscc)!
}

export function testOrganisation(number: number, administrator: Address): OrganisationGenesis {
  return {
    uscc: testUscc(number),
    kind: KINDS[number] ?? ORGANISATION_KIND.enterprise,
    roles: ALL_ROLES,
    nameZh: `测试单位${number}`,
    nameEn: `Test organisation ${number}, with a name of more than 31 bytes`,
    administrator,
    gasPerDay: NO_LIMIT,
    bytesPerDay: NO_LIMIT,
  }
}

/**
 * @param options.validators compressed public keys of super and backbone nodes, the first the super node
 * @param options.administrators 4 or more accounts: each administers an organisation with a seat
 * @param options.others compressed public keys of service nodes
 */
export function testGovernance(options: {
  validators: readonly Hex[]
  administrators: readonly Address[]
  others?: readonly Hex[]
  accounts?: GovernanceGenesis['accounts']
  policy?: GovernanceGenesis['policy']
}): GovernanceGenesis {
  const organisations = options.administrators.map((administrator, number) => testOrganisation(number, administrator))
  const bodies = { government: testUscc(0), telecom: testUscc(1), operator: testUscc(2) }
  const validators = options.validators.map((publicKey, index): NodeGenesis =>
    ({ publicKey, kind: index === 0 ? 'super' : 'backbone', city: CITY, ...bodies, isValidator: true }))
  const others = (options.others ?? []).map((publicKey): NodeGenesis =>
    ({ publicKey, kind: 'service', city: CITY, operator: testUscc(3), isValidator: false }))
  return {
    organisations,
    seats: organisations.map(({ uscc }) => uscc),
    nodes: [...validators, ...others],
    ...(options.accounts === undefined ? {} : { accounts: options.accounts }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
  }
}

/** One validator, four organisations whose administrators nobody is: for tests of other contracts. */
export function anyGovernance(): GovernanceGenesis {
  const publicKey: Hex = '0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
  const administrators = ['a1', 'a2', 'a3', 'a4'].map((byte): Address => `0x${byte.repeat(20)}`)
  return testGovernance({ validators: [publicKey], administrators })
}
