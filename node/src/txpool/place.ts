// Whether there is a place for a transaction: in its sender's queue, and in the pool.
import type { Hash } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { transactionCost } from './admission.js'
import type { TxPoolLimits } from './limits.js'
import { refusal } from './refusal.js'
import type { PoolEntry, SenderQueue } from './sender-queue.js'

/**
 * A transaction that another node passed on was first seen there before it was here, so its replacement may also
 * arrive here before the full age by our clock.
 */
const RELAY_LAG_MS = 5_000

/**
 * Of the pool's room one part in so many is kept for administrators who govern, so that no flood keeps votes out: of the
 * default limits 512 transactions and 2 MiB, which is the whole of what 64 of them may have in it.
 */
const GOVERNANCE_PART = 16
/** Whoever has more here stands with all others. The longest proposal takes 5 kB. */
const GOVERNANCE_TRANSACTIONS_MAX = 8
const GOVERNANCE_BYTES_MAX = 32 * 1024

/** A transaction in front of its sender's queue. */
export interface Candidate {
  readonly transaction: Transaction
  readonly queue: SenderQueue
  readonly nowMs: number
  readonly isLocal: boolean
  /** Of an administrator who governs. */
  readonly isGovernance?: boolean | undefined
}

export interface PoolFill {
  readonly transactions: number
  readonly bytes: number
  /** Longest waiting first. */
  readonly waiting: ReadonlyMap<Hash, PoolEntry>
}

/** @throws CodedError: nonce, replacement or funds do not allow it */
export function checkPlace(candidate: Candidate, limits: TxPoolLimits): void {
  checkNonce(candidate, limits)
  checkReplacement(candidate, limits)
  checkFunds(candidate)
}

/**
 * The queue is a window of nonces that starts at the account's next one. So the transaction on which the others wait
 * always has a place, and nobody can lock himself out by sending the higher nonces first.
 */
function checkNonce({ transaction: { nonce, sender }, queue }: Candidate, limits: TxPoolLimits): void {
  const next = queue.executableEnd
  if (nonce > next && nonce - next > BigInt(limits.maxNonceGap)) {
    throw refusal('POOL_NONCE_GAP', `next nonce ${next}, tx nonce ${nonce}; at most ${limits.maxNonceGap} apart`, { nextNonce: next })
  }
  if (nonce - queue.nonce >= BigInt(limits.maxAccountTransactions)) {
    throw refusal('POOL_ACCOUNT_LIMIT',
      `${sender} may have ${limits.maxAccountTransactions} transactions here, from nonce ${queue.nonce} on; send again later`)
  }
}

function checkReplacement({ transaction, queue, nowMs, isLocal }: Candidate, { replaceAfterS }: TxPoolLimits): void {
  const old = queue.at(transaction.nonce)
  if (old === undefined) return
  const neededMs = isLocal ? replaceAfterS * 1000 : Math.max(0, replaceAfterS * 1000 - RELAY_LAG_MS)
  const leftMs = old.arrivedMs + neededMs - nowMs
  if (leftMs <= 0) return
  const { hash, nonce } = old.transaction
  throw refusal('POOL_REPLACEMENT_TOO_EARLY',
    `${hash} with nonce ${nonce} may be replaced in ${Math.ceil(leftMs / 1000)} s (fees do not count)`, { hash, leftMs })
}

function checkFunds({ transaction, queue }: Candidate): void {
  const cost = transactionCost(transaction)
  const total = queue.cost + cost - (queue.at(transaction.nonce)?.cost ?? 0n)
  if (cost === 0n || total <= queue.balance) return
  throw refusal('POOL_INSUFFICIENT_FUNDS',
    `address ${transaction.sender} have ${queue.balance} want ${total} for all its transactions (overshot ${total - queue.balance})`)
}

/**
 * Which waiting transactions must go to make room: its sender's own with the highest nonces when the account is full,
 * the longest waiting of others when the pool is. Nothing makes room for a transaction that would itself wait.
 * @throws CodedError when there is no room to be made
 */
export function findVictims(candidate: Candidate, pool: PoolFill, limits: TxPoolLimits): PoolEntry[] {
  const own = findOwnVictims(candidate, limits)
  return [...own, ...findOtherVictims(candidate, { ...pool, own }, limits)]
}

function wouldWait({ transaction, queue }: Candidate): boolean {
  return transaction.nonce > queue.executableEnd
}

function bytesAdded({ transaction, queue }: Candidate): number {
  return transaction.raw.length - sizeOf(queue.at(transaction.nonce))
}

function replaces({ transaction, queue }: Candidate): boolean {
  return queue.at(transaction.nonce) !== undefined
}

function sizeOf(entry: PoolEntry | undefined): number {
  return entry?.transaction.raw.length ?? 0
}

function findOwnVictims(candidate: Candidate, { maxAccountBytes }: TxPoolLimits): PoolEntry[] {
  const { queue, transaction } = candidate
  let excess = queue.bytes + bytesAdded(candidate) - maxAccountBytes
  if (excess <= 0) return []
  const victims: PoolEntry[] = []
  const waiting = queue.entries().filter((entry) => !entry.isExecutable && entry.transaction.nonce > transaction.nonce)
  while (excess > 0 && !wouldWait(candidate)) {
    const last = waiting.pop()
    if (last === undefined) break
    victims.push(last)
    excess -= sizeOf(last)
  }
  if (excess <= 0) return victims
  throw refusal('POOL_ACCOUNT_LIMIT',
    `${transaction.sender} has ${queue.bytes} bytes here, limit ${maxAccountBytes}; send again later`)
}

function roomFor(candidate: Candidate, { maxTransactions, maxBytes }: TxPoolLimits): Pick<TxPoolLimits, 'maxTransactions' | 'maxBytes'> {
  if (mayUseReserve(candidate)) return { maxTransactions, maxBytes }
  const withoutReserve = (limit: number): number => limit - Math.floor(limit / GOVERNANCE_PART)
  // What takes the place of another takes no more room than that, however full the reserve is.
  return {
    maxTransactions: replaces(candidate) ? maxTransactions : withoutReserve(maxTransactions),
    maxBytes: bytesAdded(candidate) <= 0 ? maxBytes : withoutReserve(maxBytes),
  }
}

function mayUseReserve(candidate: Candidate): boolean {
  const { queue, isGovernance } = candidate
  if (isGovernance !== true || wouldWait(candidate)) return false
  return queue.size + (replaces(candidate) ? 0 : 1) <= GOVERNANCE_TRANSACTIONS_MAX && queue.bytes + bytesAdded(candidate) <= GOVERNANCE_BYTES_MAX
}

function findOtherVictims(
  candidate: Candidate,
  pool: PoolFill & { own: readonly PoolEntry[] },
  limits: TxPoolLimits,
): PoolEntry[] {
  const { queue, transaction } = candidate
  const { maxTransactions, maxBytes } = roomFor(candidate, limits)
  const added = queue.at(transaction.nonce) === undefined ? 1 : 0
  let excessCount = pool.transactions + added - pool.own.length - maxTransactions
  let excessBytes = pool.bytes + bytesAdded(candidate) - pool.own.reduce((bytes, entry) => bytes + sizeOf(entry), 0) - maxBytes
  const victims: PoolEntry[] = []
  if (!wouldWait(candidate)) {
    for (const entry of pool.waiting.values()) {
      if (excessCount <= 0 && excessBytes <= 0) break
      // The sender's own waiting ones may be waiting for just this one.
      if (entry.transaction.sender === queue.address) continue
      victims.push(entry)
      excessCount--
      excessBytes -= sizeOf(entry)
    }
  }
  if (excessCount <= 0 && excessBytes <= 0) return victims
  throw refusal('POOL_FULL',
    `${pool.transactions} transactions of ${pool.bytes} bytes, limits ${maxTransactions} and ${maxBytes}; send again later`)
}
