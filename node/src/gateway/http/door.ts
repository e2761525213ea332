import { Readable } from 'node:stream'
import cors from '@fastify/cors'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { guardConnections } from '../../base/connection-guard.js'
import { isHostAllowed } from '../../base/host-names.js'
import type { Logger } from '../../base/logger.js'
import type { Refusals } from '../../base/refusals.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import { answerBroken } from './broken.js'
import { contextOf } from './context.js'
import { pathOf, putError, sendError } from './error-reply.js'
import { createPipelines } from './in-hand.js'
import { parseJsonBody } from './json-body.js'
import { createOutboundBudget } from './outbound.js'
import type { Route } from './route.js'

export interface DoorOptions {
  /** Host names, without ports, under which browsers may call; `*`: all. Addresses and localhost always may. */
  readonly allowedHosts: readonly string[]
  /** Web origins whose pages may call; `*`: all. */
  readonly corsOrigins: readonly string[]
  /** Proxies, by address or CIDR, whose `X-Forwarded-For` says who the client is. */
  readonly trustedProxies?: readonly string[]
  readonly limits: GatewayLimits
  readonly logger: Logger
  readonly refusals: Refusals
  readonly methodsOf: MethodsOf
  /** Before a word is said of a path that needs no key. */
  readonly onUnknown: (request: FastifyRequest) => void
}

/** A Fastify server with bounded connections, headers and times, whose every refusal is one of the catalogue. */
export async function createDoor(options: DoorOptions): Promise<FastifyInstance> {
  const { limits, refusals, corsOrigins, trustedProxies = [] } = options
  const server = fastify({
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: limits.smallBodyBytesMax,
    requestTimeout: limits.requestReceiveMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.idleSocketMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256 },
    http: {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersReceiveMs,
      connectionsCheckingInterval: limits.receiveCheckMs,
    },
    // What comes in is refused or taken as it is: nothing is converted, filled in or left out on the way.
    ajv: { customOptions: { allErrors: true, coerceTypes: false, removeAdditional: false, useDefaults: false } },
    frameworkErrors: (error, request, reply) => {
      void sendError(error, request, reply, options)
    },
    clientErrorHandler: (error, socket) => answerBroken(error, socket, options),
  })
  server.server.maxConnections = limits.connectionsMax
  guardConnections(server.server, { limits, trustedProxies, onClosed: (limit) => refusals.count('CONNECTION_CLOSED', limit) })
  // Answers go out as they are: the schemas of answers are for the documentation.
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  // In front of all routes, those of plugins too: each keeps the one that it finds.
  server.setErrorHandler((error, request, reply) => sendError(error, request, reply, options))
  boundAnswers(server, options)
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-content-type-options', 'nosniff')
    const { host } = request.headers
    if (!isHostAllowed(host, options.allowedHosts)) throw gatewayError('HOST_NOT_ALLOWED', { host: (host ?? '').slice(0, 100) })
    if (answerOptions(request, reply, options)) return
    done()
  })
  // Without origins there is nothing to say to browsers of others.
  if (corsOrigins.length > 0) await server.register(cors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: ['retry-after', 'etag', 'content-disposition'],
    maxAge: 600,
    strictPreflight: false,
  })
  addBodyParsers(server, limits)
  refuseUnknownRoutes(server, options)
  return server
}

/** Nobody fills the memory with answers that he does not read: neither many on one connection, nor large ones on many. */
function boundAnswers(server: FastifyInstance, { limits, refusals }: Pick<DoorOptions, 'limits' | 'refusals'>): void {
  const pipelines = createPipelines(limits)
  const outbound = createOutboundBudget(limits)
  server.addHook('onRequest', (request, reply, done) => {
    if (pipelines.enter(request, reply)) return done()
    // A refusal of each would be one more answer that waits.
    const { socket } = request.raw
    reply.hijack()
    if (socket.destroyed) return
    refusals.count('CONNECTION_CLOSED', 'requestsPerConnectionMax' satisfies keyof GatewayLimits)
    socket.destroy()
  })
  server.addHook('onSend', (request, reply, payload, done) => {
    const { caller, answerBytes } = contextOf(request)
    const refusal = outbound.take({ request, reply, keyId: caller?.keyId, payload, heldBytes: answerBytes })
    if (refusal === undefined) return done(null, payload)
    if (payload instanceof Readable) payload.destroy()
    // Whoever reads nothing sends nothing more here either.
    void reply.header('connection', 'close')
    done(null, putError(refusal, request, reply, { refusals }))
  })
}

function addBodyParsers(server: FastifyInstance, limits: GatewayLimits): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const context = contextOf(request)
    context.bodyBytes = body
    parseJsonBody(body, limits, context.valuesLimit).then((value) => done(null, value), done)
  })
  server.addContentTypeParser('text/csv', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    contextOf(request).bodyBytes = body
    done(null, body)
  })
}

/** Only what the door reads, only uncompressed. */
export function checkContentType(request: FastifyRequest, route: Route): void {
  const expected = Object.keys(route.body?.content ?? {})
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw gatewayError('CONTENT_ENCODING', { encoding: encoding.slice(0, 50) })
  const type = (request.headers['content-type'] ?? '').slice(0, 100)
  const essence = type.split(';')[0]!.trim().toLowerCase()
  if (!expected.includes(essence)) throw gatewayError('CONTENT_TYPE', { type, expected: expected.join(' | ') })
}

/** The methods that a path takes, told apart from paths that are not there; none for those. */
export type MethodsOf = (path: string) => readonly string[]

export function createMethodsOf(routes: readonly Route[]): MethodsOf {
  const patterns = routes.map(({ url, method, head }) => ({
    methods: method === 'GET' && head !== false ? ['GET', 'HEAD'] : [method],
    matches: new RegExp(`^${url.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}$`),
  }))
  return (path) => {
    const taken = patterns.filter(({ matches }) => matches.test(path)).flatMap(({ methods }) => methods)
    return taken.length === 0 ? [] : [...taken, 'OPTIONS']
  }
}

/** Before a body is received that nobody wants. */
function refuseUnknownRoutes(server: FastifyInstance, { methodsOf, onUnknown }: DoorOptions): void {
  const refuse = (request: FastifyRequest): never => {
    const path = pathOf(request)
    const { method } = request
    const allowed = methodsOf(path).join(', ')
    if (allowed === '') throw gatewayError('ROUTE_UNKNOWN', { method, path })
    throw gatewayError('METHOD_NOT_ALLOWED', { method, path, allowed, allowHeader: allowed })
  }
  server.addHook('onRequest', (request, _reply, done) => {
    if (!request.is404) return done()
    onUnknown(request)
    refuse(request)
  })
  // The page's files that are not there are found out later.
  server.setNotFoundHandler(refuse)
}

/** OPTIONS that is no preflight of a browser: @fastify/cors would take every one for such. */
function answerOptions(request: FastifyRequest, reply: FastifyReply, { methodsOf, onUnknown }: DoorOptions): boolean {
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] !== undefined) return false
  onUnknown(request)
  const path = pathOf(request)
  const allowed = methodsOf(path).join(', ')
  if (allowed === '') throw gatewayError('ROUTE_UNKNOWN', { method: request.method, path })
  void reply.code(204).header('allow', allowed).send()
  return true
}
