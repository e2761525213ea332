import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import { receiptLength, receiptsLengthMax } from './answer-size.js'
import type { BlockTransactions } from './block-transactions.js'
import { findBlock, type FoundBlock } from './block-lookup.js'
import { receiptToJson, type ReceiptPlace } from './json.js'
import { JsonText, listOfTexts } from './json-text.js'
import { isShort, type LongAnswers } from './long-answers.js'
import type { Session } from './method.js'
import type { ChainReader } from './ports.js'
import type { ReceiptJson } from './result-schemas.js'

export interface Sources {
  chain: ChainReader
  transactions: BlockTransactions
  answers: LongAnswers
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

/** A receipt that is found and not yet in words. */
interface FoundReceipt {
  /** Of its JSON, characters at most. */
  readonly length: number
  readonly toJson: () => ReceiptJson | null
}

/** @returns undefined while the transaction is in no block */
function findReceipt({ chain, transactions }: Sources, hash: Hash): FoundReceipt | undefined {
  const location = chain.transactionLocation(hash)
  const block = location && findBlock(chain, { number: location.number })
  const receipts = block && chain.receipts(block.number)
  const receipt = location && receipts?.[location.index]
  if (!block || !receipt) return undefined
  return {
    length: receiptLength(receipt),
    toJson: () => {
      const place = receiptPlaces(block, receipts)[location.index]
      const transaction = transactions.at(block.number, location.index)
      return place && transaction ? receiptToJson(receipt, transaction, place) : null
    },
  }
}

/** @returns undefined while the transaction is in no block */
export async function receiptOf(sources: Sources, hash: Hash, session: Session): Promise<JsonText | undefined> {
  const found = findReceipt(sources, hash)
  if (!found) return undefined
  const { length } = found
  if (isShort(length)) return new JsonText(JSON.stringify(found.toJson()))
  const { answers } = sources
  answers.checkLength(length, `the receipt of ${hash}`)
  // Read again: what waits for its turn keeps nothing.
  return answers.make(session, length, () => JSON.stringify(findReceipt(sources, hash)?.toJson() ?? null))
}

/** @returns null when there is no such block */
export async function receiptsOfBlock(
  { chain, transactions, answers }: Sources,
  block: FoundBlock,
  session: Session,
): Promise<JsonText | null> {
  return answers.make(session, receiptsLengthMax(block.header), async (turn) => {
    const receipts = chain.receipts(block.number)
    if (!receipts) return 'null'
    const length = receipts.reduce((sum, receipt) => sum + receiptLength(receipt), 0)
    answers.checkLength(length, `the receipts of block ${block.number}`)
    const decoded = (await transactions.all(block.number, turn)) ?? []
    const places = receiptPlaces(block, receipts)
    const texts: string[] = []
    for (const [index, receipt] of receipts.entries()) {
      await turn()
      const [transaction, place] = [decoded[index], places[index]]
      if (transaction && place) texts.push(JSON.stringify(receiptToJson(receipt, transaction, place)))
    }
    return listOfTexts(texts)
  })
}
