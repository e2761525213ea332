import { z } from 'zod'
import { schemaToJson } from './bounded.js'
import { defineMethod, isOptional, type Method } from './method.js'

const OPENRPC_VERSION = '1.3.2'

interface Document {
  openrpc: string
  info: { title: string; version: string; description: string }
  methods: unknown[]
}

/** An OpenRPC document of the table of methods, itself included. */
export function openRpcDocument(methods: Method[], version: string): Document {
  return {
    openrpc: OPENRPC_VERSION,
    info: {
      title: 'Songhua JSON-RPC',
      version,
      description: 'Ethereum JSON-RPC of a Songhua 松花 node; every block is final.',
    },
    methods: methods.map(({ name, summary, params, result }) => ({
      name,
      summary,
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
