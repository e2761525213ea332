/** What a block's transactions are held to; resolved once per block, never inside a loop. */
export interface ExecutionRules {
  readonly chainId: bigint
  /** False only for the Ethereum state tests, whose legacy transactions may come from before EIP-155. */
  readonly requireChainId: boolean
}

/** The least that a transaction takes: a block with less left is full. */
export const TX_GAS = 21_000n
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
