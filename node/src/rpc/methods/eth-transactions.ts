import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import { decodeTransaction } from '@songhua/sdk/protocol/transaction'
import { z } from 'zod'
import { findBlock, type FoundBlock } from '../block-lookup.js'
import type { BlockTransactions } from '../block-transactions.js'
import type { ReceiptWaiter } from '../receipt-waiter.js'
import { limitExceeded, RpcError } from '../errors.js'
import { quantityToJson, transactionToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import type { LongAnswers } from '../long-answers.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader, PoolAccess } from '../ports.js'
import { receiptOf } from '../receipts.js'
import { hashJson, receiptJson, transactionJson, type TransactionJson } from '../result-schemas.js'
import { blockNumber, data, hash, smallQuantity } from '../schemas.js'

interface Ports {
  chain: ChainReader
  pool: PoolAccess
  transactions: BlockTransactions
  receiptWaiter: ReceiptWaiter
  answers: LongAnswers
  limits: RpcLimits
}

export function ethTransactionMethods(ports: Ports): Method[] {
  return [...lookups(ports), receiptLookup(ports), ...sending(ports)]
}

function lookups({ chain, pool, transactions }: Ports): Method[] {
  const at = (found: FoundBlock | undefined, index: number): TransactionJson | null => {
    const transaction = found && transactions.at(found.number, index)
    if (!transaction) return null
    const { hash: blockHash, number, header } = found
    return transactionToJson(transaction, {
      blockHash,
      blockNumber: number,
      index,
      baseFeePerGas: header.baseFeePerGas,
    })
  }
  return [
    defineMethod({
      name: 'eth_getTransactionByHash',
      summary: 'A transaction in a block or in the pool, null when unknown',
      params: [param('transactionHash', hash)],
      result: transactionJson.nullable(),
      handler: ([wanted]) => {
        const location = chain.transactionLocation(wanted)
        if (location) return at(findBlock(chain, { number: location.number }), location.index)
        const waiting = pool.get(wanted)
        return waiting ? transactionToJson(waiting, undefined) : null
      },
    }),
    defineMethod({
      name: 'eth_getTransactionByBlockNumberAndIndex',
      summary: 'A transaction by its place, null when absent',
      params: [param('block', blockNumber), param('index', smallQuantity)],
      result: transactionJson.nullable(),
      handler: ([reference, index]) => at(findBlock(chain, reference), index),
    }),
    defineMethod({
      name: 'eth_getTransactionByBlockHashAndIndex',
      summary: 'A transaction by its place, null when absent',
      params: [param('blockHash', hash), param('index', smallQuantity)],
      result: transactionJson.nullable(),
      handler: ([blockHash, index]) => at(findBlock(chain, { hash: blockHash }), index),
    }),
  ]
}

/**
 * Clients look for a receipt first and for new blocks then, and a block made in between would leave them waiting for the
 * next one: on this chain up to the heartbeat. So the receipt of what is about to stand in a block is waited for.
 */
function receiptLookup({ pool, receiptWaiter, limits, ...sources }: Ports): Method {
  const isDue = (wanted: Hash): boolean => {
    const pending = pool.get(wanted)
    return pending !== undefined && pending.nonce < pool.pendingNonce(pending.sender)
  }
  return defineMethod({
    name: 'eth_getTransactionReceipt',
    summary: 'Receipt of a transaction, null while it is in no block; for one that is executable in the pool, waits a moment',
    params: [param('transactionHash', hash)],
    result: receiptJson.nullable(),
    handler: async ([wanted], session) => {
      const found = await receiptOf(sources, wanted, session)
      if (found || !isDue(wanted)) return found ?? null
      // Among too many that wait, the plain answer: it is in no block.
      const leave = receiptWaiter.takePlace(session.client)
      if (typeof leave !== 'function') return null
      try {
        return (await receiptWaiter.receipt(wanted, limits.receiptHoldMs, session)) ?? null
      } finally {
        leave()
      }
    },
  })
}

const WAIT = 'must be milliseconds from 0, as a number or a quantity'
const wait = z.union([smallQuantity, z.int(WAIT).min(0, WAIT)], { error: WAIT })

function sending({ pool, receiptWaiter, limits }: Ports): Method[] {
  return [
    defineMethod({
      name: 'eth_sendRawTransaction',
      summary: 'Hands a signed transaction to the pool; answers when it is durable there',
      params: [param('transaction', data)],
      result: hashJson,
      handler: ([raw]) => pool.submit(raw),
    }),
    defineMethod({
      name: 'eth_sendRawTransactionSync',
      summary: 'As eth_sendRawTransaction, but answers with the receipt (EIP-7966)',
      params: [param('transaction', data), param('timeoutMs', wait.nullish())],
      result: receiptJson,
      handler: async ([raw, askedMs], session) => {
        // EIP-7966: a wait of zero or above the node's maximum means the node's own.
        const usable = typeof askedMs === 'number' && askedMs > 0 && askedMs <= limits.syncWaitMaxMs
        const waitMs = usable ? askedMs : limits.syncWaitDefaultMs
        // Before the transaction is taken, so that a refusal says that nothing was done.
        const leave = receiptWaiter.takePlace(session.client)
        if (typeof leave !== 'function') throw tooManyWaits(leave, limits)
        try {
          const hashOfIt = await submitReady(pool, raw)
          return (await receiptWaiter.receipt(hashOfIt, waitMs, session)) ?? timedOut(pool, hashOfIt, waitMs)
        } finally {
          leave()
        }
      },
    }),
  ]
}

/** @throws RPC_SYNC_NONCE_GAP when a lower nonce is missing, so that no receipt can come */
async function submitReady(pool: PoolAccess, raw: Uint8Array): Promise<Hash> {
  try {
    const hashOfIt = await pool.submit(raw)
    const waiting = pool.get(hashOfIt)
    if (!waiting) return hashOfIt
    const next = pool.pendingNonce(waiting.sender)
    if (waiting.nonce <= next) return hashOfIt
    throw nonceGap(next, `transaction ${hashOfIt} waits in the pool for nonce ${next} of ${waiting.sender}`)
  } catch (error) {
    if (!isCodedError(error, 'POOL_NONCE_GAP')) throw error
    throw nonceGap(pool.pendingNonce(decodeTransaction(raw).sender), error.message)
  }
}

function nonceGap(next: bigint, message: string): RpcError {
  return new RpcError('RPC_SYNC_NONCE_GAP', message, { details: { expectedNonce: quantityToJson(next) } })
}

function tooManyWaits(bound: 'total' | 'share', limits: RpcLimits): RpcError {
  const limit = bound === 'total' ? 'receiptWaitsMax' : 'receiptWaitsPerAddressMax'
  const whose = bound === 'total' ? '' : ' of your address'
  const message = `${limits[limit]} requests${whose} wait for receipts already, and the transaction was not taken; use eth_sendRawTransaction`
  return limitExceeded(limit, message)
}

function timedOut(pool: PoolAccess, hashOfIt: Hash, waitMs: number): never {
  const refusal = pool.refusalOf(hashOfIt)
  // It will not come any more: to wait on would be in vain.
  if (refusal && !pool.get(hashOfIt)) throw new CodedError(refusal.code, refusal.message, { details: { ...refusal.details } })
  const aside = pool.asideOf(hashOfIt)
  const held = refusal && `; it waits for a quota: ${refusal.message}`
  const why = held ?? (aside === undefined ? '' : `; it is set aside until block ${aside.untilHeight}: ${aside.reason}`)
  const message = `the transaction is durable in the pool and in no block yet (timeout = ${waitMs} ms)${why}`
  throw new RpcError('RPC_SYNC_TIMEOUT', message, { details: { hash: hashOfIt } })
}
