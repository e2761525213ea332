import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { Log } from '@songhua/sdk/protocol/receipt'
import type { JournaledState } from './journaled-state.js'

/** What the opcodes may see of the block that is being executed. Made once per block; adapters key caches on it. */
export interface BlockContext {
  readonly number: number
  /** Seconds. */
  readonly timestamp: number
  readonly coinbase: Address
  readonly gasLimit: bigint
  /** Always 0 on our chain; the state tests keep EIP-1559's. */
  readonly baseFeePerGas: bigint
  /** Answer of PREVRANDAO: the header's mixHash, a constant under QBFT and no source of randomness. */
  readonly prevRandao: Hash
  /** Answer of BLOBBASEFEE: 1, the least that EIP-4844 knows, since there are no blobs. */
  readonly blobBaseFee: bigint
  /** Hash of one of the 256 blocks before this one; undefined for any other. */
  blockHash(number: number): Hash | undefined
}

/** One top-level call, or the creation of a contract. Balances, nonce and gas payment are the caller's business. */
export interface EvmMessage {
  readonly caller: Address
  /** Undefined creates a contract from `data`. */
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  /** Without the intrinsic gas. */
  readonly gasLimit: bigint
  /** Answer of GASPRICE. */
  readonly gasPrice: bigint
}

/** Why a message failed. `revert` returns the remaining gas and data; all others take the whole gas limit. */
export type EvmFailure = 'revert' | 'out-of-gas' | 'stack' | 'invalid-opcode' | 'invalid-jump' | 'static-write'
  | 'code-size' | 'address-collision' | 'precompile' | 'halt'

export interface EvmResult {
  /** Before refunds and without the intrinsic gas. */
  readonly gasUsed: bigint
  /** EIP-3529, uncapped; 0 after a failure. */
  readonly gasRefund: bigint
  /** Return data, revert data, or the deployed code. */
  readonly output: Uint8Array
  readonly logs: Log[]
  /** Contracts to be removed at the end of the transaction (EIP-6780: only those created by it). */
  readonly destroyed: Address[]
  readonly createdAddress: Address | undefined
  readonly failure: { readonly kind: EvmFailure; readonly message: string } | undefined
}

/**
 * The narrow port behind which an EVM stands: Cancun rules, one message over one journaled state. The state is left
 * as the message leaves it (unchanged when it fails, but for warmed addresses); calls may run at the same time over
 * different states. The caller's nonce is already incremented: creation uses nonce − 1.
 */
export interface Evm {
  run(state: JournaledState, block: BlockContext, message: EvmMessage): Promise<EvmResult>
}
