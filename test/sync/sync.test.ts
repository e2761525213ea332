import { decodeBlock, encodeBlock } from '@songhua/sdk/protocol/block'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { systemClock } from '@songhua/node/base/clock'
import { createSync, type Sync, type SyncOptions } from '@songhua/node/services/sync'
import { ANSWER_BYTES_MAX, decodeRangeRequest, encodeRangeAnswer, encodeRangeRequest } from '@songhua/node/services/sync-messages'
import { createBlockServer } from '@songhua/node/services/sync-server'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  bootnodeOf, connect, memoryLogger, sleep, startNode, stopAll, type TestNode, until,
} from '../network/support.js'
import { councilOf, growTo, headHash, sealed, testChain, type TestChain } from './chain.js'

const council = councilOf([11, 12, 13, 14])
const later = councilOf([12, 13, 14, 15, 16])
/** From block 100 on another council seals. */
const CHANGE = { height: 100, council: later }
const councilAt = (number: number) => (number > CHANGE.height ? later : council)
const HEIGHT = 300

let source: TestChain
const syncs: Sync[] = []

beforeAll(async () => {
  await installNativeCrypto()
  source = testChain(council, CHANGE)
  await growTo(source, HEIGHT, councilAt)
})

afterEach(async () => {
  for (const sync of syncs.splice(0)) sync.stop()
  await stopAll()
})

interface SyncNode extends TestNode {
  sync: Sync
  test: TestChain
  log: ReturnType<typeof memoryLogger>['lines']
}

const headOf = (test: TestChain) => ({ number: test.chain.head().header.number, hash: test.chain.head().hash })

async function syncNode(seed: number, test: TestChain, options: Partial<SyncOptions> = {}): Promise<SyncNode> {
  const node = await startNode({ seed, head: headOf(test) })
  const { logger, lines } = memoryLogger()
  const sync = createSync(
    { graceMs: 0, ...options },
    {
      network: node.network,
      chain: test.chain,
      blocks: { encodedBlock: (number) => test.blocks[number] },
      clock: systemClock,
      logger,
    },
  )
  syncs.push(sync)
  test.chain.onBlock(() => (node.head = headOf(test)))
  sync.start()
  return Object.assign(node, { sync, test, log: lines })
}

/** A peer that claims the whole chain and answers as it likes. */
async function strangePeer(seed: number, answer: (from: number, count: number) => Promise<Uint8Array> | Uint8Array) {
  const node = await startNode({ seed, head: headOf(source) })
  const asked: number[] = []
  node.network.onRequest(async (_peer, body) => {
    const { from, count } = decodeRangeRequest(body)
    asked.push(from)
    return answer(from, count)
  })
  return Object.assign(node, { asked })
}

const rangeOf = (from: number, count: number): Uint8Array[] => source.blocks.slice(from, from + count)
const caughtUp = (node: SyncNode) => () => headHash(node.test) === headHash(source)

describe('sync', () => {
  it('brings a fresh node to the head, across a change of validators, in order, each block once', async () => {
    const server = await syncNode(1, source)
    const progress: { from: number; to: number; current: number }[] = []
    const fresh = await syncNode(2, testChain(council, CHANGE), { onProgress: (one) => progress.push(one) })
    fresh.network.addBootnode(bootnodeOf(server))
    await until(() => fresh.sync.isSyncing() !== false, 'syncing to be reported')
    expect(fresh.sync.isSyncing()).toMatchObject({ startingBlock: 0, highestBlock: HEIGHT })
    await until(caughtUp(fresh), 'the fresh node to catch up')
    expect(fresh.test.executed).toEqual(Array.from({ length: HEIGHT }, (_, i) => i + 1))
    // 64 blocks a request: none was fetched twice.
    expect(server.network.metrics()['requests_in']).toBe(Math.ceil(HEIGHT / 64))
    expect(progress.at(-1)).toEqual({ from: 1, to: HEIGHT, current: HEIGHT })
    expect(fresh.test.blocks.slice(1)).toEqual(source.blocks.slice(1))
    await until(() => fresh.sync.isSyncing() === false)
  })

  it('goes on from where it was after a restart', async () => {
    const server = await syncNode(1, source)
    const test = testChain(council, CHANGE)
    const first = await syncNode(2, test)
    await connect(first, server)
    await until(() => headOf(test).number > 50)
    first.sync.stop()
    await first.network.stop()
    const reached = headOf(test).number
    const second = await syncNode(3, test)
    await connect(second, server)
    await until(caughtUp(second))
    expect(test.executed.filter((number) => number <= reached).length).toBe(reached)
    expect(new Set(test.executed).size).toBe(HEIGHT)
  })

  it('follows new heads as they are announced', async () => {
    const growing = testChain(council, CHANGE)
    const server = await syncNode(1, growing)
    const follower = await syncNode(2, testChain(council, CHANGE))
    await connect(follower, server)
    for (let height = 1; height <= 5; height++) {
      await growTo(growing, height, councilAt)
      await until(() => headHash(follower.test) === headHash(growing), `block ${height} to arrive`)
    }
  })

  it('leaves the next block to consensus for the time of grace', async () => {
    const growing = testChain(council, CHANGE)
    const server = await syncNode(1, growing)
    const validator = await syncNode(2, testChain(council, CHANGE), { graceMs: 400 })
    await connect(validator, server)
    await growTo(growing, 1, councilAt)
    await sleep(150)
    expect(headOf(validator.test).number).toBe(0)
    await until(() => headOf(validator.test).number === 1)
  })

  it('catches up from an honest peer among one that lies, one that stalls and one that sends nothing', async () => {
    const stranger = councilOf([21, 22, 23, 24])
    const forged = (number: number): Uint8Array => {
      const block = decodeBlock(source.blocks[number]!)
      return encodeBlock(sealed(block, stranger))
    }
    const liar = await strangePeer(3, (from, count) =>
      encodeRangeAnswer(rangeOf(from, count).map((_, index) => forged(from + index))),
    )
    const staller = await strangePeer(4, () => new Promise(() => undefined))
    const empty = await strangePeer(5, () => encodeRangeAnswer([]))
    const honest = await syncNode(1, source)
    const fresh = await syncNode(2, testChain(council, CHANGE))
    for (const peer of [liar, staller, empty]) await connect(fresh, peer)
    await until(() => liar.asked.length > 0 && staller.asked.length > 0 && empty.asked.length > 0, 'all to be asked')
    await connect(fresh, honest)
    await until(caughtUp(fresh), 'the node to catch up')
    expect(fresh.log.some(({ message }) => message.includes('not of this chain'))).toBe(true)
    expect(fresh.network.metrics()['penalties']).toBeGreaterThan(1)
    expect(new Set(fresh.test.executed).size).toBe(HEIGHT)
  })

  it.each([
    ['a body that is not the header\'s', (from: number, count: number) => {
      const other = decodeBlock(source.blocks[5]!).transactions
      return rangeOf(from, count).map((block) => encodeBlock({ ...decodeBlock(block), transactions: other }))
    }],
    ['too few seals', (from: number, count: number) =>
      rangeOf(from, count).map((block, index) => encodeBlock(sealed(decodeBlock(block), councilAt(from + index), 2)))],
    ['another range', (from: number, count: number) => rangeOf(from + 1, count)],
    ['more than was asked for', (from: number, count: number) => rangeOf(from, count + 20)],
    ['garbage', () => [new Uint8Array([0xc3, 1, 2, 3])]],
  ])('imports nothing of a peer that sends %s, and blames it', async (_what, answer) => {
    const liar = await strangePeer(3, (from, count) => encodeRangeAnswer(answer(from, count)))
    const fresh = await syncNode(2, testChain(council, CHANGE))
    fresh.network.addBootnode(bootnodeOf(liar))
    await until(() => (fresh.network.metrics()['penalties'] ?? 0) > 0, 'the liar to be blamed')
    expect(headOf(fresh.test).number).toBe(0)
    expect(fresh.test.executed).toEqual([])
  })

  it.each([
    ['that is no list of blocks', () => new Uint8Array([0x81, 0x99])],
    ['that is longer than any honest one', () => new Uint8Array(ANSWER_BYTES_MAX + 1)],
    ['that is a list longer than any honest one', (from: number, count: number) => {
      const filler = Array.from({ length: 2 }, () => encodeRlp(new Uint8Array(ANSWER_BYTES_MAX / 2)))
      return encodeRangeAnswer([...rangeOf(from, count - 2), ...filler])
    }],
  ])('blames a peer for an answer %s', async (_what, answer) => {
    const liar = await strangePeer(3, answer)
    const fresh = await syncNode(2, testChain(council, CHANGE))
    fresh.network.addBootnode(bootnodeOf(liar))
    await until(() => (fresh.network.metrics()['penalties_sync_bad_block'] ?? 0) > 0, 'the liar to be blamed')
    expect(fresh.sync.metrics()['bad_block']).toBeGreaterThan(0)
    expect(fresh.test.executed).toEqual([])
  })

  it('takes what a peer that sends one block at a time sends, and counts it against it', async () => {
    const dripper = await strangePeer(3, (from) => encodeRangeAnswer(rangeOf(from, 1)))
    const honest = await syncNode(1, source)
    const fresh = await syncNode(2, testChain(council, CHANGE))
    await connect(fresh, dripper)
    await connect(fresh, honest)
    await until(caughtUp(fresh))
    expect(fresh.network.metrics()['penalties_sync_short']).toBeGreaterThan(0)
    expect(new Set(fresh.test.executed).size).toBe(HEIGHT)
  })

  it('does not say that it is syncing because of a head that nobody hands out', async () => {
    const boaster = await startNode({ seed: 3, head: { number: 2 ** 53 - 1, hash: `0x${'99'.repeat(32)}` } })
    boaster.network.onRequest(() => Promise.reject(new Error('there is no such block')))
    const honest = await syncNode(1, source)
    const node = await syncNode(2, source)
    await connect(node, honest)
    await connect(node, boaster)
    const refused = (): number => node.sync.metrics()['refused'] ?? 0
    await until(() => refused() > 0, 'the boaster to be asked')
    const before = refused()
    expect([node.sync.highestBlock(), node.sync.isSyncing()]).toEqual([HEIGHT, false])
    await until(() => refused() > before, 'the boaster to be asked again')
    expect([node.sync.highestBlock(), node.sync.isSyncing()]).toEqual([HEIGHT, false])
  })

  it('is not misled by a head that nobody can prove', async () => {
    const boaster = await startNode({ seed: 3, head: { number: 1_000_000, hash: `0x${'99'.repeat(32)}` } })
    boaster.network.onRequest((_peer, body) => {
      const { from, count } = decodeRangeRequest(body)
      if (from > HEIGHT) throw new Error('there is no such block')
      return Promise.resolve(encodeRangeAnswer(rangeOf(from, count)))
    })
    const honest = await syncNode(1, source)
    const fresh = await syncNode(2, testChain(council, CHANGE))
    await connect(fresh, boaster)
    await connect(fresh, honest)
    await until(caughtUp(fresh))
    await until(() => fresh.sync.isSyncing() === false, 'the claim to be put aside')
  })

  it('does not blame the peer when the import fails here, and tries again', async () => {
    const server = await syncNode(1, source)
    const test = testChain(council, CHANGE)
    test.fault = new Error('the disk is full')
    const fresh = await syncNode(2, test)
    await connect(fresh, server)
    await until(() => fresh.log.some(({ fields }) => fields['error'] === 'the disk is full'))
    expect(fresh.network.metrics()['penalties']).toBeUndefined()
    expect(headOf(test).number).toBe(0)
    test.fault = undefined
    await until(caughtUp(fresh), 'the retry')
  })

  it('takes a sealed block that is pushed to it, and blames whoever pushes another', async () => {
    const node = await syncNode(2, testChain(council, CHANGE))
    const pusher = await startNode({ seed: 1 })
    await connect(node, pusher)
    pusher.network.send(node.network.self.id, 'blocks', source.blocks[1]!)
    await until(() => headOf(node.test).number === 1)
    pusher.network.send(node.network.self.id, 'blocks', source.blocks[1]!)
    pusher.network.send(node.network.self.id, 'blocks', source.blocks[9]!)
    await sleep(100)
    expect(node.network.metrics()['penalties']).toBeUndefined()
    const forged = encodeBlock(sealed(decodeBlock(source.blocks[2]!), councilOf([21, 22, 23, 24])))
    pusher.network.send(node.network.self.id, 'blocks', forged)
    await until(() => node.network.metrics()['penalties'] === 1)
    expect(headOf(node.test).number).toBe(1)
  })
})

describe('block server', () => {
  /** Time passes only when somebody waits for it. */
  const clock = {
    ms: 0,
    now: () => clock.ms,
    after(delayMs: number, run: () => void) {
      clock.ms += delayMs
      queueMicrotask(run)
      return () => undefined
    },
  }
  const serverOf = (blocks: (number: number) => Uint8Array | undefined) =>
    createBlockServer({ blocks: { encodedBlock: blocks }, clock })

  it('ends an answer at its bytes, with one block at least', async () => {
    const large = new Uint8Array(3 * 1024 * 1024).fill(0x01)
    large.set([0xba, 0x2f, 0xff, 0xfc])
    const server = serverOf((number) => (number < 50 ? large : undefined))
    const answer = await server.answer('a', encodeRangeRequest({ from: 1, count: 100 }))
    expect(answer.length).toBeGreaterThan(6 * 1024 * 1024)
    expect(answer.length).toBeLessThan(7 * 1024 * 1024)
  })

  it.each([
    ['SYNC_RANGE_UNKNOWN', encodeRangeRequest({ from: 1000, count: 1 })],
    ['SYNC_REQUEST_INVALID', encodeRangeRequest({ from: 1, count: 0 })],
    ['SYNC_REQUEST_INVALID', encodeRangeRequest({ from: 1, count: 129 })],
    ['RLP_TRUNCATED', new Uint8Array([0xc9, 1])],
    ['SYNC_REQUEST_INVALID', new Uint8Array([0xc3, 9, 1, 1])],
  ])('refuses with %s', async (code, body) => {
    const server = serverOf((number) => source.blocks[number])
    await expect(server.answer('a', body)).rejects.toMatchObject({ code })
    expect(server.metrics().served_refused).toBe(1)
  })

  it('paces what one peer is sent, and all together, whatever they ask for', async () => {
    const mebibyte = 1024 * 1024
    const block = encodeRlp(new Uint8Array(4 * mebibyte))
    const ask = (peers: readonly string[], server = serverOf(() => block)) =>
      Promise.all(peers.map((peer) => server.answer(peer, encodeRangeRequest({ from: 1, count: 1 }))))
    clock.ms = 0
    await ask(Array.from({ length: 32 }, () => 'a'))
    // 64 MiB at once, then 16 MiB a second.
    expect(clock.ms).toBeGreaterThan(3_500)
    expect(clock.ms).toBeLessThan(4_500)
    clock.ms = 0
    await ask(Array.from({ length: 64 }, (_, index) => `peer ${index}`))
    // 128 MiB at once, then 32 MiB a second.
    expect(clock.ms).toBeGreaterThan(3_500)
    expect(clock.ms).toBeLessThan(4_500)
  })

  it('limits the requests of one peer, and not those of another', async () => {
    const server = serverOf((number) => source.blocks[number])
    const body = encodeRangeRequest({ from: 1, count: 1 })
    for (let i = 0; i < 60; i++) await server.answer('a', body)
    await expect(server.answer('a', body)).rejects.toMatchObject({ code: 'SYNC_TOO_MANY_REQUESTS' })
    await server.answer('b', body)
    clock.ms += 1000
    await server.answer('a', body)
  })
})
