import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import type { Genesis } from '@songhua/sdk/protocol/genesis'

/** Without one of them nobody could be admitted, held to a quota or let in. */
const SYSTEM_CONTRACTS: readonly (readonly [name: string, address: Address])[] = [
  ['NodeRegister', NODE_REGISTER_ADDRESS],
  ['OrganisationRegister', ORGANISATION_REGISTER_ADDRESS],
  ['Council', COUNCIL_ADDRESS],
  ['PolicyRegister', POLICY_REGISTER_ADDRESS],
  ['UsageRegister', USAGE_REGISTER_ADDRESS],
]

/** @throws CodedError `GENESIS_SYSTEM_CONTRACT_MISSING` naming the contract and its address */
export function requireSystemContracts({ alloc }: Pick<Genesis, 'alloc'>): void {
  const placed = new Set(alloc.filter(({ code }) => code.length > 0).map(({ address }) => address))
  for (const [contract, address] of SYSTEM_CONTRACTS) {
    if (placed.has(address)) continue
    const message = `The genesis has no code at ${address}, where ${contract} must stand; make it with songhua genesis`
    throw new CodedError('GENESIS_SYSTEM_CONTRACT_MISSING', message, { details: { path: `alloc.${address}`, address, contract } })
  }
}
