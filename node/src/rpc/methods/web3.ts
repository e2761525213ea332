import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { z } from 'zod'
import { defineMethod, param, type Method } from '../method.js'
import type { NodeInfo } from '../ports.js'
import { hashJson } from '../result-schemas.js'
import { data } from '../schemas.js'

export function web3Methods(node: Pick<NodeInfo, 'clientVersion'>): Method[] {
  return [
    defineMethod({
      name: 'web3_clientVersion',
      summary: 'Name and version of the node',
      params: [],
      result: z.string(),
      handler: () => node.clientVersion,
    }),
    defineMethod({
      name: 'web3_sha3',
      summary: 'Keccak-256 of data',
      params: [param('data', data)],
      result: hashJson,
      handler: ([bytes]) => keccak256Hex(bytes),
    }),
  ]
}
