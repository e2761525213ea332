import { isHostAllowed } from '../base/host-names.js'
import { RpcError } from './errors.js'

/** Names under which a browser may reach the node. `*` allows all. */
export interface DoorOptions {
  /** Web origins that pages may call from. */
  corsOrigins: readonly string[]
  /** Host names, without ports. Addresses are always answered: DNS rebinding needs a name. */
  allowedHosts: readonly string[]
}

/** @throws RPC_HOST_NOT_ALLOWED against DNS rebinding */
export function checkHost(header: string | undefined, { allowedHosts }: Pick<DoorOptions, 'allowedHosts'>): void {
  if (isHostAllowed(header, allowedHosts)) return
  const message = `the Host header ${JSON.stringify(header ?? '')} is not allowed; list it in rpc.allowedHosts`
  throw new RpcError('RPC_HOST_NOT_ALLOWED', message, { details: { host: header ?? null } })
}

/**
 * A WebSocket is outside the browser's same-origin rule, so the server judges. Programs send no Origin.
 * @throws RPC_ORIGIN_NOT_ALLOWED
 */
export function checkOrigin(header: string | undefined, { corsOrigins }: Pick<DoorOptions, 'corsOrigins'>): void {
  if (header === undefined || corsOrigins.includes('*') || corsOrigins.includes(header)) return
  throw new RpcError('RPC_ORIGIN_NOT_ALLOWED', `the origin ${header} is not allowed; list it in rpc.corsOrigins`, {
    details: { origin: header },
  })
}
