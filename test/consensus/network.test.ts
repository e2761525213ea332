import { beforeAll, describe, expect, it } from 'vitest'
import { blockTimeMs } from '@songhua/sdk/protocol/block-hash'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { transaction } from './fixture.js'
import { createWorld } from '../sim/world.js'

beforeAll(async () => {
  await installNativeCrypto()
})

describe('a backbone in one process', () => {
  it('who hears a key say two things can tell which, and no other', async () => {
    const world = await createWorld({ n: 4, twins: [3] })
    const [first, copy] = [world.node(3), world.node(4)]
    const others = world.nodes.slice(0, 3)
    await world.untilHeight(1, 5_000)
    for (let nonce = 0; nonce < 8; nonce++) {
      world.submit(transaction(2 * nonce), [...others, first])
      world.submit(transaction(2 * nonce + 1), [...others, copy])
      await world.run(3_000)
    }
    const accused = others.flatMap(({ driver }) => [...driver.contradictions().keys()])
    expect(new Set(accused)).toEqual(new Set([first.address]))
    expect(world.monitor.broken).toBeUndefined()
  })

  for (const n of [1, 2, 4, 7]) {
    it(`${n} validators agree, each proposing in turn, one block for each transaction`, async () => {
      const world = await createWorld({ n })
      await world.untilHeight(1, 1_000)
      for (let nonce = 0; nonce < 8; nonce++) {
        world.submit(transaction(nonce))
        await world.untilHeight(nonce + 2, 1_000)
      }
      const proposers = world.node(0).blocks.slice(1).map(({ header }) => header.coinbase)
      expect(new Set(proposers).size).toBe(n)
      expect(world.node(0).blocks.slice(1).every(({ header }) => decodeExtraData(header.extraData).round === 0)).toBe(true)
      expect(world.nodes.flatMap(({ penalties }) => penalties)).toEqual([])
    })
  }

  it('64 validators decide', async () => {
    const world = await createWorld({ n: 64 })
    await world.untilHeight(1, 1_000)
  }, 60_000)

  it('an idle chain makes a heartbeat every emptyBlockPeriodS and sends nothing between', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    await world.run(5_000)
    const { messages } = world
    await world.run(20_000)
    expect(world.messages).toBe(messages)
    await world.untilHeight(3, 60_000)
    const [, first, second] = world.node(0).blocks.slice(1)
    expect(blockTimeMs(second!.header) - blockTimeMs(first!.header)).toBeGreaterThanOrEqual(30_000)
  })

  it('in a healthy network nothing is relayed', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    // Who has just connected is told again what was said before.
    await world.run(50)
    world.messages = 0
    world.submit(transaction(0))
    await world.untilHeight(2, 1_000)
    // One proposal, four prepares, four commits, each to three others.
    expect(world.messages).toBe(27)
  })

  for (const n of [4, 7]) {
    it(`${n} validators go on without a dead proposer, which is skipped after it missed its turn`, async () => {
      const world = await createWorld({ n })
      await world.untilHeight(1, 1_000)
      world.node(1).kill()
      for (let nonce = 0; nonce < 3 * n; nonce++) {
        world.submit(transaction(nonce))
        await world.untilHeight(nonce + 2, 10_000)
      }
      const rounds = world.node(0).blocks.slice(1).map(({ header }) => decodeExtraData(header.extraData).round)
      expect(rounds.filter((round) => round > 0).length).toBeLessThanOrEqual(3)
      expect(rounds).toContain(1)
    })
  }

  it('f + 1 dead validators halt it without a fork; when one is back it goes on', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    world.node(0).kill()
    world.node(1).kill()
    world.submit(transaction(0))
    await world.run(60_000)
    expect(world.alive.map(({ height }) => height)).toEqual([1, 1])
    await world.node(0).boot()
    await world.untilHeight(2, 60_000)
  })

  it('two halves of a cut network stand still, and meet in one round when it heals', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    world.links = { ...world.links, passes: (from, to) => from % 2 === to % 2 }
    world.submit(transaction(0))
    await world.run(90_000)
    expect(world.nodes.every(({ height }) => height === 1)).toBe(true)
    world.links = { ...world.links, passes: () => true }
    await world.untilHeight(2, 45_000)
  })

  it('one that timed out alone for long, while another is dead, meets the others in one round again', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    world.node(3).kill()
    world.links = { ...world.links, passes: (from, to) => from !== 0 && to !== 0 }
    world.submit(transaction(0), [world.node(0)])
    await world.run(3_600_000)
    expect(world.node(0).driver.status().round).toBe(1)
    world.links = { ...world.links, passes: () => true }
    await world.untilHeight(2, 20_000)
  })

  it('votes reach a validator whose direct links are down, by relay', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    // A ring: nobody hears the one opposite.
    world.links = { ...world.links, passes: (from, to) => Math.abs(from - to) !== 2 }
    for (let nonce = 0; nonce < 6; nonce++) {
      world.submit(transaction(nonce))
      await world.untilHeight(nonce + 2, 1_000)
    }
    const rounds = world.node(0).blocks.slice(1).map(({ header }) => decodeExtraData(header.extraData).round)
    expect(rounds.every((round) => round === 0)).toBe(true)
  })

  for (const [n, loss] of [[4, 0.2], [7, 0.2], [4, 0.5]] as const) {
    it(`${n} validators decide over links that lose ${loss * 100} % of all messages`, async () => {
      const world = await createWorld({ n, seed: n, links: { loss, delayMs: { min: 1, max: 40 } }, syncGraceMs: 300 })
      for (let nonce = 0; nonce < 10; nonce++) {
        world.submit(transaction(nonce))
        await world.untilHeight(nonce + 1, 120_000)
      }
      expect(world.nodes.flatMap(({ penalties }) => penalties)).toEqual([])
    })
  }

  it('a validator that was cut off is answered with the sealed block, without any sync', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    world.links = { ...world.links, passes: (from, to) => to !== 3 || from === 3 }
    world.submit(transaction(0))
    await world.untilHeight(2, 10_000, world.nodes.slice(0, 3))
    await world.run(3_000)
    expect(world.node(3).height).toBe(1)
    world.links = { ...world.links, passes: () => true }
    await world.untilHeight(2, 10_000)
  })

  it('a transaction that only one node holds reaches the others with its round change', async () => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 1_000)
    // Not the one whose turn it is.
    const idle = world.nodes.find(({ address }) => address !== world.council.addresses[1])!
    world.submit(transaction(0), [idle])
    await world.untilHeight(2, 10_000)
    expect(world.node(0).blocks[2]!.transactions).toHaveLength(1)
  })

  it('a follower without a key decides with the others', async () => {
    const world = await createWorld({ n: 4, followers: 1 })
    await world.untilHeight(1, 1_000)
    world.submit(transaction(0))
    await world.untilHeight(2, 10_000)
    expect(world.node(4).driver.status()).toMatchObject({ isVoter: false, height: 3 })
  })
})

describe('restarts and lost logs', () => {
  it.each([[4, 12], [7, 4]])('%i validators killed again and again, at any moment, never fork and always resume', async (n, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const world = await createWorld({ n, seed, diskMs: 2, links: { delayMs: { min: 1, max: 30 }, loss: 0.05 }, syncGraceMs: 200 })
      for (let turn = 0; turn < 12; turn++) {
        world.submit(transaction(turn))
        await world.run(Math.floor(world.random.next() * 150))
        const victims = world.nodes.filter(() => world.random.next() < 0.6)
        for (const node of victims) node.kill()
        await world.run(Math.floor(world.random.next() * 50))
        for (const node of victims) void node.boot()
      }
      const height = Math.max(...world.nodes.map((node) => node.height))
      world.submit(transaction(99))
      await world.untilHeight(height + 1, 120_000)
      expect(world.nodes.every((node) => !node.driver.status().isSilent)).toBe(true)
    }
  })

  it('one that lost its log keeps silent until the chain has passed what it may have signed', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    const victim = world.node(2)
    victim.kill()
    victim.loseLog('missing')
    await victim.boot()
    expect(victim.driver.status().isSilent).toBe(true)
    for (let nonce = 0; nonce < 5; nonce++) {
      world.submit(transaction(nonce))
      await world.untilHeight(nonce + 2, 20_000)
      // Heads were at 1 when it asked: it may vote on height 4, and not before.
      await world.run(1)
      expect(victim.driver.status().isSilent).toBe(victim.height < 3)
    }
    const sealed = world.node(0).blocks.slice(1, 4)
    expect(sealed.slice(1).every(({ header }) => header.coinbase !== victim.address)).toBe(true)
  })

  it('one that fetches blocks while its log is slow is not silent after a crash: the store waits for the log', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    const late = world.node(3)
    world.links = { ...world.links, passes: (from, to) => from !== 3 && to !== 3 }
    for (let nonce = 0; nonce < 8; nonce++) {
      world.submit(transaction(nonce), world.nodes.slice(0, 3))
      await world.untilHeight(nonce + 2, 20_000, world.nodes.slice(0, 3))
    }
    const startEpoch = late.log.startEpoch.bind(late.log)
    late.log.startEpoch = async (height, records) => {
      await new Promise<void>((resume) => world.clock.after(300, resume))
      await startEpoch(height, records)
    }
    world.links = { ...world.links, passes: () => true }
    await world.run(1_500)
    expect(late.height).toBeGreaterThan(2)
    expect(late.height).toBeLessThan(9)
    late.kill()
    await late.boot()
    expect(late.driver.status().isSilent).toBe(false)
  })

  it('one that dies while silent is silent when it comes back, though its new log is whole', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    const victim = world.node(2)
    victim.kill()
    victim.loseLog('damaged')
    await victim.boot()
    world.submit(transaction(0))
    await world.untilHeight(2, 20_000)
    victim.kill()
    await victim.boot()
    expect(victim.log.status).toBe('ok')
    expect(victim.driver.status().isSilent).toBe(true)
  })

  it('more than f silent validators halt the chain rather than risk a fork', async () => {
    const world = await createWorld({ n: 4, syncGraceMs: 100 })
    await world.untilHeight(1, 1_000)
    for (const node of [world.node(0), world.node(1)]) {
      node.kill()
      node.loseLog('missing')
      await node.boot()
    }
    world.submit(transaction(0))
    await world.run(60_000)
    expect(world.nodes.map(({ height }) => height)).toEqual([1, 1, 1, 1])
  })
})
