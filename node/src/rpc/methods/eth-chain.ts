import type { Header } from '@songhua/sdk/protocol/header'
import { z } from 'zod'
import { referenceToNumber, requireBlock } from '../block-lookup.js'
import { boundedList } from '../bounded.js'
import { invalidParams } from '../errors.js'
import { quantityToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader, HistorySearch, NodeInfo } from '../ports.js'
import { addressJson, feeHistoryJson, quantityJson, syncingJson } from '../result-schemas.js'
import { blockNumber, smallQuantity } from '../schemas.js'
import { createTurns } from '../turn.js'

/** EIP-4844's least price of blob gas: what stands while no blob is ever used. */
const BLOB_BASE_FEE = '0x1'

interface Ports {
  chain: ChainReader
  node: NodeInfo
  history: HistorySearch
  limits: RpcLimits
}

/** The chain as a whole: identity, progress and fees. Fees are zero; a tip is accepted and moves no one ahead. */
export function ethChainMethods({ chain, node, history, limits }: Ports): Method[] {
  return [
    defineMethod({
      name: 'eth_chainId',
      summary: 'Chain id (EIP-695)',
      params: [],
      result: quantityJson,
      handler: () => quantityToJson(node.chainId),
    }),
    defineMethod({
      name: 'eth_blockNumber',
      summary: 'Number of the head, which is final',
      params: [],
      result: quantityJson,
      handler: () => quantityToJson(chain.head().header.number),
    }),
    defineMethod({
      name: 'eth_syncing',
      summary: 'Progress while the node is behind its peers, false otherwise',
      params: [],
      result: syncingJson,
      handler: () => {
        const progress = node.syncing()
        if (!progress) return false
        const { startingBlock, currentBlock, highestBlock } = progress
        return {
          startingBlock: quantityToJson(startingBlock),
          currentBlock: quantityToJson(currentBlock),
          highestBlock: quantityToJson(highestBlock),
        }
      },
    }),
    defineMethod({
      name: 'eth_accounts',
      summary: 'Accounts whose keys the node holds for clients: always none',
      params: [],
      result: z.array(addressJson).max(0),
      handler: () => [],
    }),
    fee('eth_gasPrice', 'Gas price in wei: zero on this chain', '0x0'),
    fee('eth_maxPriorityFeePerGas', 'Priority fee in wei: zero on this chain', '0x0'),
    fee('eth_blobBaseFee', 'Blob base fee in wei: the least of EIP-4844, for there are no blobs', BLOB_BASE_FEE),
    feeHistory({ chain, history, limits }),
  ]
}

function fee(name: string, summary: string, value: string): Method {
  return defineMethod({ name, summary, params: [], result: quantityJson, handler: () => value })
}

const blockCount = z.union([smallQuantity, z.int().min(0)], { error: 'must be a quantity' })
const PERCENTILE_RULE = 'must be a percentile from 0 to 100'
const percentile = z.number({ error: PERCENTILE_RULE }).min(0, PERCENTILE_RULE).max(100, PERCENTILE_RULE)

function feeHistory({ chain, history, limits }: Omit<Ports, 'node'>): Method {
  const bound = { max: limits.feeHistoryPercentilesMax, what: 'percentiles', limit: 'feeHistoryPercentilesMax' } as const
  const percentiles = boundedList(percentile, bound, 'must be a list of percentiles')
    .refine((list) => list.every((one, at) => at === 0 || one > (list[at - 1] ?? 0)), 'must rise from each to the next')
  return defineMethod({
    name: 'eth_feeHistory',
    summary: 'Fees and fullness of past blocks; as many as asked for, within a limit',
    params: [
      param('blockCount', blockCount),
      param('newestBlock', blockNumber),
      param('rewardPercentiles', percentiles.nullish()),
    ],
    result: feeHistoryJson,
    handler: async ([asked, newest, wanted], { client }) => {
      const last = newestNumber(chain, newest)
      const count = Math.min(asked, limits.feeHistoryBlocksMax, last + 1)
      if (count === 0) {
        return { oldestBlock: '0x0', baseFeePerGas: [], gasUsedRatio: [], baseFeePerBlobGas: [], blobGasUsedRatio: [] }
      }
      const oldest = last - count + 1
      const headers = await readHeaders(chain, oldest, last)
      const rewards = wanted && wanted.length > 0
        ? await history.rewards({ client, firstBlock: oldest, lastBlock: last, percentiles: wanted })
        : undefined
      return {
        oldestBlock: quantityToJson(oldest),
        // One more than the blocks: the next block's base fee is known, and 0 like all.
        baseFeePerGas: [...headers.map(({ baseFeePerGas }) => quantityToJson(baseFeePerGas)), '0x0'],
        gasUsedRatio: headers.map(({ gasUsed, gasLimit }) => Number(gasUsed) / Number(gasLimit)),
        baseFeePerBlobGas: new Array<string>(count + 1).fill(BLOB_BASE_FEE),
        blobGasUsedRatio: new Array<number>(count).fill(0),
        ...(rewards && { reward: await rowsToJson(rewards) }),
      }
    },
  })
}

/** 1,024 blocks of 100 percentiles are 100,000 numbers. */
async function rowsToJson(rows: readonly (readonly bigint[])[]): Promise<string[][]> {
  const turn = createTurns()
  const converted: string[][] = []
  for (const row of rows) {
    await turn()
    converted.push(row.map(quantityToJson))
  }
  return converted
}

async function readHeaders(chain: ChainReader, first: number, last: number): Promise<Header[]> {
  const turn = createTurns()
  const headers: Header[] = []
  for (let number = first; number <= last; number++) {
    await turn()
    headers.push(requireBlock(chain, { number }).header)
  }
  return headers
}

function newestNumber(chain: ChainReader, reference: z.output<typeof blockNumber>): number {
  const number = referenceToNumber(chain, reference) ?? 0
  const head = chain.head().header.number
  if (number <= head) return number
  throw invalidParams(`invalid argument 1 (newestBlock): beyond the head, which is block ${quantityToJson(head)}`)
}
