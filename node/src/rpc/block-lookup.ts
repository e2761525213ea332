import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Header } from '@songhua/sdk/protocol/header'
import { RpcError } from './errors.js'
import { quantityToJson } from './json.js'
import type { ChainReader } from './ports.js'
import type { BlockReference } from './schemas.js'

export interface FoundBlock {
  number: number
  hash: Hash
  header: Header
}

/**
 * The number meant, whether or not such a block exists. `safe`, `finalized`, `latest` are the head: every block is
 * final. `pending` too: a block exists only once it is sealed.
 */
export function referenceToNumber(chain: ChainReader, reference: BlockReference): number | undefined {
  if ('hash' in reference) return chain.numberOf(reference.hash)
  if ('number' in reference) return reference.number
  switch (reference.tag) {
    case 'earliest':
      return 0
    case 'finalized':
    case 'safe':
    case 'latest':
    case 'pending':
      return chain.head().header.number
    default:
      return reference.tag satisfies never
  }
}

export function findBlock(chain: ChainReader, reference: BlockReference): FoundBlock | undefined {
  const number = referenceToNumber(chain, reference)
  if (number === undefined) return undefined
  const head = chain.head()
  if (number === head.header.number) return { number, ...head }
  const header = number < head.header.number ? chain.header(number) : undefined
  const hash = header && chain.hashAt(number)
  return header && hash ? { number, hash, header } : undefined
}

/** @throws RPC_HEADER_NOT_FOUND */
export function requireBlock(chain: ChainReader, reference: BlockReference): FoundBlock {
  const found = findBlock(chain, reference)
  if (found) return found
  const head = quantityToJson(chain.head().header.number)
  const what =
    'hash' in reference ? reference.hash : `block ${quantityToJson(referenceToNumber(chain, reference) ?? 0)}`
  throw new RpcError('RPC_HEADER_NOT_FOUND', `header not found: ${what}; the head is block ${head}`, {
    details: { head },
  })
}
