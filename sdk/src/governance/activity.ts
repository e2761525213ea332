import type { Address, Hash } from '../protocol/bytes.js'
import { keccak256Hex } from '../protocol/crypto.js'
import { RECORD_FAMILIES, type RecordFamily } from '../protocol/evidence-envelope.js'
import { ANCHOR_CONTRACT, readAnchoredBatch } from '../protocol/evidence-receipt.js'
import { readAddressField, readHashField, readHexBytes, readObject, readQuantity } from '../protocol/json-fields.js'
import { type AccessListEntry, MAX_TRANSACTION_BYTES, encodeTransaction } from '../protocol/transaction.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { type Adaptive, createAdaptive } from '../chain/adaptive.js'
import { listFromJson, logFromJson, numberFromJson, readAnswer, toQuantity } from '../chain/block-json.js'
import type { RpcBatchClient } from '../chain/rpc-batch.js'
import { type BlockMark, blockMarkFromJson } from './blocks.js'

/** What a transaction took and left behind. */
export interface TransactionActivity {
  readonly account: Address
  /** Undefined when it created a contract. */
  readonly to: Address | undefined
  readonly hasFailed: boolean
  readonly gas: bigint
  /** Length of the raw transaction. */
  readonly bytes: number
  /** Records that it anchored, by family. */
  readonly records: Readonly<Partial<Record<RecordFamily, bigint>>>
}

export interface BlockActivity extends BlockMark {
  readonly transactions: readonly TransactionActivity[]
}

/** Most blocks of a quiet chain are heartbeats of 1 kB. */
const QUESTION = { most: 128, least: 1, growsAfter: 16 } as const
const UINT64_MAX = 2n ** 64n - 1n
const UINT256_MAX = 2n ** 256n - 1n
const FAMILIES = new Map(Object.entries(RECORD_FAMILIES).map(([family, number]) => [BigInt(number), family as RecordFamily]))

interface RawBlock extends BlockMark {
  readonly parentHash: Hash
  readonly transactions: readonly unknown[]
}

/**
 * Every block of a range with its transactions, oldest first, some at a time. Blocks must be each other's parents, and a
 * transaction's bytes must have its hash.
 * @throws SonghuaError `RPC_ANSWER` when they do not, or when a block is missing
 */
export async function* readActivity(
  rpc: RpcBatchClient,
  { from, to }: { from: number; to: number },
  signal?: AbortSignal,
): AsyncGenerator<BlockActivity[]> {
  const [width, receiptWidth] = [createAdaptive(QUESTION), createAdaptive(QUESTION)]
  let parent: Hash | undefined
  for (let next = from; next <= to; ) {
    const numbers = numbersFrom(next, Math.min(to, next + width.size() - 1))
    const blocks = await width.attempt(() => readBlocks(rpc, numbers, signal))
    if (blocks === undefined) continue
    const receipts = await readReceipts(rpc, blocks, { width: receiptWidth, signal })
    yield blocks.map((block) => {
      checkParent(block, parent)
      parent = block.hash
      const { number, hash, timestamp } = block
      return { number, hash, timestamp, transactions: activityOf(block, receipts.get(number) ?? []) }
    })
    next += blocks.length
  }
}

const numbersFrom = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at)

function checkParent({ number, parentHash }: RawBlock, parent: Hash | undefined): void {
  if (parent === undefined || parentHash === parent) return
  throw new SonghuaError('RPC_ANSWER', `block ${number} does not follow the block ${number - 1} that the node gave: it tells of two chains`)
}

async function readBlocks(rpc: RpcBatchClient, numbers: readonly number[], signal: AbortSignal | undefined): Promise<RawBlock[]> {
  const method = 'eth_getBlockByNumber'
  const answers = await rpc.batch(numbers.map((number) => ({ method, params: [toQuantity(number), true] })), signal)
  return answers.map((answer, at) => {
    if (answer === null) throw new SonghuaError('RPC_ANSWER', `${method}: the node has no block ${numbers[at]}`)
    return readAnswer(method, () => {
      const json = readObject(answer, 'block')
      const transactions = listFromJson(json.transactions, 'block.transactions')
      return { ...blockMarkFromJson(json), parentHash: readHashField(json.parentHash, 'block.parentHash'), transactions }
    })
  })
}

/** Of those blocks that have transactions, by number. */
async function readReceipts(
  rpc: RpcBatchClient,
  blocks: readonly RawBlock[],
  { width, signal }: { width: Adaptive; signal: AbortSignal | undefined },
): Promise<Map<number, readonly unknown[]>> {
  const method = 'eth_getBlockReceipts'
  const numbers = blocks.filter(({ transactions }) => transactions.length > 0).map(({ number }) => number)
  const found = new Map<number, readonly unknown[]>()
  while (found.size < numbers.length) {
    const asked = numbers.slice(found.size, found.size + width.size())
    const answers = await width.attempt(() => rpc.batch(asked.map((number) => ({ method, params: [toQuantity(number)] })), signal))
    answers?.forEach((answer, at) => found.set(asked[at]!, readAnswer(method, () => listFromJson(answer, 'receipts'))))
  }
  return found
}

function activityOf({ number, transactions }: RawBlock, receipts: readonly unknown[]): TransactionActivity[] {
  if (receipts.length !== transactions.length) {
    throw new SonghuaError('RPC_ANSWER', `block ${number} has ${transactions.length} transactions and ${receipts.length} receipts`)
  }
  return readAnswer('eth_getBlockByNumber', () => transactions.map((transaction, at) => readOne(transaction, receipts[at])))
}

function readOne(transaction: unknown, receipt: unknown): TransactionActivity {
  const json = readObject(transaction, 'transaction')
  const outcome = readObject(receipt, 'receipt')
  const hash = readHashField(json.hash, 'transaction.hash')
  if (outcome.transactionHash !== json.hash) throw new TypeError(`the receipt of ${hash} is of another transaction`)
  const raw = rawOf(json)
  if (keccak256Hex(raw) !== hash) throw new TypeError(`transaction ${hash} has other fields than its hash`)
  return {
    account: readAddressField(json.from, 'transaction.from'),
    to: toOf(json.to),
    hasFailed: numberFromJson(outcome.status, 'receipt.status') === 0,
    gas: readQuantity(outcome.gasUsed, 'receipt.gasUsed', UINT64_MAX),
    bytes: raw.length,
    records: recordsOf(listFromJson(outcome.logs, 'receipt.logs')),
  }
}

const toOf = (to: unknown): Address | undefined => (to === null || to === undefined ? undefined : readAddressField(to, 'transaction.to'))

function rawOf(json: Record<string, unknown>): Uint8Array {
  const quantity = (key: string): bigint => readQuantity(json[key], `transaction.${key}`, UINT256_MAX)
  const type = ([0, 1, 2] as const)[numberFromJson(json.type, 'transaction.type')]
  if (type === undefined) throw new TypeError(`a transaction of type ${String(json.type)}; the chain has 0, 1 and 2`)
  const v = quantity('v')
  return encodeTransaction({
    type,
    chainId: type === 0 ? (v >= 35n ? (v - 35n) / 2n : undefined) : quantity('chainId'),
    nonce: quantity('nonce'),
    maxFeePerGas: quantity(type === 2 ? 'maxFeePerGas' : 'gasPrice'),
    maxPriorityFeePerGas: quantity(type === 2 ? 'maxPriorityFeePerGas' : 'gasPrice'),
    gasLimit: quantity('gas'),
    to: toOf(json.to),
    value: quantity('value'),
    data: readHexBytes(json.input, 'transaction.input', MAX_TRANSACTION_BYTES),
    accessList: type === 0 ? [] : listFromJson(json.accessList ?? [], 'transaction.accessList').map(accessOf),
    // EIP-155: 27 and 28, or 35 and 36 and twice the chain id.
    yParity: (type === 0 ? v % 2n === 0n : v === 1n) ? 1 : 0,
    r: quantity('r'),
    s: quantity('s'),
  })
}

function accessOf(entry: unknown): AccessListEntry {
  const json = readObject(entry, 'transaction.accessList')
  const keys = listFromJson(json.storageKeys, 'transaction.accessList.storageKeys')
  return {
    address: readAddressField(json.address, 'transaction.accessList.address'),
    storageKeys: keys.map((key) => readHashField(key, 'transaction.accessList.storageKeys')),
  }
}

function recordsOf(logs: readonly unknown[]): Partial<Record<RecordFamily, bigint>> {
  const records: Partial<Record<RecordFamily, bigint>> = {}
  for (const json of logs) {
    const log = logFromJson(json)
    if (log.address !== ANCHOR_CONTRACT) continue
    const { size, family } = readAnchoredBatch(log)
    const name = FAMILIES.get(family)
    if (name === undefined) throw new TypeError(`a batch of family ${family}, which this SDK does not know`)
    records[name] = (records[name] ?? 0n) + size
  }
  return records
}
