/** `@songhua/sdk/governance`: who governs a chain, who may join, write and read, and how much. */
import { toAddress } from './protocol/bytes.js'
import type { RetryPolicy } from './connection/retry.js'
import { SonghuaError } from './connection/songhua-error.js'
import { numberFromJson } from './chain/block-json.js'
import { createRpcClient } from './chain/rpc-client.js'
import type { ChainSigner } from './chain/signer.js'
import { governanceCalls } from './governance/calls.js'
import type { Governance } from './governance/governance-client.js'
import { type Call, type Done, callContract } from './governance/transactions.js'
import { governanceViews } from './governance/views.js'

export interface GovernanceOptions {
  /** A node's JSON-RPC over HTTP. */
  readonly rpc: string
  /** The account that acts: an ethers `Wallet`, or `keySigner(privateKey)`. Without one the chain can only be read. */
  readonly signer?: ChainSigner
  /** For nodes whose reads are not public: `songhua apikey create`. */
  readonly apiKey?: string
  readonly retry?: Partial<RetryPolicy>
  /** Of one request, ms. */
  readonly requestTimeoutMs?: number
  readonly fetch?: typeof fetch
}

/** @throws SonghuaError `RPC_UNREACHABLE` */
export async function connectGovernance(options: GovernanceOptions): Promise<Governance> {
  const { rpc: url, signer, requestTimeoutMs, ...rest } = options
  const rpc = createRpcClient({ url, ...rest, ...(requestTimeoutMs === undefined ? {} : { timeoutMs: requestTimeoutMs }) })
  const chainId = numberFromJson(await rpc.call('eth_chainId', []), 'chainId')
  const address = signer === undefined ? undefined : toAddress(await signer.getAddress(), 'signer')
  const send = (call: Call): Promise<Done> => {
    if (signer !== undefined && address !== undefined) return callContract({ rpc, chainId, signer, address }, call)
    throw new SonghuaError('OPTION_INVALID', `${call.name} needs a signer: the account that acts`, { field: 'signer' })
  }
  return { chainId, ...governanceViews(rpc), ...governanceCalls(rpc, send) }
}

export type { OrganisationApplied } from './governance/applications.js'
export type { AccountRights, Governance, Policy } from './governance/governance-client.js'
export type { BoundAccount, MotionState, Organisation, Quota, RegisteredNode, Usage } from './governance/model.js'
export type { MotionArguments, MotionKind, OrganisationEntry } from './governance/motions.js'
export { motionArguments } from './governance/motion-values.js'
export {
  type BindingConsent, type NodeApplication, type OrganisationApplication, bindingSigner, nodeApplicationHash, nodeApplicationSigner,
  organisationApplicationSigner, signBinding, signNodeApplication, signOrganisationApplication, signRotation,
} from './governance/signatures.js'
export type { Done, GovernanceEvent } from './governance/transactions.js'
export { keySigner } from './chain/signer.js'
