import { bytesToHex, concatBytes, hexToBytes, padLeft, numberToBytes, type Hash, type Hex } from '@songhua/sdk/protocol/bytes'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'

const ANCHOR_GAS_LIMIT = 100_000n
const FAMILY_GOVERNMENT = 1
const BATCH_SIZE = 1

export interface Prepared {
  hash: Hash
  raw: Hex
}

const selector = keccak256(new TextEncoder().encode('anchor(bytes32,bytes32,uint64,uint8)')).subarray(0, 4)
const word = (value: number): Uint8Array => padLeft(numberToBytes(value), 32)

/** Signs one `RecordAnchor.anchor` transaction; the batch id follows from sender label and nonce. */
export function anchorTransaction(account: { privateKey: string }, chainId: number, nonce: number): Prepared {
  const label = new TextEncoder().encode(`bench ${account.privateKey.slice(-8)} ${nonce}`)
  const root = keccak256(label)
  const data = concatBytes(selector, keccak256(root), root, word(BATCH_SIZE), word(FAMILY_GOVERNMENT))
  const transaction = signTransaction(
    {
      type: 2,
      chainId: BigInt(chainId),
      nonce: BigInt(nonce),
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      gasLimit: ANCHOR_GAS_LIMIT,
      to: RECORD_ANCHOR_ADDRESS,
      value: 0n,
      data,
      accessList: [],
    },
    hexToBytes(account.privateKey),
  )
  return { hash: transaction.hash, raw: bytesToHex(transaction.raw) }
}
