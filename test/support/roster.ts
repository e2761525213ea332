import { devGovernance } from '@songhua/node/cli/dev-organisations'
import { ORGANISATION_KINDS } from '@songhua/sdk/governance/codes'
import type { Address } from '@songhua/sdk/protocol/bytes'

/** As a roster names an organisation. */
export interface RosterOrganisationJson {
  uscc: string
  kind: string
  nameZh: string
  nameEn: string
  administrator: Address
  seat: boolean
}

/** Four organisations with seats: government body, another, telecom operator, operating entity; with accounts nobody knows. */
export function rosterOrganisations(): RosterOrganisationJson[] {
  const administrators = [1, 2, 3, 4].map((byte): Address => `0x${`a${byte}`.repeat(20)}`)
  return devGovernance([], administrators).organisations.map(({ uscc, kind, nameZh, nameEn, administrator }) => ({
    uscc, kind: ORGANISATION_KINDS[kind - 1]!, nameZh, nameEn, administrator, seat: true,
  }))
}

/** A roster of one validator, with the organisations behind it. */
export function rosterOfOne(publicKey: string): object {
  const organisations = rosterOrganisations()
  const [government, , telecom, operator] = organisations.map(({ uscc }) => uscc)
  return { organisations, validators: [{ name: 'Harbin', city: '230100', publicKey, kind: 'super', government, telecom, operator }] }
}
