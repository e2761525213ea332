import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import type { BlockTransactions } from './block-transactions.js'
import { findBlock, type FoundBlock } from './block-lookup.js'
import { receiptToJson, type ReceiptPlace } from './json.js'
import type { ChainReader } from './ports.js'
import type { ReceiptJson } from './result-schemas.js'
import { createTurns } from './turn.js'

interface Sources {
  chain: ChainReader
  transactions: BlockTransactions
}

/** Place of each receipt of a block: what came before it in gas and logs. */
export function receiptPlaces({ hash, number, header }: FoundBlock, receipts: readonly Receipt[]): ReceiptPlace[] {
  let firstLogIndex = 0
  let gasUsedBefore = 0n
  return receipts.map((receipt, index) => {
    const place = { firstLogIndex, gasUsedBefore }
    firstLogIndex += receipt.logs.length
    gasUsedBefore = receipt.cumulativeGasUsed
    const { timestamp: blockTimestamp, baseFeePerGas } = header
    return { ...place, index, blockHash: hash, blockNumber: number, blockTimestamp, baseFeePerGas }
  })
}

/** @returns null while the transaction is in no block */
export function receiptOf({ chain, transactions }: Sources, hash: Hash): ReceiptJson | null {
  const location = chain.transactionLocation(hash)
  const block = location && findBlock(chain, { number: location.number })
  const receipts = block && chain.receipts(block.number)
  if (!location || !block || !receipts) return null
  const receipt = receipts[location.index]
  const place = receiptPlaces(block, receipts)[location.index]
  const transaction = transactions.at(block.number, location.index)
  return receipt && place && transaction ? receiptToJson(receipt, transaction, place) : null
}

/** @returns null when there is no such block */
export async function receiptsOfBlock(
  { chain, transactions }: Sources,
  block: FoundBlock,
): Promise<ReceiptJson[] | null> {
  const receipts = chain.receipts(block.number)
  const decoded = await transactions.all(block.number)
  if (!receipts || !decoded) return null
  const places = receiptPlaces(block, receipts)
  const turn = createTurns()
  const answers: ReceiptJson[] = []
  for (const [index, receipt] of receipts.entries()) {
    await turn()
    const [transaction, place] = [decoded[index], places[index]]
    if (transaction && place) answers.push(receiptToJson(receipt, transaction, place))
  }
  return answers
}
