import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hexToBytes, type Address } from '@songhua/sdk/protocol/bytes'
import { id as selectorHash } from 'ethers'
import type { Clock } from '@songhua/node/base/clock'
import { ask, callData, compileProbe, createFixtureChain, result, type FixtureChain } from './fixture-chain.js'

/** A clock that stands until it is told. */
function handClock(): Clock & { advance(ms: number): void } {
  let nowMs = 1_000
  let timers: { atMs: number; run: () => void }[] = []
  return {
    now: () => nowMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + delayMs, run }
      timers.push(timer)
      return () => void (timers = timers.filter((one) => one !== timer))
    },
    advance(ms) {
      nowMs += ms
      const due = timers.filter(({ atMs }) => atMs <= nowMs)
      timers = timers.filter(({ atMs }) => atMs > nowMs)
      for (const { run } of due) run()
    },
  }
}

let chain: FixtureChain
let url: string
let probe: Address
const clock = handClock()
const STORE_MANY = selectorHash('storeMany(uint256)').slice(0, 10)
const minutes = (count: number): number => count * 60_000

beforeAll(async () => {
  chain = await createFixtureChain()
  ;({ url } = await chain.serve({ clock, limits: { filtersMax: 5, filterHashesMax: 3, logResultsMax: 4 } }))
  const deploy = await chain.send({ to: undefined, data: hexToBytes(compileProbe().bytecode), gasLimit: 3_000_000n })
  await chain.mine()
  probe = (await result<{ contractAddress: Address }>(url, 'eth_getTransactionReceipt', [deploy.hash])).contractAddress
}, 60_000)
afterAll(() => chain.stop())

const emit = async (count: bigint): Promise<void> => {
  await chain.send({ to: probe, data: callData(STORE_MANY, count) })
  await chain.mine()
}
const changes = (id: string): Promise<unknown[]> => result(url, 'eth_getFilterChanges', [id])
const end = (id: string): Promise<unknown> => result(url, 'eth_uninstallFilter', [id])

describe('filters', () => {
  it('collect logs between polls, each once; eth_getFilterLogs gives them all', async () => {
    const id = await result<string>(url, 'eth_newFilter', [{ fromBlock: '0x0', address: probe }])
    expect(await changes(id)).toEqual([])
    await emit(2n)
    await emit(1n)
    expect(await changes(id)).toHaveLength(3)
    expect(await changes(id)).toEqual([])
    await emit(1n)
    expect(await changes(id)).toHaveLength(1)
    await end(id)
  })

  it('lose nothing when more came than one answer holds', async () => {
    const id = await result<string>(url, 'eth_newFilter', [{ address: probe }])
    for (let count = 0; count < 4; count++) await emit(3n)
    const seen: number[] = []
    for (let page = await changes(id); page.length > 0; page = await changes(id)) seen.push(page.length)
    expect(seen).toEqual([6, 6])
    await end(id)
  })

  it('end at toBlock and begin at fromBlock', async () => {
    const next = chain.head().number + 1
    const id = await result<string>(url, 'eth_newFilter', [
      { fromBlock: `0x${(next + 1).toString(16)}`, toBlock: `0x${(next + 1).toString(16)}` },
    ])
    await emit(1n)
    expect(await changes(id)).toEqual([])
    await emit(2n)
    await emit(1n)
    expect(await changes(id)).toHaveLength(2)
    expect(await changes(id)).toEqual([])
    await end(id)
  })

  it('collect block hashes', async () => {
    const id = await result<string>(url, 'eth_newBlockFilter')
    await chain.mine()
    await chain.mine()
    expect(await changes(id)).toEqual([chain.ports.chain.hashAt(chain.head().number - 1), chain.head().hash])
    expect(await changes(id)).toEqual([])
    await end(id)
  })

  it('collect transactions, and say so when there were too many', async () => {
    const id = await result<string>(url, 'eth_newPendingTransactionFilter')
    const sent = [await chain.send(), await chain.send()]
    expect(await changes(id)).toEqual(sent.map(({ hash }) => hash))
    for (let count = 0; count < 4; count++) await chain.send()
    expect(await ask(url, 'eth_getFilterChanges', [id])).toMatchObject({
      error: { code: -32005, data: { limit: 'filterHashesMax' } },
    })
    const later = await chain.send()
    expect(await changes(id)).toEqual([later.hash])
    await end(id)
    await chain.mine()
  })

  it('end when nobody polls them', async () => {
    const [polled, idle] = [
      await result<string>(url, 'eth_newBlockFilter'),
      await result<string>(url, 'eth_newBlockFilter'),
    ]
    clock.advance(minutes(3))
    expect(await changes(polled)).toEqual([])
    clock.advance(minutes(3))
    expect(await changes(polled)).toEqual([])
    expect(await ask(url, 'eth_getFilterChanges', [idle])).toMatchObject({
      error: { code: -32000, message: expect.stringMatching(/^filter not found/) as string },
    })
    await end(polled)
  })

  it('are limited in number, and make room as they end', async () => {
    for (let count = 0; count < 5; count++) await result(url, 'eth_newBlockFilter')
    expect(await ask(url, 'eth_newBlockFilter')).toMatchObject({
      error: { code: -32005, data: { limit: 'filtersMax' } },
    })
    clock.advance(minutes(5))
    const id = await result<string>(url, 'eth_newBlockFilter')
    expect(await end(id)).toBe(true)
    expect(await end(id)).toBe(false)
  })

  it('refuse unknown ids, other kinds and ranges that run backwards', async () => {
    expect(await ask(url, 'eth_getFilterChanges', ['0x123'])).toMatchObject({ error: { code: -32000 } })
    expect(await ask(url, 'eth_getFilterChanges', ['id'])).toMatchObject({ error: { code: -32602 } })
    const blocks = await result<string>(url, 'eth_newBlockFilter')
    expect(await ask(url, 'eth_getFilterLogs', [blocks])).toMatchObject({ error: { code: -32000 } })
    expect(await ask(url, 'eth_newFilter', [{ fromBlock: '0x9', toBlock: '0x2' }])).toMatchObject({
      error: { code: -32602 },
    })
    expect(await ask(url, 'eth_newFilter', [{ blockHash: `0x${'11'.repeat(32)}` }])).toMatchObject({
      error: { code: -32602 },
    })
    await end(blocks)
  })
})

describe('logs of many bytes', () => {
  /** `LOG0(0, 100,000)` as init code: 200,000 characters of JSON for a hundred bytes of calldata. */
  const emitLong = hexToBytes('0x620186a06000a000')
  const limits = { logBytesMax: 700_000 }

  it('end a search by name and with a range that is answered, poll after poll lose none', async () => {
    const { server, url: own } = await chain.serve({ limits })
    const id = await result<string>(own, 'eth_newFilter', [{}])
    const first = chain.head().number + 1
    for (let sent = 0; sent < 8; sent++) {
      await chain.send({ to: undefined, data: emitLong })
      await chain.mine()
    }
    const range = { fromBlock: `0x${first.toString(16)}`, toBlock: 'latest' }
    const { error } = await ask(own, 'eth_getLogs', [range])
    expect(error).toMatchObject({ code: -32005, data: { code: 'RPC_LIMIT_EXCEEDED', limit: 'logBytesMax' } })
    expect(server.stats().refusals).toContainEqual({ code: 'RPC_LIMIT_EXCEEDED', limit: 'logBytesMax', count: 1 })
    const [, fromBlock, toBlock] = /fromBlock (0x\w+), toBlock (0x\w+)/.exec(error!.message)!
    expect(await result(own, 'eth_getLogs', [{ fromBlock, toBlock }])).toHaveLength(3)
    for (const count of [3, 3, 2, 0]) expect(await result(own, 'eth_getFilterChanges', [id])).toHaveLength(count)
    expect(await ask(own, 'eth_getFilterLogs', [id])).toMatchObject({ error: { code: -32005, data: { limit: 'logBytesMax' } } })
  })

  it('of one block alone are answered, however many', async () => {
    const { url: own } = await chain.serve({ limits: { logBytesMax: 1000 } })
    const number = `0x${chain.head().number.toString(16)}`
    const [log] = await result<{ data: string; blockHash: string; logIndex: string }[]>(own, 'eth_getLogs', [{ fromBlock: number, toBlock: number }])
    expect(log).toMatchObject({ blockNumber: number, blockHash: chain.head().hash, logIndex: '0x0', topics: [], removed: false })
    expect(log!.data).toBe(`0x${'00'.repeat(100_000)}`)
  })
})
