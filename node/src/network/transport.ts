import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Connection, ConnectionGater, Libp2p, MultiaddrConnection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { type Libp2pOptions, createLibp2p } from 'libp2p'
import type { Clock } from '../base/clock.js'
import { networkError } from './errors.js'
import { type HostGate, createHostGate } from './host-gate.js'
import { type NetworkLimits, STREAM_WINDOW_BYTES, STREAM_WINDOW_BYTES_MAX } from './limits.js'
import { guardMuxer } from './mux-guard.js'
import { toLibp2pKey } from './peer-id.js'

/** The only file that knows libp2p's connections and streams; the rest of the folder sees `Link` and `Wire`. */

export type Direction = 'inbound' | 'outbound'

/** One kept-open stream of bytes. */
export interface Wire {
  readonly protocol: string
  /** False: taken, but wait for `onDrain` before the next. Throws when the stream has ended. */
  send(bytes: Uint8Array): boolean
  isWritable(): boolean
  /** Starts the flow of incoming bytes. */
  onData(listener: (bytes: Uint8Array) => void): void
  onDrain(listener: () => void): void
  onClose(listener: () => void): void
  pause(): void
  resume(): void
}

/** One connection to an authenticated peer. */
export interface Link {
  readonly peerId: string
  readonly direction: Direction
  readonly remoteAddress: string
  openWire(protocol: string): Promise<Wire>
  /** `code` when this side's transport ended it for a breach. */
  onClose(listener: (reason: string, code?: string) => void): void
  isOpen(): boolean
  /** Sends what is queued, then ends; ends at once after a second. */
  close(): Promise<void>
  abort(reason: string): void
}

/** Asked before and after a connection is authenticated. */
export interface Gate {
  /** Whether one more connection may be opened at all. */
  hasRoom(): boolean
  /** A connection was closed before its first byte, or ended without having said who it is. */
  onRefused(code: string): void
  admitsInbound(peerId: string): boolean
}

export interface TransportOptions {
  readonly privateKey: Uint8Array
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/30300` and `/ip6/::/tcp/30300`. */
  readonly listen: readonly string[]
  /** Multiaddrs to announce instead of the ones listened on. */
  readonly announce: readonly string[]
  readonly protocols: readonly string[]
  readonly limits: NetworkLimits
}

export interface TransportPorts {
  readonly clock: Pick<Clock, 'now'>
  readonly gate: Gate
  onLink(link: Link): void
  onWire(link: Link, wire: Wire): void
}

export interface Transport {
  start(): Promise<void>
  stop(): Promise<void>
  /** Where this node can be dialled, with its peer id. */
  addresses(): string[]
  /**
   * The link is told by `onLink`. A dial that succeeds is not yet an admission. An address without a peer id takes whoever
   * answers there; `DIAL_OTHER_KEY`: somebody answered who is not the peer that an address names.
   */
  dial(addresses: readonly string[]): Promise<void>
}

/** Streams of one connection: the named protocols and those still in negotiation. */
const STREAMS_PER_CONNECTION_MAX = 8
const HOUR_MS = 3_600_000

/** The close event of what has ended already does not come again. */
const hasEnded = ({ status }: { status: Stream['status'] }): boolean => status !== 'open' && status !== 'closing'

/**
 * libp2p tells the peer that it is cut, and throws where the way there has just been closed, before it has cut anything.
 * The second time it no longer tells.
 * @throws what is not about a closed way: a fault of this program
 */
export function abortConnection(connection: Pick<Connection, 'abort'>, reason: Error): void {
  if (!ifWritable(() => connection.abort(reason))) connection.abort(reason)
}

/** False when the way to the peer was closed before its end was told: the close event follows. */
export function ifWritable(run: () => void): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'StreamStateError') return false
    throw error
  }
}

function toWire(stream: Stream): Wire {
  return {
    protocol: stream.protocol,
    send: (bytes) => stream.send(bytes),
    isWritable: () => !stream.writableNeedsDrain && stream.writeBufferLength === 0,
    onData(listener) {
      stream.addEventListener('message', (event) => listener(event.data.subarray()))
    },
    onDrain(listener) {
      // libp2p answers `drain` by writing its own remainder in a microtask; ours comes after it.
      stream.addEventListener('drain', () => queueMicrotask(listener))
    },
    onClose(listener) {
      if (hasEnded(stream)) queueMicrotask(listener)
      else stream.addEventListener('close', () => listener(), { once: true })
    },
    pause() {
      if (stream.readStatus === 'readable') stream.pause()
    },
    resume() {
      // A window update goes with it.
      if (stream.readStatus === 'paused') ifWritable(() => stream.resume())
    },
  }
}

function toLink(connection: Connection): Link {
  return {
    peerId: connection.remotePeer.toString(),
    direction: connection.direction,
    remoteAddress: connection.remoteAddr.toString(),
    openWire: async (protocol) => toWire(await connection.newStream(protocol)),
    onClose(listener) {
      const told = ({ error }: { error?: Error }): void =>
        listener(error?.message ?? 'closed by the peer', isCodedError(error) ? error.code : undefined)
      if (hasEnded(connection)) queueMicrotask(() => told({}))
      else connection.addEventListener('close', told, { once: true })
    },
    isOpen: () => connection.status === 'open',
    async close() {
      try {
        await connection.close({ signal: AbortSignal.timeout(1_000) })
      } catch (error) {
        abortConnection(connection, error instanceof Error ? error : new Error(String(error)))
      }
    },
    abort: (reason) => abortConnection(connection, new Error(reason)),
  }
}

function hostOf(connection: MultiaddrConnection): string {
  return connection.remoteAddr.getComponents()[0]?.value ?? 'unknown'
}

function parse(addresses: readonly string[]): Multiaddr[] {
  return addresses.map((address) => {
    try {
      return multiaddr(address)
    } catch (error) {
      const quoted = JSON.stringify(address)
      const message = `${quoted} is not a multiaddr such as /ip4/10.0.0.1/tcp/30300: ${messageOf(error)}`
      throw networkError('ADDRESS_INVALID', message, { details: { address }, cause: error })
    }
  })
}

function configOf(options: TransportOptions, { gate, clock }: TransportPorts): Libp2pOptions {
  const { limits } = options
  return {
    start: false,
    privateKey: toLibp2pKey(options.privateKey),
    addresses: {
      listen: parse(options.listen).map((address) => address.toString()),
      announce: parse(options.announce).map((address) => address.toString()),
    },
    transports: [tcp({ inboundSocketInactivityTimeout: HOUR_MS, outboundSocketInactivityTimeout: HOUR_MS })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => guardMuxer(createYamux(), limits, clock),
    ],
    // Its ping aborts connections under load. Without it nothing closes a good connection, and the redial loop
    // is ours; so no peer is tagged KEEP_ALIVE, which would set libp2p's own redialling against it.
    connectionMonitor: { enabled: false },
    connectionManager: {
      // The gater below counts what it refuses; libp2p's own bounds, which it asks first, would be silent.
      maxConnections: Infinity,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      maxIncomingPendingConnections: Infinity,
      inboundUpgradeTimeout: limits.handshakeMs,
      dialTimeout: limits.dialMs,
      // The address book knows whose word each address is.
      addressSorter: () => 0,
      addressDialTimeout: Math.ceil(limits.dialMs / 2),
      maxParallelDials: limits.dialsAtOnceMax,
    },
    connectionGater: gaterOf(gate, createHostGate(limits, clock)),
  }
}

const createYamux = yamux({
  // Liveness is checked by pings on the control stream, whose answers also show a live event loop.
  enableKeepAlive: false,
  maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
  maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
  streamOptions: {
    initialStreamWindowSize: STREAM_WINDOW_BYTES,
    maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX,
    maxReadBufferLength: 2 * STREAM_WINDOW_BYTES_MAX,
  },
})

function gaterOf(gate: Gate, hosts: HostGate): ConnectionGater {
  const authenticated = new WeakMap<MultiaddrConnection, () => void>()
  return {
    denyDialMultiaddr: () => false,
    denyInboundConnection(connection) {
      const admitted = gate.hasRoom() ? hosts.admit(hostOf(connection)) : 'CONNECTIONS'
      if (typeof admitted === 'string') {
        gate.onRefused(admitted)
        return true
      }
      let isAnonymous = true
      authenticated.set(connection, () => {
        isAnonymous = false
        admitted.authenticated()
      })
      const onClose = (): void => {
        if (isAnonymous) gate.onRefused('UNAUTHENTICATED')
        admitted.closed()
      }
      connection.addEventListener('close', onClose, { once: true })
      return false
    },
    denyInboundEncryptedConnection(peerId, connection) {
      authenticated.get(connection)?.()
      return !gate.admitsInbound(peerId.toString())
    },
  }
}

/** @throws CodedError `ADDRESS_INVALID`, `PRIVATE_KEY_INVALID`; `LISTEN_FAILED` on start, `DIAL_FAILED` and `DIAL_OTHER_KEY` on dial */
export async function createTransport(options: TransportOptions, ports: TransportPorts): Promise<Transport> {
  const libp2p: Libp2p = await createLibp2p(configOf(options, ports))
  const links = new Map<string, Link>()

  libp2p.addEventListener('connection:open', ({ detail: connection }) => {
    const link = toLink(connection)
    links.set(connection.id, link)
    connection.addEventListener('close', () => links.delete(connection.id), { once: true })
    ports.onLink(link)
  })
  for (const protocol of options.protocols) {
    await libp2p.handle(
      protocol,
      (stream, connection) => {
        const link = links.get(connection.id)
        if (link === undefined) stream.abort(new Error('the connection has ended'))
        else ports.onWire(link, toWire(stream))
      },
      { maxInboundStreams: 1, maxOutboundStreams: 1 },
    )
  }
  return transportOf(libp2p)
}

/** What the system said of each address, without libp2p's advice, which is for programmers. */
function listenFailure(error: unknown): string {
  const addresses = messageOf(error)
    .split('\n')
    .flatMap((line) => /^\s+(\/\S+: .+)/.exec(line)?.[1]?.replace(': Error:', ':') ?? [])
  const reasons = addresses.length > 0 ? addresses.join('; ') : messageOf(error)
  return `${reasons}; end what uses the port, or listen on another (p2p.listen)`
}

/** noise names this failure by a class of its own, libp2p hands on its words alone. */
function isOtherKey(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isOtherKey)
  return /does not match expected remote identity key/.test(messageOf(error))
}

function transportOf(libp2p: Libp2p): Transport {
  return {
    async start() {
      try {
        await libp2p.start()
      } catch (error) {
        throw networkError('LISTEN_FAILED', `cannot listen for peers: ${listenFailure(error)}`, { cause: error })
      }
    },
    stop: async () => libp2p.stop(),
    addresses: () => libp2p.getMultiaddrs().map((address) => address.toString()),
    async dial(addresses) {
      try {
        await libp2p.dial(parse(addresses))
      } catch (error) {
        const code = isOtherKey(error) ? 'DIAL_OTHER_KEY' : 'DIAL_FAILED'
        throw networkError(code, messageOf(error), { details: { addresses: [...addresses] }, cause: error })
      }
    },
  }
}

/** The peer id at the end of a multiaddr, when it has one. @throws CodedError `ADDRESS_INVALID` */
export function peerIdOfAddress(address: string): string | undefined {
  const id = parse([address])[0]!.getComponents().findLast((component) => component.name === 'p2p')?.value
  return id === undefined ? undefined : peerIdFromString(id).toString()
}
