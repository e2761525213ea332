import { z } from 'zod'
import { findBlock, type FoundBlock } from '../block-lookup.js'
import type { BlockTransactions } from '../block-transactions.js'
import { blockSize, headerToJson, quantityToJson, transactionToJson } from '../json.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader } from '../ports.js'
import { receiptsOfBlock } from '../receipts.js'
import { blockJson, quantityJson, receiptJson, type BlockJson, type TransactionJson } from '../result-schemas.js'
import { block, blockNumber, hash, type BlockReference } from '../schemas.js'

interface Ports {
  chain: ChainReader
  transactions: BlockTransactions
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
      handler: ([reference, whole]) => blockToJson(ports, findBlock(chain, reference), whole ?? false),
    }),
    defineMethod({
      name: 'eth_getBlockByHash',
      summary: 'A block, null when absent',
      params: [param('blockHash', hash), param('fullTransactions', full)],
      result: blockJson.nullable(),
      handler: ([blockHash, whole]) => blockToJson(ports, findBlock(chain, { hash: blockHash }), whole ?? false),
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
      handler: ([reference]) => {
        const found = findBlock(chain, reference)
        return found ? receiptsOfBlock(ports, found) : null
      },
    }),
  ]
}

const blockError = {
  error: 'must be a block number in hexadecimal, a tag, a block hash, or an object with one of them',
}

/** @returns null when there is no such block */
async function blockToJson(
  { chain, transactions }: Ports,
  found: FoundBlock | undefined,
  whole: boolean,
): Promise<BlockJson | null> {
  const body = found && chain.body(found.number)
  if (!body) return null
  const list = whole ? await wholeTransactions(transactions, found) : transactions.hashes(found.number)
  return {
    ...headerToJson(found.header, found.hash),
    size: quantityToJson(blockSize(found.header, body)),
    uncles: [],
    withdrawals: [],
    transactions: list ?? [],
  }
}

async function wholeTransactions(transactions: BlockTransactions, found: FoundBlock): Promise<TransactionJson[]> {
  const { number: blockNumber, hash: blockHash, header } = found
  const decoded = (await transactions.all(blockNumber)) ?? []
  return decoded.map((transaction, index) =>
    transactionToJson(transaction, { blockHash, blockNumber, index, baseFeePerGas: header.baseFeePerGas }),
  )
}
