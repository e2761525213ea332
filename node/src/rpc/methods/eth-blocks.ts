import { z } from 'zod'
import { blockLengthMax, rawTransactionLength } from '../answer-size.js'
import { findBlock, type FoundBlock } from '../block-lookup.js'
import type { BlockTransactions } from '../block-transactions.js'
import { blockSize, headerToJson, quantityToJson, transactionToJson } from '../json.js'
import { listOfTexts, type JsonText } from '../json-text.js'
import type { LongAnswers, Turn } from '../long-answers.js'
import { defineMethod, param, type Method, type Session } from '../method.js'
import type { ChainReader } from '../ports.js'
import { receiptsOfBlock } from '../receipts.js'
import { blockJson, quantityJson, receiptJson, type BlockJson } from '../result-schemas.js'
import { block, blockNumber, hash, type BlockReference } from '../schemas.js'

interface Ports {
  chain: ChainReader
  transactions: BlockTransactions
  answers: LongAnswers
}

const full = z.boolean('must be true for whole transactions or false for their hashes').nullish()

export function ethBlockMethods(ports: Ports): Method[] {
  const { chain } = ports
  const count = (reference: BlockReference): string | null => {
    const found = findBlock(chain, reference)
    const body = found && chain.body(found.number)
    return body ? quantityToJson(body.length) : null
  }
  return [
    defineMethod({
      name: 'eth_getBlockByNumber',
      summary: 'A block, null when absent',
      params: [param('block', blockNumber), param('fullTransactions', full)],
      result: blockJson.nullable(),
      handler: ([reference, whole], session) =>
        blockToJson(ports, findBlock(chain, reference), { whole: whole ?? false, session }),
    }),
    defineMethod({
      name: 'eth_getBlockByHash',
      summary: 'A block, null when absent',
      params: [param('blockHash', hash), param('fullTransactions', full)],
      result: blockJson.nullable(),
      handler: ([blockHash, whole], session) =>
        blockToJson(ports, findBlock(chain, { hash: blockHash }), { whole: whole ?? false, session }),
    }),
    defineMethod({
      name: 'eth_getBlockTransactionCountByNumber',
      summary: 'Number of transactions in a block, null when absent',
      params: [param('block', blockNumber)],
      result: quantityJson.nullable(),
      handler: ([reference]) => count(reference),
    }),
    defineMethod({
      name: 'eth_getBlockTransactionCountByHash',
      summary: 'Number of transactions in a block, null when absent',
      params: [param('blockHash', hash)],
      result: quantityJson.nullable(),
      handler: ([blockHash]) => count({ hash: blockHash }),
    }),
    defineMethod({
      name: 'eth_getBlockReceipts',
      summary: 'All receipts of a block, null when absent',
      params: [param('block', z.union([hash.transform((blockHash) => ({ hash: blockHash })), block], blockError))],
      result: z.array(receiptJson).nullable(),
      handler: ([reference], session) => {
        const found = findBlock(chain, reference)
        return found ? receiptsOfBlock(ports, found, session) : null
      },
    }),
  ]
}

const blockError = {
  error: 'must be a block number in hexadecimal, a tag, a block hash, or an object with one of them',
}

/** @returns null when there is no such block */
async function blockToJson(ports: Ports, found: FoundBlock | undefined, asked: { whole: boolean; session: Session }): Promise<BlockJson | JsonText | null> {
  if (!found) return null
  if (asked.whole) return ports.answers.make(asked.session, blockLengthMax(found.header), (turn) => wholeBlock(ports, found, turn))
  const body = ports.chain.body(found.number)
  return body ? { ...frameToJson(found, body), transactions: ports.transactions.hashes(found.number) ?? [] } : null
}

/** Transaction by transaction, and in words at once: as objects all of them would be there twice. */
async function wholeBlock({ chain, transactions, answers }: Ports, found: FoundBlock, turn: Turn): Promise<string> {
  const { number: blockNumber, hash: blockHash, header } = found
  const body = chain.body(blockNumber)
  if (!body) return 'null'
  const length = body.reduce((sum, raw) => sum + rawTransactionLength(raw), 0)
  answers.checkLength(length, `block ${blockNumber} with its transactions`)
  const texts: string[] = []
  for (const [index, transaction] of ((await transactions.all(blockNumber, turn)) ?? []).entries()) {
    await turn()
    const place = { blockHash, blockNumber, index, baseFeePerGas: header.baseFeePerGas }
    texts.push(JSON.stringify(transactionToJson(transaction, place)))
  }
  const frame = JSON.stringify(frameToJson(found, body))
  return `${frame.slice(0, -1)},"transactions":${listOfTexts(texts)}}`
}

function frameToJson({ header, hash: blockHash }: FoundBlock, body: readonly Uint8Array[]): Omit<BlockJson, 'transactions'> {
  return {
    ...headerToJson(header, blockHash),
    size: quantityToJson(blockSize(header, body)),
    uncles: [],
    withdrawals: [],
  }
}
