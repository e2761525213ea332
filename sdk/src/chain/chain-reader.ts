import type { Hash } from '../protocol/bytes.js'
import type { Header } from '../protocol/header.js'
import { readHashField, readObject } from '../protocol/json-fields.js'
import type { Receipt } from '../protocol/receipt.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'
import { headerFromJson, listFromJson, numberFromJson, readAnswer, receiptFromJson, toQuantity } from './block-json.js'
import type { RpcClient } from './rpc-client.js'

/** What of a chain is needed to prove records on it. Nothing that it gives is believed before it is verified. */
export interface ChainReader {
  head(signal?: AbortSignal): Promise<number>
  /** With its seals. @throws SonghuaError `RPC_ANSWER` when the node has no such block, or gives another */
  header(number: number, signal?: AbortSignal): Promise<Header>
  /** Of the whole block, in order. */
  receipts(number: number, signal?: AbortSignal): Promise<readonly Receipt[]>
  /** From block `number` to the history root over `size` blocks. */
  historyPath(claim: { number: number; size: number }, signal?: AbortSignal): Promise<readonly Hash[]>
}

const METHOD_NOT_FOUND = -32601

export function createChainReader(rpc: RpcClient): ChainReader {
  return {
    head: async (signal) => {
      const height = await rpc.call('eth_blockNumber', [], signal)
      return readAnswer('eth_blockNumber', () => numberFromJson(height, 'height'))
    },
    header: async (number, signal) => {
      const block = await rpc.call('eth_getBlockByNumber', [toQuantity(number), false], signal)
      if (block === null) throw unknownBlock('eth_getBlockByNumber', number)
      return checkNumber(readAnswer('eth_getBlockByNumber', () => headerFromJson(block)), number)
    },
    receipts: (number, signal) => receiptsOf(rpc, number, signal),
    historyPath: async ({ number, size }, signal) => {
      const method = 'songhua_getHistoryProof'
      const proof = await rpc.call(method, [toQuantity(number), toQuantity(size)], signal)
      return readAnswer(method, () => {
        const path = listFromJson(readObject(proof, 'proof').path, 'proof.path')
        return path.map((hash, at) => readHashField(hash, `proof.path[${at}]`))
      })
    },
  }
}

function checkNumber(header: Header, number: number): Header {
  if (header.number === number) return header
  throw new SonghuaError('RPC_ANSWER', `eth_getBlockByNumber: asked for block ${number}, got ${header.number}`)
}

async function receiptsOf(rpc: RpcClient, number: number, signal: AbortSignal | undefined): Promise<Receipt[]> {
  const method = 'eth_getBlockReceipts'
  try {
    const receipts = await rpc.call(method, [toQuantity(number)], signal)
    if (receipts === null) throw unknownBlock(method, number)
    return readAnswer(method, () => listFromJson(receipts, 'receipts').map(receiptFromJson))
  } catch (error) {
    if (!isSonghuaError(error, 'RPC_REFUSED') || error.details.rpcCode !== METHOD_NOT_FOUND) throw error
    return receiptsOneByOne(rpc, number, signal)
  }
}

/** For endpoints without `eth_getBlockReceipts`. */
async function receiptsOneByOne(rpc: RpcClient, number: number, signal: AbortSignal | undefined): Promise<Receipt[]> {
  const block = await rpc.call('eth_getBlockByNumber', [toQuantity(number), false], signal)
  if (block === null) throw unknownBlock('eth_getBlockByNumber', number)
  const hashes = readAnswer('eth_getBlockByNumber', () =>
    listFromJson(readObject(block, 'block').transactions, 'block.transactions').map((hash) =>
      readHashField(hash, 'block.transactions'),
    ),
  )
  const method = 'eth_getTransactionReceipt'
  const receipts: Receipt[] = []
  for (const hash of hashes) {
    const receipt = await rpc.call(method, [hash], signal)
    receipts.push(readAnswer(method, () => receiptFromJson(receipt)))
  }
  return receipts
}

function unknownBlock(method: string, number: number): SonghuaError {
  const message = `${method}: the node has no block ${number}; it may be behind the others`
  return new SonghuaError('RPC_ANSWER', message, { details: { number } })
}
