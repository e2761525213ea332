import type { CodedError } from '@songhua/sdk/protocol/errors'
import { type TimedBlock, blockTimeOf } from './block-time.js'
import type { RpcCall } from './json-rpc.js'

/** How far back proposals are counted, blocks. */
const METRIC_BLOCKS = 100

export interface NodeStatus {
  version: string
  chainId: number
  height: number
  hash: string
  /** Of the head block, ISO 8601. */
  time: string
  peers: number
  syncing: false | { currentBlock: number; highestBlock: number }
  /** The set that seals the next block; proposals counted over the last blocks. */
  validators: { address: string; proposed: number; lastBlock?: number }[]
  /** What `admin_nodeInfo` says; absent when no admin address was asked. */
  node?: AdminNodeInfo
}

/** The part that is shown to people; `--json` has all of it. */
export interface AdminNodeInfo {
  name?: string
  address?: string
  chainId?: number
  software?: string
  head?: { number: number; hash: string; blockTimeMs?: number }
  /** URL, of a node that has one. */
  gateway?: string
  gatewayUp?: boolean
  consensus?: { height: number; round: number; isVoter: boolean; isSilent: boolean; isStopped: boolean }
}

interface Block extends TimedBlock {
  hash: string
}
interface SignerMetric {
  address: string
  proposedBlockCount: string
  lastProposedBlockNumber: string
}

/** What a node's operator is told at its admin port, where the chain itself is not for everybody to read. */
export interface AdminStatus {
  node: AdminNodeInfo
  peers: number
  /** Why there is no more. */
  unread: { code: string; message: string }
}

/** @throws RPC_UNREACHABLE, RPC_ERROR */
export async function readAdminStatus(admin: RpcCall, refusal: CodedError): Promise<AdminStatus> {
  const [node, peers] = await Promise.all([admin<AdminNodeInfo>('admin_nodeInfo'), admin<unknown[]>('admin_peers')])
  return { node, peers: peers.length, unread: { code: refusal.code, message: refusal.message } }
}

/** @throws RPC_UNREACHABLE, RPC_ERROR */
export async function readStatus(rpc: RpcCall, admin: RpcCall | undefined): Promise<NodeStatus> {
  const block = await rpc<Block>('eth_getBlockByNumber', ['latest', false])
  const height = Number(block.number)
  const [version, chainId, peers, syncing, validators, metrics, node] = await Promise.all([
    rpc<string>('web3_clientVersion'),
    rpc<string>('eth_chainId'),
    rpc<string>('net_peerCount'),
    rpc<false | { currentBlock: string; highestBlock: string }>('eth_syncing'),
    rpc<string[]>('qbft_getValidatorsByBlockNumber', [block.number]),
    rpc<SignerMetric[]>('qbft_getSignerMetrics', [
      `0x${Math.max(0, height - METRIC_BLOCKS).toString(16)}`,
      block.number,
    ]),
    admin?.<AdminNodeInfo>('admin_nodeInfo'),
  ])
  return {
    version,
    chainId: Number(chainId),
    height,
    hash: block.hash,
    time: blockTimeOf(block),
    peers: Number(peers),
    syncing:
      syncing === false
        ? false
        : { currentBlock: Number(syncing.currentBlock), highestBlock: Number(syncing.highestBlock) },
    validators: validators.map((address) => validatorStatus(address, metrics)),
    ...(node === undefined ? {} : { node }),
  }
}

function validatorStatus(address: string, metrics: readonly SignerMetric[]): NodeStatus['validators'][number] {
  const metric = metrics.find((one) => one.address.toLowerCase() === address.toLowerCase())
  const proposed = Number(metric?.proposedBlockCount ?? 0)
  return proposed === 0 || metric === undefined
    ? { address, proposed: 0 }
    : { address, proposed, lastBlock: Number(metric.lastProposedBlockNumber) }
}
