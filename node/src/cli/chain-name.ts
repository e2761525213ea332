import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { CliContext } from './context.js'
import { createRpcCall } from './json-rpc.js'

/** Which chain: two chains may have one id, and never one genesis. */
export interface ChainName {
  readonly chainId: number
  readonly genesisHash: string
}

export interface Door {
  readonly gateway: string | undefined
  /** Of a node, when there is no gateway. */
  readonly rpc: string
  readonly apiKey: string | undefined
}

const ANSWER_TIMEOUT_MS = 5_000

/** @returns undefined when it is not told: nobody answers, or not everybody may read it */
export async function chainAt(context: CliContext, { gateway, rpc, apiKey }: Door): Promise<ChainName | undefined> {
  if (gateway !== undefined) return gatewayChain(gateway)
  const ask = createRpcCall(context, rpc, { timeoutMs: ANSWER_TIMEOUT_MS, apiKey })
  try {
    const [chainId, block] = await Promise.all([ask<string>('eth_chainId'), ask<{ hash: string } | null>('eth_getBlockByNumber', ['0x0', false])])
    return block === null ? undefined : { chainId: Number(chainId), genesisHash: block.hash }
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

async function gatewayChain(gateway: string): Promise<ChainName | undefined> {
  try {
    const response = await fetch(`${gateway.replace(/\/+$/, '')}/v1/status`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    const { chainId, genesisHash } = (await response.json()) as Partial<ChainName>
    return chainId === undefined || genesisHash === undefined ? undefined : { chainId, genesisHash }
  } catch {
    return undefined
  }
}
