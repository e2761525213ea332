import { z } from 'zod'
import { quantityToJson } from '../json.js'
import { defineMethod, type Method } from '../method.js'
import type { NodeInfo } from '../ports.js'
import { quantityJson } from '../result-schemas.js'

export function netMethods(node: Pick<NodeInfo, 'chainId' | 'listening' | 'peerCount'>): Method[] {
  return [
    defineMethod({
      name: 'net_version',
      summary: 'Chain id in decimal',
      params: [],
      result: z.string().regex(/^\d+$/),
      handler: () => String(node.chainId),
    }),
    defineMethod({
      name: 'net_listening',
      summary: 'Whether the node accepts peers',
      params: [],
      result: z.boolean(),
      handler: () => node.listening(),
    }),
    defineMethod({
      name: 'net_peerCount',
      summary: 'Number of connected peers',
      params: [],
      result: quantityJson,
      handler: () => quantityToJson(node.peerCount()),
    }),
  ]
}
