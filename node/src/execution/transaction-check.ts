import { EMPTY_ACCOUNT, EMPTY_CODE_HASH } from '@songhua/sdk/protocol/account'
import { MAX_INIT_CODE_BYTES, intrinsicGas } from '@songhua/sdk/protocol/intrinsic-gas'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { BlockContext } from './evm.js'
import type { JournaledState } from './journaled-state.js'
import { type ExecutionRules, NONCE_MAX } from './rules.js'

export type RefusalCode =
  | 'TX_UNPROTECTED'
  | 'TX_WRONG_CHAIN'
  | 'TX_ABOVE_BLOCK_GAS'
  | 'TX_INTRINSIC_GAS'
  | 'TX_INIT_CODE_TOO_LARGE'
  | 'TX_FEE_CAP_BELOW_BASE_FEE'
  | 'TX_TIP_ABOVE_FEE_CAP'
  | 'TX_SENDER_HAS_CODE'
  | 'TX_NONCE_TOO_LOW'
  | 'TX_NONCE_TOO_HIGH'
  | 'TX_NONCE_EXHAUSTED'
  | 'TX_INSUFFICIENT_FUNDS'

/** Why a transaction cannot be in the block at this place. The message names the values. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
}

/** What depends on nothing but the transaction and the rules. */
export function checkTransactionShape(transaction: Transaction, rules: ExecutionRules): Refusal | undefined {
  const { chainId, gasLimit, data, maxFeePerGas, maxPriorityFeePerGas } = transaction
  if (chainId === undefined && rules.requireChainId) {
    const message = `the signature names no chain; sign for chain ${rules.chainId} (EIP-155)`
    return { code: 'TX_UNPROTECTED', message }
  }
  if (chainId !== undefined && chainId !== rules.chainId) {
    return { code: 'TX_WRONG_CHAIN', message: `signed for chain ${chainId}, this is chain ${rules.chainId}` }
  }
  if (maxPriorityFeePerGas > maxFeePerGas) {
    const message = `maxPriorityFeePerGas ${maxPriorityFeePerGas} is above maxFeePerGas ${maxFeePerGas}`
    return { code: 'TX_TIP_ABOVE_FEE_CAP', message }
  }
  if (transaction.to === undefined && data.length > MAX_INIT_CODE_BYTES) {
    const message = `init code has ${data.length} bytes, at most ${MAX_INIT_CODE_BYTES}`
    return { code: 'TX_INIT_CODE_TOO_LARGE', message }
  }
  const needed = intrinsicGas(transaction)
  if (gasLimit < needed) {
    return { code: 'TX_INTRINSIC_GAS', message: `gasLimit ${gasLimit} is below the intrinsic gas ${needed}` }
  }
  return undefined
}

/** What depends on the block and on the state in front of the transaction. `gasLeft` is what the block has left. */
export function checkTransaction(
  transaction: Transaction,
  at: { state: JournaledState; block: BlockContext; rules: ExecutionRules; gasLeft: bigint },
): Refusal | undefined {
  return checkTransactionShape(transaction, at.rules)
    ?? checkBlockRoom(transaction, at)
    ?? checkSender(transaction, at.state)
}

function checkBlockRoom(
  { gasLimit, maxFeePerGas }: Transaction,
  { block, gasLeft }: { block: BlockContext; gasLeft: bigint },
): Refusal | undefined {
  if (gasLimit > gasLeft) {
    return { code: 'TX_ABOVE_BLOCK_GAS', message: `gasLimit ${gasLimit} is above the ${gasLeft} left in the block` }
  }
  if (maxFeePerGas < block.baseFeePerGas) {
    return { code: 'TX_FEE_CAP_BELOW_BASE_FEE',
      message: `maxFeePerGas ${maxFeePerGas} is below the base fee ${block.baseFeePerGas}` }
  }
  return undefined
}

function checkSender(transaction: Transaction, state: JournaledState): Refusal | undefined {
  const { sender, nonce, value, gasLimit, maxFeePerGas } = transaction
  const account = state.getAccount(sender) ?? EMPTY_ACCOUNT
  if (nonce < account.nonce) {
    return { code: 'TX_NONCE_TOO_LOW', message: `nonce ${nonce} of ${sender} is used, the next is ${account.nonce}` }
  }
  if (nonce > account.nonce) {
    return { code: 'TX_NONCE_TOO_HIGH', message: `nonce ${nonce} of ${sender} is too high, the next is ${account.nonce}` }
  }
  if (nonce >= NONCE_MAX) {
    return { code: 'TX_NONCE_EXHAUSTED', message: `nonce ${nonce} of ${sender} is the last (EIP-2681)` }
  }
  if (account.codeHash !== EMPTY_CODE_HASH) {
    return { code: 'TX_SENDER_HAS_CODE', message: `sender ${sender} is a contract (EIP-3607)` }
  }
  const needed = gasLimit * maxFeePerGas + value
  if (account.balance < needed) {
    return { code: 'TX_INSUFFICIENT_FUNDS',
      message: `${sender} has ${account.balance} wei, gas and value need up to ${needed}` }
  }
  return undefined
}
