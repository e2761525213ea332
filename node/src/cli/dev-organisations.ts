import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import { ORGANISATION_KIND } from '@songhua/contracts/membership/kinds'
import { NO_LIMIT, ROLE } from '@songhua/contracts/membership/slots'
import type { Address, Hex } from '@songhua/sdk/protocol/bytes'

/** A node of a devnet, as its genesis names it. */
export interface DevMember {
  readonly publicKey: Hex
  readonly isValidator: boolean
  /** GB/T 2260. Default: Harbin. */
  readonly cityCode?: string
  readonly isSuper?: boolean
}

/** Four organisations with seats, as a province would have them; the codes are made up, their check characters hold. */
const ORGANISATIONS = [
  { uscc: '11230000MB0000019P', kind: ORGANISATION_KIND.governmentBody, nameZh: '开发网网信办', nameEn: 'Devnet Cyberspace Office' },
  { uscc: '11230000MB0000027J', kind: ORGANISATION_KIND.governmentBody, nameZh: '开发网营商环境局', nameEn: 'Devnet Business Environment Bureau' },
  { uscc: '91230100MA00000156', kind: ORGANISATION_KIND.telecomOperator, nameZh: '开发网电信公司', nameEn: 'Devnet Telecom' },
  { uscc: '91230100MA00000231', kind: ORGANISATION_KIND.operatingEntity, nameZh: '开发网运营公司', nameEn: 'Devnet Operations' },
] as const

const ALL_ROLES = ROLE.anchor | ROLE.deploy | ROLE.issue | ROLE.administer | ROLE.read
/** On a devnet whoever comes may anchor, deploy and apply, without a vote and without a limit: by this policy, which says so. */
const SELF_SERVICE = {
  newcomers: {
    roles: ROLE.anchor | ROLE.deploy | ROLE.apply,
    gasPerDay: NO_LIMIT, bytesPerDay: NO_LIMIT, gasPerDayTotal: NO_LIMIT, bytesPerDayTotal: NO_LIMIT,
  },
  readLevels: { txpool: 'public', debug: 'public' },
} as const

/**
 * Who governs a devnet.
 * @param administrators of the four organisations, in their order: the first four count
 */
export function devGovernance(
  members: readonly DevMember[],
  administrators: readonly Address[],
): GovernanceGenesis {
  const [government, , telecom, operator] = ORGANISATIONS.map(({ uscc }) => uscc) as [string, string, string, string]
  return {
    organisations: ORGANISATIONS.map((one, index) => ({
      ...one, roles: ALL_ROLES, administrator: administrators[index]!, gasPerDay: NO_LIMIT, bytesPerDay: NO_LIMIT,
    })),
    seats: ORGANISATIONS.map(({ uscc }) => uscc),
    nodes: members.map(({ publicKey, isValidator, cityCode = '230100', isSuper = false }) => ({
      publicKey, isValidator, city: cityCode, government, telecom, operator, kind: isSuper ? 'super' : 'backbone',
    })),
    policy: SELF_SERVICE,
  }
}
