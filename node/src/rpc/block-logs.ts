import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import type { FoundBlock } from './block-lookup.js'
import type { ChainReader, LocatedLog } from './ports.js'

/** All logs of a block in order; empty when the block has none. */
export function logsOfBlock(
  chain: Pick<ChainReader, 'body' | 'receipts'>,
  { number, hash, header }: FoundBlock,
): LocatedLog[] {
  const receipts = chain.receipts(number) ?? []
  if (!receipts.some(({ logs }) => logs.length > 0)) return []
  const body = chain.body(number) ?? []
  let logIndex = 0
  return receipts.flatMap((receipt, transactionIndex) => {
    const raw = body[transactionIndex]
    if (!raw || receipt.logs.length === 0) return []
    const transactionHash = keccak256Hex(raw)
    const at = {
      blockNumber: number,
      blockHash: hash,
      blockTimestamp: header.timestamp,
      transactionHash,
      transactionIndex,
    }
    return receipt.logs.map((log) => ({ ...at, log, logIndex: logIndex++ }))
  })
}
