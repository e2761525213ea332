import { bigintToBytes, bytesToHex, hexToBytes, type Address, type Hash } from '@songhua/sdk/protocol/bytes'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { encodeHeader, type Header } from '@songhua/sdk/protocol/header'
import type { Receipt } from '@songhua/sdk/protocol/receipt'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { LocatedLog } from './ports.js'
import type { HeaderJson, LogJson, ReceiptJson, TransactionJson } from './result-schemas.js'

/** The shapes of geth's JSON, field for field (Cancun). */

export function quantityToJson(value: number | bigint): string {
  return `0x${value.toString(16)}`
}

export function headerToJson(header: Header, hash: Hash): HeaderJson {
  return {
    number: quantityToJson(header.number),
    hash,
    parentHash: header.parentHash,
    sha3Uncles: header.ommersHash,
    miner: header.coinbase,
    stateRoot: header.stateRoot,
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    logsBloom: bytesToHex(header.logsBloom),
    difficulty: quantityToJson(header.difficulty),
    gasLimit: quantityToJson(header.gasLimit),
    gasUsed: quantityToJson(header.gasUsed),
    timestamp: quantityToJson(header.timestamp),
    extraData: bytesToHex(header.extraData),
    mixHash: header.mixHash,
    nonce: bytesToHex(header.nonce),
    baseFeePerGas: quantityToJson(header.baseFeePerGas),
    withdrawalsRoot: header.withdrawalsRoot,
    blobGasUsed: quantityToJson(header.blobGasUsed),
    excessBlobGas: quantityToJson(header.excessBlobGas),
    parentBeaconBlockRoot: header.parentBeaconBlockRoot,
  }
}

/** Bytes of the block as Ethereum encodes it: `[header, transactions, ommers, withdrawals]`. */
export function blockSize(header: Header, body: readonly Uint8Array[]): number {
  // A legacy transaction is a list of its own; a typed one travels as a byte string.
  const items = body.map((raw) => ((raw[0] ?? 0) >= 0xc0 ? raw.length : stringLength(raw.length)))
  const transactions = listLength(items.reduce((sum, length) => sum + length, 0))
  const ommersAndWithdrawals = 2
  return listLength(encodeHeader(header).length + transactions + ommersAndWithdrawals)
}

const listLength = (payload: number): number => payload + (payload < 56 ? 1 : 1 + bytesOf(payload))
const stringLength = (length: number): number => length + (length < 56 ? 1 : 1 + bytesOf(length))
const bytesOf = (value: number): number => Math.ceil(value.toString(16).length / 2)

export interface TransactionPlace {
  blockHash: Hash
  blockNumber: number
  index: number
  baseFeePerGas: bigint
}

/** @param place undefined for a transaction that waits in the pool */
export function transactionToJson(transaction: Transaction, place: TransactionPlace | undefined): TransactionJson {
  const { type, yParity, chainId } = transaction
  return {
    type: quantityToJson(type),
    hash: transaction.hash,
    blockHash: place?.blockHash ?? null,
    blockNumber: place ? quantityToJson(place.blockNumber) : null,
    transactionIndex: place ? quantityToJson(place.index) : null,
    from: transaction.sender,
    to: transaction.to ?? null,
    nonce: quantityToJson(transaction.nonce),
    gas: quantityToJson(transaction.gasLimit),
    gasPrice: quantityToJson(place ? effectiveGasPrice(transaction, place.baseFeePerGas) : transaction.maxFeePerGas),
    ...(type === 2 && {
      maxFeePerGas: quantityToJson(transaction.maxFeePerGas),
      maxPriorityFeePerGas: quantityToJson(transaction.maxPriorityFeePerGas),
    }),
    value: quantityToJson(transaction.value),
    input: bytesToHex(transaction.data),
    ...(type !== 0 && { accessList: transaction.accessList }),
    ...(chainId !== undefined && { chainId: quantityToJson(chainId) }),
    v: quantityToJson(signatureV(transaction)),
    r: quantityToJson(transaction.r),
    s: quantityToJson(transaction.s),
    ...(type !== 0 && { yParity: quantityToJson(yParity) }),
  }
}

/** EIP-155 for legacy transactions, the parity itself for typed ones. */
function signatureV({ type, chainId, yParity }: Transaction): bigint {
  if (type !== 0) return BigInt(yParity)
  return chainId === undefined ? BigInt(27 + yParity) : chainId * 2n + BigInt(35 + yParity)
}

type Fees = Pick<Transaction, 'maxFeePerGas' | 'maxPriorityFeePerGas'>

/** EIP-1559. For types 0 and 1 both fees are the gas price, so one formula serves. */
export function effectiveGasPrice(transaction: Fees, baseFeePerGas: bigint): bigint {
  return baseFeePerGas + effectiveTip(transaction, baseFeePerGas)
}

export function effectiveTip({ maxFeePerGas, maxPriorityFeePerGas }: Fees, baseFeePerGas: bigint): bigint {
  const room = maxFeePerGas - baseFeePerGas
  return maxPriorityFeePerGas < room ? maxPriorityFeePerGas : room
}

export interface ReceiptPlace extends TransactionPlace {
  blockTimestamp: number
  /** Index in the block of the receipt's first log. */
  firstLogIndex: number
  gasUsedBefore: bigint
}

export function receiptToJson(receipt: Receipt, transaction: Transaction, place: ReceiptPlace): ReceiptJson {
  const { blockHash, blockNumber, blockTimestamp, index } = place
  const at = { blockNumber, blockHash, blockTimestamp, transactionHash: transaction.hash, transactionIndex: index }
  return {
    type: quantityToJson(receipt.type),
    status: quantityToJson(receipt.status),
    transactionHash: transaction.hash,
    transactionIndex: quantityToJson(index),
    blockHash,
    blockNumber: quantityToJson(blockNumber),
    from: transaction.sender,
    to: transaction.to ?? null,
    contractAddress: transaction.to === undefined ? createdAddress(transaction) : null,
    cumulativeGasUsed: quantityToJson(receipt.cumulativeGasUsed),
    gasUsed: quantityToJson(receipt.cumulativeGasUsed - place.gasUsedBefore),
    effectiveGasPrice: quantityToJson(effectiveGasPrice(transaction, place.baseFeePerGas)),
    logs: receipt.logs.map((log, offset) => logToJson({ ...at, log, logIndex: place.firstLogIndex + offset })),
    logsBloom: bytesToHex(receipt.logsBloom),
  }
}

function createdAddress({ sender, nonce }: Transaction): Address {
  const digest = keccak256(encodeRlp([hexToBytes(sender), bigintToBytes(nonce)]))
  return bytesToHex(digest.subarray(12))
}

export function logToJson({ log, ...at }: LocatedLog): LogJson {
  return {
    address: log.address,
    topics: log.topics,
    data: bytesToHex(log.data),
    blockNumber: quantityToJson(at.blockNumber),
    blockHash: at.blockHash,
    blockTimestamp: quantityToJson(at.blockTimestamp),
    transactionHash: at.transactionHash,
    transactionIndex: quantityToJson(at.transactionIndex),
    logIndex: quantityToJson(at.logIndex),
    removed: false,
  }
}
