import { testGovernance } from '../support/governance.js'
import { describe, expect, it } from 'vitest'
import { NODE_REGISTER_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import type { PackingInput } from '@songhua/node/execution/block-executor'
import { genesisState } from '@songhua/node/execution/genesis-state'
import { bloomMayContain } from '@songhua/sdk/protocol/bloom'
import { type Address, bytesToHex, hexToBytes, padLeft } from '@songhua/sdk/protocol/bytes'
import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { keccak256, keccak256Hex, privateKeyToPublicKey, publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import type { StateDiff, StateReader } from '@songhua/node/trie/state'
import {
  ALICE, ALICE_KEY, BLOCK, BOB, BOB_KEY, COINBASE, ETHER, MEMBERSHIP, assemble, createExecutor, diffOf, sign, slotOf, stateOf,
} from './world.js'

const VALIDATOR_KEYS = [1, 2, 3, 4, 5].map((byte) => privateKeyToPublicKey(new Uint8Array(32).fill(byte)))
const VALIDATORS: Address[] = VALIDATOR_KEYS.map(publicKeyToAddress).sort()
const OLD_SET: Address[] = [`0x${'99'.repeat(20)}`]
const STORE: Address = `0x${'57'.repeat(20)}`
const SPENDER: Address = `0x${'5e'.repeat(20)}`

function systemContracts(): StateDiff {
  const administrators = ['a1', 'a2', 'a3', 'a4'].map((byte): Address => `0x${byte.repeat(20)}`)
  const alloc = genesisContracts({ governance: testGovernance({ validators: VALIDATOR_KEYS.map(bytesToHex), administrators }) })
  return genesisState({
    alloc: alloc.map(({ address, balance, nonce, code, storage }) => ({
      address, balance: BigInt(balance), nonce: BigInt(nonce), code: hexToBytes(code),
      // Alice governs, so that a test needs no motion.
      storage: new Map(Object.entries<string>(address === NODE_REGISTER_ADDRESS ? { ...storage, [slotOf(0n)]: slotOf(BigInt(ALICE)) } : storage).map(([slot, value]) => [slot as Address, BigInt(value)])),
    })),
  })
}

function world(): StateReader {
  return stateOf(systemContracts(), diffOf({
    [ALICE]: { balance: ETHER },
    [BOB]: { balance: ETHER },
    // Stores calldata word 0 in slot 0 and logs it.
    [STORE]: { nonce: 1n, code: assemble('0 CALLDATALOAD DUP1 0 SSTORE 0 MSTORE 77 32 0 LOG1 STOP') },
    // Burns all gas.
    [SPENDER]: { nonce: 1n, code: assemble('JUMPDEST 0 JUMP') },
  }))
}

function store(nonce: number, value: number, key = ALICE_KEY): Transaction {
  return sign({ nonce, to: STORE, data: padLeft(Uint8Array.of(value), 32) }, key)
}

const input = { block: BLOCK, validators: OLD_SET }

describe('executeBlock', () => {
  it('gives receipts with cumulative gas, logs and bloom, and the final values', async () => {
    const transactions = [sign({ to: BOB, value: 5n }), store(1, 42), store(0, 43, BOB_KEY)]
    const execution = await (await createExecutor()).executeBlock({ ...input, state: world(), transactions })
    const gas = execution.receipts.map(({ cumulativeGasUsed }) => cumulativeGasUsed)
    expect(gas[0]).toBe(21_000n)
    expect(gas[2]! - gas[1]!).toBeLessThan(gas[1]! - gas[0]!)
    expect(execution.gasUsed).toBe(gas[2])
    expect(execution.receipts.map(({ status }) => status)).toEqual([1, 1, 1])
    expect(execution.receipts[1]!.logs).toEqual([{ address: STORE, topics: [slotOf(77n)], data: padLeft(Uint8Array.of(42), 32) }])
    expect(bloomMayContain(execution.logsBloom, hexToBytes(STORE))).toBe(true)
    expect(execution.diff.storage.get(STORE)).toEqual(new Map([[slotOf(0n), 43n]]))
    expect(execution.diff.accounts.get(BOB)?.balance).toBe(ETHER + 5n)
    expect(execution.diff.accounts.get(ALICE)).toMatchObject({ nonce: 2n, balance: ETHER - 5n })
    expect(execution.diff.accounts.has(COINBASE)).toBe(false)
  })

  it('a failed transaction has status 0, pays for its gas and leaves nothing else', async () => {
    const transactions = [sign({ to: SPENDER, gasLimit: 90_000, maxFeePerGas: 3n, maxPriorityFeePerGas: 2n })]
    const { receipts, gasUsed, diff } = await (await createExecutor()).executeBlock({ ...input, state: world(), transactions })
    expect([receipts[0]!.status, gasUsed]).toEqual([0, 90_000n])
    expect(diff.accounts.get(ALICE)).toMatchObject({ nonce: 1n, balance: ETHER - 180_000n })
    expect(diff.accounts.get(COINBASE)?.balance).toBe(180_000n)
    expect([...diff.accounts.keys()].sort()).toEqual([ALICE, COINBASE].sort())
  })

  it('refuses a block with a bad transaction, and names it', async () => {
    const transactions = [store(0, 1), store(2, 2)]
    const promise = (await createExecutor()).executeBlock({ ...input, state: world(), transactions })
    await expect(promise).rejects.toMatchObject({
      code: 'BLOCK_TRANSACTION_INVALID',
      details: { index: 1, hash: transactions[1]!.hash, reason: 'TX_NONCE_TOO_HIGH' },
    })
  })

  it('deploys, and removes what destroys itself in the same transaction (EIP-6780)', async () => {
    const runtime = assemble('CALLER SELFDESTRUCT')
    const deploy = assemble(`${BigInt(bytesToHex(runtime))} 0 MSTORE ${runtime.length} ${32 - runtime.length} RETURN`)
    const created: Address = bytesToHex(keccak256(Uint8Array.of(0xd6, 0x94, ...hexToBytes(ALICE), 0x80)).subarray(12))
    const executor = await createExecutor()
    const state = world()
    const first = await executor.executeBlock({ ...input, state, transactions: [sign({ data: deploy, value: 9n })] })
    expect(first.diff.accounts.get(created)).toMatchObject({ nonce: 1n, balance: 9n, codeHash: keccak256Hex(runtime) })
    expect(first.diff.codes.get(keccak256Hex(runtime))).toEqual(runtime)
    const after: StateReader = { ...state, getAccount: (address) => first.diff.accounts.get(address) ?? state.getAccount(address), getCode: (hash) => first.diff.codes.get(hash) ?? state.getCode(hash) }
    const second = await executor.executeBlock({ ...input, state: after, transactions: [sign({ nonce: 1, to: created })] })
    expect(second.diff.accounts.get(created)).toMatchObject({ balance: 0n, codeHash: keccak256Hex(runtime) })
    const third = await executor.executeBlock({ ...input, state, transactions: [sign({ data: runtime, value: 9n })] })
    expect(third.diff.accounts.has(created)).toBe(false)
    expect(third.diff.accounts.get(ALICE)).toMatchObject({ balance: ETHER })
  })

  it('the environment is that of a chain without blobs and without fees', async () => {
    const probe: Address = `0x${'e0'.repeat(20)}`
    const code = assemble('CHAINID 0 SSTORE BASEFEE 1 SSTORE BLOBBASEFEE 2 SSTORE 0 BLOBHASH 3 SSTORE 3 BLOCKHASH 4 SSTORE 9 BLOCKHASH 5 SSTORE NUMBER 6 SSTORE COINBASE 7 SSTORE')
    const state = stateOf(systemContracts(), diffOf({ [ALICE]: { balance: ETHER }, [probe]: { nonce: 1n, code, storage: [[1n, 5n], [3n, 5n], [5n, 5n]] } }))
    const { diff } = await (await createExecutor()).executeBlock({ ...input, state, transactions: [sign({ to: probe, gasLimit: 400_000 })] })
    expect(Object.fromEntries([...diff.storage.get(probe)!].map(([slot, value]) => [Number(slot), value]))).toEqual({
      0: 230099n, 1: 0n, 2: 1n, 3: 0n, 4: BigInt(`0x${'3'.repeat(64)}`), 5: 0n, 6: 7n, 7: BigInt(COINBASE),
    })
  })

  it('transient storage ends with its transaction', async () => {
    const vault: Address = `0x${'7a'.repeat(20)}`
    const code = assemble('0 TLOAD 0 SSTORE 5 0 TSTORE')
    const state = stateOf(systemContracts(), diffOf({ [ALICE]: {}, [vault]: { nonce: 1n, code } }))
    const { diff, receipts } = await (await createExecutor()).executeBlock({ ...input, state, transactions: [sign({ to: vault }), sign({ nonce: 1, to: vault })] })
    expect(receipts.map(({ status }) => status)).toEqual([1, 1])
    expect(diff.storage.has(vault)).toBe(false)
  })
})

describe('the next validators', () => {
  it('are those of the post-state, sorted', async () => {
    const execution = await (await createExecutor()).executeBlock({ ...input, state: world(), transactions: [] })
    expect([execution.nextValidators, execution.validatorsKept]).toEqual([VALIDATORS, undefined])
    expect(execution.diff.accounts.size).toBe(0)
  })

  it('change with the block that changes them', async () => {
    const [leaving, ...next] = VALIDATORS
    const selector = keccak256(new TextEncoder().encode('suspendNode(address,bytes32)')).slice(0, 4)
    const data = Uint8Array.from([...selector, ...hexToBytes(slotOf(BigInt(leaving!))), ...hexToBytes(slotOf(0n))])
    const transactions = [sign({ to: MEMBERSHIP, data, gasLimit: 300_000 })]
    const execution = await (await createExecutor()).executeBlock({ ...input, state: world(), transactions })
    expect(execution.receipts[0]!.status).toBe(1)
    expect(execution.nextValidators).toEqual(next)
  })

  it('stay when the contract does not answer, and the reason is told', async () => {
    const state = stateOf(diffOf({ [MEMBERSHIP]: { nonce: 1n, code: assemble('0 0 REVERT') } }))
    const execution = await (await createExecutor()).executeBlock({ ...input, state, transactions: [] })
    expect(execution.nextValidators).toEqual(OLD_SET)
    expect(execution.validatorsKept).toMatchObject({ code: 'MEMBERSHIP_READ_FAILED' })
  })
})

describe('packBlock', () => {
  function packing(candidates: Transaction[], overrides: Partial<PackingInput> = {}): PackingInput {
    const clock = { now: () => 0, after: () => () => undefined }
    return { ...input, state: world(), candidates, bytesMax: 100_000, clock, deadlineMs: 1_000, ...overrides }
  }

  it('packs what executeBlock then accepts, with the same result', async () => {
    const executor = await createExecutor()
    const candidates = [store(0, 1), store(0, 2, BOB_KEY), store(1, 3), sign({ nonce: 1, to: SPENDER, gasLimit: 60_000 }, BOB_KEY)]
    const { transactions, refused, overran, ...packed } = await executor.packBlock(packing(candidates))
    expect([transactions, refused, overran]).toEqual([candidates, [], undefined])
    expect(await executor.executeBlock({ ...input, state: world(), transactions })).toEqual(packed)
  })

  it('tells why a candidate cannot be in the block; its sender\'s later ones wait untold', async () => {
    const candidates = [store(1, 1), store(2, 1), sign({ chainId: 5 }, BOB_KEY), store(0, 4, BOB_KEY)]
    const { transactions, refused } = await (await createExecutor()).packBlock(packing(candidates))
    expect(transactions).toEqual([])
    expect(refused.map(({ transaction, reason }) => [transaction, reason.code])).toEqual([
      [candidates[0], 'TX_NONCE_TOO_HIGH'], [candidates[2], 'TX_WRONG_CHAIN'],
    ])
  })

  it('leaves for later what does not fit, in bytes or gas; refuses what never fits', async () => {
    const executor = await createExecutor()
    const candidates = [store(0, 1), store(0, 2, BOB_KEY), store(1, 3)]
    const bytesMax = candidates[0]!.raw.length + 10
    const byBytes = await executor.packBlock(packing(candidates, { bytesMax }))
    expect([byBytes.transactions, byBytes.refused]).toEqual([[candidates[0]], []])
    const big = [sign({ to: STORE, gasLimit: 7_990_000 }), sign({ to: STORE, gasLimit: 7_990_000 }, BOB_KEY)]
    const byGas = await executor.packBlock(packing(big))
    expect([byGas.transactions, byGas.refused]).toEqual([[big[0]], []])
    const never = await executor.packBlock(packing([sign({ to: STORE, gasLimit: 8_000_001 })]))
    expect(never.refused[0]!.reason.code).toBe('TX_ABOVE_BLOCK_GAS')
  })

  /** A clock on which each look costs `stepMs`. */
  function ticking(stepMs: number): PackingInput['clock'] {
    let nowMs = 0
    return { now: () => (nowMs += stepMs), after: () => () => undefined }
  }

  it('stops at the deadline, takes the one that overran back and names it', async () => {
    const executor = await createExecutor()
    const candidates = [store(0, 1), store(1, 2), store(2, 3)]
    const { transactions, overran, diff } = await executor.packBlock(packing(candidates, { clock: ticking(300) }))
    expect(transactions).toEqual([candidates[0]])
    expect(overran).toMatchObject({ transaction: candidates[1], included: false })
    expect(diff.accounts.get(ALICE)).toMatchObject({ nonce: 1n })
    expect(diff.storage.get(STORE)).toEqual(new Map([[slotOf(0n), 1n]]))
  })

  it('includes one that overruns when it is the first: its gas limit bounds what it costs', async () => {
    const candidates = [store(0, 1), store(1, 2)]
    const { transactions, overran } = await (await createExecutor()).packBlock(packing(candidates, { clock: ticking(700) }))
    expect(transactions).toEqual([candidates[0]])
    expect(overran).toMatchObject({ transaction: candidates[0], included: true })
  })

  it('starts nothing after the deadline', async () => {
    const { transactions, overran, nextValidators } = await (await createExecutor()).packBlock(packing([store(0, 1)], { deadlineMs: 0 }))
    expect([transactions, overran, nextValidators]).toEqual([[], undefined, VALIDATORS])
  })
})

describe('genesisState', () => {
  it('is what the genesis allocates, codes by their hash', () => {
    const code = Uint8Array.of(1)
    const storage = new Map([[slotOf(1n), 2n]])
    const diff = genesisState({ alloc: [{ address: ALICE, balance: 1n, nonce: 2n, code, storage }, { address: BOB, balance: 3n, nonce: 0n, code: new Uint8Array(0), storage: new Map() }] })
    expect(diff.accounts.get(ALICE)).toEqual({ ...EMPTY_ACCOUNT, balance: 1n, nonce: 2n, codeHash: keccak256Hex(code) })
    expect(diff.accounts.get(BOB)).toEqual({ ...EMPTY_ACCOUNT, balance: 3n })
    expect(diff.storage).toEqual(new Map([[ALICE, storage]]))
    expect(diff.codes.size).toBe(1)
  })
})
