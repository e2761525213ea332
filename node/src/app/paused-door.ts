import type { CodedError } from '@songhua/sdk/protocol/errors'
import { systemClock } from '../base/clock.js'
import type { AdminPorts } from '../rpc/admin-ports.js'
import { type AdminServer, createAdminServer } from '../rpc/admin-server.js'
import type { NodeConfig } from './config.js'
import { createLogger } from './logger.js'
import { VERSION } from './version.js'

/**
 * The admin port of a node that has stopped and waits for room on its disk: `/health` says that the process lives,
 * `/ready` and `/metrics` why it does not work.
 * @throws RPC_LISTEN_FAILED
 */
export function openPausedDoor(config: NodeConfig, why: CodedError, freeBytes: () => Promise<number>): Promise<AdminServer> {
  const { host, port } = config.admin
  const logger = createLogger(config.log, { node: config.name, part: 'admin' })
  return createAdminServer({ host, port, logger, version: VERSION, clock: systemClock }, portsOf(config, why, freeBytes))
}

function portsOf({ name }: NodeConfig, { code, message }: CodedError, freeBytes: () => Promise<number>): AdminPorts {
  const reasons = [`disk: ${message}`]
  return {
    node: { info: () => ({ name, paused: { code, message } }), readiness: () => ({ ready: false, reasons }) },
    peers: { list: () => [], add: () => false, remove: () => false },
    chain: undefined,
    gateway: undefined,
    metrics: async () => [
      { name: 'songhua_disk_free_bytes', help: 'disk free bytes', kind: 'gauge', value: await freeBytes() },
      { name: 'songhua_paused', help: 'stopped, and waiting for room on the disk', kind: 'gauge', value: 1 },
    ],
  }
}
