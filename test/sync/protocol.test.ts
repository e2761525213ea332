import { decodeBlock } from '@songhua/sdk/protocol/block'
import { systemClock } from '@songhua/node/base/clock'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { createSync, type Sync } from '@songhua/node/services/sync'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, memoryLogger, sleep, startNode, stopAll, until } from '../network/support.js'
import { councilOf, growTo, testChain, type TestChain } from './chain.js'

const council = councilOf([11, 12, 13, 14])
const UPGRADE = 40
const HEIGHT = 60
const SCHEDULE = [{ height: 0, version: 1 }, { height: UPGRADE, version: 2 }]
const syncs: Sync[] = []
let source: TestChain

beforeAll(async () => {
  await installNativeCrypto()
  source = testChain(council)
  await growTo(source, HEIGHT, () => council)
})

afterEach(async () => {
  for (const sync of syncs.splice(0)) sync.stop()
  await stopAll()
})

const headOf = ({ chain }: TestChain) => ({ number: chain.head().header.number, hash: chain.head().hash })

async function syncNode(seed: number, test: TestChain) {
  const node = await startNode({ seed, head: headOf(test) })
  const { logger, lines } = memoryLogger()
  const sync = createSync({ graceMs: 0 }, { network: node.network, chain: test.chain, clock: systemClock, logger, blocks: { encodedBlock: (number) => test.blocks[number] } })
  syncs.push(sync)
  test.chain.onBlock(() => (node.head = headOf(test)))
  sync.start()
  return { node, sync, lines, test }
}

describe('a program that does not know the version of a height', () => {
  it('imports and builds up to the block below, and nothing above', async () => {
    const test = testChain(council)
    // As the blocks go by, the state of one of them schedules the change.
    test.chain.onBlock(() => (test.schedule = test.chain.head().header.number >= 9 ? SCHEDULE : test.schedule))
    expect(test.chain.supportedUpTo()).toBe(Infinity)
    await growTo(test, UPGRADE - 1, () => council)
    expect(test.chain.supportedUpTo()).toBe(UPGRADE - 1)
    const refused = { code: 'CHAIN_PROTOCOL_VERSION', details: { height: UPGRADE, version: 2 } }
    await expect(growTo(test, UPGRADE, () => council)).rejects.toMatchObject(refused)
    await expect(test.chain.importSealed(decodeBlock(source.blocks[UPGRADE]!))).rejects.toMatchObject(refused)
    expect(headOf(test).number).toBe(UPGRADE - 1)
  })

  it('goes by the state after the block below: called off there, the version of the height is the old one', async () => {
    const test = testChain(council)
    test.schedule = SCHEDULE
    await growTo(test, UPGRADE - 2, () => council)
    expect(test.chain.supportedUpTo()).toBe(UPGRADE - 1)
    test.schedule = SCHEDULE.slice(0, 1)
    await growTo(test, UPGRADE + 1, () => council)
    expect(headOf(test).number).toBe(UPGRADE + 1)
  })

  it('syncs up to there, asks for nothing above, takes nothing that is pushed, and is in no trouble', async () => {
    const server = await syncNode(1, source)
    const asked: number[] = []
    const test = testChain(council)
    test.schedule = SCHEDULE
    // A head that was opened with the schedule, as after a restart.
    await growTo(test, 1, () => council)
    const reader = await syncNode(2, test)
    const { network } = reader.node
    const request = network.request.bind(network)
    network.request = (id, body, options) => (asked.push(Date.now()), request(id, body, options))
    await connect(reader.node, server.node)
    await until(() => headOf(test).number === UPGRADE - 1, 'the block below')
    const after = asked.length
    for (const number of [UPGRADE, UPGRADE + 1]) server.node.network.send(network.self.id, 'blocks', source.blocks[number]!)
    await sleep(2_500)
    expect(headOf(test).number).toBe(UPGRADE - 1)
    expect(asked.length).toBe(after)
    expect(reader.sync.trouble()).toBeUndefined()
    expect(reader.sync.isSyncing()).toBe(false)
    expect(reader.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    expect(network.peers()).toHaveLength(1)
  })
})
