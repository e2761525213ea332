/** What a block's transactions are held to; resolved once per block, never inside a loop. */
export interface ExecutionRules {
  readonly chainId: bigint
  /** False only for the Ethereum state tests, whose legacy transactions may come from before EIP-155. */
  readonly requireChainId: boolean
}

/** EIP-2028 and the yellow paper, appendix G. */
export const TX_GAS = 21_000n
export const TX_CREATE_GAS = 32_000n
export const TX_DATA_ZERO_GAS = 4n
export const TX_DATA_NONZERO_GAS = 16n
/** EIP-2930. */
export const ACCESS_LIST_ADDRESS_GAS = 2_400n
export const ACCESS_LIST_SLOT_GAS = 1_900n
/** EIP-3860. */
export const INIT_CODE_WORD_GAS = 2n
export const INIT_CODE_BYTES_MAX = 49_152
/** EIP-3529: at most a fifth of the gas used is refunded. */
export const REFUND_QUOTIENT = 5n
/** EIP-2681. */
export const NONCE_MAX = 2n ** 64n - 1n
/** Precompiles 1 to 10, warm from the start (EIP-2929). */
export const PRECOMPILE_COUNT = 10

/** The rules of our chain. Replay from another chain is refused, so is a transaction that is good on any. */
export function chainRules(chainId: number): ExecutionRules {
  return { chainId: BigInt(chainId), requireChainId: true }
}
