import fc from 'fast-check'
import type { Account } from '@songhua/sdk/protocol/account'
import { type Block, transactionsRootOf } from '@songhua/sdk/protocol/block'
import { BLOOM_BYTES, bloomOf } from '@songhua/sdk/protocol/bloom'
import { type Address, type Hash, type Hex, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { type ExtraData, encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import type { Log, Receipt } from '@songhua/sdk/protocol/receipt'
import { type Transaction, type TransactionRequest, signTransaction } from '@songhua/sdk/protocol/transaction'

export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
export const bytesUpTo = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
export const hexOf = (length: number): fc.Arbitrary<Hex> => bytesOf(length).map(bytesToHex)
export const hash: fc.Arbitrary<Hash> = hexOf(32)
export const address: fc.Arbitrary<Address> = hexOf(20)
export const signature = bytesOf(65)
/** With the borders at which an integer becomes longer. */
export const number = fc.oneof(fc.constantFrom(0, 1, 127, 128, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat())
export const uint = (bits: number): fc.Arbitrary<bigint> => {
  const max = 2n ** BigInt(bits) - 1n
  return fc.oneof(fc.constantFrom(0n, 1n, 127n, 128n, max), fc.bigInt({ min: 0n, max }))
}

const accessList = fc.array(fc.record({ address, storageKeys: fc.array(hash, { maxLength: 2 }) }), { maxLength: 2 })

const transactionRequest: fc.Arbitrary<TransactionRequest> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    chainId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    hasChainId: fc.boolean(),
    nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }),
    gasLimit: uint(64),
    to: fc.option(address, { nil: undefined }),
    value: uint(256),
    data: bytesUpTo(200),
    fees: fc.tuple(uint(256), uint(256)),
    accessList,
  })
  .map(({ type, chainId, hasChainId, fees, accessList, ...rest }) => {
    const [low, high] = fees[0] < fees[1] ? fees : [fees[1], fees[0]]
    return {
      ...rest,
      type,
      chainId: type === 0 && !hasChainId ? undefined : chainId,
      maxFeePerGas: high,
      ...(type === 2 ? { maxPriorityFeePerGas: low } : {}),
      ...(type === 0 ? {} : { accessList }),
    }
  })

export const privateKey = fc.nat({ max: 2 ** 30 }).map((seed) => {
  const key = new Uint8Array(32).fill(7)
  new DataView(key.buffer).setUint32(8, seed)
  return key
})

export const transaction: fc.Arbitrary<Transaction> = fc
  .tuple(transactionRequest, privateKey)
  .map(([request, key]) => signTransaction(request, key))

export const extraData: fc.Arbitrary<ExtraData> = fc.record({
  vanity: bytesOf(32),
  validators: fc.array(address, { maxLength: 7 }),
  round: fc.oneof(fc.nat(9), fc.constant(2 ** 32 - 1)),
  seals: fc.array(signature, { maxLength: 7 }),
})

export const header: fc.Arbitrary<Header> = fc.record({
  parentHash: hash,
  ommersHash: hash,
  coinbase: address,
  stateRoot: hash,
  transactionsRoot: hash,
  receiptsRoot: hash,
  logsBloom: bytesOf(BLOOM_BYTES),
  difficulty: uint(256),
  number,
  gasLimit: uint(64),
  gasUsed: uint(64),
  timestamp: number,
  extraData: fc.oneof(extraData.map(encodeExtraData), bytesUpTo(60)),
  mixHash: hash,
  nonce: bytesOf(8),
  baseFeePerGas: uint(256),
  withdrawalsRoot: hash,
  blobGasUsed: uint(64),
  excessBlobGas: uint(64),
  parentBeaconBlockRoot: hash,
})

export const block: fc.Arbitrary<Block> = fc
  .record({ header, transactions: fc.array(transaction, { maxLength: 3 }) })
  .map(({ header, transactions }) => ({ header: { ...header, transactionsRoot: transactionsRootOf(transactions) }, transactions }))

export const log: fc.Arbitrary<Log> = fc.record({
  address,
  topics: fc.array(hash, { maxLength: 4 }),
  data: bytesUpTo(100),
})

export const receipt: fc.Arbitrary<Receipt> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    status: fc.constantFrom(0 as const, 1 as const),
    cumulativeGasUsed: uint(64),
    logs: fc.array(log, { maxLength: 3 }),
  })
  .map((fields) => ({ ...fields, logsBloom: bloomOf(fields.logs) }))

export const account: fc.Arbitrary<Account> = fc.record({
  nonce: uint(64),
  balance: uint(256),
  storageRoot: hash,
  codeHash: hash,
})
