import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { limitExceeded } from '../errors.js'
import { quantityToJson, transactionToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import { defineMethod, type Method } from '../method.js'
import type { PoolAccess } from '../ports.js'
import { txpoolContentJson, txpoolStatusJson, type TransactionJson } from '../result-schemas.js'
import { createTurns } from '../turn.js'

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
      handler: async () => {
        const { pending, queued } = pool.status()
        if (pending + queued > limits.txpoolContentMax) {
          throw limitExceeded(
            'txpoolContentMax',
            `the pool holds ${pending + queued} transactions; at most ${limits.txpoolContentMax} are listed`,
          )
        }
        const content = pool.content()
        return { pending: await bySender(content.pending), queued: await bySender(content.queued) }
      },
    }),
  ]
}

type BySender = Record<string, Record<string, TransactionJson>>

async function bySender(transactions: readonly Transaction[]): Promise<BySender> {
  const senders: BySender = {}
  const turn = createTurns()
  for (const transaction of transactions) {
    await turn()
    const nonces = (senders[transaction.sender] ??= {})
    nonces[transaction.nonce.toString()] = transactionToJson(transaction, undefined)
  }
  return senders
}
