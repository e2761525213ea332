import type { FastifyInstance } from 'fastify'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import { type Prng, systemPrng } from '../../base/prng.js'
import { createRefusals, type RefusalCount } from '../../base/refusals.js'
import type { ApiKeys } from '../api-keys.js'
import { gatewayError } from '../errors.js'
import { GATEWAY_LIMITS, type GatewayLimits } from '../limits.js'
import type { Custody, Feed, Intake, Shelf } from '../model.js'
import type { ChainProofs, GatewayTable, ReadPolicy } from '../ports.js'
import { type FamilyReads, createFamilyReads } from '../reads.js'
import { createDoor, createMethodsOf, type MethodsOf } from './door.js'
import { openDoor } from './doors.js'
import { createInboundBudget } from './inbound.js'
import { documentRoutes } from './openapi.js'
import { createRates, type Rates } from './rates.js'
import type { Route } from './route.js'
import { type ChainFacts, chainRoutes } from './routes-chain.js'
import { recordRoutes } from './routes-records.js'
import { createStreams } from './routes-stream.js'
import { submitRoutes } from './routes-submit.js'
import { verifyRoutes } from './routes-verify.js'
import { webhookRoutes } from './routes-webhooks.js'
import type { Resolve } from './webhook-hosts.js'
import { createWebhookPost } from './webhook-post.js'
import { createSecretSeal, createWebhookStore } from './webhook-store.js'
import { openWebhooks, type Webhooks } from './webhooks.js'

export interface GatewayServerOptions extends ChainFacts {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** 32 bytes, of the key ring's folder: secrets of webhooks are encrypted under a key derived from it. */
  readonly secret: Uint8Array
  /** Host names, without ports, under which browsers may call; `*`: all. Addresses and localhost always may. */
  readonly allowedHosts: readonly string[]
  /** Web origins whose pages may call; `*`: all. */
  readonly corsOrigins: readonly string[]
  /** Hosts that webhooks may call: names, `*.suffix`, addresses; none unless listed. */
  readonly webhookHosts: readonly string[]
  /** Proxies, by address or CIDR, whose `X-Forwarded-For` says who the client is; without any, the peer is. */
  readonly trustedProxies?: readonly string[]
  readonly limits?: Partial<GatewayLimits>
}

export interface GatewayServerPorts {
  readonly intake: Intake
  readonly shelf: Shelf
  readonly custody: Custody
  readonly feed: Feed
  readonly keys: ApiKeys
  readonly registry: SchemaRegistry
  readonly proofs: ChainProofs
  readonly policy: ReadPolicy
  /** For webhooks: keys that begin with 0x80 to 0x8f. */
  readonly table: GatewayTable
  /** Records that are accepted and not anchored yet. */
  readonly pending: () => number
  readonly clock: Clock
  readonly logger: Logger
  /** For jitter; the system's unless given. */
  readonly prng?: Prng
  /** Names of webhooks' hosts to addresses; the system's unless given. */
  readonly resolve?: Resolve
}

export interface GatewayServer {
  readonly host: string
  /** The port in fact listened on. */
  readonly port: number
  /** Since the start. */
  refusals(): RefusalCount[]
  /** Refuses new requests, ends streams and waits, answers what is under way. */
  stop(): Promise<void>
}

/**
 * REST under `/v1`, its OpenAPI document at `/v1/openapi.json`, and a page to browse it at `/docs`.
 * @throws GatewayError `GATEWAY_LISTEN_FAILED`
 */
export async function createGatewayServer(options: GatewayServerOptions, ports: GatewayServerPorts): Promise<GatewayServer> {
  const { logger, clock } = ports
  const limits: GatewayLimits = { ...GATEWAY_LIMITS, ...options.limits }
  const rates = createRates(limits, clock)
  const reads = createFamilyReads(ports.policy)
  const streams = createStreams({ ...ports, reads, limits })
  const refusals = createRefusals()
  let methodsOf: MethodsOf = () => []
  const server = await createDoor({
    ...options,
    limits,
    logger,
    refusals,
    methodsOf: (path) => methodsOf(path),
    onUnknown: ({ ip }) => rates.anonymous(ip),
  })
  await documentRoutes(server, { version: options.version, onRequest: ({ ip }) => rates.anonymous(ip) })
  const webhooks = await webhooksOf(options, { ...ports, reads }, limits)
  const routes: Route[] = [
    ...submitRoutes({ ...ports, rates, limits }),
    ...recordRoutes({ ...ports, reads, limits }),
    ...streams.routes,
    ...webhookRoutes({ webhooks, reads, limits }),
    ...verifyRoutes({ ...ports, chainId: options.chainId, rates, limits }),
    ...chainRoutes({ ...ports, facts: options }),
    openApiRoute(server),
  ]
  methodsOf = createMethodsOf(routes)
  openDoors(server, routes, { ...ports, rates, limits })
  const port = await listen(server, options).catch(async (error: unknown) => {
    await webhooks.stop()
    throw error
  })
  return {
    host: options.host,
    port,
    refusals: () => refusals.list(),
    stop: async () => {
      streams.stop()
      const cancel = clock.after(limits.stopGraceMs, () => server.server.closeAllConnections())
      await Promise.all([webhooks.stop(), server.close().finally(cancel)])
    },
  }
}

function webhooksOf(
  options: GatewayServerOptions,
  ports: GatewayServerPorts & { readonly reads: FamilyReads },
  limits: GatewayLimits,
): Promise<Webhooks> {
  const { webhookHosts, version, secret } = options
  const { table, feed, keys, reads, clock, logger, prng = systemPrng, resolve } = ports
  const post = createWebhookPost({ webhookHosts, version, limits, clock, ...(resolve ? { resolve } : {}) })
  const store = createWebhookStore(table, limits)
  return openWebhooks({ store, seal: createSecretSeal(secret), post, feed, keys, reads, clock, prng, limits, logger, webhookHosts })
}

interface Opening {
  readonly keys: ApiKeys
  readonly rates: Rates
  readonly limits: GatewayLimits
}

function openDoors(server: FastifyInstance, routes: readonly Route[], { keys, rates, limits }: Opening): void {
  const inbound = createInboundBudget(limits)
  for (const route of routes) openDoor(server, route, { keys, rates, inbound, limits })
}

function openApiRoute(server: FastifyInstance): Route {
  let document: Buffer | undefined
  return {
    method: 'GET',
    url: '/v1/openapi.json',
    operationId: 'getOpenApi',
    tag: 'gateway',
    summary: { zh: '本接口文档（OpenAPI 3.1）', en: 'This document (OpenAPI 3.1)' },
    answers: { 200: { text: { zh: '文档', en: 'the document' }, schema: { type: 'object' } } },
    errors: [],
    handle: ({ reply }) => {
      // Made once, not for everyone who asks.
      document ??= Buffer.from(JSON.stringify(server.swagger()))
      void reply.type('application/json; charset=utf-8').send(document)
      return undefined
    },
  }
}

async function listen(server: FastifyInstance, { host, port }: { host: string; port: number }): Promise<number> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    await server.close()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw gatewayError('GATEWAY_LISTEN_FAILED', { host, port, reason }, cause)
  }
  const address = server.server.address()
  return typeof address === 'object' && address ? address.port : port
}
