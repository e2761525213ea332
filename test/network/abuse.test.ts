import { CONTROL_PROTOCOL } from '@songhua/node/network/session'
import { encodeControl } from '@songhua/node/network/control'
import { afterEach, describe, expect, it } from 'vitest'
import {
  connect, dialRaw, dialRawUp, framed, helloOf, sleep, startNode, stopAll, type TestNode, until,
} from './support.js'

afterEach(stopAll)

const ended = (node: TestNode, code: string): boolean =>
  (node.network.metrics()[`ended_${code.toLowerCase()}`] ?? 0) > 0
const lengthPrefix = (length: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, length)
  return bytes
}

describe('a stranger that breaks the rules', () => {
  it.each([
    ['FRAME_TOO_LARGE', lengthPrefix(0x7fffffff)],
    ['FRAME_EMPTY', lengthPrefix(0)],
    ['MESSAGE_MALFORMED', framed(new Uint8Array([99, 0xc0]))],
    ['MESSAGE_MALFORMED', framed(new Uint8Array([1, 0xc1, 0x80]))],
    ['MESSAGE_MALFORMED', framed(crypto.getRandomValues(new Uint8Array(200)).fill(7, 0, 1))],
    ['PROTOCOL_VIOLATION', framed(encodeControl({ type: 'accept' }))],
    ['PROTOCOL_VIOLATION', framed(encodeControl({ type: 'head', head: helloOf().head }))],
  ])('is cut for %s in the handshake', async (code, bytes) => {
    const node = await startNode({ seed: 1 })
    const raw = await dialRaw(node, 2)
    raw.control.send(bytes)
    await until(() => ended(node, code) && raw.isClosed(), code)
    expect(node.network.peers()).toEqual([])
  })

  it('is cut when it says nothing', async () => {
    const node = await startNode({ seed: 1, limits: { handshakeMs: 1_500 } })
    const raw = await dialRaw(node, 2)
    await until(() => ended(node, 'HANDSHAKE_TIMEOUT') && raw.isClosed())
  })

  it('is cut when it opens a channel before the handshake', async () => {
    const node = await startNode({ seed: 1 })
    const raw = await dialRaw(node, 2)
    await raw.link.openWire('/songhua/1/blocks').catch(() => undefined)
    await until(() => ended(node, 'PROTOCOL_VIOLATION') && raw.isClosed())
  })

  it('cannot open a second control stream', async () => {
    const node = await startNode({ seed: 1 })
    const raw = await dialRaw(node, 2)
    let isSecondClosed = false
    const second = await raw.link.openWire(CONTROL_PROTOCOL)
    second.onClose(() => (isSecondClosed = true))
    await until(() => isSecondClosed, 'the second stream to be reset')
    expect(raw.isClosed()).toBe(false)
  })

  it('is cut for a frame that never ends, whose promised length costs no memory', async () => {
    const node = await startNode({ seed: 1, limits: { frameMs: 300 } })
    const raw = await dialRawUp(node, 2)
    const before = process.memoryUsage().arrayBuffers
    raw.wires.get('/songhua/1/blocks')!.send(lengthPrefix(16 * 1024 * 1024))
    await sleep(100)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
    await until(() => ended(node, 'FRAME_TIMEOUT') && raw.isClosed())
  })

  it('is banned for a while after enough of it', async () => {
    const node = await startNode({ seed: 1, limits: { banMs: 700 } })
    const raw = await dialRawUp(node, 2)
    raw.wires.get('/songhua/1/consensus')!.send(lengthPrefix(0xffffffff))
    await until(() => raw.isClosed())
    expect(node.network.metrics()['banned']).toBe(1)
    // The dial may succeed before the gate has spoken; the connection does not last.
    const again = await dialRaw(node, 2).catch(() => undefined)
    await until(() => again === undefined || again.isClosed(), 'the banned peer to be refused')
    expect(node.network.metrics()['refused_penalised']).toBeGreaterThan(0)
    await until(() => node.network.metrics()['banned'] === 0)
    await dialRawUp(node, 2)
  })

  it('is banned for what other modules report of it', async () => {
    const node = await startNode({ seed: 1 })
    const other = await startNode({ seed: 2 })
    await connect(other, node)
    node.network.penalise(other.network.self.id, 'BLOCK_INVALID', 60)
    expect(node.network.peers().length).toBe(1)
    node.network.penalise(other.network.self.id, 'BLOCK_INVALID', 60)
    await until(() => node.network.peers().length === 0 && other.network.peers().length === 0)
    const told = other.lines.find(({ fields }) => fields['code'] === 'PENALISED')
    expect(told?.fields['reason']).toContain('BLOCK_INVALID')
  })
})

describe('a flood', () => {
  it('is slowed to the rate of the channel and loses nothing', async () => {
    const { consensus, ...rest } = (await import('@songhua/node/network/limits')).NETWORK_LIMITS.channels
    const channels = { ...rest, consensus: { ...consensus, framesPerSecond: 100, framesBurst: 50 } }
    const node = await startNode({ seed: 1, limits: { channels } })
    const raw = await dialRawUp(node, 2)
    let got = 0
    node.network.onMessage('consensus', () => (got += 1))
    const wire = raw.wires.get('/songhua/1/consensus')!
    const startMs = Date.now()
    for (let i = 0; i < 110; i++) wire.send(framed(new Uint8Array(100).fill(i)))
    await until(() => got === 110, 'all frames')
    // 50 at once, 60 more at 100 a second.
    expect(Date.now() - startMs).toBeGreaterThan(500)
    expect(node.network.metrics()['frames_delayed']).toBeGreaterThan(0)
    expect(node.network.peers().length).toBe(1)
  })

  it('of megabytes is held back in the sender: this node keeps a window and no more', async () => {
    const { blocks, ...rest } = (await import('@songhua/node/network/limits')).NETWORK_LIMITS.channels
    const channels = { ...rest, blocks: { ...blocks, framesPerSecond: 1, framesBurst: 1 } }
    const node = await startNode({ seed: 1, limits: { channels } })
    const other = await startNode({ seed: 2 })
    await connect(other, node)
    let got = 0
    node.network.onMessage('blocks', (_peer, payload) => (got += payload.length))
    const megabyte = new Uint8Array(1024 * 1024)
    let taken = 0
    while (other.network.send(node.network.self.id, 'blocks', megabyte)) taken += 1
    expect(taken).toBeGreaterThan(40)
    await sleep(800)
    expect(got).toBeLessThanOrEqual(2 * megabyte.length)
    // What is not taken stays in the sender's bounded queue.
    expect(other.network.metrics()['queued_bytes']).toBeGreaterThan(35 * megabyte.length)
  })
})

describe('a peer that falls silent', () => {
  it('is cut when not even a ping is answered; one that answers stays', async () => {
    const node = await startNode({ seed: 1, limits: { pingEveryMs: 100, silenceMs: 350 } })
    const other = await startNode({ seed: 3 })
    await connect(other, node)
    await dialRawUp(node, 2)
    await until(() => ended(node, 'PEER_SILENT'), 'the silent one to be cut')
    expect(node.network.peers().map(({ id }) => id)).toEqual([other.network.self.id])
    expect(node.network.peers()[0]!.rttMs).toBeTypeOf('number')
  })
})

describe('a slow reader', () => {
  it('makes the queue refuse at its bound, and is cut when it takes nothing', async () => {
    const node = await startNode({ seed: 1, limits: { stallMs: 500 } })
    const raw = await dialRawUp(node, 2)
    const payload = new Uint8Array(512 * 1024)
    for (const wire of raw.wires.values()) {
      wire.onData(() => undefined)
      wire.pause()
    }
    let refused = 0
    for (let i = 0; i < 100; i++) if (node.network.broadcast('transactions', payload) === 0) refused += 1
    expect(refused).toBeGreaterThan(0)
    expect(node.network.metrics()['queued_bytes']).toBeLessThanOrEqual(17 * 1024 * 1024)
    await until(() => ended(node, 'SLOW_READER'), 'the slow reader to be cut')
    expect(node.network.peers()).toEqual([])
    await until(() => raw.isClosed())
  })

  it('loses the oldest votes of the same kind, never another kind, and memory stays bounded', async () => {
    const node = await startNode({ seed: 1 })
    const raw = await dialRawUp(node, 2)
    const wire = raw.wires.get('/songhua/1/consensus')!
    wire.onData(() => undefined)
    wire.pause()
    const payload = new Uint8Array(4 * 1024 * 1024)
    for (let i = 0; i < 30; i++) expect(node.network.broadcast('consensus', payload, { kind: 1 })).toBe(1)
    expect(node.network.metrics()['queued_bytes']).toBeLessThanOrEqual(32 * 1024 * 1024)
    expect(node.network.metrics()['frames_dropped']).toBeGreaterThan(10)
    expect(node.network.peers().length).toBe(1)
  })
})
