import { z } from 'zod'
import { invalidParams } from '../errors.js'
import { defineMethod, param, type Method } from '../method.js'
import type { ChainReader, HistoryProofs } from '../ports.js'
import { hashJson } from '../result-schemas.js'
import { smallQuantity } from '../schemas.js'

interface Ports {
  chain: Pick<ChainReader, 'head'>
  proofs: HistoryProofs
}

/** What Ethereum's methods cannot tell. */
export function songhuaMethods({ chain, proofs }: Ports): Method[] {
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
  ]
}
