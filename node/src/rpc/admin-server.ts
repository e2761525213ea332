import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { type Clock, systemClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { isLoopbackAddress } from '../base/host-names.js'
import { createRefusals } from '../base/refusals.js'
import type { AdminPorts, Metric } from './admin-ports.js'
import { createDispatcher } from './dispatcher.js'
import { RpcError } from './errors.js'
import { close, createHttpDoor, listen, serveJsonRpc } from './http-door.js'
import { RPC_LIMITS } from './limits.js'
import { methodTable } from './method.js'
import { adminMethods } from './methods/admin.js'
import { withDiscovery } from './openrpc.js'

export interface AdminServerOptions {
  /** A loopback address. */
  host: string
  /** 0: any free port. */
  port: number
  logger: Logger
  version: string
  clock?: Clock
}

export interface AdminServer {
  readonly host: string
  readonly port: number
  stop(): Promise<void>
}

/**
 * What only the operator may ask: admin_*, `GET /health`, `/ready` and `/metrics`. No browser may call it.
 * @throws RPC_ADMIN_NOT_LOOPBACK, RPC_LISTEN_FAILED
 */
export async function createAdminServer(options: AdminServerOptions, ports: AdminPorts): Promise<AdminServer> {
  const { host, logger, clock = systemClock } = options
  if (!isLoopbackAddress(host)) {
    const message = `admin.host ${host}: must be a loopback address such as 127.0.0.1, for admin_* has no password`
    throw new RpcError('RPC_ADMIN_NOT_LOOPBACK', message, { details: { host } })
  }
  const limits = RPC_LIMITS
  const refusals = createRefusals()
  const server = createHttpDoor({ limits, logger, refusals, corsOrigins: [], allowedHosts: [] })
  const methods = methodTable(withDiscovery(adminMethods(ports), options.version))
  serveJsonRpc(server, createDispatcher({ methods, limits, logger, refusals, admit: undefined }), limits)
  const startedMs = clock.now()
  server.get('/health', () => ({ status: 'live', uptimeS: Math.floor((clock.now() - startedMs) / 1000) }))
  server.get('/ready', (_request, reply) => {
    const readiness = ports.node.readiness()
    return reply.code(readiness.ready ? 200 : 503).send(readiness)
  })
  const metrics = createMetrics(ports)
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
  const port = await listen(server, host, options.port)
  return { host, port, stop: () => close(server, clock) }
}

function createMetrics(ports: Pick<AdminPorts, 'metrics'>): { contentType: string; text(): Promise<string> } {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return {
    contentType: registry.contentType,
    text: async () => `${await registry.metrics()}\n${await metricsToText(await ports.metrics())}`,
  }
}

/** Values are read at the moment of the scrape, so each scrape has a registry of its own. */
async function metricsToText(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry()
  for (const { name, help, kind, value, labels = {} } of metrics) {
    const known = registry.getSingleMetric(name) as Gauge | Counter | undefined
    const labelNames = Object.keys(labels)
    const Kind = kind === 'gauge' ? Gauge : Counter
    const metric = known ?? new Kind({ name, help, labelNames, registers: [registry] })
    metric.inc(labels, value)
  }
  return registry.metrics()
}
