import { z } from 'zod'

const hex = (digits: string, title: string) =>
  z
    .string()
    .regex(new RegExp(`^0x${digits}$`))
    .meta({ title })

export const quantityJson = hex('(0|[1-9a-f][0-9a-f]*)', 'hexadecimal quantity')
export const dataJson = hex('([0-9a-f][0-9a-f])*', 'hexadecimal data')
export const hashJson = hex('[0-9a-f]{64}', '32 bytes')
export const addressJson = hex('[0-9a-f]{40}', '20-byte address')
const bloomJson = hex('[0-9a-f]{512}', '256 bytes')

export const headerJson = z.strictObject({
  number: quantityJson,
  hash: hashJson,
  parentHash: hashJson,
  sha3Uncles: hashJson,
  miner: addressJson,
  stateRoot: hashJson,
  transactionsRoot: hashJson,
  receiptsRoot: hashJson,
  logsBloom: bloomJson,
  difficulty: quantityJson,
  gasLimit: quantityJson,
  gasUsed: quantityJson,
  timestamp: quantityJson,
  extraData: dataJson,
  mixHash: hashJson,
  nonce: hex('[0-9a-f]{16}', '8 bytes'),
  baseFeePerGas: quantityJson,
  withdrawalsRoot: hashJson,
  blobGasUsed: quantityJson,
  excessBlobGas: quantityJson,
  parentBeaconBlockRoot: hashJson,
})
export type HeaderJson = z.infer<typeof headerJson>

export const transactionJson = z.strictObject({
  type: quantityJson,
  hash: hashJson,
  blockHash: hashJson.nullable(),
  blockNumber: quantityJson.nullable(),
  transactionIndex: quantityJson.nullable(),
  from: addressJson,
  to: addressJson.nullable(),
  nonce: quantityJson,
  gas: quantityJson,
  gasPrice: quantityJson,
  maxFeePerGas: quantityJson.optional(),
  maxPriorityFeePerGas: quantityJson.optional(),
  value: quantityJson,
  input: dataJson,
  accessList: z.array(z.strictObject({ address: addressJson, storageKeys: z.array(hashJson) })).optional(),
  chainId: quantityJson.optional(),
  v: quantityJson,
  r: quantityJson,
  s: quantityJson,
  yParity: quantityJson.optional(),
})
export type TransactionJson = z.infer<typeof transactionJson>

export const blockJson = headerJson.extend({
  size: quantityJson,
  uncles: z.array(hashJson).max(0),
  withdrawals: z.array(z.never()).max(0),
  transactions: z.union([z.array(hashJson), z.array(transactionJson)]),
})
export type BlockJson = z.infer<typeof blockJson>

export const logJson = z.strictObject({
  address: addressJson,
  topics: z.array(hashJson),
  data: dataJson,
  blockNumber: quantityJson,
  blockHash: hashJson,
  blockTimestamp: quantityJson,
  transactionHash: hashJson,
  transactionIndex: quantityJson,
  logIndex: quantityJson,
  removed: z.literal(false),
})
export type LogJson = z.infer<typeof logJson>

export const receiptJson = z.strictObject({
  type: quantityJson,
  status: quantityJson,
  transactionHash: hashJson,
  transactionIndex: quantityJson,
  blockHash: hashJson,
  blockNumber: quantityJson,
  from: addressJson,
  to: addressJson.nullable(),
  contractAddress: addressJson.nullable(),
  cumulativeGasUsed: quantityJson,
  gasUsed: quantityJson,
  effectiveGasPrice: quantityJson,
  logs: z.array(logJson),
  logsBloom: bloomJson,
})
export type ReceiptJson = z.infer<typeof receiptJson>

export const proofJson = z.strictObject({
  address: addressJson,
  balance: quantityJson,
  nonce: quantityJson,
  codeHash: hashJson,
  storageHash: hashJson,
  accountProof: z.array(dataJson),
  storageProof: z.array(z.strictObject({ key: z.string(), value: quantityJson, proof: z.array(dataJson) })),
})

export const feeHistoryJson = z.strictObject({
  oldestBlock: quantityJson,
  baseFeePerGas: z.array(quantityJson),
  gasUsedRatio: z.array(z.number()),
  baseFeePerBlobGas: z.array(quantityJson),
  blobGasUsedRatio: z.array(z.number()),
  reward: z.array(z.array(quantityJson)).optional(),
})

export const syncingJson = z.union([
  z.literal(false),
  z.strictObject({ startingBlock: quantityJson, currentBlock: quantityJson, highestBlock: quantityJson }),
])

export const signerMetricsJson = z.array(
  z.strictObject({ address: addressJson, proposedBlockCount: quantityJson, lastProposedBlockNumber: quantityJson }),
)

const byNonce = z.record(addressJson, z.record(z.string().regex(/^\d+$/), transactionJson))
export const txpoolContentJson = z.strictObject({ pending: byNonce, queued: byNonce })
export const txpoolStatusJson = z.strictObject({ pending: quantityJson, queued: quantityJson })

export const transactionStatusJson = z.strictObject({
  status: z.enum(['final', 'pending', 'queued', 'dropped', 'unknown']),
  blockNumber: quantityJson.optional(),
  /** The proposer that was asked left it out of its blocks, for the time being. */
  setAside: z.strictObject({ untilBlock: quantityJson, reason: z.string() }).optional(),
  /** A quota holds it back until then (seconds since 1970), or it was dropped when its sender lost the right to send it. */
  refused: z.strictObject({ code: z.string(), message: z.string(), resetsAt: quantityJson.optional() }).optional(),
})
