import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { wordOf } from '@songhua/contracts/membership/slots'
import { type GovernanceMetrics, createGovernanceMetrics } from '@songhua/node/app/governance-metrics'
import { requireHeader, stateAfter } from '@songhua/node/services/call-worker-tasks'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { VALIDATOR_KEY, ask, toHex } from '../rpc/fixture-chain.js'
import { DEV, type GovernedChain, createGovernedChain } from '../rpc/governed-chain.js'

let chain: GovernedChain
let metrics: GovernanceMetrics
let slots = 0
beforeAll(async () => {
  chain = await createGovernedChain()
  metrics = createGovernanceMetrics({
    readSlot(contract, slot) {
      slots += 1
      return stateAfter(chain.store, requireHeader(chain.store, chain.head().number)).getStorage(contract, wordOf(slot))
    },
  })
}, 60_000)
afterAll(() => chain.stop())

const figures = (timestamp = chain.ports.chain.head().header.timestamp): Record<string, number> =>
  Object.fromEntries(metrics.read(timestamp).map(({ name, labels, value }) => [[name, ...Object.values(labels ?? {})].join(' '), value]))

describe('governance metrics', () => {
  it('count organisations, seats, open motions and nodes by status', async () => {
    expect(figures()).toEqual({
      songhua_organisations: 4, songhua_council_seats: 4, songhua_open_motions: 0, 'songhua_nodes applied': 0, 'songhua_nodes admitted': 0,
      'songhua_nodes active': 1, 'songhua_nodes suspended': 0, 'songhua_nodes retired': 0,
    })
    await chain.council.seats[0]!.propose('issueAcCode', { node: privateKeyToAddress(VALIDATOR_KEY), acCode: 'hrb1' }, '')
    metrics.onBlock(new Map([[COUNCIL_ADDRESS, undefined]]))
    expect(figures().songhua_open_motions).toBe(1)
    expect(figures(chain.ports.chain.head().header.timestamp + 8 * 86_400).songhua_open_motions).toBe(0)
  })

  it('read the state again only after a block that touched the contracts', () => {
    figures()
    slots = 0
    metrics.onBlock(new Map([[USAGE_REGISTER_ADDRESS, undefined]]))
    figures()
    expect(slots).toBe(0)
    metrics.onBlock(new Map([[NODE_REGISTER_ADDRESS, undefined]]))
    figures()
    expect(slots).toBeGreaterThan(0)
  })
})

describe('refusals for want of a right or a quota', () => {
  it('are counted by code, as all refusals of the door are', async () => {
    await chain.council.pass('setNewcomers', { roles: ['anchor'], gasPerDay: 25_000n, bytesPerDay: 1_000n, gasPerDayTotal: 25_000n, bytesPerDayTotal: 1_000n })
    const send = (fields: Parameters<GovernedChain['sign']>[0]) =>
      ask(chain.url, 'eth_sendRawTransaction', [toHex(chain.sign({ key: hexToBytes(DEV[8]!.privateKey), nonce: 0n, ...fields }).raw)])
    expect((await send({ gasLimit: 26_000n })).error?.data).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', limit: '0x61a8' })
    expect((await send({ to: undefined, gasLimit: 60_000n })).error?.data).toMatchObject({ code: 'PERMISSION_ROLE', role: 'deploy' })
    const counted = Object.fromEntries(chain.server.stats().refusals.map(({ code, count }) => [code, count]))
    expect(counted).toMatchObject({ QUOTA_ACCOUNT_GAS: 1, PERMISSION_ROLE: 1 })
  })
})
