import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { limitExceeded } from '../errors.js'
import { quantityToJson, transactionToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import { defineMethod, type Method } from '../method.js'
import type { PoolAccess } from '../ports.js'
import { txpoolContentJson, txpoolStatusJson, type TransactionJson } from '../result-schemas.js'

interface Ports {
  pool: Pick<PoolAccess, 'content' | 'status'>
  limits: RpcLimits
}

export function txpoolMethods({ pool, limits }: Ports): Method[] {
  return [
    defineMethod({
      name: 'txpool_status',
      summary: 'Numbers of executable transactions and of those that wait for a lower nonce',
      params: [],
      result: txpoolStatusJson,
      handler: () => {
        const { pending, queued } = pool.status()
        return { pending: quantityToJson(pending), queued: quantityToJson(queued) }
      },
    }),
    defineMethod({
      name: 'txpool_content',
      summary: 'All transactions of the pool by sender and nonce',
      params: [],
      result: txpoolContentJson,
      handler: () => {
        const { pending, queued } = pool.status()
        if (pending + queued > limits.txpoolContentMax) {
          throw limitExceeded('txpoolContentMax', `the pool holds ${pending + queued} transactions; at most ${limits.txpoolContentMax} are listed`)
        }
        const content = pool.content()
        return { pending: bySender(content.pending), queued: bySender(content.queued) }
      },
    }),
  ]
}

function bySender(transactions: readonly Transaction[]): Record<string, Record<string, TransactionJson>> {
  const senders: Record<string, Record<string, TransactionJson>> = {}
  for (const transaction of transactions) {
    const nonces = (senders[transaction.sender] ??= {})
    nonces[transaction.nonce.toString()] = transactionToJson(transaction, undefined)
  }
  return senders
}
