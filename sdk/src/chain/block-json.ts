import type { Hash } from '../protocol/bytes.js'
import { messageOf } from '../protocol/errors.js'
import type { Header } from '../protocol/header.js'
import {
  failField,
  readAddressField,
  readHashField,
  readHexBytes,
  readObject,
  readQuantity,
} from '../protocol/json-fields.js'
import type { Log, Receipt } from '../protocol/receipt.js'
import { SonghuaError } from '../connection/songhua-error.js'

/** Headers and receipts out of the JSON of Ethereum's methods, to the forms that are hashed. */

const UINT64_MAX = 2n ** 64n - 1n
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER)
const EXTRA_DATA_BYTES_MAX = 8 * 1024
const BLOOM_BYTES = 256
const NONCE_BYTES = 8
const LOG_DATA_BYTES_MAX = 1024 * 1024

/** Runs a reader over an answer. @throws SonghuaError `RPC_ANSWER` that names the method and the field */
export function readAnswer<T>(method: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new SonghuaError('RPC_ANSWER', `${method} gave an answer that cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

export function headerFromJson(value: unknown): Header {
  const json = readObject(value, 'block')
  const hash = (key: string): Hash => readHashField(json[key], `block.${key}`)
  const quantity = (key: string, max = UINT64_MAX): bigint => readQuantity(json[key], `block.${key}`, max)
  return {
    parentHash: hash('parentHash'),
    ommersHash: hash('sha3Uncles'),
    coinbase: readAddressField(json.miner, 'block.miner'),
    stateRoot: hash('stateRoot'),
    transactionsRoot: hash('transactionsRoot'),
    receiptsRoot: hash('receiptsRoot'),
    logsBloom: readHexBytes(json.logsBloom, 'block.logsBloom', BLOOM_BYTES),
    difficulty: quantity('difficulty'),
    number: Number(quantity('number', SAFE_MAX)),
    gasLimit: quantity('gasLimit'),
    gasUsed: quantity('gasUsed'),
    timestamp: Number(quantity('timestamp', SAFE_MAX)),
    extraData: readHexBytes(json.extraData, 'block.extraData', EXTRA_DATA_BYTES_MAX),
    mixHash: hash('mixHash'),
    nonce: readHexBytes(json.nonce, 'block.nonce', NONCE_BYTES),
    baseFeePerGas: quantity('baseFeePerGas'),
    withdrawalsRoot: hash('withdrawalsRoot'),
    blobGasUsed: quantity('blobGasUsed'),
    excessBlobGas: quantity('excessBlobGas'),
    parentBeaconBlockRoot: hash('parentBeaconBlockRoot'),
  }
}

/** Where a transaction stands. */
export interface TransactionPlace {
  readonly blockNumber: number
  readonly transactionIndex: number
  readonly status: number
}

export function placeFromJson(value: unknown): TransactionPlace {
  const json = readObject(value, 'receipt')
  return {
    blockNumber: numberFromJson(json.blockNumber, 'receipt.blockNumber'),
    transactionIndex: numberFromJson(json.transactionIndex, 'receipt.transactionIndex'),
    status: numberFromJson(json.status, 'receipt.status'),
  }
}

export function receiptFromJson(value: unknown): Receipt {
  const json = readObject(value, 'receipt')
  return {
    type: oneOf(json.type, 'receipt.type', [0, 1, 2]),
    status: oneOf(json.status, 'receipt.status', [0, 1]),
    cumulativeGasUsed: readQuantity(json.cumulativeGasUsed, 'receipt.cumulativeGasUsed', UINT64_MAX),
    logsBloom: readHexBytes(json.logsBloom, 'receipt.logsBloom', BLOOM_BYTES),
    logs: listFromJson(json.logs, 'receipt.logs').map(logFromJson),
  }
}

export function logFromJson(value: unknown): Log {
  const json = readObject(value, 'log')
  return {
    address: readAddressField(json.address, 'log.address'),
    topics: listFromJson(json.topics, 'log.topics').map((topic) => readHashField(topic, 'log.topics')),
    data: readHexBytes(json.data, 'log.data', LOG_DATA_BYTES_MAX),
  }
}

/** A log and where it stands, as `eth_getLogs` gives it. */
export interface LocatedLog {
  readonly log: Log
  readonly blockNumber: number
  readonly transactionHash: Hash
  readonly transactionIndex: number
  /** Within the block. */
  readonly logIndex: number
}

export function locatedLogFromJson(value: unknown): LocatedLog {
  const json = readObject(value, 'log')
  return {
    log: logFromJson(json),
    blockNumber: numberFromJson(json.blockNumber, 'log.blockNumber'),
    transactionHash: readHashField(json.transactionHash, 'log.transactionHash'),
    transactionIndex: numberFromJson(json.transactionIndex, 'log.transactionIndex'),
    logIndex: numberFromJson(json.logIndex, 'log.logIndex'),
  }
}

/** A quantity of at most 2^53 − 1. */
export function numberFromJson(value: unknown, path: string): number {
  return Number(readQuantity(value, path, SAFE_MAX))
}

export function listFromJson(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : failField('JSON_TYPE', path, 'must be a list')
}

function oneOf<T extends number>(value: unknown, path: string, known: readonly T[]): T {
  const given = numberFromJson(value, path)
  return known.find((one) => one === given) ?? failField('JSON_RANGE', path, `is ${given}; expected ${known.join(', ')}`)
}

/** `0x` and hexadecimal digits without leading zeros, as Ethereum's methods take numbers. */
export function toQuantity(value: number | bigint): string {
  return `0x${value.toString(16)}`
}
