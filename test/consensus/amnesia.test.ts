import { beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { installCachedCrypto } from '../sim/cached-crypto.js'
import type { SimulatedNode } from '../sim/node.js'
import { councilTransaction } from '../sim/register.js'
import { type World, createWorld } from '../sim/world.js'
import { transaction } from './fixture.js'

beforeAll(installCachedCrypto)

/** One validator whose last block but one makes four of it; the three new ones are down and have heard of nothing. */
async function grownFromOne(): Promise<{ world: World; founder: SimulatedNode; late: SimulatedNode[]; witness: SimulatedNode }> {
  const world = await createWorld({ n: 1, spares: 3, followers: 1, members: [0] })
  const [founder, second, third, fourth, witness] = world.nodes
  const late = [second!, third!, fourth!]
  for (const node of late) node.kill()
  for (let nonce = 0; nonce < 3; nonce++) {
    world.submit(transaction(nonce), [founder!])
    await world.run(500)
  }
  const validators = [0, 1, 2, 3].map((at) => world.council.addresses[at]!)
  world.submit(councilTransaction({ kind: 'change', notice: 1, validators }, 50), [founder!])
  await world.run(3_000)
  expect(founder!.chain.head().validators).toHaveLength(4)
  expect(founder!.chain.head().sealers).toHaveLength(1)
  return { world, founder: founder!, late, witness: witness! }
}

describe('DESIGN, Amnesia, where the set changes', () => {
  it('new validators that lag behind do not end the silence of one that has signed above them', async () => {
    const { world, founder, late, witness } = await grownFromOne()
    const decided = founder.height
    await witness.fetchFrom(founder)
    world.submit(transaction(10), [founder])
    await world.run(5_000)
    founder.kill('power')
    founder.loseLog('missing')
    await founder.boot()
    for (const node of late) await node.boot()
    await world.run(1_000)
    for (const node of late) expect(node.height).toBeLessThan(decided - 1)
    world.submit(transaction(11), [founder])
    await world.run(10_000)
    expect(world.monitor.broken).toBeUndefined()
    expect(founder.driver.status().isSilent).toBe(true)
  })

  it('nor of one that comes back with an older store and fetches the block by which the set changed', async () => {
    const { world, founder, late, witness } = await grownFromOne()
    const decided = founder.height
    await witness.fetchFrom(founder)
    // Says something at the height above.
    world.submit(transaction(10), [founder])
    await world.run(5_000)
    const backup = witness.stored.parent!
    founder.kill('power')
    const register = { current: backup.validators, pending: [] }
    founder.restoreStore({ head: backup, parent: undefined, blocks: witness.blocks.slice(0, decided), register })
    founder.loseLog('missing')
    await founder.boot()
    for (const node of late) await node.boot()
    await world.run(1_000)
    await founder.fetchFrom(witness)
    expect(founder.height).toBe(decided)
    world.submit(transaction(11), [founder])
    await world.run(10_000)
    expect(world.monitor.broken).toBeUndefined()
    expect(founder.driver.status().isSilent).toBe(true)
  })
})

describe('a block whose check fails', () => {
  const penaltiesAfter = async (code: string): Promise<string[]> => {
    const world = await createWorld({ n: 4 })
    await world.untilHeight(1, 5_000)
    const node = world.node(0)
    // It does what no honest node does: it blames one.
    node.isHonest = false
    node.chain.check = () => Promise.reject(new CodedError(code, 'the test says so'))
    world.submit(transaction(1))
    await world.run(20_000)
    return node.penalties.map((error) => error.code)
  }

  it('for what is wrong with this node’s own store is nobody else’s fault', async () => {
    for (const code of ['STORE_INCONSISTENT', 'TRIE_NODE_INVALID']) expect(await penaltiesAfter(code)).toEqual([])
  })

  it('for what it is is its proposer’s', async () => {
    expect(new Set(await penaltiesAfter('BLOCK_RESULT'))).toEqual(new Set(['CONSENSUS_BLOCK_INVALID']))
  })
})
