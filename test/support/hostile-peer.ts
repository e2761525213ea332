import { noise } from '@libp2p/noise'
import type { MessageStream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { systemClock } from '@songhua/node/base/clock'
import { decodeControl, encodeControl, type Hello } from '@songhua/node/network/control'
import { createFrameReader, FRAME_HEADER_BYTES, writeFrameHeader } from '@songhua/node/network/frame'
import { type Channel, CHANNELS, NETWORK_LIMITS } from '@songhua/node/network/limits'
import { toLibp2pKey } from '@songhua/node/network/peer-id'
import { CONTROL_PROTOCOL, protocolOf, PROTOCOLS } from '@songhua/node/network/session'
import { createTransport, type Link, type Wire } from '@songhua/node/network/transport'
import { createLibp2p } from 'libp2p'

/** A peer that owns a key, shakes hands as it should, and then does what a test wants. */
export interface HostilePeer {
  readonly link: Link
  readonly control: Wire
  isClosed(): boolean
  /** A frame on a channel, the queue of this side aside: false when the other side reads too slowly. */
  send(channel: Channel, payload: Uint8Array): boolean
  wire(channel: Channel): Wire
  stop(): Promise<void>
}

export const framed = (payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length)
  writeFrameHeader(bytes, 0, payload.length)
  bytes.set(payload, FRAME_HEADER_BYTES)
  return bytes
}

export interface Target {
  /** Multiaddr with the peer id. */
  readonly address: string
  readonly privateKey: Uint8Array
  readonly hello: Hello
}

/** Its handshake is done. @throws when the node refuses it */
export async function dialHostile({ address, privateKey, hello }: Target): Promise<HostilePeer> {
  let link: Link | undefined
  let closed = false
  const transport = await createTransport(
    { privateKey, listen: [], announce: [], protocols: PROTOCOLS, limits: NETWORK_LIMITS },
    {
      clock: systemClock,
      gate: { hasRoom: () => true, onRefused: () => undefined, admitsInbound: () => true },
      onLink: (one) => {
        link = one
        one.onClose(() => (closed = true))
      },
      onWire: () => undefined,
    },
  )
  try {
    await transport.start()
    await transport.dial([address])
    const control = await link!.openWire(CONTROL_PROTOCOL)
    const heard = new Set<string>()
    const frames = createFrameReader(NETWORK_LIMITS.control.frameBytesMax)
    control.onData((bytes) => {
      frames.push(bytes)
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) heard.add(decodeControl(frame).type)
    })
    const hears = async (type: string): Promise<void> => {
      while (!heard.has(type)) {
        if (closed) throw new Error(`the node closed the connection before its ${type}`)
        await pause()
      }
    }
    control.send(framed(encodeControl({ type: 'hello', hello })))
    await hears('hello')
    control.send(framed(encodeControl({ type: 'accept' })))
    await hears('accept')
    const wires = new Map<Channel, Wire>()
    for (const channel of CHANNELS) wires.set(channel, await link!.openWire(protocolOf(channel)))
    const wire = (channel: Channel): Wire => wires.get(channel)!
    return {
      link: link!,
      control,
      isClosed: () => closed,
      wire,
      send(channel, payload) {
        if (closed) return false
        try {
          return wire(channel).send(framed(payload))
        } catch {
          // The node has ended the stream: what a hostile peer is there to bring about.
          return false
        }
      },
      stop: () => transport.stop(),
    }
  } catch (error) {
    await transport.stop()
    throw error
  }
}

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 10))

/** A peer that writes multiplexer frames by hand. */
export interface MuxPeer {
  send(bytes: Uint8Array): void
  isClosed(): boolean
  stop(): Promise<void>
}

export async function dialMux({ address, privateKey }: Pick<Target, 'address' | 'privateKey'>): Promise<MuxPeer> {
  let raw: MessageStream | undefined
  let closed = false
  const inner = yamux({ enableKeepAlive: false })()
  const libp2p = await createLibp2p({
    privateKey: toLibp2pKey(privateKey),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => ({
        protocol: inner.protocol,
        createStreamMuxer(stream) {
          raw = stream
          return inner.createStreamMuxer(stream)
        },
      }),
    ],
    connectionMonitor: { enabled: false },
  })
  const connection = await libp2p.dial(multiaddr(address))
  connection.addEventListener('close', () => (closed = true), { once: true })
  return {
    send: (bytes) => void (closed || raw!.send(bytes)),
    isClosed: () => closed,
    stop: async () => libp2p.stop(),
  }
}

export const MUX = { data: 0, windowUpdate: 1, ping: 2 } as const

/** A yamux header: `flags` 1 opens a stream; `length` need not be true. */
export function muxFrame(type: number, { flags = 0, streamId = 0, length = 0, body = new Uint8Array() } = {}): Uint8Array {
  const bytes = new Uint8Array(12 + body.length)
  bytes.set([0, type, flags >> 8, flags & 0xff])
  const view = new DataView(bytes.buffer)
  view.setUint32(4, streamId)
  view.setUint32(8, length)
  bytes.set(body, 12)
  return bytes
}
