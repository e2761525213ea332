import type { TransactionPayload } from './transaction.js'

/** Yellow paper, appendix G, with EIP-2028. */
const TRANSACTION_GAS = 21_000
const CREATE_GAS = 32_000
const DATA_ZERO_GAS = 4
const DATA_NONZERO_GAS = 16
/** EIP-2930. */
const ACCESS_LIST_ADDRESS_GAS = 2_400
const ACCESS_LIST_KEY_GAS = 1_900
/** EIP-3860. */
const INIT_CODE_WORD_GAS = 2
export const MAX_INIT_CODE_BYTES = 49_152

/** Gas that a transaction pays before it runs (g0 of the yellow paper; EIP-2028, 2930, 3860). */
export function intrinsicGas({ to, data, accessList }: Pick<TransactionPayload, 'to' | 'data' | 'accessList'>): bigint {
  let nonzero = 0
  for (const byte of data) if (byte !== 0) nonzero++
  let gas = TRANSACTION_GAS + (data.length - nonzero) * DATA_ZERO_GAS + nonzero * DATA_NONZERO_GAS
  if (to === undefined) gas += CREATE_GAS + Math.ceil(data.length / 32) * INIT_CODE_WORD_GAS
  for (const { storageKeys } of accessList) gas += ACCESS_LIST_ADDRESS_GAS + storageKeys.length * ACCESS_LIST_KEY_GAS
  return BigInt(gas)
}
