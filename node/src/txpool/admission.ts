import { type Account, EMPTY_CODE_HASH } from '@songhua/sdk/protocol/account'
import { MAX_INIT_CODE_BYTES, intrinsicGas } from '@songhua/sdk/protocol/intrinsic-gas'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { refusal } from './refusal.js'

/** What the pool must know of an account, at the head. */
export type AccountView = Pick<Account, 'nonce' | 'balance' | 'codeHash'>

export interface AdmissionRules {
  readonly chainId: bigint
  readonly blockGasLimit: bigint
  readonly maxTransactionBytes: number
}

/** The most a transaction can cost its sender, in wei. */
export function transactionCost({ value, gasLimit, maxFeePerGas }: Transaction): bigint {
  return value + gasLimit * maxFeePerGas
}

/**
 * Every check that needs the transaction and its sender's account only. Cheap ones first.
 * @throws CodedError with a `PoolRefusalCode`
 */
export function checkAdmission(transaction: Transaction, account: AccountView, rules: AdmissionRules): void {
  checkForm(transaction, rules)
  checkAccount(transaction, account)
}

function checkForm({ raw, chainId, to, data, gasLimit, accessList }: Transaction, rules: AdmissionRules): void {
  if (raw.length > rules.maxTransactionBytes) {
    throw refusal('POOL_OVERSIZED', `transaction size ${raw.length}, limit ${rules.maxTransactionBytes} bytes`)
  }
  if (chainId === undefined) throw refusal('POOL_UNPROTECTED', `sign it for chain id ${rules.chainId}`)
  if (chainId !== rules.chainId) throw refusal('POOL_WRONG_CHAIN', `have ${chainId}, want ${rules.chainId}`)
  if (to === undefined && data.length > MAX_INIT_CODE_BYTES) {
    throw refusal('POOL_INIT_CODE_TOO_LARGE', `code size ${data.length}, limit ${MAX_INIT_CODE_BYTES} bytes`)
  }
  if (gasLimit > rules.blockGasLimit) {
    throw refusal('POOL_ABOVE_BLOCK_GAS', `gas ${gasLimit}, limit ${rules.blockGasLimit}`)
  }
  const needed = intrinsicGas({ to, data, accessList })
  if (gasLimit < needed) throw refusal('POOL_INTRINSIC_GAS', `gas ${gasLimit}, minimum needed ${needed}`)
}

function checkAccount(transaction: Transaction, account: AccountView): void {
  const { sender, nonce } = transaction
  if (account.codeHash !== EMPTY_CODE_HASH) {
    throw refusal('POOL_SENDER_HAS_CODE', `address ${sender}, codehash ${account.codeHash} (EIP-3607)`)
  }
  if (nonce < account.nonce) {
    throw refusal('POOL_NONCE_TOO_LOW', `next nonce ${account.nonce}, tx nonce ${nonce}`, { nextNonce: account.nonce })
  }
  const cost = transactionCost(transaction)
  if (cost > account.balance) {
    throw refusal('POOL_INSUFFICIENT_FUNDS',
      `address ${sender} have ${account.balance} want ${cost} (overshot ${cost - account.balance})`)
  }
}
