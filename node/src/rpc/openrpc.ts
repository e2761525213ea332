import { z } from 'zod'
import { schemaToJson } from './bounded.js'
import { defineMethod, isOptional, type Method } from './method.js'
import { doorOf } from './read-doors.js'

const OPENRPC_VERSION = '1.3.2'

interface Document {
  openrpc: string
  info: { title: string; version: string; description: string }
  methods: unknown[]
}

const ABOUT = [
  'Ethereum JSON-RPC of a Songhua 松花 node; every block is final.',
  "x-songhua-door: the door behind which a method reads. The chain's policy (readLevels of PolicyRegister) gives each door a level, read anew with each block:",
  'public, everybody; members, whose API key (Authorization: Bearer shk_…) is of an active organisation with the role READ, or of an account of one;',
  'listed, whose key names an account that the council has listed. Who may not is refused with PERMISSION_READ. Methods without a door are open to all.',
  '· x-songhua-door：方法所属的读取门；链上策略规定其级别：public 任何人；members 持有有效且有 READ 角色机构（或其账户）的 API 密钥者；',
  'listed 密钥所指账户由理事会列入名单者。无此字段的方法对所有人开放。',
].join(' ')

function doorField(method: string): { 'x-songhua-door'?: string } {
  const door = doorOf(method)
  return door === undefined ? {} : { 'x-songhua-door': door }
}

/** An OpenRPC document of the table of methods, itself included. */
export function openRpcDocument(methods: Method[], version: string): Document {
  return {
    openrpc: OPENRPC_VERSION,
    info: {
      title: 'Songhua JSON-RPC',
      version,
      description: ABOUT,
    },
    methods: methods.map(({ name, summary, params, result }) => ({
      name,
      summary,
      ...doorField(name),
      paramStructure: 'by-position',
      params: params.map((one) => ({ name: one.name, required: !isOptional(one), schema: schemaToJson(one.schema) })),
      result: { name: 'result', schema: schemaToJson(result) },
    })),
  }
}

/** @returns `methods` and `rpc.discover`, which describes them all */
export function withDiscovery(methods: Method[], version: string): Method[] {
  let document: Document | undefined
  const all: Method[] = [
    ...methods,
    defineMethod({
      name: 'rpc.discover',
      summary: 'Describes every method, as an OpenRPC document',
      params: [],
      result: z.record(z.string(), z.unknown()).meta({ title: 'OpenRPC document' }),
      handler: (): Record<string, unknown> => ({ ...(document ??= openRpcDocument(all, version)) }),
    }),
  ]
  return all
}
