import type { Address } from '@songhua/sdk/protocol/bytes'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { z } from 'zod'
import { findBlock, referenceToNumber, requireBlock } from '../block-lookup.js'
import { invalidParams, limitExceeded } from '../errors.js'
import { quantityToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader } from '../ports.js'
import { addressJson, signerMetricsJson } from '../result-schemas.js'
import { blockNumber, hash, type BlockNumberReference } from '../schemas.js'
import { createTurns } from '../turn.js'

/** Besu's default range of qbft_getSignerMetrics, blocks. */
const METRICS_BLOCKS_DEFAULT = 100

interface Ports {
  chain: ChainReader
  limits: RpcLimits
}

export function qbftMethods({ chain, limits }: Ports): Method[] {
  return [
    defineMethod({
      name: 'qbft_getValidatorsByBlockNumber',
      summary: 'Validators whose seals a block needed, as in Besu; `pending`: those of the next block',
      params: [param('block', blockNumber)],
      result: z.array(addressJson),
      handler: ([reference]) => {
        if ('tag' in reference && reference.tag === 'pending')
          return validatorsOf(chain, chain.head().header.number + 1)
        return validatorsOf(chain, requireBlock(chain, reference).number)
      },
    }),
    defineMethod({
      name: 'qbft_getValidatorsByBlockHash',
      summary: 'Validators whose seals a block needed, null when the block is unknown',
      params: [param('blockHash', hash)],
      result: z.array(addressJson).nullable(),
      handler: ([blockHash]) => {
        const found = findBlock(chain, { hash: blockHash })
        return found ? validatorsOf(chain, found.number) : null
      },
    }),
    signerMetrics({ chain, limits }),
  ]
}

/** Our headers list the set that seals the NEXT block, so block N's stands in header N − 1; genesis names its own. */
function validatorsOf(chain: ChainReader, number: number): Address[] {
  const { header } = requireBlock(chain, { number: Math.max(0, number - 1) })
  return decodeExtraData(header.extraData).validators
}

function signerMetrics({ chain, limits }: Ports): Method {
  return defineMethod({
    name: 'qbft_getSignerMetrics',
    summary: 'Blocks proposed by each validator between two blocks, both included; the last 100 unless told',
    params: [param('fromBlock', blockNumber.nullish()), param('toBlock', blockNumber.nullish())],
    result: signerMetricsJson,
    handler: async ([fromReference, toReference]) => {
      const head = chain.head().header.number
      const to = Math.min(numberOr(chain, toReference, head), head)
      const from = numberOr(chain, fromReference, Math.max(0, to - METRICS_BLOCKS_DEFAULT + 1))
      if (from > to) throw invalidParams(`invalid argument 0 (fromBlock): block ${from} lies after toBlock ${to}`)
      if (to - from >= limits.signerMetricsBlocksMax) {
        const most = limits.signerMetricsBlocksMax
        throw limitExceeded(
          'signerMetricsBlocksMax',
          `the range covers ${to - from + 1} blocks; at most ${most} are counted`,
        )
      }
      const proposed = await countProposals(chain, from, to)
      return [...proposed].map(([address, { count, last }]) => ({
        address,
        proposedBlockCount: quantityToJson(count),
        lastProposedBlockNumber: quantityToJson(last),
      }))
    },
  })
}

function numberOr(chain: ChainReader, reference: BlockNumberReference | null | undefined, otherwise: number): number {
  return reference ? (referenceToNumber(chain, reference) ?? otherwise) : otherwise
}

type Proposals = Map<Address, { count: number; last: number }>

/** Validators of the last block stand in the answer even when they proposed nothing. Genesis has no proposer. */
async function countProposals(chain: ChainReader, from: number, to: number): Promise<Proposals> {
  const proposed: Proposals = new Map(validatorsOf(chain, to).map((address) => [address, { count: 0, last: 0 }]))
  const turn = createTurns()
  for (let number = Math.max(1, from); number <= to; number++) {
    await turn()
    const { coinbase } = requireBlock(chain, { number }).header
    proposed.set(coinbase, { count: (proposed.get(coinbase)?.count ?? 0) + 1, last: number })
  }
  return proposed
}
