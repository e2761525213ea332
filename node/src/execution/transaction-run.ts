import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { intrinsicGas } from '@songhua/sdk/protocol/intrinsic-gas'
import type { AccessListEntry, Transaction } from '@songhua/sdk/protocol/transaction'
import type { BlockContext, Evm, EvmResult } from './evm.js'
import type { JournaledState } from './journaled-state.js'
import { PRECOMPILE_COUNT, REFUND_QUOTIENT } from './rules.js'

const PRECOMPILES: Address[] = Array.from({ length: PRECOMPILE_COUNT }, (_, index) => {
  const address: Address = `0x${(index + 1).toString(16).padStart(40, '0')}`
  return address
})

export interface TransactionOutcome {
  /** With the intrinsic gas and after refunds: what the sender pays for. */
  readonly gasUsed: bigint
  readonly result: EvmResult
}

/** EIP-2929 and 3651: what a transaction may touch at the warm price from the start. */
export function warmForTransaction(
  state: JournaledState,
  { sender, to, coinbase, accessList }: {
    sender: Address
    to: Address | undefined
    coinbase: Address
    accessList: readonly AccessListEntry[]
  },
): void {
  state.warmAddress(sender)
  state.warmAddress(coinbase)
  if (to !== undefined) state.warmAddress(to)
  for (const address of PRECOMPILES) state.warmAddress(address)
  for (const { address, storageKeys } of accessList) {
    state.warmAddress(address)
    for (const slot of storageKeys) state.warmSlot(address, slot)
  }
}

/** Gas limits are paid for at this price: base fee and tip, at most the fee cap (EIP-1559). */
export function effectiveGasPrice(
  { maxFeePerGas, maxPriorityFeePerGas }: Pick<Transaction, 'maxFeePerGas' | 'maxPriorityFeePerGas'>,
  baseFeePerGas: bigint,
): bigint {
  const tip = maxFeePerGas - baseFeePerGas
  return baseFeePerGas + (tip < maxPriorityFeePerGas ? tip : maxPriorityFeePerGas)
}

/** Where a transaction runs. */
export interface RunContext {
  readonly state: JournaledState
  readonly block: BlockContext
  readonly evm: Evm
}

/**
 * Runs a transaction that `checkTransaction` let through: gas bought, message run, refund, tip to the coinbase; the
 * base fee is burnt. The transaction is left open: the caller ends it in the state, with what it destroyed, or abandons
 * it.
 */
export async function runOpenTransaction(
  transaction: Transaction,
  { state, block, evm }: RunContext,
): Promise<TransactionOutcome> {
  const { sender, to, value, data, gasLimit, accessList } = transaction
  const gasPrice = effectiveGasPrice(transaction, block.baseFeePerGas)
  const account = state.getAccount(sender) ?? EMPTY_ACCOUNT
  state.putAccount(sender, { ...account, nonce: account.nonce + 1n, balance: account.balance - gasLimit * gasPrice })
  warmForTransaction(state, { sender, to, coinbase: block.coinbase, accessList })
  const intrinsic = intrinsicGas(transaction)
  const message = { caller: sender, to, value, data, gasLimit: gasLimit - intrinsic, gasPrice }
  const result = await evm.run(state, block, message)
  const gasUsed = gasAfterRefund(intrinsic + result.gasUsed, result.gasRefund)
  state.addBalance(sender, (gasLimit - gasUsed) * gasPrice)
  state.addBalance(block.coinbase, gasUsed * (gasPrice - block.baseFeePerGas))
  return { gasUsed, result }
}

/** EIP-3529. */
export function gasAfterRefund(gasUsed: bigint, gasRefund: bigint): bigint {
  const cap = gasUsed / REFUND_QUOTIENT
  return gasUsed - (gasRefund < cap ? gasRefund : cap)
}
