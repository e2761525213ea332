import { beforeAll, describe, expect, it } from 'vitest'
import { blockHash, blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { verifySeals } from '@songhua/sdk/protocol/seals'
import { INBOX_PEER_MESSAGES_MAX } from '@songhua/node/services/consensus-inbox'
import { installCachedCrypto } from '../sim/cached-crypto.js'
import { type World, createWorld } from '../sim/world.js'
import { Cast, TIMING, transaction } from './fixture.js'

/** Incidents of other chains that need a network; those of one machine among scripted peers are in incidents.test.ts. */

beforeAll(async () => {
  await installCachedCrypto()
})

const roundsOf = (world: World, at: number, from: number): number[] =>
  world.node(at).blocks.slice(from).map(({ header }) => decodeExtraData(header.extraData).round)

describe('restarts and sync', () => {
  it('Besu #8307 #8308: a restarted validator that caught up by sync votes on, and its vote is enough', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    world.node(3).kill()
    for (let nonce = 0; nonce < 5; nonce++) {
      world.submit(transaction(nonce))
      await world.untilHeight(nonce + 2, 10_000)
    }
    await world.node(3).boot()
    world.submit(transaction(5))
    await world.untilHeight(7, 10_000)
    // Without one of the others nothing is decided but with the vote of the one that came back.
    world.node(0).kill()
    world.submit(transaction(6))
    await world.untilHeight(8, 10_000)
    expect(world.node(3).driver.status()).toMatchObject({ isVoter: true, height: 9 })
  })

  it('Besu #7657: a validator that is behind puts no block of its own in the place of a sealed one', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 5_000 })
    await world.untilHeight(1, 1_000)
    world.links = { ...world.links, passes: (from, to) => from !== 3 && to !== 3 }
    for (let nonce = 0; nonce < 6; nonce++) {
      world.submit(transaction(nonce))
      await world.untilHeight(nonce + 2, 10_000, world.nodes.slice(0, 3))
    }
    // Alone with its work it goes through rounds, its own turns among them, and speaks while it is being brought up.
    await world.run(20_000)
    expect(world.node(3).height).toBe(1)
    world.links = { ...world.links, passes: () => true }
    world.submit(transaction(6))
    await world.untilHeight(8, 20_000)
    const hashes = world.nodes.map(({ blocks }) => blocks.slice(1).map(({ header }) => blockHash(header)))
    expect(hashes).toEqual(Array(4).fill(hashes[0]))
    expect(world.nodes.flatMap(({ penalties }) => penalties)).toEqual([])
  })

  it('Besu #7204 #7631: a block that was prepared and not decided is not in the chain after a restart, and is decided later', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    world.links = { ...world.links, passes: (_from, _to, kind) => kind !== 'commit' }
    world.submit(transaction(0))
    await world.run(500)
    for (const node of world.nodes) node.kill()
    for (const node of world.nodes) await node.boot()
    expect(world.nodes.map(({ height, blocks }) => [height, blocks.length])).toEqual(Array(4).fill([1, 2]))
    world.links = { ...world.links, passes: () => true }
    await world.untilHeight(2, 10_000)
    // The pools died with their nodes: the transaction can only have come from the logs.
    const [, , block] = world.node(0).blocks
    expect(block!.transactions.map(({ hash }) => hash)).toEqual([transaction(0).hash])
    verifySeals(block!.header, world.council.addresses)
  })
})

describe('one slow part does not stop the rest', () => {
  it('go-ibft #94: a decided block that takes long to be stored starts neither a round nor the next height', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    for (const node of world.nodes) node.beforeCommit = () => new Promise<void>((resume) => world.clock.after(9_000, resume))
    world.submit(transaction(0))
    await world.run(8_000)
    expect(world.nodes.map(({ driver }) => driver.status())).toMatchObject(Array(4).fill({ height: 2, round: 0 }))
    expect(world.nodes.map(({ driver }) => driver.metrics()['roundChanges'])).toEqual([0, 0, 0, 0])
    await world.untilHeight(2, 2_000)
    for (const node of world.nodes) node.beforeCommit = () => Promise.resolve()
    world.submit(transaction(1))
    await world.untilHeight(3, 1_000)
  })

  it('Besu, own reading: a timer that fires while messages are being dropped is not dropped with them', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    const victim = world.node(2)
    const prepare = new Cast(4).prepare(3, 7, new Cast(4).block(0))
    world.links = { ...world.links, passes: (from, to) => from !== 2 && to !== 2 }
    // Its disk hangs at the first record of the next round, and the round's timer fires meanwhile.
    const append = victim.log.append.bind(victim.log)
    victim.log.append = async (payload) => {
      await new Promise<void>((resume) => world.clock.after(2 * TIMING.roundTimeoutCapMs, resume))
      await append(payload)
    }
    world.submit(transaction(0), [victim])
    await world.run(TIMING.roundTimeoutMs + 500)
    for (let at = 0; at < 3 * INBOX_PEER_MESSAGES_MAX; at++) victim.hear(world.node(3).address, prepare.bytes)
    // By the peer's rate or by its share of the queue.
    const { dropped = 0, limited = 0, waiting } = victim.driver.metrics()
    expect(dropped + limited).toBeGreaterThan(INBOX_PEER_MESSAGES_MAX)
    expect(waiting).toBeGreaterThan(0)
    const sent = world.messages
    await world.run(2 * TIMING.roundTimeoutCapMs)
    // The round change came out, and is said again and again: no timer of it was lost.
    expect(victim.driver.status().round).toBe(1)
    await world.run(TIMING.roundTimeoutCapMs)
    expect(world.messages - sent).toBeGreaterThan(3 * 4)
  })

  it('Besu #10917: heartbeats come in time whatever comes between, and a transaction does not wait for one', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    const periodMs = TIMING.emptyBlockPeriodS * 1000
    for (let turn = 0; turn < 6; turn++) {
      const { height } = world.node(0)
      world.submit(transaction(turn))
      await world.untilHeight(height + 1, 1_000)
      await world.untilHeight(height + 2, periodMs + 1_000)
    }
    const times = world.node(0).blocks.slice(1).map(({ header }) => blockTimeMs(header))
    const gaps = times.slice(1).map((time, at) => time - times[at]!)
    const heartbeats = gaps.filter((_gap, at) => world.node(0).blocks[at + 2]!.transactions.length === 0)
    expect(heartbeats).toEqual(Array(6).fill(periodMs))
    expect(new Set(roundsOf(world, 0, 1))).toEqual(new Set([0]))
  })
})
