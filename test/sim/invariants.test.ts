import { beforeAll, describe, expect, it } from 'vitest'
import type { Block } from '@songhua/sdk/protocol/block'
import { headerWithRound, headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { decodeExtraData, encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { proposerOrder } from '@songhua/sdk/protocol/proposer'
import type { MessageKind } from '@songhua/node/consensus/messages'
import type { ChainHead } from '@songhua/node/services/block-work'
import { CONSENSUS_GAUGES } from '@songhua/node/services/consensus-ports'
import { highSTwin, transaction } from '../consensus/fixture.js'
import { sealed } from '../sync/chain.js'
import { bufferLimits, findOverflow } from './buffers.js'
import { installCachedCrypto } from './cached-crypto.js'
import { BrokenInvariant, INVARIANTS, type Invariant } from './monitor.js'
import { Progress } from './progress.js'
import { findSealFault } from './seals.js'
import type { Speech } from './speech.js'
import { type World, createWorld } from './world.js'

beforeAll(installCachedCrypto)

const OTHER: Hash = `0x${'0a'.repeat(32)}`
const ANOTHER: Hash = `0x${'0b'.repeat(32)}`

/** Four validators, one block. */
async function grownWorld(): Promise<World> {
  const world = await createWorld({ n: 4 })
  await world.untilHeight(1, 5_000)
  await world.run(100)
  expect(world.monitor.height).toBe(1)
  expect(world.monitor.broken).toBeUndefined()
  return world
}

function speak(kind: MessageKind, round: number, digest: Hash | undefined, rest: Partial<Speech> = {}): Speech {
  return { kind, height: 2, round, digest, preparedRound: undefined, coinbase: undefined, ...rest }
}

/** The first block under other seals, as it would be imported. */
async function resealed(seal: (block: Block, world: World) => Block): Promise<World> {
  const world = await grownWorld()
  const first = world.node(0).blocks[1]!
  world.monitor.noteImport('v0', world.node(0).stored.head, seal(first, world))
  return world
}

/** Each promise, and a world in which it is broken: the answer is what the monitor says, or the run throws it. */
const BREACHES: Record<Invariant, () => Promise<World | undefined>> = {
  async 'one-block-per-height'() {
    const world = await grownWorld()
    const { head, blocks } = world.node(1).stored
    world.monitor.noteImport('v1', { ...head, hash: OTHER }, blocks[1]!)
    return world
  },
  'sealed-by-a-quorum': () => resealed((block, world) => sealed(block, world.council, 2)),
  async 'set-of-its-height'() {
    const world = await grownWorld()
    const { head, blocks } = world.node(1).stored
    const { header } = blocks[1]!
    const extraData = encodeExtraData({ ...decodeExtraData(header.extraData), validators: world.council.addresses.slice(1) })
    const second = sealed({ ...blocks[1]!, header: { ...header, number: 2, extraData }, transactions: [] }, world.council)
    world.monitor.noteImport('v1', { ...head, header: second.header, hash: OTHER }, second)
    return world
  },
  async 'valid-blocks-only'() {
    const world = await grownWorld()
    const { head, blocks } = world.node(1).stored
    world.monitor.spoiled.add(head.hash)
    world.monitor.noteImport('v1', head, blocks[1]!)
    return world
  },
  async 'no-double-signing'() {
    const world = await grownWorld()
    const [author] = leadersFirst(world)
    world.monitor.noteSaid(author!, speak('proposal', 0, OTHER, { coinbase: author! }))
    world.monitor.noteSaid(author!, speak('proposal', 0, ANOTHER, { coinbase: author! }))
    return world
  },
  async 'votes-by-the-rules'() {
    const world = await grownWorld()
    world.monitor.noteSaid(world.node(0).address, speak('commit', 0, OTHER))
    return world
  },
  async 'heeds-what-it-hears'() {
    const world = await grownWorld()
    world.node(3).hear = () => undefined
    world.submit(transaction(1))
    await world.run(5_000)
    return undefined
  },
  async 'silent-after-amnesia'() {
    const world = await grownWorld()
    const [author] = leadersFirst(world)
    world.monitor.noteSaid(author!, speak('proposal', 0, OTHER, { coinbase: author! }))
    world.monitor.noteAmnesia(author!)
    world.monitor.noteSaid(author!, speak('proposal', 0, OTHER, { coinbase: author! }))
    return world
  },
  async 'no-needless-silence'() {
    const world = await grownWorld()
    world.node(2).kill()
    // Behind the back of those who keep the accounts.
    world.node(2).disk.restoreLog(undefined)
    await world.node(2).boot()
    return world
  },
  async 'decided-is-kept'() {
    const world = await grownWorld()
    const [leader, next, third] = leadersFirst(world) as [Address, Address, Address]
    const { monitor } = world
    monitor.noteSaid(leader, speak('proposal', 0, OTHER, { coinbase: leader }))
    for (const author of [leader, next, third]) monitor.noteSaid(author, speak('prepare', 0, OTHER))
    for (const author of [leader, next, third]) monitor.noteSaid(author, speak('roundChange', 1, undefined))
    monitor.noteSaid(next, speak('proposal', 1, ANOTHER, { coinbase: next }))
    monitor.noteSaid(third, speak('prepare', 1, ANOTHER))
    expect(monitor.broken).toBeUndefined()
    // Back to the round that they have left.
    for (const author of [leader, next, third]) monitor.noteSaid(author, speak('commit', 0, OTHER))
    return world
  },
  async 'acknowledged-becomes-final'() {
    const world = await grownWorld()
    world.monitor.noteAcknowledged(OTHER)
    await new Progress(world, world.nodes).until('acknowledged-becomes-final', () => world.monitor.owed.length === 0)
    return undefined
  },
  async 'no-transaction-twice'() {
    const world = await grownWorld()
    world.submit(transaction(1))
    await world.untilHeight(2, 5_000)
    const { head, blocks } = world.node(0).stored
    const third: ChainHead = { ...head, header: { ...head.header, number: 3 } }
    world.monitor.noteImport('v0', third, sealedAt3(blocks[2]!, world))
    return world
  },
  async 'no-honest-penalty'() {
    const world = await grownWorld()
    world.node(0).hear(world.node(1).address, Uint8Array.of(1, 2, 3))
    await world.run(100)
    return undefined
  },
  async 'bounded-memory'() {
    const world = await grownWorld()
    const node = world.node(0)
    const gauges = node.driver.gauges()
    node.driver.gauges = () => ({ ...gauges, futureOfOnePeer: 1_000_000 })
    await world.run(60_000)
    return undefined
  },
  async 'progress-after-healing'() {
    const world = await grownWorld()
    for (const at of [2, 3]) world.node(at).kill()
    const living = [world.node(0), world.node(1)]
    world.submit(transaction(1))
    await new Progress(world, living).until('progress-after-healing', () => living.every(({ height }) => height > 1))
    return undefined
  },
  async 'no-fatal-error'() {
    const world = await grownWorld()
    world.node(0).log.append = () => Promise.reject(new Error('the disk is gone'))
    world.submit(transaction(1))
    await world.run(5_000)
    return undefined
  },
}

/** The proposers of height 2, round by round. */
function leadersFirst(world: World): Address[] {
  const { validators, rotation } = world.node(0).chain.head()
  return proposerOrder({ validators, rotation, height: 2 })
}

function sealedAt3(block: Block, world: World): Block {
  return sealed({ ...block, header: { ...block.header, number: 3 } }, world.council)
}

async function breachOf(invariant: Invariant): Promise<BrokenInvariant | undefined> {
  try {
    const world = await BREACHES[invariant]()
    return world?.monitor.broken
  } catch (error) {
    if (error instanceof BrokenInvariant) return error
    throw error
  }
}

describe('the simulator sees each promise broken', () => {
  it.each(INVARIANTS)('%s', async (invariant) => {
    expect((await breachOf(invariant))?.invariant).toBe(invariant)
  })

  it('an invalid block that is voted for, before anybody imports it', async () => {
    const world = await grownWorld()
    const [leader, next] = leadersFirst(world)
    world.monitor.spoiled.add(OTHER)
    world.monitor.noteByzantine(leader!, speak('proposal', 0, OTHER, { coinbase: leader! }))
    world.monitor.noteSaid(next!, speak('prepare', 0, OTHER))
    expect(world.monitor.broken?.invariant).toBe('valid-blocks-only')
  })

  it('a promise, once broken, is not talked over by the next one', async () => {
    const world = await BREACHES['one-block-per-height']()
    world!.monitor.report('no-fatal-error', 'later')
    expect(world!.monitor.broken?.invariant).toBe('one-block-per-height')
  })
})

describe('seals, counted without the node', () => {
  const faultOf = async (change: (seals: Uint8Array[], round: number) => { seals: Uint8Array[]; round?: number }) => {
    const world = await grownWorld()
    const { header } = world.node(0).blocks[1]!
    const { seals, round } = decodeExtraData(header.extraData)
    const changed = change(seals, round)
    return findSealFault(headerWithSeals(headerWithRound(header, changed.round ?? round), changed.seals), world.council.addresses)
  }

  it.each<[string, RegExp | undefined, (seals: Uint8Array[], round: number) => { seals: Uint8Array[]; round?: number }]>([
    ['those of a quorum', undefined, (seals) => ({ seals })],
    ['one too few', /a quorum is 3/, (seals) => ({ seals: seals.slice(1) })],
    ['one twice', /sealed twice/, (seals) => ({ seals: [...seals.slice(0, 2), seals[0]!] })],
    ['one in its high-s form', /high s/, (seals) => ({ seals: [...seals.slice(1), highSTwin(seals[0]!)] })],
    ['those of another round', /no validator/, (seals, round) => ({ seals, round: round + 1 })],
    ['no signature', /no validator/, (seals) => ({ seals: [...seals, new Uint8Array(65)] })],
  ])('%s', async (_what, wanted, change) => {
    const fault = await faultOf(change)
    if (wanted === undefined) expect(fault).toBeUndefined()
    else expect(fault).toMatch(wanted)
  })
})

describe('buffers', () => {
  it.each(CONSENSUS_GAUGES)('%s: its limit passes, one more is found', (gauge) => {
    const surroundings = { peers: 6, validators: 7 }
    const full = bufferLimits(surroundings)
    expect(findOverflow(full, surroundings)).toBeUndefined()
    expect(findOverflow({ ...full, [gauge]: full[gauge] + 1 }, surroundings)).toContain(gauge)
  })
})
