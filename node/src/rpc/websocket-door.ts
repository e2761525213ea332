import type { Socket } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import { addressKey } from '../base/address-key.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Refusals } from '../base/refusals.js'
import { createShareBudget, type ShareBudget } from '../base/share-budget.js'
import { createTokenBucket } from '../base/token-bucket.js'
import type { Dispatcher } from './dispatcher.js'
import { limitExceeded, RpcError } from './errors.js'
import { closingAnswer } from './http-door.js'
import { checkOrigin, type DoorOptions } from './host-guard.js'
import type { RpcLimits } from './limits.js'
import type { ReadHolder } from './read-doors.js'
import { createSubscriptions } from './subscriptions.js'
import { watchUnfinished } from './unfinished.js'

export interface WebSocketDoorOptions extends Pick<DoorOptions, 'corsOrigins'> {
  dispatcher: Dispatcher
  limits: RpcLimits
  clock: Clock
  logger: Logger
  refusals: Refusals
}

/** Subscriptions of those who may not read any more end with their connection: nothing else would tell them. */
export interface WebSocketDoor extends ReadHolder {
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
  const { limits, logger, clock, refusals } = options
  const connections = new Set<Connection>()
  const load = createLoad(connections, limits)
  await server.register(websocket, {
    options: { maxPayload: limits.messageBytesMax, perMessageDeflate: false, autoPong: false },
    errorHandler: (error, socket) => {
      // `ws` has closed it by then, 1009 for a message that announces too much.
      const isTooLong = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
      if (isTooLong) refusals.count('WEBSOCKET_CLOSED', 'messageBytesMax')
      else refusals.count('WEBSOCKET_BROKEN')
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
  // Without a listener `ws` answers in plain text.
  server.websocketServer.on('wsClientError', (error, stream) => {
    const refused = new RpcError('RPC_INVALID_REQUEST', `no WebSocket handshake (RFC 6455 §4.2.1): ${error.message}`)
    stream.end(closingAnswer('400 Bad Request', options.dispatcher.refuse(refused)))
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
        const client = addressKey(request.ip)
        const own = [...connections].filter((one) => one.client === client).length
        if (own >= limits.webSocketConnectionsPerAddressMax) {
          throw limitExceeded('webSocketConnectionsPerAddressMax', `your address has ${own} WebSocket connections already`)
        }
        done()
      },
      handler: () => {
        throw new RpcError('RPC_NOT_FOUND', `GET ${url}: connect with WebSocket`)
      },
      wsHandler: (socket, request) => {
        const { authorization } = request.headers
        const peer = { socket, stream: request.raw.socket, client: addressKey(request.ip), authorization }
        const connection = serveConnection(peer, load, options)
        connections.add(connection)
        socket.once('close', () => connections.delete(connection))
      },
    })
  }
  return {
    endUnreadable(mayRead) {
      for (const connection of connections) if (connection.subscriptions > 0 && !mayRead(connection.authorization)) connection.dismiss()
    },
    stats: () => ({
      connections: connections.size,
      subscriptions: [...connections].reduce((sum, connection) => sum + connection.subscriptions, 0),
    }),
  }
}

interface Connection {
  readonly client: string
  readonly authorization: string | undefined
  /** Closes it, as its key may not read any more. */
  readonly dismiss: () => void
  readonly subscriptions: number
  /** Of requests that are not answered yet, and of the message that is coming. */
  readonly inboundBytes: number
  /** Not yet taken by the client. */
  readonly outboundBytes: number
}

/** What all connections make the node hold. */
interface Load {
  inboundBytes(): number
  outboundBytes(): number
  readonly subscriptions: ShareBudget
}

function createLoad(connections: ReadonlySet<Connection>, limits: RpcLimits): Load {
  const sum = (of: (connection: Connection) => number): number =>
    [...connections].reduce((bytes, connection) => bytes + of(connection), 0)
  return {
    inboundBytes: () => sum(({ inboundBytes }) => inboundBytes),
    outboundBytes: () => sum(({ outboundBytes }) => outboundBytes),
    subscriptions: createShareBudget({ totalMax: limits.subscriptionsMax, shareMax: limits.subscriptionsPerAddressMax }),
  }
}

/** One client: its WebSocket, and the socket under it. */
interface Peer {
  readonly socket: WebSocket
  readonly stream: Socket
  readonly client: string
  readonly authorization: string | undefined
}

function serveConnection(peer: Peer, load: Load, options: WebSocketDoorOptions): Connection {
  const { socket, stream, client, authorization } = peer
  const { dispatcher, limits, clock, logger } = options
  const { send, mayTake, expel, dismiss } = createOutlet(peer, load, { ...options, onExpelled: () => subscriptions.close() })
  const subscriptions = createSubscriptions({ send, client, limits, places: load.subscriptions })
  // Within its share a connection is never held to account for what the others do.
  const inboundShare = limits.inboundBytesMax / limits.webSocketConnectionsMax
  const isGone = (): boolean => socket.readyState !== socket.OPEN
  let inFlight = 0
  let answeringBytes = 0
  const unfinished = watchUnfinished({
    socket, stream, clock,
    receiveMs: limits.requestReceiveMs,
    onSlow: () => expel('requestReceiveMs', 'a message takes too long'),
    onGrown: () => {
      if (isOverShare(0)) expel('inboundBytesMax', 'the node is receiving too much at a time')
    },
  })
  keepAlive(socket, clock, limits)
  answerPings(socket, { clock, limits, mayTake, expel })
  socket.once('close', () => subscriptions.close())
  socket.on('message', (data) => {
    if (isGone()) return
    const body = asBytes(data)
    if (isOverShare(body.length)) {
      const reason = 'the node is answering too many requests at a time; try again'
      send(dispatcher.refuse(limitExceeded('inboundBytesMax', reason)))
      return
    }
    inFlight++
    answeringBytes += body.length
    if (isBusy(1)) socket.pause()
    answer(body)
      .catch((error: unknown) => logger.error('a WebSocket request failed inside the node', { error }))
      .finally(() => {
        inFlight--
        answeringBytes -= body.length
        if (socket.isPaused && !isBusy(1 / 2)) socket.resume()
      })
  })
  const connection: Connection = {
    client, authorization, dismiss,
    get subscriptions() {
      return subscriptions.size
    },
    get inboundBytes() {
      return answeringBytes + unfinished.bytes
    },
    get outboundBytes() {
      return socket.bufferedAmount
    },
  }
  return connection

  function isOverShare(bytes: number): boolean {
    return connection.inboundBytes + bytes > inboundShare && load.inboundBytes() + bytes > limits.inboundBytesMax
  }

  function isBusy(part: number): boolean {
    return inFlight >= limits.webSocketRequestsInFlightMax * part || answeringBytes >= inboundShare * part
  }

  async function answer(body: Uint8Array): Promise<void> {
    const later: (() => void)[] = []
    const text = await dispatcher.handle(body, { client, authorization, subscriptions, isGone, afterReply: (run) => later.push(run) })
    if (text !== undefined) send(text)
    for (const run of later) run()
  }
}

/** What goes out to a client, as long as the client takes it. */
interface Outlet {
  readonly send: (text: string) => void
  /** Whether the client still takes what it is sent; one that does not is closed. */
  readonly mayTake: (bytes: number) => boolean
  readonly expel: (limit: keyof RpcLimits, reason: string) => void
  readonly dismiss: () => void
}

function createOutlet({ socket, client }: Peer, load: Load, options: WebSocketDoorOptions & { onExpelled(): void }): Outlet {
  const { limits, clock, logger, refusals } = options
  const close = (reason: string): void => {
    options.onExpelled()
    socket.close(POLICY_VIOLATION, reason)
    clock.after(CLOSE_GRACE_MS, () => socket.terminate())
  }
  const expel = (limit: keyof RpcLimits, reason: string): void => {
    if (socket.readyState !== socket.OPEN) return
    refusals.count('WEBSOCKET_CLOSED', limit)
    logger.info('a WebSocket client is closed', { client, reason, limit, bufferedBytes: socket.bufferedAmount })
    close(`${reason} (limit ${limit} ${limits[limit]})`)
  }
  const dismiss = (): void => {
    if (socket.readyState !== socket.OPEN) return
    refusals.count('PERMISSION_READ')
    logger.info('a WebSocket client is closed: it may not read any more', { client })
    close('PERMISSION_READ: what you subscribed to may not be read any more')
  }
  const mayTake = (bytes: number): boolean => {
    if (socket.readyState !== socket.OPEN) return false
    const limit = brokenBy(bytes, { socket, load, limits })
    if (limit !== undefined) expel(limit, 'reads too slowly')
    return limit === undefined
  }
  return {
    expel,
    dismiss,
    mayTake,
    send: (text) => {
      if (mayTake(text.length)) socket.send(text)
    },
  }
}

interface Pinged {
  readonly clock: Clock
  readonly limits: RpcLimits
  readonly mayTake: (bytes: number) => boolean
  readonly expel: (limit: keyof RpcLimits, reason: string) => void
}

/** Here rather than by `ws`, which answers each, however many a client sends and however few answers it reads. */
function answerPings(socket: WebSocket, { clock, limits, mayTake, expel }: Pinged): void {
  const bucket = createTokenBucket({ perSecond: limits.pingsPerSecondMax, burst: limits.pingsBurst }, clock.now())
  socket.on('ping', (data) => {
    if (!bucket.take(clock.now())) expel('pingsPerSecondMax', 'pings too often')
    else if (mayTake(data.length)) socket.pong(data)
  })
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
