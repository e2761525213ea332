import { Interface } from 'ethers'
import type { Address, Hash } from '../protocol/bytes.js'
import { COUNCIL_ABI, NODE_REGISTER_ABI, ORGANISATION_REGISTER_ABI, POLICY_REGISTER_ABI, USAGE_REGISTER_ABI } from './abi.js'

/** A system contract: where it stands on every chain, and what it understands. */
export interface SystemContract {
  readonly name: string
  readonly address: Address
  readonly abi: Interface
}

const at = (name: string, last: string, abi: readonly string[]): SystemContract => ({
  name, address: `0x00000000000000000000000000000000002300${last}`, abi: new Interface(abi),
})

export const NODE_REGISTER = at('NodeRegister', '02', NODE_REGISTER_ABI)
export const ORGANISATION_REGISTER = at('OrganisationRegister', '03', ORGANISATION_REGISTER_ABI)
export const COUNCIL = at('Council', '04', COUNCIL_ABI)
export const POLICY_REGISTER = at('PolicyRegister', '05', POLICY_REGISTER_ABI)
export const USAGE_REGISTER = at('UsageRegister', '06', USAGE_REGISTER_ABI)

export const SYSTEM_CONTRACTS: readonly SystemContract[] = [
  NODE_REGISTER, ORGANISATION_REGISTER, COUNCIL, POLICY_REGISTER, USAGE_REGISTER,
]

/** EIP-712 domain of everything that the system contracts verify. */
export const typedDomain = (contract: SystemContract, chainId: number) =>
  ({ name: 'Songhua', version: '1', chainId, verifyingContract: contract.address }) as const

/** First topic of the logs of an event of this contract. */
export function eventTopic({ name: contract, abi }: SystemContract, name: string): Hash {
  const event = abi.getEvent(name)
  if (event === null) throw new TypeError(`${contract} has no event ${name}`)
  return event.topicHash as Hash
}
