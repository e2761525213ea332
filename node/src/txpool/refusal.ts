import { CodedError } from '@songhua/sdk/protocol/errors'

/** Why the pool does not take a transaction; each has a message of its own. */
export type PoolRefusalCode =
  | 'POOL_ALREADY_KNOWN'
  | 'POOL_OVERSIZED'
  | 'POOL_UNPROTECTED'
  | 'POOL_WRONG_CHAIN'
  | 'POOL_INIT_CODE_TOO_LARGE'
  | 'POOL_INTRINSIC_GAS'
  | 'POOL_ABOVE_BLOCK_GAS'
  | 'POOL_SENDER_HAS_CODE'
  | 'POOL_NONCE_TOO_LOW'
  | 'POOL_NONCE_GAP'
  | 'POOL_INSUFFICIENT_FUNDS'
  | 'POOL_REPLACEMENT_TOO_EARLY'
  | 'POOL_ACCOUNT_LIMIT'
  | 'POOL_FULL'

/** What geth says in the same case: ethers, viem and wallets recognise the reason by these words. */
const PHRASES: Record<PoolRefusalCode, string> = {
  POOL_ALREADY_KNOWN: 'already known',
  POOL_OVERSIZED: 'oversized data',
  POOL_UNPROTECTED: 'only replay-protected (EIP-155) transactions allowed over RPC',
  POOL_WRONG_CHAIN: 'invalid chain id for signer',
  POOL_INIT_CODE_TOO_LARGE: 'max initcode size exceeded',
  POOL_INTRINSIC_GAS: 'intrinsic gas too low',
  POOL_ABOVE_BLOCK_GAS: 'exceeds block gas limit',
  POOL_SENDER_HAS_CODE: 'sender not an eoa',
  POOL_NONCE_TOO_LOW: 'nonce too low',
  POOL_NONCE_GAP: 'nonce too high',
  POOL_INSUFFICIENT_FUNDS: 'insufficient funds for gas * price + value',
  POOL_REPLACEMENT_TOO_EARLY: 'replacement transaction underpriced',
  POOL_ACCOUNT_LIMIT: 'account limit exceeded',
  POOL_FULL: 'txpool is full',
}

/** @param what the values that decided, and what the sender can do */
export function refusal(
  code: PoolRefusalCode, what: string, details: Record<string, unknown> = {},
): CodedError<PoolRefusalCode> {
  return new CodedError(code, `${PHRASES[code]}: ${what}`, { details })
}

export function isPoolRefusal(error: unknown): error is CodedError<PoolRefusalCode> {
  return error instanceof CodedError && error.code in PHRASES
}
