import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, createFixtureChain, OTHER, result, SENDER, type FixtureChain } from './fixture-chain.js'

const UNKNOWN = `0x${'77'.repeat(32)}`
let chain: FixtureChain
let url: string

beforeAll(async () => {
  chain = await createFixtureChain()
  ;({ url } = await chain.serve())
})
afterAll(() => chain.stop())

describe('parameters', () => {
  it.each([
    ['eth_getBalance', [], 'missing value for required argument 0 (address)'],
    ['eth_getBalance', [null], 'missing value for required argument 0 (address)'],
    ['eth_getBalance', ['0x12'], 'invalid argument 0 (address): must be an address'],
    ['eth_getBalance', [5], 'invalid argument 0 (address): must be an address'],
    ['eth_getBalance', [SENDER, 'newest'], 'invalid argument 1 (block): must be a block number'],
    ['eth_getBalance', [SENDER, '0x01'], 'invalid argument 1 (block)'],
    ['eth_getBalance', [SENDER, 7], 'invalid argument 1 (block)'],
    ['eth_getBalance', [SENDER, { blockHash: '0x1' }], 'invalid argument 1 (block)'],
    ['eth_getBalance', [SENDER, 'latest', 1], 'too many arguments: eth_getBalance takes at most 2'],
    ['eth_getBlockByNumber', ['0x1', 'yes'], 'invalid argument 1 (fullTransactions)'],
    ['eth_getBlockByHash', ['0x1', true], 'invalid argument 0 (blockHash): must be 32 bytes'],
    ['eth_getStorageAt', [SENDER, 'x'], 'invalid argument 1 (slot)'],
    ['eth_getStorageAt', [SENDER, `0x${'1'.repeat(65)}`], 'invalid argument 1 (slot)'],
    ['eth_call', [{ to: '0x1' }], 'invalid argument 0 (transaction.to)'],
    ['eth_call', [{ to: SENDER, gas: 5 }], 'invalid argument 0 (transaction.gas): must be a quantity'],
    ['eth_call', [{ to: SENDER, data: '0x1' }], 'invalid argument 0 (transaction.data): must have an even number'],
    [
      'eth_call',
      [{ to: SENDER, data: '0x11', input: '0x22' }],
      'invalid argument 0 (transaction.input): differs from data',
    ],
    ['eth_call', [{ to: SENDER, blobs: [] }], 'invalid argument 0 (transaction.blobs): unknown field'],
    ['eth_call', [{ to: SENDER, type: '0x3' }], 'invalid argument 0 (transaction.type)'],
    ['eth_call', [{ to: SENDER, gasPrice: '0x1', maxFeePerGas: '0x1' }], 'invalid argument 0 (transaction.gasPrice)'],
    [
      'eth_call',
      [{ to: SENDER }, 'latest', { nobody: {} }],
      'invalid argument 2 (stateOverrides.nobody): must be an address',
    ],
    [
      'eth_call',
      [{ to: SENDER }, 'latest', { [SENDER]: { balance: 'x' } }],
      `invalid argument 2 (stateOverrides.${SENDER}.balance)`,
    ],
    [
      'eth_call',
      [{ to: SENDER }, 'latest', { [SENDER]: { state: {}, stateDiff: {} } }],
      `invalid argument 2 (stateOverrides.${SENDER}.state)`,
    ],
    [
      'eth_call',
      [{ to: SENDER }, 'latest', JSON.parse('{"__proto__":{"balance":"0x1"}}')],
      'invalid argument 2 (stateOverrides.__proto__): unknown field',
    ],
    ['eth_call', [{ accessList: {} }], 'invalid argument 0 (transaction.accessList): must be an access list'],
    ['eth_call', [{ accessList: [{ a: 1 }, {}] }], 'invalid argument 0 (transaction.accessList.0.address): must be an address'],
    [
      'eth_call',
      [{ accessList: [{ address: SENDER, storageKeys: [UNKNOWN, '0x1'] }] }],
      'invalid argument 0 (transaction.accessList.0.storageKeys.1): must be 32 bytes',
    ],
    [
      'eth_call',
      [{}, 'latest', { [SENDER]: { state: { [UNKNOWN]: 'x' } } }],
      `invalid argument 2 (stateOverrides.${SENDER}.state.${UNKNOWN}): must be a storage slot`,
    ],
    ['eth_getProof', [SENDER, ['0x1', 'x']], 'invalid argument 1 (slots.1): must be a storage slot'],
    ['eth_getLogs', [{ address: 'x' }], 'invalid argument 0 (filter.address)'],
    ['eth_getLogs', [{ topics: 'x' }], 'invalid argument 0 (filter.topics)'],
    [
      'eth_getLogs',
      [{ topics: [null, null, null, null, null] }],
      'invalid argument 0 (filter.topics): must have at most 4',
    ],
    ['eth_getLogs', [{ blockHash: UNKNOWN, fromBlock: '0x1' }], 'invalid argument 0 (filter.blockHash)'],
    ['eth_getLogs', [{ fromBlock: '0x3', toBlock: '0x1' }], 'invalid argument 0 (filter.toBlock)'],
    ['eth_getLogs', [{ from: '0x1' }], 'invalid argument 0 (filter.from): unknown field'],
    ['eth_feeHistory', ['0x1', 'latest', [50, 10]], 'invalid argument 2 (rewardPercentiles)'],
    ['eth_feeHistory', ['0x1', 'latest', [101]], 'invalid argument 2 (rewardPercentiles.0)'],
    ['eth_feeHistory', ['0x1', '0x9999'], 'invalid argument 1 (newestBlock)'],
    ['eth_sendRawTransaction', ['hello'], 'invalid argument 0 (transaction): must be 0x-prefixed'],
    ['web3_sha3', ['0xz'], 'invalid argument 0 (data)'],
    ['qbft_getSignerMetrics', ['0x3', '0x1'], 'invalid argument 0 (fromBlock)'],
  ])('%s %j', async (method, params, message) => {
    const { error } = await ask(url, method, params)
    expect(error?.code).toBe(-32602)
    expect(error?.message.startsWith(message), error?.message).toBe(true)
  })

  it('takes what clients send: null for a field left out, and fee fields of other types', async () => {
    const call = {
      from: null,
      to: OTHER,
      data: '0x3fa4f245',
      input: '0x3fa4f245',
      gas: null,
      value: null,
      accessList: [],
      nonce: '0x0',
      chainId: '0x382d3',
      type: '0x2',
      maxFeePerGas: '0x5',
    }
    expect(await result(url, 'eth_call', [call, 'latest', null])).toBe('0x')
  })
})
