import type { Hash } from '@songhua/sdk/protocol/bytes'
import { z } from 'zod'
import { invalidParams } from '../errors.js'
import { defineMethod, param, type Method } from '../method.js'
import { quantityToJson } from '../json.js'
import type { ChainReader, HistoryProofs, PoolAccess } from '../ports.js'
import { hashJson, transactionStatusJson } from '../result-schemas.js'
import { hash, smallQuantity } from '../schemas.js'

interface Ports {
  chain: Pick<ChainReader, 'head' | 'transactionLocation'>
  pool: Pick<PoolAccess, 'get' | 'pendingNonce' | 'asideOf' | 'refusalOf'>
  proofs: HistoryProofs
}

/** What Ethereum's methods cannot tell. */
export function songhuaMethods({ chain, pool, proofs }: Ports): Method[] {
  return [
    defineMethod({
      name: 'songhua_getHistoryProof',
      summary: 'RFC 9162 path from a block to the history root over blocks 0 … size − 1, which header `size` holds',
      params: [param('number', smallQuantity), param('size', smallQuantity)],
      result: z.strictObject({ path: z.array(hashJson) }),
      handler: ([number, size]) => {
        const blocks = chain.head().header.number + 1
        if (size > blocks) throw invalidParams(`invalid argument 1 (size): ${size}; the chain has ${blocks} blocks`)
        if (number < size) return { path: [...proofs.historyPath({ number, size })] }
        throw invalidParams(`invalid argument 0 (number): block ${number} is not among the first ${size}`)
      },
    }),
    defineMethod({
      name: 'songhua_getTransactionStatus',
      summary: 'Where a transaction stands: final, pending, queued behind a lower nonce, dropped, or unknown here; and why a block went without it',
      params: [param('transactionHash', hash)],
      result: transactionStatusJson,
      handler: ([wanted]): z.infer<typeof transactionStatusJson> => {
        const location = chain.transactionLocation(wanted)
        if (location) return { status: 'final', blockNumber: quantityToJson(location.number) }
        const refused = refusedOf(pool, wanted)
        const waiting = pool.get(wanted)
        if (!waiting) return refused ? { status: 'dropped', refused } : { status: 'unknown' }
        const aside = pool.asideOf(wanted)
        return {
          status: waiting.nonce < pool.pendingNonce(waiting.sender) ? 'pending' : 'queued',
          ...(aside && { setAside: { untilBlock: quantityToJson(aside.untilHeight), reason: aside.reason } }),
          ...(refused && { refused }),
        }
      },
    }),
  ]
}

function refusedOf(pool: Ports['pool'], wanted: Hash): z.infer<typeof transactionStatusJson>['refused'] {
  const refusal = pool.refusalOf(wanted)
  if (!refusal) return undefined
  const { code, message, details: { resetsAt } } = refusal
  return { code, message, ...(typeof resetsAt === 'number' && { resetsAt: quantityToJson(resetsAt) }) }
}
