import { NODE_REGISTER_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import { type Address, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { type Genesis, type GenesisJson, createGenesisJson, parseGenesis } from '@songhua/sdk/protocol/genesis'
import type { QbftConfig } from '@songhua/sdk/protocol/qbft-config'
import type { CliContext } from './context.js'
import { namingFile, readJsonFile } from './files.js'

export interface GenesisPlan {
  chainId: number
  /** Who governs, joins and may write. */
  governance: GovernanceGenesis
  balances?: readonly { address: Address; balance: bigint }[]
  qbft?: Partial<QbftConfig>
  gasLimit?: bigint
  /** Seconds since 1970. Default: now. */
  timestamp?: number
}

/** @throws CLI_FILE, CLI_JSON, and whatever `parseGenesis` refuses, naming file and field */
export async function readGenesis(context: CliContext, path: string): Promise<Genesis> {
  const json = await readJsonFile(context, 'genesisFile', path)
  return namingFile(path, () => parseGenesis(json))
}

/**
 * A genesis with the system contracts in place.
 * @throws CodedError naming the field
 */
export function createGenesis(plan: GenesisPlan): GenesisJson {
  const validators = plan.governance.nodes
    .filter(({ isValidator }) => isValidator)
    .map(({ publicKey }) => publicKeyToAddress(hexToBytes(publicKey)))
  const contracts = genesisContracts({ governance: plan.governance })
  const accounts = (plan.balances ?? []).map(
    ({ address, balance }) => [address, { balance: `0x${balance.toString(16)}` }] as const,
  )
  return createGenesisJson({
    chainId: plan.chainId,
    validators,
    alloc: {
      ...Object.fromEntries(contracts.map(({ address, ...rest }) => [address, rest])),
      ...Object.fromEntries(accounts),
    },
    qbft: { ...plan.qbft, membershipContract: NODE_REGISTER_ADDRESS },
    timestamp: plan.timestamp ?? Math.floor(Date.now() / 1000),
    ...(plan.gasLimit === undefined ? {} : { gasLimit: plan.gasLimit }),
  })
}
