import { connect as connectSocket, type Socket } from 'node:net'
import { createHostGate } from '@songhua/node/network/host-gate'
import { encodeControl } from '@songhua/node/network/control'
import { NETWORK_LIMITS } from '@songhua/node/network/limits'
import { createMuxInspector } from '@songhua/node/network/mux-guard'
import { abortConnection, ifWritable } from '@songhua/node/network/transport'
import { identityOfPrivateKey } from '@songhua/node/network/peer-id'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import { afterEach, describe, expect, it } from 'vitest'
import { dialMux, MUX, muxFrame, type MuxPeer } from '../support/hostile-peer.js'
import {
  arePeers, bootnodeOf, connect, dialRaw, dialRawUp, framed, helloOf, keyOf, portOf, startNode, stopAll, stopNode, type TestNode, until,
} from './support.js'

const sockets = new Set<Socket>()
const muxPeers = new Set<MuxPeer>()

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await Promise.all([...muxPeers].map((peer) => peer.stop()))
  muxPeers.clear()
  await stopAll()
})

const counted = (node: TestNode, name: string): number => node.network.metrics()[name] ?? 0

/** A socket that is opened and never says a word. */
function openSocket(node: TestNode): Socket {
  const socket = connectSocket(portOf(node), '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.add(socket)
  return socket
}

async function muxPeer(node: TestNode, seed: number): Promise<MuxPeer> {
  const peer = await dialMux({ address: bootnodeOf(node), privateKey: keyOf(seed) })
  muxPeers.add(peer)
  return peer
}

describe('a stranger', () => {
  it('that opens connections and says nothing holds no more than its share, and for no longer than a handshake', async () => {
    const node = await startNode({ seed: 1, limits: { connectionsPerHostMax: 8, handshakeMs: 600 } })
    for (let i = 0; i < 30; i++) openSocket(node)
    await until(() => counted(node, 'refused_host_connections') >= 22, 'those above the share to be refused')
    await until(() => counted(node, 'refused_unauthenticated') === 8, 'those within it to run out of time')
    const other = await startNode({ seed: 2 })
    await connect(other, node)
  })

  it('that opens connections fast is refused above the rate of its host', async () => {
    const node = await startNode({ seed: 1, limits: { connectionsPerHostPerSecond: 5 } })
    for (let i = 0; i < 20; i++) openSocket(node).end('x')
    await until(() => counted(node, 'refused_host_rate') >= 10)
  })

  it('costs nothing beyond the bounds of all hosts together, and IPv6 neighbours are one host', () => {
    const clock = { ms: 0, now: () => clock.ms }
    const limits = { connectionsPerHostMax: 2, connectionsPerHostPerSecond: 9, connectionsPerSecond: 6, pendingConnectionsMax: 4 }
    const gate = createHostGate(limits, clock)
    const admit = (host: string): unknown => {
      const answer = gate.admit(host)
      return typeof answer === 'string' ? answer : 'ok'
    }
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map(admit)).toEqual(['ok', 'ok', 'HOST_CONNECTIONS'])
    expect(['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.3'].map(admit)).toEqual(['ok', 'ok', 'PENDING_CONNECTIONS'])
    const busy = createHostGate({ ...limits, pendingConnectionsMax: 99 }, clock)
    const answers = Array.from({ length: 8 }, (_, i) => busy.admit(`10.0.0.${i}`))
    expect(answers.slice(6)).toEqual(['CONNECTION_RATE', 'CONNECTION_RATE'])
    clock.ms += 1000
    expect(typeof busy.admit('10.0.0.9')).toBe('object')
  })
})

describe('an admitted peer that breaks the multiplexer', () => {
  it.each([
    // 4 GiB in one frame: without a bound the multiplexer would keep all of it.
    ['MUX_FRAME_TOO_LARGE', [muxFrame(MUX.data, { flags: 1, streamId: 1, length: 0xffffffff })]],
    ['MUX_FLOOD', Array.from({ length: 65 }, (_, id) => muxFrame(MUX.ping, { flags: 1, length: id }))],
    ['MUX_FLOOD', Array.from({ length: 200 }, () => muxFrame(MUX.windowUpdate, { streamId: 1, length: 1 }))],
    ['STREAM_FLOOD', Array.from({ length: 17 }, (_, i) => muxFrame(MUX.windowUpdate, { flags: 1, streamId: 2 * i + 1 }))],
    // Opened and reset at once: never more than one open.
    ['STREAM_FLOOD', Array.from({ length: 17 }, (_, i) => muxFrame(MUX.windowUpdate, { flags: 9, streamId: 2 * i + 1 }))],
  ])('is cut with %s and banned', async (code, frames) => {
    const node = await startNode({ seed: 1, limits: { muxFramesPerSecond: 1, muxFramesBurst: 150 } })
    const peer = await muxPeer(node, 2)
    await until(() => counted(node, 'connections') === 1)
    peer.send(Buffer.concat(frames))
    await until(() => peer.isClosed() && counted(node, `ended_${code.toLowerCase()}`) === 1, code)
    expect(counted(node, 'banned')).toBe(1)
    expect(node.lines.some(({ level, fields }) => level === 'warn' && fields['code'] === code)).toBe(true)
  })

  it('is cut at the same byte however the bytes are cut', () => {
    const frames = Buffer.concat([
      muxFrame(MUX.data, { flags: 1, streamId: 1, length: 5, body: new Uint8Array(5).fill(0xff) }),
      muxFrame(MUX.windowUpdate, { streamId: 1, length: 0xffffffff }),
      muxFrame(MUX.data, { streamId: 1, length: NETWORK_LIMITS.muxFrameBytesMax + 1 }),
    ])
    for (const size of [1, 2, 7, 12, 13, frames.length]) {
      const inspector = createMuxInspector(NETWORK_LIMITS, { now: () => 0 })
      const feed = (): void => {
        for (let at = 0; at < frames.length; at += size) {
          const isLast = at + size >= frames.length
          const read = (): void => inspector.read(frames.subarray(at, at + size))
          if (isLast) expect(read).toThrow(expect.objectContaining({ code: 'MUX_FRAME_TOO_LARGE' }) as Error)
          else read()
        }
      }
      feed()
    }
  })
})

describe('a connection that closes while it is being cut', () => {
  const closed = Object.assign(new Error('Cannot write to a stream that is closed'), { name: 'StreamStateError' })

  it('is cut nevertheless, and the node lives on', () => {
    const reasons: Error[] = []
    const reason = new Error('the control stream has ended')
    const abort = (error: Error): void => {
      reasons.push(error)
      if (reasons.length === 1) throw closed
    }
    abortConnection({ abort }, reason)
    expect(reasons).toEqual([reason, reason])
  })

  it('hides no other fault', () => {
    const fault = new TypeError('undefined is not a function')
    const abort = (): void => {
      throw fault
    }
    expect(() => abortConnection({ abort }, closed)).toThrow(fault)
    expect(ifWritable(() => { throw closed })).toBe(false)
  })

  it('and peers that are gone in the middle of everything leave nothing behind', async () => {
    const node = await startNode({ seed: 1 })
    for (let seed = 10; seed < 20; seed++) {
      const raw = await dialRawUp(node, seed)
      for (const wire of raw.wires.values()) wire.send(new Uint8Array([0, 0, 255, 255, 1, 2, 3]))
      node.network.broadcast('consensus', new Uint8Array(100_000))
      if (seed % 2 === 0) raw.link.abort('gone')
      else await raw.transport.stop()
    }
    await until(() => node.network.metrics()['connections'] === 0)
    await connect(await startNode({ seed: 2 }), node)
  })
})

describe('an admitted peer', () => {
  it('has few connections at once, so that it cannot take the places of others', async () => {
    const node = await startNode({ seed: 1, limits: { connectionsPerPeerMax: 2 } })
    await Promise.all([muxPeer(node, 2), muxPeer(node, 2)])
    await until(() => counted(node, 'connections') === 2)
    const third = await muxPeer(node, 2).catch(() => undefined)
    await until(() => counted(node, 'refused_too_many_connections') === 1 && third?.isClosed() !== false)
    const other = await startNode({ seed: 3 })
    await connect(other, node)
  })

  it('that comes and goes is refused above its rate', async () => {
    const node = await startNode({ seed: 1, limits: { connectsPerPeerPerSecond: 0.01, connectsPerPeerBurst: 3 } })
    for (let i = 0; i < 5; i++) {
      const peer = await muxPeer(node, 2).catch(() => undefined)
      await peer?.stop()
    }
    await until(() => counted(node, 'refused_too_many_connections') === 2)
    expect(node.lines.some(({ fields }) => fields['code'] === 'TOO_MANY_CONNECTIONS')).toBe(true)
  })

  it('cannot hide where another node lives', async () => {
    const node = await startNode({ seed: 1 })
    const other = await startNode({ seed: 3 })
    await connect(other, node)
    const liar = await dialRaw(node, 2)
    const { id } = other.network.self
    const addresses = Array.from({ length: 8 }, (_, i) => `/ip4/192.0.2.${i}/tcp/9/p2p/${id}`)
    liar.control.send(framed(encodeControl({ type: 'hello', hello: helloOf({ knownPeers: [{ id, addresses }] }) })))
    liar.control.send(framed(encodeControl({ type: 'accept' })))
    await until(() => liar.received() > 100)
    for (const protocol of ['consensus', 'transactions', 'blocks']) await liar.link.openWire(`/songhua/1/${protocol}`)
    const liarId = identityOfPrivateKey(keyOf(2)).id
    await until(() => node.network.peers().some((peer) => peer.id === liarId), 'the liar to be up')
    const listen = [bootnodeOf(other).replace(/\/p2p\/.*/, '')]
    await stopNode(other)
    // It knows nobody: only the node that was lied to can bring the two together.
    const again = await startNode({ seed: 3, listen })
    await until(() => arePeers(node, again), 'the two to find each other again')
  })

  it('that sends a list of too many items is cut, as is one that floods pings slowed', async () => {
    const node = await startNode({ seed: 1 })
    const raw = await dialRawUp(node, 2)
    for (let nonce = 0; nonce < 260; nonce++) raw.control.send(framed(encodeControl({ type: 'ping', nonce })))
    await until(() => counted(node, 'frames_delayed_control') > 0, 'the pings to be slowed')
    expect(raw.isClosed()).toBe(false)
    const other = await dialRawUp(node, 3)
    const items = Array.from({ length: 3_000 }, () => new Uint8Array([1]))
    other.control.send(framed(Buffer.concat([new Uint8Array([4]), encodeRlp(items)])))
    await until(() => other.isClosed() && counted(node, 'ended_message_malformed') === 1)
  })

  it('that sends megabytes is held to the bytes of the channel', async () => {
    const { blocks, ...rest } = NETWORK_LIMITS.channels
    const channels = { ...rest, blocks: { ...blocks, bytesPerSecond: 100, bytesBurst: 100_000 } }
    const node = await startNode({ seed: 1, limits: { channels } })
    let got = 0
    node.network.onMessage('blocks', (_peer, payload) => (got += payload.length))
    const raw = await dialRawUp(node, 2)
    for (let i = 0; i < 20; i++) raw.wires.get('/songhua/1/blocks')!.send(framed(new Uint8Array(60_000)))
    await until(() => counted(node, 'frames_delayed_blocks') > 0)
    // The frame that crosses the line is the last.
    expect(got).toBe(2 * 59_999)
  })

  it('that reads a little now and then does not keep a queue for ever', async () => {
    const node = await startNode({ seed: 1, limits: { stallMs: 400, stallBytesMin: 8 * 1024 * 1024 } })
    const raw = await dialRawUp(node, 2)
    const wire = raw.wires.get('/songhua/1/transactions')!
    wire.onData(() => undefined)
    wire.pause()
    const drip = setInterval(() => {
      wire.resume()
      setTimeout(() => wire.pause(), 1)
    }, 100)
    for (let i = 0; i < 30; i++) node.network.broadcast('transactions', new Uint8Array(512 * 1024))
    await until(() => counted(node, 'ended_slow_reader') === 1, 'the drip to be cut')
    clearInterval(drip)
    await until(() => raw.isClosed())
  })
})
