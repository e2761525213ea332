import { dataPaths, jsonToOptions, resolveOptions } from '../app/options.js'
import { readConfigFile } from './config-file.js'
import type { CliContext } from './context.js'

export interface NodeAddresses {
  rpc: string
  admin: string
}

/** Where the node of a data folder answers, by its configuration; without a folder, by the defaults. */
export async function readAddresses(context: CliContext, data: string | undefined): Promise<NodeAddresses> {
  const { configFile } = dataPaths(data ?? '.')
  const file = data === undefined ? {} : jsonToOptions(await readConfigFile(context, data), configFile)
  const { rpc, admin } = resolveOptions(file)
  return { rpc: `http://${reachable(rpc.host)}:${rpc.port}`, admin: `http://${reachable(admin.host)}:${admin.port}` }
}

/** A node that listens on every address is asked on the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '[::]') return '127.0.0.1'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
