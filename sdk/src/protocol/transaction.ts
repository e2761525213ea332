import {
  type Address,
  type Hash,
  EMPTY_BYTES,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  hexToBytes,
  numberToBytes,
  ownBytes,
  padLeft,
  toAddress,
  toHash,
} from './bytes.js'
import { keccak256, keccak256Hex, recoverAddress, signDigest } from './crypto.js'
import { CodedError } from './errors.js'
import {
  type RlpItem,
  decodeRlp,
  encodeRlp,
  readAddress,
  readBigint,
  readBytes,
  readHash,
  readList,
} from './rlp.js'

export type TransactionType = 0 | 1 | 2

export interface AccessListEntry {
  readonly address: Address
  readonly storageKeys: Hash[]
}

/** What a sender decides. Fees and value in wei; for types 0 and 1 both fees are the gas price. */
export interface TransactionPayload {
  readonly type: TransactionType
  /** Undefined for a legacy transaction from before EIP-155, which is good on any chain. */
  readonly chainId: bigint | undefined
  readonly nonce: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly gasLimit: bigint
  /** Undefined when the transaction creates a contract. */
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: AccessListEntry[]
}

/** A payload with its signature, read but not yet tied to a sender. */
export interface SignedTransaction extends TransactionPayload {
  readonly yParity: 0 | 1
  readonly r: bigint
  readonly s: bigint
  readonly hash: Hash
  /** The bytes of the wire: RLP, with the type byte in front unless it is 0. */
  readonly raw: Uint8Array
}

export interface Transaction extends SignedTransaction {
  readonly sender: Address
}

export type TransactionErrorCode =
  | 'TX_EMPTY'
  | 'TX_TOO_LARGE'
  | 'TX_TYPE'
  | 'TX_CHAIN_ID'
  | 'TX_NONCE'
  | 'TX_TO'
  | 'TX_FEES'
  | 'TX_V'
  | 'TX_FIELD'

/** As geth's pool: larger data is kept off the chain. */
export const MAX_TRANSACTION_BYTES = 128 * 1024
const MAX_NONCE = 2n ** 64n - 2n
const MAX_UINT64 = 2n ** 64n - 1n
const MAX_UINT256 = 2n ** 256n - 1n
/** Transaction, access list, entry, keys. */
const MAX_TRANSACTION_DEPTH = 4

function fail(code: TransactionErrorCode, message: string, details: Record<string, unknown> = {}): never {
  throw new CodedError(code, message, { details })
}

// ---------------------------------------------------------------------------------------------------- reading

function readTo(item: RlpItem | undefined): Address | undefined {
  const bytes = readBytes(item, 'to')
  if (bytes.length === 0) return undefined
  if (bytes.length !== 20) fail('TX_TO', `to has ${bytes.length} bytes; it takes 20, or none to create a contract`)
  return readAddress(bytes, 'to')
}

function readNonce(item: RlpItem | undefined): bigint {
  return checkNonce(readBigint(item, 'nonce', 8))
}

/** EIP-2681. */
function checkNonce(nonce: bigint): bigint {
  if (nonce > MAX_NONCE) fail('TX_NONCE', 'nonce must be below 2^64 - 1')
  return nonce
}

function readAccessList(item: RlpItem | undefined): AccessListEntry[] {
  return readList(item, 'accessList').map((entry, at) => {
    const field = `accessList[${at}]`
    const fields = readList(entry, field, 2)
    const keys = readList(fields[1], `${field}.storageKeys`)
    return {
      address: readAddress(fields[0], `${field}.address`),
      storageKeys: keys.map((key, index) => readHash(key, `${field}.storageKeys[${index}]`)),
    }
  })
}

interface Parity {
  chainId: bigint | undefined
  yParity: 0 | 1
}

/** EIP-155: v = 27 or 28 without a chain id, 35 + 2 × chain id and one more with it. */
function readV(item: RlpItem | undefined): Parity {
  const v = readBigint(item, 'v')
  if (v === 27n || v === 28n) return { chainId: undefined, yParity: v === 28n ? 1 : 0 }
  const chainId = v >= 35n ? (v - 35n) / 2n : 0n
  if (chainId === 0n || chainId > MAX_UINT64) fail('TX_V', `v is ${v}; expected 27, 28 or 35 + 2 × chain id`)
  return { chainId, yParity: v % 2n === 0n ? 1 : 0 }
}

function readParity(item: RlpItem | undefined): 0 | 1 {
  const parity = readBigint(item, 'yParity')
  if (parity > 1n) fail('TX_V', `yParity is ${parity}; expected 0 or 1`)
  return parity === 1n ? 1 : 0
}

type Unhashed = Omit<SignedTransaction, 'hash' | 'raw'>

function readLegacy(raw: Uint8Array): Unhashed {
  const fields = readList(decodeRlp(raw, { maxDepth: 1 }), 'transaction', 9)
  const gasPrice = readBigint(fields[1], 'gasPrice')
  return {
    type: 0,
    ...readV(fields[6]),
    nonce: readNonce(fields[0]),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    gasLimit: readBigint(fields[2], 'gasLimit', 8),
    to: readTo(fields[3]),
    value: readBigint(fields[4], 'value'),
    data: readBytes(fields[5], 'data'),
    accessList: [],
    r: readBigint(fields[7], 'r'),
    s: readBigint(fields[8], 's'),
  }
}

function readTyped(raw: Uint8Array, type: 1 | 2): Unhashed {
  const fields = readList(decodeRlp(raw.subarray(1), { maxDepth: MAX_TRANSACTION_DEPTH }), 'transaction', 10 + type)
  const fees = type // type 2 has one fee field more, in front of the gas limit
  const maxPriorityFeePerGas = readBigint(fields[2], type === 1 ? 'gasPrice' : 'maxPriorityFeePerGas')
  const maxFeePerGas = type === 1 ? maxPriorityFeePerGas : readBigint(fields[3], 'maxFeePerGas')
  checkFees(maxPriorityFeePerGas, maxFeePerGas)
  return {
    type,
    chainId: checkChainId(readBigint(fields[0], 'chainId', 8)),
    nonce: readNonce(fields[1]),
    maxFeePerGas,
    maxPriorityFeePerGas,
    gasLimit: readBigint(fields[2 + fees], 'gasLimit', 8),
    to: readTo(fields[3 + fees]),
    value: readBigint(fields[4 + fees], 'value'),
    data: readBytes(fields[5 + fees], 'data'),
    accessList: readAccessList(fields[6 + fees]),
    yParity: readParity(fields[7 + fees]),
    r: readBigint(fields[8 + fees], 'r'),
    s: readBigint(fields[9 + fees], 's'),
  }
}

function checkChainId(chainId: bigint): bigint {
  if (chainId === 0n || chainId > MAX_UINT64) fail('TX_CHAIN_ID', `chainId is ${chainId}; expected 1 to 2^64 - 1`)
  return chainId
}

function checkFees(maxPriorityFeePerGas: bigint, maxFeePerGas: bigint): void {
  if (maxPriorityFeePerGas > maxFeePerGas) {
    fail('TX_FEES', `maxPriorityFeePerGas ${maxPriorityFeePerGas} is above maxFeePerGas ${maxFeePerGas}`)
  }
}

function typeOf(raw: Uint8Array): TransactionType {
  const first = raw[0]
  if (first === undefined) return fail('TX_EMPTY', 'A transaction has no bytes')
  if (raw.length > MAX_TRANSACTION_BYTES) {
    const message = `A transaction of ${raw.length} bytes; at most ${MAX_TRANSACTION_BYTES}`
    fail('TX_TOO_LARGE', message, { bytes: raw.length })
  }
  if (first >= 0xc0) return 0
  if (first === 1 || first === 2) return first
  return fail('TX_TYPE', `Transaction type ${first} is not supported; the chain has 0, 1 and 2`, { type: first })
}

/** Everything but the sender, whose recovery costs more than all the rest. The signature is not checked. */
export function parseTransaction(bytes: Uint8Array): SignedTransaction {
  const type = typeOf(bytes)
  const raw = bytes.constructor === Uint8Array && bytes.length === bytes.buffer.byteLength ? bytes : ownBytes(bytes)
  const fields = type === 0 ? readLegacy(raw) : readTyped(raw, type)
  return { ...fields, hash: keccak256Hex(raw), raw }
}

// ---------------------------------------------------------------------------------------------------- signing

function accessListToRlp(list: readonly AccessListEntry[]): RlpItem {
  return list.map((entry) => [hexToBytes(entry.address), entry.storageKeys.map((key) => hexToBytes(key))])
}

function payloadToRlp(payload: TransactionPayload): RlpItem[] {
  const { type } = payload
  const to = payload.to === undefined ? EMPTY_BYTES : hexToBytes(payload.to)
  const common = [bigintToBytes(payload.gasLimit), to, bigintToBytes(payload.value), payload.data]
  const nonce = bigintToBytes(payload.nonce)
  const maxFee = bigintToBytes(payload.maxFeePerGas)
  if (type === 0) return [nonce, maxFee, ...common]
  const fees = type === 1 ? [maxFee] : [bigintToBytes(payload.maxPriorityFeePerGas), maxFee]
  return [bigintToBytes(payload.chainId ?? 0n), nonce, ...fees, ...common, accessListToRlp(payload.accessList)]
}

function withType(type: TransactionType, item: RlpItem): Uint8Array {
  const body = encodeRlp(item)
  return type === 0 ? body : concatBytes(Uint8Array.of(type), body)
}

/** The 32 bytes that the sender signs (EIP-155, 2930, 1559). */
export function transactionSigningDigest(payload: TransactionPayload): Uint8Array {
  const fields = payloadToRlp(payload)
  if (payload.type === 0 && payload.chainId !== undefined) {
    fields.push(bigintToBytes(payload.chainId), EMPTY_BYTES, EMPTY_BYTES)
  }
  return keccak256(withType(payload.type, fields))
}

function signatureOf(transaction: SignedTransaction): Uint8Array {
  const { r, s, yParity } = transaction
  return concatBytes(padLeft(bigintToBytes(r), 32), padLeft(bigintToBytes(s), 32), Uint8Array.of(yParity))
}

/** @throws CodedError when r or s is out of range or s is high */
export function recoverSender(transaction: SignedTransaction): Address {
  return recoverAddress(transactionSigningDigest(transaction), signatureOf(transaction))
}

/**
 * Reads a transaction and recovers its sender. Whether it may run (chain id, balance, nonce in order) is for others.
 * @param known.sender recovered before (from the pool, a worker, the store): saves the recovery, is not checked again
 * @throws CodedError with a `TX_`, `RLP_` or `SIGNATURE_` code
 */
export function decodeTransaction(raw: Uint8Array, known: { sender?: Address } = {}): Transaction {
  const transaction = parseTransaction(raw)
  return { ...transaction, sender: known.sender ?? recoverSender(transaction) }
}

/** What a caller must say; the rest has defaults: type 2, no value, no data, fees 0. */
export interface TransactionRequest {
  type?: TransactionType | undefined
  chainId: bigint | number | undefined
  nonce: bigint | number
  gasLimit: bigint | number
  to?: string | undefined
  value?: bigint | undefined
  data?: Uint8Array | undefined
  /** The gas price for types 0 and 1. */
  maxFeePerGas?: bigint | undefined
  maxPriorityFeePerGas?: bigint | undefined
  accessList?: { address: string; storageKeys: string[] }[] | undefined
}

function bounded(value: bigint | number, field: string, max: bigint): bigint {
  const amount = BigInt(value)
  if (amount < 0n || amount > max) fail('TX_FIELD', `${field} is ${amount}; expected 0 to ${max}`, { field })
  return amount
}

function requestFees(request: TransactionRequest, type: TransactionType): [bigint, bigint] {
  const maxFee = bounded(request.maxFeePerGas ?? 0n, 'maxFeePerGas', MAX_UINT256)
  if (type === 2) {
    const priority = bounded(request.maxPriorityFeePerGas ?? 0n, 'maxPriorityFeePerGas', MAX_UINT256)
    checkFees(priority, maxFee)
    return [maxFee, priority]
  }
  if (request.maxPriorityFeePerGas !== undefined && request.maxPriorityFeePerGas !== maxFee) {
    fail('TX_FIELD', `A transaction of type ${type} has one gas price: leave maxPriorityFeePerGas out`)
  }
  return [maxFee, maxFee]
}

function requestToPayload(request: TransactionRequest): TransactionPayload {
  const type = request.type ?? 2
  if (request.chainId === undefined && type !== 0) fail('TX_CHAIN_ID', `A transaction of type ${type} needs a chainId`)
  if (type === 0 && request.accessList?.length) fail('TX_FIELD', 'A legacy transaction has no accessList')
  const [maxFeePerGas, maxPriorityFeePerGas] = requestFees(request, type)
  return {
    type,
    chainId: request.chainId === undefined ? undefined : checkChainId(BigInt(request.chainId)),
    nonce: checkNonce(bounded(request.nonce, 'nonce', MAX_UINT64)),
    maxFeePerGas,
    maxPriorityFeePerGas,
    gasLimit: bounded(request.gasLimit, 'gasLimit', MAX_UINT64),
    to: request.to === undefined ? undefined : toAddress(request.to, 'to'),
    value: bounded(request.value ?? 0n, 'value', MAX_UINT256),
    data: request.data ?? EMPTY_BYTES,
    accessList: (request.accessList ?? []).map((entry, at) => ({
      address: toAddress(entry.address, `accessList[${at}].address`),
      storageKeys: entry.storageKeys.map((key) => toHash(key, `accessList[${at}].storageKeys`)),
    })),
  }
}

function firstSignatureField(payload: TransactionPayload, yParity: number): Uint8Array {
  if (payload.type !== 0) return numberToBytes(yParity)
  const base = payload.chainId === undefined ? 27n : 35n + 2n * payload.chainId
  return bigintToBytes(base + BigInt(yParity))
}

/** @param privateKey 32 bytes */
export function signTransaction(request: TransactionRequest, privateKey: Uint8Array): Transaction {
  const payload = requestToPayload(request)
  const signature = signDigest(transactionSigningDigest(payload), privateKey)
  const r = bytesToBigint(signature.subarray(0, 32))
  const s = bytesToBigint(signature.subarray(32, 64))
  return decodeTransaction(encodeTransaction({ ...payload, r, s, yParity: signature[64] === 1 ? 1 : 0 }))
}

/** The bytes of the wire, of which `parseTransaction` is the inverse. */
export function encodeTransaction(transaction: Omit<SignedTransaction, 'hash' | 'raw'>): Uint8Array {
  const { type, r, s, yParity } = transaction
  const v = firstSignatureField(transaction, yParity)
  return withType(type, [...payloadToRlp(transaction), v, bigintToBytes(r), bigintToBytes(s)])
}
