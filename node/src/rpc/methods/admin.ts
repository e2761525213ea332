import { z } from 'zod'
import type { AdminPorts, ChainAdministration, GatewayAdministration } from '../admin-ports.js'
import { defineMethod, param, type Method } from '../method.js'

const multiaddr = z
  .string('must be a multiaddr')
  .max(512, 'must be a multiaddr of at most 512 characters')
  .regex(/^\/[a-z0-9]+\/\S+\/p2p\/[1-9A-HJ-NP-Za-km-z]{32,64}$/, 'must be a multiaddr that ends in /p2p/<peer id>')

const folder = z.string('must be a path').min(1, 'must be a path').max(4096, 'must be a path of at most 4096 characters')

export function adminMethods({ peers, node, chain, gateway }: Omit<AdminPorts, 'metrics'>): Method[] {
  const info = z.record(z.string(), z.unknown())
  return [
    defineMethod({
      name: 'admin_nodeInfo',
      summary: 'Identity, addresses, chain and head of this node',
      params: [],
      result: info,
      handler: () => node.info(),
    }),
    defineMethod({
      name: 'admin_peers',
      summary: 'Connected peers',
      params: [],
      result: z.array(info),
      handler: () => peers.list(),
    }),
    defineMethod({
      name: 'admin_addPeer',
      summary: 'Dials a peer and keeps redialling it until the node stops',
      params: [param('address', multiaddr)],
      result: z.boolean(),
      handler: ([address]) => peers.add(address),
    }),
    defineMethod({
      name: 'admin_removePeer',
      summary: 'Forgets an added peer and disconnects from it',
      params: [param('address', multiaddr)],
      result: z.boolean(),
      handler: ([address]) => peers.remove(address),
    }),
    ...(node.diagnosis === undefined ? [] : [diagnosisMethod(() => node.diagnosis!())]),
    ...(chain === undefined ? [] : [backupChainMethod(chain)]),
    ...(gateway === undefined ? [] : [backupMethod(gateway)]),
  ]
}

function diagnosisMethod(diagnosis: () => Record<string, unknown>): Method {
  return defineMethod({
    name: 'admin_diagnosis',
    summary: 'What this node knows of its peers, clock, disk, rounds and refusals: songhua doctor judges by it',
    params: [],
    result: z.looseObject({}),
    handler: diagnosis,
  })
}

function backupChainMethod(chain: ChainAdministration): Method {
  return defineMethod({
    name: 'admin_backupChain',
    summary: 'Copies the sealed blocks to a folder of this machine, new or of an earlier backup',
    params: [param('to', folder)],
    result: z.record(z.string(), z.number()),
    handler: ([to]) => chain.backup(to),
  })
}

function backupMethod(gateway: GatewayAdministration): Method {
  return defineMethod({
    name: 'admin_backupGateway',
    summary: "Backs up the gateway's records to one new folder of this machine and the keys of payloads to another",
    params: [param('to', folder), param('keysTo', folder)],
    result: z.record(z.string(), z.number()),
    handler: ([to, keysTo]) => gateway.backup({ to, keysTo }),
  })
}
