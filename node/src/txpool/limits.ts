import { CodedError } from '@songhua/sdk/protocol/errors'
import { MAX_TRANSACTION_BYTES } from '@songhua/sdk/protocol/transaction'

/** What a pool holds at most, and for how long. Whole numbers above zero. */
export interface TxPoolLimits {
  readonly maxTransactions: number
  readonly maxBytes: number
  readonly maxAccountTransactions: number
  readonly maxAccountBytes: number
  readonly maxTransactionBytes: number
  /** How far a nonce may be above the account's next one. */
  readonly maxNonceGap: number
  /** Age in seconds at which a transaction may be replaced by another with its nonce. Fees cannot decide: they are zero. */
  readonly replaceAfterS: number
  /** How long, in seconds, a transaction may wait for a lower nonce or for funds. */
  readonly waitingLifetimeS: number
}

/**
 * A decoded transaction takes about 2 kB beside its bytes: the whole pool stays under 60 MB. One account may hold an
 * eighth of it, so that a gateway can hand over a burst and eight of them still leave each other room.
 */
export const TX_POOL_LIMITS: TxPoolLimits = Object.freeze({
  maxTransactions: 8_192,
  maxBytes: 32 * 1024 * 1024,
  maxAccountTransactions: 1_024,
  maxAccountBytes: 4 * 1024 * 1024,
  maxTransactionBytes: MAX_TRANSACTION_BYTES,
  maxNonceGap: 1_024,
  replaceAfterS: 60,
  waitingLifetimeS: 3 * 60 * 60,
})

/** @throws CodedError `POOL_BAD_LIMIT` naming the limit */
export function resolveLimits(limits: Partial<TxPoolLimits>): TxPoolLimits {
  const resolved = { ...TX_POOL_LIMITS, ...limits }
  for (const [name, value] of Object.entries(resolved)) {
    if (!(name in TX_POOL_LIMITS)) throw badLimit(`pool.${name} is not a limit of the transaction pool`, name)
    if (!Number.isSafeInteger(value) || value <= 0) throw badLimit(`pool.${name} must be a whole number above 0, not ${value}`, name)
  }
  return Object.freeze(resolved)
}

function badLimit(message: string, name: string): CodedError<'POOL_BAD_LIMIT'> {
  return new CodedError('POOL_BAD_LIMIT', message, { details: { name } })
}
