import { describe, expect, it } from 'vitest'
import { type CallRequest, type StateOverrides, callOn } from '@songhua/node/execution/call'
import { estimateGas } from '@songhua/node/execution/estimate-gas'
import type { StateReader } from '@songhua/node/trie/state'
import { type Address, EMPTY_BYTES, ZERO_ADDRESS, bytesToBigint, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { ALICE, BLOCK, BOB, ETHER, assemble, createExecutor, createState, sharedEvm, sign, slotOf } from './world.js'

const READER: Address = `0x${'01'.repeat(20)}`
const REVERTER: Address = `0x${'02'.repeat(20)}`
const LOOPER: Address = `0x${'03'.repeat(20)}`
const HUNGRY: Address = `0x${'04'.repeat(20)}`
const CLEARER: Address = `0x${'05'.repeat(20)}`
const INVALID: Address = `0x${'06'.repeat(20)}`

const state: StateReader = createState({
  [ALICE]: { balance: ETHER },
  [READER]: { nonce: 1n, code: assemble('1 SLOAD 0 MSTORE 2 SLOAD 32 MSTORE 64 0 RETURN'), storage: [[1n, 11n], [2n, 22n]] },
  [REVERTER]: { nonce: 1n, code: assemble('0xdead 0 MSTORE 2 30 REVERT') },
  [LOOPER]: { nonce: 1n, code: assemble('JUMPDEST 0 JUMP') },
  // Needs 100,000 gas to be left at its start, and uses little.
  [HUNGRY]: { nonce: 1n, code: assemble('100000 GAS LT 10 JUMPI STOP JUMPDEST INVALID') },
  [CLEARER]: { nonce: 1n, code: assemble('0 1 SSTORE 0 2 SSTORE'), storage: [[1n, 1n], [2n, 1n]] },
  [INVALID]: { nonce: 1n, code: assemble('INVALID') },
})

const gasMax = 10_000_000n

function request(fields: Partial<CallRequest>): CallRequest {
  return { from: ALICE, to: READER, gas: undefined, gasPrice: 0n, value: 0n, data: EMPTY_BYTES, accessList: [], ...fields }
}

async function call(fields: Partial<CallRequest>, overrides: StateOverrides = new Map()): Promise<Awaited<ReturnType<typeof callOn>>> {
  return callOn({ evm: await sharedEvm(), state, block: BLOCK, gasMax, overrides }, request(fields))
}

async function words(overrides: StateOverrides): Promise<bigint[]> {
  const { output } = await call({}, overrides)
  return [0, 32].map((at) => bytesToBigint(output.subarray(at, at + 32)))
}

describe('callOn', () => {
  it('answers with return data, revert data, or the kind of failure', async () => {
    expect(await call({})).toMatchObject({ failure: undefined })
    expect(await call({ to: REVERTER })).toMatchObject({ failure: { kind: 'revert' }, output: hexToBytes('0xdead') })
    expect(await call({ to: LOOPER, gas: 50_000n })).toMatchObject({ failure: { kind: 'out-of-gas' }, output: EMPTY_BYTES, gasUsed: 50_000n })
    expect(await call({ to: INVALID })).toMatchObject({ failure: { kind: 'invalid-opcode' } })
  })

  it('an unknown sender may call, nobody may spend what he has not', async () => {
    expect((await call({ from: ZERO_ADDRESS })).failure).toBeUndefined()
    await expect(call({ from: BOB, value: 1n })).rejects.toMatchObject({ code: 'TX_INSUFFICIENT_FUNDS' })
    await expect(call({ from: BOB, gasPrice: 1n })).rejects.toMatchObject({ code: 'TX_INSUFFICIENT_FUNDS' })
  })

  it('lowers gas to the cap and refuses less than the intrinsic gas', async () => {
    expect(await call({ to: LOOPER, gas: 2n ** 63n })).toMatchObject({ gasUsed: gasMax })
    await expect(call({ gas: 20_999n })).rejects.toMatchObject({ code: 'TX_INTRINSIC_GAS' })
    await expect(call({ to: undefined, data: new Uint8Array(49_153) })).rejects.toMatchObject({ code: 'TX_INIT_CODE_TOO_LARGE' })
  })

  it('changes nothing, so that the next call sees the same', async () => {
    const [first, second] = [await call({ to: CLEARER }), await call({ to: CLEARER })]
    expect(second).toEqual(first)
    expect(state.getStorage(CLEARER, slotOf(1n))).toBe(1n)
  })
})

describe('state overrides', () => {
  it('state replaces the storage, stateDiff single slots', async () => {
    const slots = new Map([[slotOf(1n), 77n]])
    expect(await words(new Map())).toEqual([11n, 22n])
    expect(await words(new Map([[READER, { stateDiff: slots }]]))).toEqual([77n, 22n])
    expect(await words(new Map([[READER, { state: slots }]]))).toEqual([77n, 0n])
  })

  it('code, balance and nonce take effect', async () => {
    const code = assemble('0x47 0 MSTORE 32 0 RETURN')
    expect(bytesToBigint((await call({ to: BOB }, new Map([[BOB, { code }]]))).output)).toBe(0x47n)
    expect((await call({ from: BOB, value: 5n }, new Map([[BOB, { balance: 5n, nonce: 3n }]]))).failure).toBeUndefined()
  })

  it('refuses both forms of storage at once', async () => {
    const both = new Map([[READER, { state: new Map(), stateDiff: new Map() }]])
    await expect(call({}, both)).rejects.toMatchObject({ code: 'CALL_OVERRIDE_CONFLICT' })
  })
})

describe('estimateGas', () => {
  async function estimate(fields: Partial<CallRequest>): Promise<bigint> {
    return estimateGas({ evm: await sharedEvm(), state, block: BLOCK, gasMax }, request(fields))
  }

  it('a plain transfer takes 21,000', async () => {
    expect(await estimate({ to: BOB, value: 1n })).toBe(21_000n)
  })

  it.each([['a read', READER], ['refunds', CLEARER], ['gas that must be there but is not used', HUNGRY]])('%s: the estimate works, and little less does not', async (_name, to) => {
    const gas = await estimate({ to })
    const executor = await createExecutor()
    const statusWith = async (gasLimit: bigint): Promise<number> => {
      const transactions = [sign({ to, gasLimit })]
      const { receipts } = await executor.executeBlock({ block: BLOCK, validators: [], state, transactions })
      return receipts[0]!.status
    }
    expect(await statusWith(gas)).toBe(1)
    expect(await statusWith((gas * 98n) / 100n)).toBe(0)
  })

  it('reports a revert with its data', async () => {
    await expect(estimate({ to: REVERTER })).rejects.toMatchObject({ code: 'CALL_REVERTED', details: { data: '0xdead' } })
  })

  it('reports what no allowance suffices for, and other failures', async () => {
    await expect(estimate({ to: LOOPER })).rejects.toMatchObject({ code: 'CALL_GAS_ALLOWANCE', details: { gas: gasMax } })
    await expect(estimate({ to: INVALID })).rejects.toMatchObject({ code: 'CALL_FAILED' })
    await expect(estimate({ from: BOB, to: READER, value: 1n })).rejects.toMatchObject({ code: 'TX_INSUFFICIENT_FUNDS' })
    await expect(estimate({ from: BOB, to: READER, gasPrice: 1n })).rejects.toMatchObject({ code: 'TX_INTRINSIC_GAS' })
  })
})
