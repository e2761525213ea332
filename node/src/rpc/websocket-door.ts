import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Dispatcher } from './dispatcher.js'
import { limitExceeded, RpcError } from './errors.js'
import { checkOrigin, type DoorOptions } from './host-guard.js'
import type { RpcLimits } from './limits.js'
import { createSubscriptions } from './subscriptions.js'

export interface WebSocketDoorOptions extends Pick<DoorOptions, 'corsOrigins'> {
  dispatcher: Dispatcher
  limits: RpcLimits
  clock: Clock
  logger: Logger
}

export interface WebSocketDoor {
  stats(): { connections: number; subscriptions: number }
}

/** RFC 6455 §7.4.1. */
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
/** How long a client has to answer the close frame, ms. */
const CLOSE_GRACE_MS = 1000
const PATHS = ['/', '/ws'] as const

/** JSON-RPC with subscriptions over WebSocket, at `/` and `/ws`. */
export async function serveWebSocket(server: FastifyInstance, options: WebSocketDoorOptions): Promise<WebSocketDoor> {
  const { limits, logger, clock } = options
  const connections = new Set<Connection>()
  const load = createLoad(connections)
  await server.register(websocket, {
    options: { maxPayload: limits.messageBytesMax, perMessageDeflate: false },
    errorHandler: (error, socket) => {
      logger.debug('a WebSocket failed', { reason: error.message })
      socket.terminate()
    },
    preClose: (done) => {
      for (const socket of server.websocketServer.clients) {
        socket.close(GOING_AWAY, 'the node is stopping')
        clock.after(CLOSE_GRACE_MS, () => socket.terminate())
      }
      server.websocketServer.close()
      done()
    },
  })
  for (const url of PATHS) {
    server.route({
      method: 'GET',
      url,
      onRequest: (request, _reply, done) => {
        if (!request.ws)
          throw new RpcError('RPC_NOT_FOUND', `GET ${url}: JSON-RPC is at POST /, WebSocket at / and /ws`)
        checkOrigin(request.headers.origin, options)
        if (connections.size >= limits.webSocketConnectionsMax) {
          const most = limits.webSocketConnectionsMax
          throw limitExceeded('webSocketConnectionsMax', `the node serves ${most} WebSocket connections already`)
        }
        done()
      },
      handler: () => {
        throw new RpcError('RPC_NOT_FOUND', `GET ${url}: connect with WebSocket`)
      },
      wsHandler: (socket) => {
        const connection = serveConnection(socket, load, options)
        connections.add(connection)
        socket.once('close', () => connections.delete(connection))
      },
    })
  }
  return {
    stats: () => ({
      connections: connections.size,
      subscriptions: [...connections].reduce((sum, connection) => sum + connection.subscriptions, 0),
    }),
  }
}

interface Connection {
  readonly subscriptions: number
  /** Of requests that are not answered yet. */
  readonly inboundBytes: number
  /** Not yet taken by the client. */
  readonly outboundBytes: number
}

/** What all connections make the node hold. */
interface Load {
  inboundBytes(): number
  outboundBytes(): number
}

function createLoad(connections: ReadonlySet<Connection>): Load {
  const sum = (of: (connection: Connection) => number): number =>
    [...connections].reduce((bytes, connection) => bytes + of(connection), 0)
  return {
    inboundBytes: () => sum(({ inboundBytes }) => inboundBytes),
    outboundBytes: () => sum(({ outboundBytes }) => outboundBytes),
  }
}

function serveConnection(socket: WebSocket, load: Load, options: WebSocketDoorOptions): Connection {
  const { dispatcher, limits, clock, logger } = options
  const subscriptions = createSubscriptions(send, limits)
  // Within its share a connection is never held to account for what the others do.
  const inboundShare = limits.inboundBytesMax / limits.webSocketConnectionsMax
  let inFlight = 0
  let inboundBytes = 0
  keepAlive(socket, clock, limits)
  socket.once('close', () => subscriptions.close())
  socket.on('message', (data) => {
    const body = asBytes(data)
    if (inboundBytes + body.length > inboundShare && load.inboundBytes() + body.length > limits.inboundBytesMax) {
      const reason = 'the node is answering too many requests at a time; try again'
      send(dispatcher.refuse(limitExceeded('inboundBytesMax', reason)))
      return
    }
    inFlight++
    inboundBytes += body.length
    if (isBusy(1)) socket.pause()
    answer(body)
      .catch((error: unknown) => logger.error('a WebSocket request failed inside the node', { error }))
      .finally(() => {
        inFlight--
        inboundBytes -= body.length
        if (socket.isPaused && !isBusy(1 / 2)) socket.resume()
      })
  })
  return {
    get subscriptions() {
      return subscriptions.size
    },
    get inboundBytes() {
      return inboundBytes
    },
    get outboundBytes() {
      return socket.bufferedAmount
    },
  }

  function isBusy(part: number): boolean {
    return inFlight >= limits.webSocketRequestsInFlightMax * part || inboundBytes >= inboundShare * part
  }

  async function answer(body: Uint8Array): Promise<void> {
    const later: (() => void)[] = []
    const text = await dispatcher.handle(body, { subscriptions, afterReply: (run) => later.push(run) })
    if (text !== undefined) send(text)
    for (const run of later) run()
  }

  function send(text: string): void {
    if (socket.readyState !== socket.OPEN) return
    const limit = brokenBy(text.length, { socket, load, limits })
    if (limit === undefined) {
      socket.send(text)
      return
    }
    logger.info('a WebSocket client reads too slowly and is closed', { bufferedBytes: socket.bufferedAmount, limit })
    subscriptions.close()
    socket.close(POLICY_VIOLATION, `reads too slowly (limit ${limit} ${limits[limit]})`)
    clock.after(CLOSE_GRACE_MS, () => socket.terminate())
  }
}

/** The limit that `bytes` more to this client would break: its own, or, beyond its share, that of all together. */
function brokenBy(bytes: number, of: { socket: WebSocket; load: Load; limits: RpcLimits }): SlowLimit | undefined {
  const { load, limits } = of
  const { bufferedAmount } = of.socket
  if (bufferedAmount > limits.bufferedBytesMax) return 'bufferedBytesMax'
  if (bufferedAmount + bytes <= limits.outboundBytesMax / limits.webSocketConnectionsMax) return undefined
  return load.outboundBytes() + bytes > limits.outboundBytesMax ? 'outboundBytesMax' : undefined
}

type SlowLimit = 'bufferedBytesMax' | 'outboundBytesMax'

/** A peer that is gone without a word would hold its place for ever. */
function keepAlive(socket: WebSocket, clock: Clock, limits: RpcLimits): void {
  let alive = true
  let cancel = clock.after(limits.pingIntervalMs, check)
  socket.on('pong', () => {
    alive = true
  })
  socket.once('close', () => cancel())

  function check(): void {
    if (!alive) {
      socket.terminate()
      return
    }
    alive = false
    socket.ping()
    cancel = clock.after(limits.pingIntervalMs, check)
  }
}

function asBytes(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  return Array.isArray(data) ? Buffer.concat(data) : data
}
