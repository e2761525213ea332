import { MEMBERSHIP_ADDRESS, RECORD_ANCHOR_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import { membership } from '@songhua/contracts/generated/Membership'
import { type MembershipGenesis, membershipStorage } from '@songhua/contracts/membership/genesis-storage'
import { privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { NODES_READ_GAS, VALIDATORS_READ_GAS } from '@songhua/node/execution/system-reads'
import { type Address, type Hex, bytesToHex, decodeEventLog, decodeFunctionResult, getAddress, hexToBytes, pad, toHex, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { callsOf, createContractChain, revertOf } from './chain.js'

const { abi } = membership
const ADMINISTRATOR: Address = getAddress(`0x${'ad'.repeat(20)}`)
const STRANGER: Address = getAddress(`0x${'51'.repeat(20)}`)
const callOf = callsOf(abi, MEMBERSHIP_ADDRESS)

const address = (number: number): Address => getAddress(pad(toHex(number), { size: 20 }))
const addresses = (count: number): Address[] => Array.from({ length: count }, (_, index) => address(index + 1))
const nodeKey = (number: number): Hex => bytesToHex(privateKeyToPublicKey(hexToBytes(pad(toHex(number), { size: 32 }))))

async function start(genesis: Partial<MembershipGenesis> = {}) {
  const chain = await createContractChain(genesisContracts({
    membership: { administrator: ADMINISTRATOR, validators: addresses(4), nodes: [1, 2, 3].map(nodeKey), ...genesis },
  }))
  const send = (functionName: string, args: unknown[], from = ADMINISTRATOR) => chain.call(callOf(from, functionName, args))
  const read = async (functionName: 'getValidators' | 'getNodes' | 'administrator'): Promise<unknown> =>
    decodeFunctionResult({ abi, functionName, data: (await send(functionName, [], STRANGER)).data })
  return { send, read }
}

describe('Membership at genesis', () => {
  it.each([1, 4, 64])('answers with the %i validators of genesis, ascending', async (count) => {
    const { read } = await start({ validators: addresses(count).reverse() })
    expect(await read('getValidators')).toEqual(addresses(count))
  })

  it('answers with the nodes and the administrator of genesis', async () => {
    const { read } = await start()
    expect(await read('getNodes')).toEqual([1, 2, 3].map(nodeKey))
    expect(await read('administrator')).toBe(ADMINISTRATOR)
  })

  it('is frozen without an administrator, even for calls simulated from the zero address', async () => {
    const { administrator: _none, ...frozen } = { administrator: undefined, validators: addresses(1), nodes: [] }
    const chain = await createContractChain(genesisContracts({ membership: frozen }))
    for (const from of [zeroAddress, ADMINISTRATOR]) {
      const result = await chain.call(callOf(from, 'setValidators', [addresses(2)]))
      expect(revertOf(abi, result)).toBe(`MembershipUnauthorized(${from})`)
    }
  })

  it('lays its storage out as the compiler does: genesis nodes can be removed to the last, and admitted again', async () => {
    const { send, read } = await start()
    for (const number of [1, 2, 3]) expect((await send('removeNode', [nodeKey(number)])).ok).toBe(true)
    expect(await read('getNodes')).toEqual([])
    for (const number of [3, 1]) expect((await send('admitNode', [nodeKey(number)])).ok).toBe(true)
    expect(await read('getNodes')).toEqual([3, 1].map(nodeKey))
  })

  it.each<[string, Partial<MembershipGenesis>, string]>([
    ['no validators', { validators: [] }, 'MEMBERSHIP_VALIDATOR_COUNT'],
    ['65 validators', { validators: addresses(65) }, 'MEMBERSHIP_VALIDATOR_COUNT'],
    ['a validator twice', { validators: [address(1), address(2), address(1)] }, 'MEMBERSHIP_DUPLICATE_VALIDATOR'],
    ['the zero validator', { validators: [zeroAddress] }, 'MEMBERSHIP_ZERO_VALIDATOR'],
    ['an uncompressed key', { nodes: [`0x04${'11'.repeat(64)}`] }, 'MEMBERSHIP_INVALID_NODE_KEY'],
    ['a short key', { nodes: ['0x02'] }, 'MEMBERSHIP_INVALID_NODE_KEY'],
    ['a key that is no point of the curve', { nodes: [`0x02${pad('0x05').slice(2)}`] }, 'MEMBERSHIP_INVALID_NODE_KEY'],
    ['a node twice', { nodes: [nodeKey(1), nodeKey(1).toUpperCase().replace('X', 'x') as Hex] }, 'MEMBERSHIP_DUPLICATE_NODE'],
    ['1025 nodes', { nodes: Array.from({ length: 1025 }, () => nodeKey(1)) }, 'MEMBERSHIP_NODE_COUNT'],
  ])('refuses %s', (_what, genesis, code) => {
    expect(() => membershipStorage({ validators: addresses(1), nodes: [], ...genesis }))
      .toThrow(expect.objectContaining({ code }) as Error)
  })
})

describe('Membership validators', () => {
  it('are replaced as a whole, longer or shorter, with an event', async () => {
    const { send, read } = await start()
    for (const count of [64, 2]) {
      const result = await send('setValidators', [addresses(count)])
      expect(result.ok).toBe(true)
      const [log] = result.logs
      expect(decodeEventLog({ abi, topics: log!.topics as [Hex], data: log!.data }))
        .toEqual({ eventName: 'MembershipValidatorsChanged', args: { validators: addresses(count) } })
      expect(await read('getValidators')).toEqual(addresses(count))
    }
  })

  it.each<[string, Address[], string]>([
    ['none', [], 'MembershipNoValidators()'],
    ['65', addresses(65), 'MembershipTooManyValidators(65, 64)'],
    ['the zero address', [zeroAddress, address(1)], `MembershipValidatorsUnsorted(0, ${zeroAddress})`],
    ['a repetition', [address(1), address(1)], `MembershipValidatorsUnsorted(1, ${address(1)})`],
    ['a wrong order', [address(1), address(3), address(2)], `MembershipValidatorsUnsorted(2, ${address(2)})`],
  ])('refuse %s', async (_what, validators, reason) => {
    const { send, read } = await start()
    expect(revertOf(abi, await send('setValidators', [validators]))).toBe(reason)
    expect(await read('getValidators')).toEqual(addresses(4))
  })

  it('obey the administrator only', async () => {
    const { send, read } = await start()
    const attempts: [string, unknown][] = [
      ['setValidators', addresses(1)], ['admitNode', nodeKey(9)], ['removeNode', nodeKey(1)],
    ]
    for (const [method, argument] of attempts) {
      expect(revertOf(abi, await send(method, [argument], STRANGER))).toBe(`MembershipUnauthorized(${STRANGER})`)
    }
    expect(await read('getNodes')).toEqual([1, 2, 3].map(nodeKey))
  })
})

describe('Membership nodes', () => {
  it('are admitted and removed with events, the last taking the place of the removed', async () => {
    const { send, read } = await start()
    const admitted = await send('admitNode', [nodeKey(4)])
    expect(admitted.logs).toHaveLength(1)
    expect(await read('getNodes')).toEqual([1, 2, 3, 4].map(nodeKey))
    const removed = await send('removeNode', [nodeKey(1)])
    const [log] = removed.logs
    expect(decodeEventLog({ abi, topics: log!.topics as [Hex], data: log!.data }))
      .toEqual({ eventName: 'MembershipNodeRemoved', args: { publicKey: nodeKey(1) } })
    expect(await read('getNodes')).toEqual([4, 2, 3].map(nodeKey))
    await send('removeNode', [nodeKey(4)])
    expect(await read('getNodes')).toEqual([3, 2].map(nodeKey))
  })

  it.each<[string, Hex]>([
    ['nothing', '0x'],
    ['32 bytes', `0x02${'11'.repeat(31)}`],
    ['34 bytes', `${nodeKey(5)}00`],
    ['an uncompressed prefix', `0x04${nodeKey(5).slice(4)}`],
    ['an x above the field', `0x02${'ff'.repeat(32)}`],
    ['an x that is not on the curve', `0x02${pad('0x05').slice(2)}`],
  ])('are refused: %s', async (_what, key) => {
    const { send } = await start()
    expect(revertOf(abi, await send('admitNode', [key]))).toBe(`MembershipInvalidNodeKey(${key})`)
  })

  it('are refused twice, and cannot be removed twice', async () => {
    const { send } = await start()
    expect(revertOf(abi, await send('admitNode', [nodeKey(2)]))).toBe(`MembershipNodeExists(${nodeKey(2)})`)
    await send('removeNode', [nodeKey(2)])
    expect(revertOf(abi, await send('removeNode', [nodeKey(2)]))).toBe(`MembershipUnknownNode(${nodeKey(2)})`)
  })

  it('are up to 1024, of both parities, and every node can read them and the 64 validators with the gas it gives', async () => {
    const keys = Array.from({ length: 1023 }, (_, index) => nodeKey(index + 1))
    expect(new Set(keys.map((key) => key.slice(0, 4)))).toEqual(new Set(['0x02', '0x03']))
    const { read, send } = await start({ nodes: keys, validators: addresses(64) })
    expect((await send('admitNode', [nodeKey(1024)])).ok).toBe(true)
    expect(revertOf(abi, await send('admitNode', [nodeKey(1025)]))).toBe('MembershipTooManyNodes(1024)')
    expect(await read('getNodes')).toEqual([...keys, nodeKey(1024)])
    expect((await send('getNodes', [])).gas).toBeLessThan(NODES_READ_GAS)
    expect((await send('getValidators', [])).gas).toBeLessThan(VALIDATORS_READ_GAS)
  })
})

describe('genesis contracts', () => {
  it('stand at their fixed addresses as created contracts', () => {
    const contracts = genesisContracts({ membership: { validators: addresses(1), nodes: [] } })
    expect(contracts.map((contract) => [contract.address, contract.nonce, contract.balance]))
      .toEqual([[RECORD_ANCHOR_ADDRESS, '0x1', '0x0'], [MEMBERSHIP_ADDRESS, '0x1', '0x0']])
  })
})
