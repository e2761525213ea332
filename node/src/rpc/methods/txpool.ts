import type { Address } from '@songhua/sdk/protocol/bytes'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { transactionLength } from '../answer-size.js'
import { limitExceeded } from '../errors.js'
import { quantityToJson, transactionToJson } from '../json.js'
import { objectOfTexts } from '../json-text.js'
import type { RpcLimits } from '../limits.js'
import type { LongAnswers, Turn } from '../long-answers.js'
import { defineMethod, type Method } from '../method.js'
import type { PoolAccess } from '../ports.js'
import { txpoolContentJson, txpoolStatusJson } from '../result-schemas.js'

interface Ports {
  pool: Pick<PoolAccess, 'content' | 'status'>
  answers: LongAnswers
  limits: RpcLimits
}

export function txpoolMethods({ pool, answers, limits }: Ports): Method[] {
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
      handler: (_params, session) => {
        const { length } = readContent({ pool, answers, limits })
        // Read again when its turn comes: what waits keeps nothing of the pool.
        return answers.make(session, length, async (turn) => {
          const { pending, queued } = readContent({ pool, answers, limits })
          const texts = [['pending', await bySender(pending, turn)], ['queued', await bySender(queued, turn)]] as const
          return objectOfTexts(texts)
        })
      },
    }),
  ]
}

/** @throws RPC_LIMIT_EXCEEDED when it is too much for one answer */
function readContent({ pool, answers, limits }: Ports): ReturnType<PoolAccess['content']> & { length: number } {
  const status = pool.status()
  const count = status.pending + status.queued
  if (count > limits.txpoolContentMax) {
    throw limitExceeded('txpoolContentMax', `the pool holds ${count} transactions; at most ${limits.txpoolContentMax} are listed`)
  }
  const { pending, queued } = pool.content()
  const length = [...pending, ...queued].reduce((sum, transaction) => sum + transactionLength(transaction), 0)
  answers.checkLength(length, `the list of ${count} transactions of the pool`)
  return { pending, queued, length }
}

async function bySender(transactions: readonly Transaction[], turn: Turn): Promise<string> {
  const senders = new Map<Address, [string, string][]>()
  for (const transaction of transactions) {
    await turn()
    const nonces = senders.get(transaction.sender) ?? []
    senders.set(transaction.sender, nonces)
    nonces.push([transaction.nonce.toString(), JSON.stringify(transactionToJson(transaction, undefined))])
  }
  return objectOfTexts(Array.from(senders, ([sender, nonces]) => [sender, objectOfTexts(nonces)] as const))
}
