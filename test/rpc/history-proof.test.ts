import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyAncestor } from '@songhua/sdk/protocol/history-tree'
import { type FixtureChain, ask, createFixtureChain, result } from './fixture-chain.js'

let chain: FixtureChain
let url: string

beforeAll(async () => {
  chain = await createFixtureChain()
  for (let block = 0; block < 3; block += 1) await chain.mine()
  url = (await chain.serve()).url
})
afterAll(() => chain.stop())

describe('songhua_getHistoryProof', () => {
  it('proves a block under a later header', async () => {
    const header = chain.ports.chain.header(3)!
    const { path } = await result<{ path: `0x${string}`[] }>(url, 'songhua_getHistoryProof', ['0x1', '0x3'])
    const ancestor = { number: 1, hash: chain.ports.chain.hashAt(1)!, path }
    expect(() => verifyAncestor(header, ancestor)).not.toThrow()
    expect(() => verifyAncestor(header, { ...ancestor, hash: chain.ports.chain.hashAt(2)! })).toThrow()
    const refused = async (params: string[]) => (await ask(url, 'songhua_getHistoryProof', params)).error?.message
    expect(await refused(['0x3', '0x3'])).toContain('invalid argument 0 (number)')
    expect(await refused(['0x0', '0xffff'])).toContain('invalid argument 1 (size)')
  })
})
