import { bytesToHex, hexToBytes } from '../protocol/bytes.js'
import { privateKeyToAddress } from '../protocol/crypto.js'
import { signTransaction } from '../protocol/transaction.js'

/** An account that signs. An ethers `Wallet` is one. */
export interface ChainSigner {
  getAddress(): Promise<string>
  /** @returns the raw transaction, hexadecimal */
  signTransaction(transaction: UnsignedTransaction): Promise<string>
}

/** As ethers takes it: type 2, without fees. */
export interface UnsignedTransaction {
  readonly type: 2
  readonly chainId: number
  readonly nonce: number
  readonly gasLimit: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly to: string
  readonly value: bigint
  readonly data: string
}

/**
 * An account by its private key, for programs that hold one and need no wallet.
 * @param privateKey 32 bytes, or hexadecimal
 * @throws CodedError `PRIVATE_KEY_INVALID`
 */
export function keySigner(privateKey: Uint8Array | string): ChainSigner {
  const key = typeof privateKey === 'string' ? hexToBytes(privateKey, 'privateKey') : privateKey
  const address = privateKeyToAddress(key)
  return {
    getAddress: () => Promise.resolve(address),
    signTransaction: (transaction) => {
      const request = { ...transaction, data: hexToBytes(transaction.data, 'data') }
      return Promise.resolve(bytesToHex(signTransaction(request, key).raw))
    },
  }
}
