// Where the system contracts stand on every Songhua chain: 23 is Heilongjiang's division code, the last two bytes count.
import type { Address, Hash, Hex } from '@songhua/sdk/protocol/bytes'
import { council } from './generated/Council.js'
import { nodeRegister } from './generated/NodeRegister.js'
import { organisationRegister } from './generated/OrganisationRegister.js'
import { policyRegister } from './generated/PolicyRegister.js'
import { recordAnchor } from './generated/RecordAnchor.js'
import { usageRegister } from './generated/UsageRegister.js'
import { type GovernanceGenesis, governanceStorage } from './membership/genesis-governance.js'

export const RECORD_ANCHOR_ADDRESS = '0x0000000000000000000000000000000000230001' satisfies Address
export const NODE_REGISTER_ADDRESS = '0x0000000000000000000000000000000000230002' satisfies Address
export const ORGANISATION_REGISTER_ADDRESS = '0x0000000000000000000000000000000000230003' satisfies Address
export const COUNCIL_ADDRESS = '0x0000000000000000000000000000000000230004' satisfies Address
export const POLICY_REGISTER_ADDRESS = '0x0000000000000000000000000000000000230005' satisfies Address
export const USAGE_REGISTER_ADDRESS = '0x0000000000000000000000000000000000230006' satisfies Address

/** One contract of the genesis state, in the values of a genesis file's `alloc`. */
export interface GenesisContract {
  readonly address: Address
  readonly balance: Hex
  readonly nonce: Hex
  readonly code: Hex
  readonly storage: Record<Hash, Hash>
}

/**
 * The system contracts with which a chain starts.
 * @throws CodedError as {@link governanceStorage}
 */
export function genesisContracts({ governance }: { governance: GovernanceGenesis }): GenesisContract[] {
  const storage = governanceStorage(governance, COUNCIL_ADDRESS)
  return [
    contractAt(RECORD_ANCHOR_ADDRESS, recordAnchor.deployedBytecode, {}),
    contractAt(NODE_REGISTER_ADDRESS, nodeRegister.deployedBytecode, storage.nodes),
    contractAt(ORGANISATION_REGISTER_ADDRESS, organisationRegister.deployedBytecode, storage.organisations),
    contractAt(COUNCIL_ADDRESS, council.deployedBytecode, storage.council),
    contractAt(POLICY_REGISTER_ADDRESS, policyRegister.deployedBytecode, storage.policy),
    contractAt(USAGE_REGISTER_ADDRESS, usageRegister.deployedBytecode, {}),
  ]
}

/** Nonce 1, as EIP-161 gives every contract that is created. */
function contractAt(address: Address, code: Hex, storage: Record<Hash, Hash>): GenesisContract {
  return { address, balance: '0x0', nonce: '0x1', code, storage }
}
