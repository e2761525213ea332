import { beforeAll, describe, expect, it } from 'vitest'
import type { CodedError } from '@songhua/sdk/protocol/errors'
import { encodeMessage } from '@songhua/node/consensus/encode'
import { MAX_CONSENSUS_MESSAGE_BYTES } from '@songhua/node/consensus/limits'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { FUTURE_PEER_MESSAGES_MAX, createFutureMessages, createMessageQueue } from '@songhua/node/services/consensus-inbox'
import { createSilence } from '@songhua/node/services/consensus-silence'
import { type ConsensusPeer, createConsensusTransport } from '@songhua/node/services/consensus-transport'
import { Cast, transaction } from './fixture.js'
import { createWorld } from '../sim/world.js'

beforeAll(async () => {
  await installNativeCrypto()
})

const ALICE = `0x${'aa'.repeat(20)}` as const
const BOB = `0x${'bb'.repeat(20)}` as const
const bytes = (length: number): Uint8Array => new Uint8Array(length)

describe('the inbox', () => {
  it('gives each peer its share by count and bytes, and takes nothing from the others', () => {
    const queue = createMessageQueue({ count: 3, bytes: 100 })
    expect([40, 40, 40].map((size) => queue.push({ from: ALICE, bytes: bytes(size) }))).toEqual([true, true, false])
    expect([1, 1, 1, 1].map((size) => queue.push({ from: BOB, bytes: bytes(size) }))).toEqual([true, true, true, false])
    expect(queue.shift()?.from).toBe(ALICE)
    expect(queue.push({ from: ALICE, bytes: bytes(60) })).toBe(true)
    expect(Array.from({ length: 6 }, () => queue.shift()?.from)).toEqual([BOB, ALICE, BOB, ALICE, BOB, undefined])
  })

  it('keeps its order and its accounts through thousands of messages', () => {
    const queue = createMessageQueue({ count: 5_000, bytes: 1_000_000 })
    for (let at = 0; at < 5_000; at++) queue.push({ from: ALICE, bytes: Uint8Array.of(at % 251) })
    expect(queue.push({ from: ALICE, bytes: bytes(1) })).toBe(false)
    const order = Array.from({ length: 5_000 }, () => queue.shift()!.bytes[0])
    expect(order.every((value, at) => value === at % 251)).toBe(true)
    expect(queue.size).toBe(0)
    expect(queue.push({ from: ALICE, bytes: bytes(1) })).toBe(true)
  })

  it('keeps messages of the next heights until their height comes, within each peer’s share', () => {
    const future = createFutureMessages()
    for (let at = 0; at < FUTURE_PEER_MESSAGES_MAX + 5; at++) future.push({ from: ALICE, bytes: bytes(1) }, 6)
    future.push({ from: BOB, bytes: bytes(2) }, 5)
    expect(future.take(5).map(({ from }) => from)).toEqual([BOB])
    expect(future.take(6)).toHaveLength(FUTURE_PEER_MESSAGES_MAX)
    expect(future.take(6)).toEqual([])
  })
})

describe('DESIGN, Amnesia: when silence ends', () => {
  const { validators } = new Cast(4)
  const [self, ...others] = validators as [`0x${string}`, `0x${string}`, `0x${string}`, `0x${string}`]
  const at = (head: number) => ({ head, sealers: validators, self })

  it('two heights above the highest head that a quorum of others names, so that H + 3 is the first one voted on', () => {
    const silence = createSilence(true)
    others.forEach((peer, index) => silence.report(peer, 10 + index))
    expect(silence.isOver(at(13))).toBe(false)
    expect(silence.isOver(at(14))).toBe(true)
    expect(silence.isOver(at(3))).toBe(true)
  })

  it('not by fewer than a quorum, by strangers, by itself, or by one that reports twice', () => {
    const silence = createSilence(true)
    for (const peer of [others[0], others[0], others[1], self, ALICE]) silence.report(peer, 10)
    expect(silence.isOver(at(1_000))).toBe(false)
    silence.report(others[2], 10)
    expect(silence.isOver(at(1_000))).toBe(true)
  })

  it('a peer’s first report counts: heads that go on growing do not put it off for ever', () => {
    const silence = createSilence(true)
    for (const peer of others) silence.report(peer, 10)
    for (const peer of others) silence.report(peer, 12)
    expect(silence.isOver(at(12))).toBe(true)
  })

  it('a liar who names a height that will never come does not put it off for ever', () => {
    const seven = new Cast(7).validators
    const silence = createSilence(true)
    seven.slice(1).forEach((peer, index) => silence.report(peer, index === 3 ? 2 ** 50 : 10))
    expect(silence.isOver({ head: 11, sealers: seven, self: seven[0]! })).toBe(false)
    expect(silence.isOver({ head: 12, sealers: seven, self: seven[0]! })).toBe(true)
  })

  it('one validator alone never ends it, and who has its log never begins it', () => {
    expect(createSilence(true).isOver({ head: 99, sealers: [self], self })).toBe(false)
    expect(createSilence(false).isOver(at(0))).toBe(true)
  })
})

describe('the driver', () => {
  it('refuses what it cannot read, penalises who sent it, and goes on', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    const node = world.node(0)
    world.node(1).isHonest = false
    const cast = new Cast(4)
    const outsider = { ...cast.prepare(0, 0, cast.block(0)), signature: bytes(65) }
    for (const noise of [bytes(0), bytes(30), bytes(MAX_CONSENSUS_MESSAGE_BYTES + 1), encodeMessage(outsider)]) {
      node.hear(world.node(1).address, noise)
    }
    await world.run(10)
    expect(node.penalties.map(({ code }: CodedError) => code)).toEqual([
      'CONSENSUS_MESSAGE_MALFORMED',
      'CONSENSUS_MESSAGE_MALFORMED',
      'CONSENSUS_MESSAGE_TOO_LARGE',
      'CONSENSUS_SIGNATURE',
    ])
    world.submit(transaction(0))
    await world.untilHeight(2, 1_000)
  })

  it('a flood from one peer costs that peer its own messages only', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    const node = world.node(0)
    const prepare = new Cast(4).prepare(3, 7, new Cast(4).block(0))
    for (let at = 0; at < 5_000; at++) node.hear(world.node(3).address, prepare.bytes)
    world.submit(transaction(0))
    await world.untilHeight(2, 1_000)
    expect(node.driver.metrics().limited).toBeGreaterThan(1_000)
  })

  it('a validator that is slower to import still votes on the next height, whose messages came too early', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    // One of four is dead, so that every vote of the slow one counts.
    world.node(3).kill()
    const slow = world.node(2)
    slow.beforeCommit = () => new Promise<void>((resume) => world.clock.after(30, resume))
    for (let nonce = 0; nonce < 6; nonce++) world.submit(transaction(nonce))
    await world.untilHeight(2, 5_000)
    for (let nonce = 6; nonce < 9; nonce++) {
      world.submit(transaction(nonce))
      await world.untilHeight(nonce - 3, 5_000)
    }
    expect(slow.driver.metrics().dropped).toBe(0)
  })

  it('stops for good when its log fails, and says so', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    world.node(0).log.append = () => Promise.reject(new Error('the disk is gone'))
    world.submit(transaction(0))
    await expect(world.run(5_000)).rejects.toThrow('the disk is gone')
    expect(world.node(0).driver.status().isStopped).toBe(true)
  })

  it('stands aside below a height whose protocol version it does not know, and that is no failure', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    const [old, newer] = [world.node(3), world.nodes.slice(0, 3)]
    for (const node of world.nodes) {
      node.protocol = { changesAt: 4, max: node === old ? 1 : 2 }
      node.kill()
      await node.boot()
    }
    for (let nonce = 0; nonce < 5; nonce++) {
      world.submit(transaction(nonce))
      await world.untilHeight(nonce + 2, 20_000, newer)
    }
    expect(old.driver.status().isStopped).toBe(true)
    expect([2, 3, 4, 5].map((height) => old.hasPrepared(height, 0))).toEqual([true, true, false, false])
    expect(newer.every((node) => !node.driver.status().isStopped)).toBe(true)
    expect(world.monitor.broken).toBeUndefined()
    // A restart finds the same, before any height was begun.
    old.kill()
    await old.boot()
    await world.run(1_000)
    expect(old.driver.status().isStopped).toBe(true)
    expect(world.monitor.broken).toBeUndefined()
  })

  it('says nothing after it was stopped', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    await world.node(0).driver.stop()
    world.submit(transaction(0))
    await world.untilHeight(2, 10_000, world.nodes.slice(1))
    expect(world.node(0).height).toBe(1)
  })
})

describe('consensus over the network', () => {
  it('speaks to validators by their addresses, sends sealed blocks on their own channel, and weighs penalties', () => {
    const peers: ConsensusPeer[] = [
      { id: 'a', address: ALICE, follower: false, head: { number: 5 } },
      { id: 'b', address: BOB, follower: true, head: { number: 6 } },
    ]
    const calls: unknown[][] = []
    const transport = createConsensusTransport({
      network: {
        peers: () => peers,
        send: (id, channel, payload, options) => calls.push(['send', id, channel, payload.length, options?.kind]) > 0,
        onMessage: () => () => undefined,
        onPeer: () => () => undefined,
        penalise: (...call) => void calls.push(['penalise', ...call]),
      },
      encodedBlock: (height) => (height === 4 ? bytes(40) : undefined),
    })
    const seen: unknown[][] = []
    transport.subscribe({ onMessage: () => undefined, onPeerUp: (...peer) => void seen.push(peer) })
    expect(seen).toEqual([[ALICE, 5], [BOB, 6]])
    transport.broadcast(bytes(1), { except: [], kind: 1 })
    transport.broadcast(bytes(2), { except: [ALICE], kind: 1 })
    transport.send(BOB, bytes(3), { kind: 2 })
    transport.send(`0x${'cc'.repeat(20)}`, bytes(3), { kind: 2 })
    transport.sendBlock(ALICE, 4)
    transport.sendBlock(ALICE, 9)
    const error = (code: string) => ({ code }) as CodedError
    transport.penalise(ALICE, error('CONSENSUS_SIGNATURE'))
    transport.penalise(ALICE, error('CONSENSUS_WIRE_VERSION'))
    expect(calls).toEqual([
      ['send', 'a', 'consensus', 1, 1],
      ['send', 'b', 'consensus', 3, 2],
      ['send', 'a', 'blocks', 40, undefined],
      ['penalise', 'a', 'CONSENSUS_SIGNATURE', 50],
      ['penalise', 'a', 'CONSENSUS_WIRE_VERSION', 10],
    ])
  })
})
