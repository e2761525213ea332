import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import cors from '@fastify/cors'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { addressKey } from '../base/address-key.js'
import type { Clock } from '../base/clock.js'
import { guardConnections } from '../base/connection-guard.js'
import type { Logger } from '../base/logger.js'
import type { Refusals } from '../base/refusals.js'
import { createShareBudget } from '../base/share-budget.js'
import { whenAnswered } from '../base/when-answered.js'
import { countRefusal, errorResponse, type Dispatcher } from './dispatcher.js'
import { errorToJsonRpc, internalError } from './error-map.js'
import { limitExceeded, RpcError } from './errors.js'
import { checkHost, type DoorOptions } from './host-guard.js'
import type { RpcLimits } from './limits.js'
import type { Session } from './method.js'

export interface HttpDoorOptions extends DoorOptions {
  limits: RpcLimits
  logger: Logger
  refusals: Refusals
}

/** How long requests under way may take while the server stops, ms. */
const STOP_GRACE_MS = 2000

const HTTP_STATUS: Record<string, number> = {
  RPC_HOST_NOT_ALLOWED: 403,
  RPC_ORIGIN_NOT_ALLOWED: 403,
  RPC_NOT_FOUND: 404,
  RPC_CONTENT_TYPE: 415,
  RPC_PARSE_ERROR: 400,
  RPC_INVALID_REQUEST: 400,
  RPC_CLIENT_GONE: 400,
}
/** Limits of one request are the client's fault, those of the node in all are not. */
const LIMIT_STATUS: Record<string, number> = {
  bodyBytesMax: 413,
  inboundBytesMax: 503,
  outboundBytesMax: 503,
  httpRequestsMax: 503,
  webSocketConnectionsMax: 503,
  httpRequestsPerAddressMax: 429,
  inboundBytesPerAddressMax: 429,
  outboundBytesPerAddressMax: 429,
  webSocketConnectionsPerAddressMax: 429,
}
/** A Fastify server whose every refusal is a JSON-RPC error, guarded by Host header, origin and size. */
export function createHttpDoor(options: HttpDoorOptions): FastifyInstance {
  const { limits, logger, refusals, corsOrigins } = options
  const server = fastify({
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestReceiveMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.idleSocketMs,
    forceCloseConnections: 'idle',
    http: { headersTimeout: limits.headersReceiveMs, connectionsCheckingInterval: limits.receiveCheckMs },
    frameworkErrors: (error, request, reply) => {
      void refuse(withLimit(error, limits), reply, options)
      leaveUpgraded(request)
    },
    clientErrorHandler: (error, socket) => {
      logger.debug('an HTTP connection broke the protocol', { reason: error.message })
      const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      refusals.count('HTTP_BROKEN', isLate ? lateBy(socket) : undefined)
      if (socket.writable) socket.end(closingAnswer(isLate ? '408 Request Timeout' : '400 Bad Request', ''))
    },
  })
  const lateBy = watchReceiving(server.server)
  server.server.maxConnections = limits.connectionsMax
  guardConnections(server.server, { limits, onClosed: (limit) => refusals.count('CONNECTION_CLOSED', limit) })
  server.addHook('onRequest', (request, _reply, done) => {
    checkHost(request.headers.host, options)
    checkPreflight(request)
    done()
  })
  server.addHook('onResponse', (request, _reply, done) => {
    leaveUpgraded(request)
    done()
  })
  void server.register(cors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['POST', 'GET'],
    maxAge: 600,
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.setErrorHandler<FastifyError>((error, _request, reply) => refuse(withLimit(error, limits), reply, options))
  server.setNotFoundHandler((request, reply) => {
    const message = `${request.method} ${request.url.slice(0, 100)}: JSON-RPC is at POST /, WebSocket at / and /ws`
    return refuse(new RpcError('RPC_NOT_FOUND', message), reply, options)
  })
  return server
}

/** A refused upgrade leaves its socket to nobody: Node has handed it out of the HTTP server. */
function leaveUpgraded({ headers, raw }: FastifyRequest): void {
  if (headers.upgrade !== undefined) raw.socket.destroySoon()
}

/** The last answer on a connection, past Fastify. */
export function closingAnswer(status: string, json: string): string {
  const type = json === '' ? '' : 'Content-Type: application/json\r\n'
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n${type}Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`
}

/** @returns which time a request that comes too slowly has used up: Node has one error for headers and bodies */
function watchReceiving(server: Server): (socket: Duplex) => keyof RpcLimits {
  const last = new WeakMap<Duplex, IncomingMessage>()
  server.on('request', (request) => last.set(request.socket, request))
  return (socket) => (last.get(socket)?.complete === false ? 'requestReceiveMs' : 'headersReceiveMs')
}

/** What the CORS plugin would refuse in plain text, uncounted. @throws RPC_INVALID_REQUEST */
function checkPreflight({ method, headers }: FastifyRequest): void {
  if (method !== 'OPTIONS' || (headers.origin && headers['access-control-request-method'])) return
  throw new RpcError('RPC_INVALID_REQUEST', 'OPTIONS: a preflight has the headers Origin and Access-Control-Request-Method')
}

/** Fastify's own refusals in our words. */
function withLimit(error: FastifyError, limits: RpcLimits): Error {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return limitExceeded('bodyBytesMax', `the request body is longer than ${limits.bodyBytesMax} bytes`)
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RpcError('RPC_CONTENT_TYPE', 'content-type: must be application/json')
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new RpcError('RPC_INVALID_REQUEST', error.message)
    case 'FST_ERR_BAD_URL':
      return new RpcError('RPC_INVALID_REQUEST', 'the path of the URL is not well encoded')
    case 'ECONNRESET':
      return new RpcError('RPC_CLIENT_GONE', 'the client has closed the connection before its request was whole')
    default:
      return error
  }
}

function refuse(error: Error, reply: FastifyReply, { logger, refusals }: HttpDoorOptions): FastifyReply {
  const mapped = errorToJsonRpc(error)
  countRefusal(refusals, mapped && error)
  if (mapped) logger.debug('an HTTP request is refused', { reason: error.message })
  else logger.error('an HTTP request failed inside the node', { error })
  return reply
    .code(statusOf(error))
    .type('application/json')
    .send(errorResponse(null, mapped ?? internalError))
}

function statusOf(error: Error): number {
  if (!isCodedError(error)) return 500
  return (
    (error.code === 'RPC_LIMIT_EXCEEDED' ? LIMIT_STATUS[String(error.details.limit)] : HTTP_STATUS[error.code]) ?? 500
  )
}

/** Each request is a session of its own. */
const httpSession = ({ ip, raw, headers }: FastifyRequest): Session => ({
  authorization: headers.authorization,
  client: addressKey(ip),
  subscriptions: undefined,
  afterReply: (run) => run(),
  isGone: () => raw.socket.destroyed,
})

/** JSON-RPC over POST at `/`; what is being received and sent stays bounded over all connections, and for each address. */
export function serveJsonRpc(server: FastifyInstance, dispatcher: Dispatcher, limits: RpcLimits): { requests(): number } {
  const inbound = createShareBudget({ totalMax: limits.inboundBytesMax, shareMax: limits.inboundBytesPerAddressMax })
  const outbound = createShareBudget({ totalMax: limits.outboundBytesMax, shareMax: limits.outboundBytesPerAddressMax })
  const requests = createShareBudget({ totalMax: limits.httpRequestsMax, shareMax: limits.httpRequestsPerAddressMax })
  const enter = (request: FastifyRequest): (() => void) => {
    const taken = requests.take(addressKey(request.ip), 1)
    if (taken === 'total') throw limitExceeded('httpRequestsMax', 'the node has too many HTTP requests in hand; try again')
    if (taken === 'share') throw limitExceeded('httpRequestsPerAddressMax', 'your address has too many HTTP requests unanswered')
    return taken
  }
  const receive = (request: FastifyRequest): (() => void) => {
    const taken = inbound.take(addressKey(request.ip), announcedBytes(request, limits))
    if (taken === 'total') throw limitExceeded('inboundBytesMax', 'the node is receiving too many requests at a time; try again')
    if (taken === 'share') throw limitExceeded('inboundBytesPerAddressMax', 'your address is sending too many requests at a time')
    return taken
  }
  const send = (request: FastifyRequest, characters: number): (() => void) => {
    const taken = outbound.take(addressKey(request.ip), characters)
    if (taken === 'total') throw limitExceeded('outboundBytesMax', 'too many responses wait for their clients to read them; try again')
    if (taken === 'share') throw limitExceeded('outboundBytesPerAddressMax', 'too many responses wait for your address to read them')
    return taken
  }

  server.route({
    method: 'POST',
    url: '/',
    onRequest: (request, reply, done) => {
      const entered = enter(request)
      whenAnswered(request.raw, reply.raw, entered)
      // Nothing is read while there is no room for an answer.
      send(request, 0)
      whenAnswered(request.raw, reply.raw, receive(request))
      done()
    },
    handler: async (request, reply) => {
      if (!Buffer.isBuffer(request.body))
        throw new RpcError('RPC_CONTENT_TYPE', 'content-type: must be application/json')
      const encoding = request.headers['content-encoding']
      if (encoding !== undefined && encoding !== 'identity') {
        throw new RpcError('RPC_CONTENT_TYPE', `content-encoding: ${encoding} is not read; send the body uncompressed`)
      }
      const text = await dispatcher.handle(request.body, httpSession(request))
      if (text === undefined) return reply.code(204).send()
      const sent = send(request, text.length)
      whenAnswered(request.raw, reply.raw, sent)
      return reply.type('application/json').send(text)
    },
  })
  return { requests: () => requests.held }
}

/** What the body may come to: its announced length, or the most allowed when it is chunked. */
function announcedBytes(request: FastifyRequest, limits: RpcLimits): number {
  const announced = Number(request.headers['content-length'] ?? limits.bodyBytesMax)
  return Number.isSafeInteger(announced) && announced >= 0
    ? Math.min(announced, limits.bodyBytesMax)
    : limits.bodyBytesMax
}

/** @throws RPC_LISTEN_FAILED naming the address */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RpcError('RPC_LISTEN_FAILED', `cannot listen on ${host}:${port}: ${reason}; choose another address or port, or end the program that has it`, {
      cause,
      details: { host, port },
    })
  }
  const address = server.server.address()
  return typeof address === 'object' && address ? address.port : port
}

/** Answers what has been asked, within a grace; refuses what is new. */
export async function close(server: FastifyInstance, clock: Clock): Promise<void> {
  const cancel = clock.after(STOP_GRACE_MS, () => server.server.closeAllConnections())
  try {
    await server.close()
  } finally {
    cancel()
  }
}
