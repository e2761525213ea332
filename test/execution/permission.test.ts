import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import { NEWCOMERS_USAGE_KEY, ROLE, organisationUsageKey, wordOf } from '@songhua/contracts/membership/slots'
import { type BlockExecutor, type PackingInput, createBlockExecutor } from '@songhua/node/execution/block-executor'
import { callOn } from '@songhua/node/execution/call'
import { estimateGas } from '@songhua/node/execution/estimate-gas'
import { createGate } from '@songhua/node/permission/gate'
import { updateStateTrie } from '@songhua/node/trie/state-trie'
import type { StateDiff, StateReader } from '@songhua/node/trie/state'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { type Address, EMPTY_BYTES, type Hash, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  BUREAU, MIDNIGHT, NOON, type Registers, TODAY, accountSlot, accountWords, organisationSlot, organisationWord, storageOf, usageIn,
  usageOfAccount, usageSlot,
} from '../permission/registers.js'
import { ALICE, ALICE_KEY, BLOCK, BOB, BOB_KEY, ETHER, MEMBERSHIP, RULES, assemble, diffOf, sharedEvm, sign, slotOf, stateOf } from './world.js'

const CAROL_KEY = new Uint8Array(32).fill(0xca)
const CAROL = privateKeyToAddress(CAROL_KEY)
const VALIDATOR: Address = `0x${'11'.repeat(20)}`
const SHOP: Address = `0x${'57'.repeat(20)}`
const FACTORY: Address = `0x${'fa'.repeat(20)}`
const SPENDER: Address = `0x${'5e'.repeat(20)}`
const DAY = BigInt(TODAY)

/** Stores word 1 of the calldata in the slot that word 0 names: a council that may do everything. */
const WRITER = assemble('32 CALLDATALOAD 0 CALLDATALOAD SSTORE')
const CODES: [Address, Uint8Array][] = [
  [NODE_REGISTER_ADDRESS, assemble(`32 0 MSTORE 1 32 MSTORE ${BigInt(VALIDATOR)} 64 MSTORE 96 0 RETURN`)],
  [ORGANISATION_REGISTER_ADDRESS, WRITER],
  [COUNCIL_ADDRESS, assemble('STOP')],
  [POLICY_REGISTER_ADDRESS, WRITER],
  [USAGE_REGISTER_ADDRESS, assemble('STOP')],
  [SHOP, assemble('0 CALLDATALOAD 0 SSTORE')],
  // Creates an empty contract and stores its address.
  [FACTORY, assemble('0 0 0 CREATE 0 SSTORE')],
  [SPENDER, assemble('JUMPDEST 0 JUMP')],
]

const limits = { roles: ROLE.anchor | ROLE.deploy, gas: 1_000_000n, bytes: 100_000n }
const BASE: Registers = {
  organisations: { [BUREAU]: limits },
  accounts: { [ALICE]: { organisation: BUREAU, ...limits } },
  newcomer: { roles: ROLE.apply, gas: 200_000n, bytes: 2_000n },
  newcomers: { gas: 300_000n, bytes: 3_000n },
}

function genesisDiff(registers: Registers = BASE): StateDiff {
  const diff = diffOf({
    ...Object.fromEntries([ALICE, BOB, CAROL].map((address) => [address, { balance: ETHER }])),
    ...Object.fromEntries(CODES.map(([address, code]) => [address, { nonce: 1n, code }])),
  })
  for (const [contract, slots] of storageOf(registers)) diff.storage.set(contract, slots)
  return diff
}

const frame = { block: { ...BLOCK, timestamp: NOON }, validators: [VALIDATOR] }
let executor: BlockExecutor

beforeAll(async () => {
  executor = createBlockExecutor({ evm: await sharedEvm(), rules: RULES, membershipContract: MEMBERSHIP, permission: createGate })
})

const run = (state: StateReader, transactions: Transaction[], timestamp = NOON) =>
  executor.executeBlock({ ...frame, block: { ...BLOCK, timestamp }, state, transactions })

const reasonOf = async (state: StateReader, transactions: Transaction[], timestamp = NOON): Promise<unknown> =>
  run(state, transactions, timestamp).then(() => undefined, (error: { details: { reason: string } }) => error.details.reason)

function packing(state: StateReader, candidates: Transaction[], overrides: Partial<PackingInput> = {}) {
  const clock = { now: () => 0, after: () => () => undefined }
  return executor.packBlock({ ...frame, state, candidates, bytesMax: 100_000, clock, deadlineMs: 1_000, ...overrides })
}

const shop = (nonce: number, key = ALICE_KEY, gasLimit = 60_000): Transaction => sign({ nonce, to: SHOP, gasLimit, data: hexToBytes(slotOf(7n)) }, key)
const writing = (nonce: number, to: Address, slot: bigint, value: bigint): Transaction =>
  sign({ nonce, to, gasLimit: 90_000, data: concatBytes(hexToBytes(slotOf(slot)), hexToBytes(slotOf(value))) })

describe('a block under permissions', () => {
  it('holds what its senders may send, and stores what they and their organisation have used', async () => {
    const transactions = [shop(0), sign({ to: COUNCIL_ADDRESS, gasLimit: 50_000 }, BOB_KEY), shop(1)]
    const { diff, receipts, gasUsed, nextValidators } = await run(stateOf(genesisDiff()), transactions)
    const [first, second, third] = receipts.map(({ cumulativeGasUsed }) => cumulativeGasUsed) as [bigint, bigint, bigint]
    const bytes = (...indices: number[]): bigint => BigInt(indices.reduce((sum, at) => sum + transactions[at]!.raw.length, 0))
    const byAlice = { day: DAY, gas: first + third - second, bytes: bytes(0, 2), transactions: 2n }
    const byBob = { day: DAY, gas: second - first, bytes: bytes(1), transactions: 1n }
    expect(usageOfAccount(diff.storage, ALICE)).toEqual(byAlice)
    expect(usageIn(diff.storage, organisationUsageKey(BUREAU))).toEqual(byAlice)
    expect(usageOfAccount(diff.storage, BOB)).toEqual(byBob)
    expect(usageIn(diff.storage, NEWCOMERS_USAGE_KEY)).toEqual(byBob)
    expect(diff.storage.get(USAGE_REGISTER_ADDRESS)!.size).toBe(4)
    expect(diff.accounts.get(USAGE_REGISTER_ADDRESS)).toMatchObject({ nonce: 1n })
    expect(byAlice.gas + byBob.gas).toBe(gasUsed)
    expect(nextValidators).toEqual([VALIDATOR])
  })

  it('writes usage before the next validators are read', async () => {
    const slot = usageSlot(organisationUsageKey(BUREAU))
    const curious = diffOf({
      [USAGE_REGISTER_ADDRESS]: { nonce: 1n, code: assemble(`${slot} SLOAD 0 MSTORE 32 0 RETURN`) },
      // The validator's address, and one more while the bureau has used nothing.
      [NODE_REGISTER_ADDRESS]: { nonce: 1n, code: assemble(
        `32 0 0 0 0 ${BigInt(USAGE_REGISTER_ADDRESS)} GAS CALL POP 0 MLOAD ISZERO ${BigInt(VALIDATOR)} ADD 64 MSTORE 32 0 MSTORE 1 32 MSTORE 96 0 RETURN`) },
    })
    const state = stateOf(genesisDiff(), curious)
    expect((await run(state, [])).nextValidators).toEqual([`0x${(BigInt(VALIDATOR) + 1n).toString(16)}`])
    expect((await run(state, [shop(0)])).nextValidators).toEqual([VALIDATOR])
  })

  it('changes nothing when it is empty', async () => {
    const { diff } = await run(stateOf(genesisDiff()), [])
    expect([diff.accounts.size, diff.storage.size]).toEqual([0, 0])
  })

  it('is refused for one transaction that its sender may not send, with what decided', async () => {
    await expect(run(stateOf(genesisDiff()), [shop(0), shop(0, BOB_KEY)])).rejects.toMatchObject({
      code: 'BLOCK_TRANSACTION_INVALID', details: { index: 1, reason: 'PERMISSION_ROLE', account: BOB, role: 'anchor' },
    })
    const suspended = { ...BASE, organisations: { [BUREAU]: { ...limits, status: 2n } } }
    expect(await reasonOf(stateOf(genesisDiff(suspended)), [shop(0)])).toBe('PERMISSION_ORGANISATION_SUSPENDED')
    expect(await reasonOf(stateOf(genesisDiff({ organisations: {} })), [shop(0, BOB_KEY)])).toBe('PERMISSION_NOT_BOUND')
    const poor = { ...BASE, accounts: { [ALICE]: { organisation: BUREAU, ...limits, gas: 59_999n } } }
    expect(await reasonOf(stateOf(genesisDiff(poor)), [shop(0)])).toBe('QUOTA_ACCOUNT_GAS')
  })

  it('creations need DEPLOY; a factory\'s creations are the factory\'s', async () => {
    const anchors = { ...BASE, organisations: { [BUREAU]: { ...limits, roles: ROLE.anchor } } }
    const state = stateOf(genesisDiff(anchors))
    expect(await reasonOf(state, [sign({ data: Uint8Array.of(0), gasLimit: 60_000 })])).toBe('PERMISSION_ROLE')
    const { receipts, diff } = await run(state, [sign({ to: FACTORY, gasLimit: 90_000 })])
    expect(receipts[0]!.status).toBe(1)
    expect(diff.storage.get(FACTORY)!.get(slotOf(0n))).not.toBe(0n)
    expect(await reasonOf(stateOf(genesisDiff()), [sign({ data: Uint8Array.of(0), gasLimit: 60_000 })])).toBeUndefined()
  })

  it('a failed transaction is used work too', async () => {
    const { diff, receipts } = await run(stateOf(genesisDiff()), [sign({ to: SPENDER, gasLimit: 90_000 })])
    expect(receipts[0]!.status).toBe(0)
    expect(usageOfAccount(diff.storage, ALICE)).toMatchObject({ gas: 90_000n })
  })

  it('sees the policy of its parent: who is bound in it may send in the next', async () => {
    const genesis = genesisDiff()
    const [word, bytesWord] = accountWords({ organisation: BUREAU, ...limits })
    const binding = [writing(0, ORGANISATION_REGISTER_ADDRESS, accountSlot(BOB), word), writing(1, ORGANISATION_REGISTER_ADDRESS, accountSlot(BOB) + 1n, bytesWord)]
    expect(await reasonOf(stateOf(genesis), [...binding, shop(0, BOB_KEY)])).toBe('PERMISSION_ROLE')
    const { diff, receipts } = await run(stateOf(genesis), binding)
    expect(receipts.map(({ status }) => status)).toEqual([1, 1])
    const next = await run(stateOf(genesis, diff), [shop(0, BOB_KEY)])
    expect(usageOfAccount(next.diff.storage, BOB)).toMatchObject({ transactions: 1n })
  })

  it('sees the policy of its parent: whose organisation is suspended in it may still send in it, and not in the next', async () => {
    const genesis = genesisDiff()
    const suspend = writing(0, ORGANISATION_REGISTER_ADDRESS, organisationSlot(BUREAU), organisationWord({ ...limits, status: 2n }))
    const { diff } = await run(stateOf(genesis), [suspend, shop(1)])
    expect(usageOfAccount(diff.storage, ALICE)).toMatchObject({ transactions: 2n })
    expect(await reasonOf(stateOf(genesis, diff), [shop(2)])).toBe('PERMISSION_ORGANISATION_SUSPENDED')
  })

  it('adds up over the blocks of a day, and begins anew at midnight in Beijing', async () => {
    const genesis = genesisDiff({ ...BASE, accounts: { [ALICE]: { organisation: BUREAU, ...limits, gas: 110_000n } } })
    const first = await run(stateOf(genesis), [shop(0)], NOON)
    const used = usageOfAccount(first.diff.storage, ALICE).gas
    expect(used).toBeGreaterThan(0n)
    const exact = Number(110_000n - used)
    expect(await reasonOf(stateOf(genesis, first.diff), [shop(1, ALICE_KEY, exact + 1)], MIDNIGHT - 1)).toBe('QUOTA_ACCOUNT_GAS')
    const second = await run(stateOf(genesis, first.diff), [shop(1, ALICE_KEY, exact)], MIDNIGHT - 1)
    expect(usageOfAccount(second.diff.storage, ALICE)).toMatchObject({ day: DAY, transactions: 2n })
    const third = await run(stateOf(genesis, first.diff, second.diff), [shop(2, ALICE_KEY, 110_000)], MIDNIGHT)
    expect(usageOfAccount(third.diff.storage, ALICE)).toMatchObject({ day: DAY + 1n, transactions: 1n })
    expect(usageIn(third.diff.storage, organisationUsageKey(BUREAU))).toMatchObject({ day: DAY + 1n, transactions: 1n })
  })

  it('needs the UsageRegister: a state without it is a fault, not a freedom', async () => {
    const genesis = genesisDiff()
    genesis.accounts.delete(USAGE_REGISTER_ADDRESS)
    await expect(run(stateOf(genesis), [shop(0)])).rejects.toMatchObject({ code: 'ASSERTION_FAILED' })
  })
})

/** The state's root as proposer and validator compute it. */
function rootAfter(genesis: StateDiff, diff: StateDiff): Hash {
  const nodes = new Map<Hash, Uint8Array>()
  const store = { getNode: (hash: Hash) => nodes.get(hash) }
  const before = updateStateTrie(store, EMPTY_TRIE_ROOT, genesis)
  before.nodes.forEach((raw, hash) => nodes.set(hash, raw))
  return updateStateTrie(store, before.root, diff).root
}

describe('packing under permissions', () => {
  it('gives the state root that a validator gets', async () => {
    const genesis = genesisDiff()
    const candidates = [shop(0), shop(0, BOB_KEY), sign({ to: COUNCIL_ADDRESS, gasLimit: 50_000 }, CAROL_KEY), shop(1), sign({ nonce: 2, to: SPENDER, gasLimit: 80_000 })]
    const { transactions, refused, ...packed } = await packing(stateOf(genesis), candidates)
    expect(transactions.map(({ hash }) => hash)).toEqual([0, 2, 3, 4].map((at) => candidates[at]!.hash))
    expect(refused.map(({ reason }) => reason.code)).toEqual(['PERMISSION_ROLE'])
    const executed = await run(stateOf(genesis), transactions)
    expect(executed.diff).toEqual(packed.diff)
    expect(rootAfter(genesis, executed.diff)).toBe(rootAfter(genesis, packed.diff))
    expect(rootAfter(genesis, packed.diff)).not.toBe(rootAfter(genesis, { ...packed.diff, storage: new Map([...packed.diff.storage].filter(([address]) => address !== USAGE_REGISTER_ADDRESS)) }))
  })

  it('leaves out what goes above a quota, with what the block itself has used, and the sender\'s later ones', async () => {
    const candidates = [SPENDER, SPENDER, SHOP, SHOP].map((to, nonce) => sign({ nonce, to, gasLimit: nonce === 2 ? 400_001 : 300_000 }))
    const { transactions, refused } = await packing(stateOf(genesisDiff()), candidates)
    expect(transactions).toHaveLength(2)
    expect(refused).toMatchObject([{ transaction: candidates[2], reason: { code: 'QUOTA_ACCOUNT_GAS', details: { used: 600_000n, asked: 400_001n, limit: 1_000_000n } } }])
  })

  it('several newcomers share one quota within a block', async () => {
    const apply = (key: typeof BOB_KEY): Transaction => sign({ to: COUNCIL_ADDRESS, gasLimit: 150_001 }, key)
    const loud = genesisDiff()
    const spend = diffOf({ [COUNCIL_ADDRESS]: { nonce: 1n, code: assemble('JUMPDEST 0 JUMP') } })
    const { transactions, refused } = await packing(stateOf(loud, spend), [apply(BOB_KEY), apply(CAROL_KEY)])
    expect(transactions).toHaveLength(1)
    expect(refused).toMatchObject([{ reason: { code: 'QUOTA_NEWCOMERS_GAS', details: { account: CAROL, used: 150_001n, limit: 300_000n } } }])
  })

  it('what was taken back leaves no usage', async () => {
    let nowMs = 0
    const ticking = { now: () => (nowMs += 300), after: () => () => undefined }
    const candidates = [shop(0), sign({ to: COUNCIL_ADDRESS, gasLimit: 50_000 }, BOB_KEY)]
    const { transactions, overran, diff } = await packing(stateOf(genesisDiff()), candidates, { clock: ticking })
    expect([transactions, overran]).toMatchObject([[candidates[0]], { transaction: candidates[1], included: false }])
    expect(usageOfAccount(diff.storage, ALICE)).toMatchObject({ transactions: 1n })
    expect(usageOfAccount(diff.storage, BOB)).toMatchObject({ transactions: 0n, day: 0n })
    expect(diff.storage.get(USAGE_REGISTER_ADDRESS)!.size).toBe(2)
    expect((await run(stateOf(genesisDiff()), transactions)).diff).toEqual(diff)
  })
})

describe('simulation', () => {
  it('needs no permission', async () => {
    const state = stateOf(genesisDiff())
    const request = { from: BOB, to: SHOP, gas: undefined, gasPrice: 0n, value: 0n, data: EMPTY_BYTES, accessList: [] }
    const context = { evm: await sharedEvm(), state, block: frame.block, gasMax: 10_000_000n }
    expect((await callOn(context, request)).failure).toBeUndefined()
    expect(await estimateGas(context, request)).toBeGreaterThan(21_000n)
    expect(await estimateGas(context, { ...request, to: undefined, data: Uint8Array.of(0) })).toBeGreaterThan(53_000n)
    expect(await reasonOf(state, [shop(0, BOB_KEY)])).toBe('PERMISSION_ROLE')
  })

  it('sees the usage that the chain wrote, as any contract does', async () => {
    const genesis = genesisDiff()
    const { diff } = await run(stateOf(genesis), [shop(0)])
    const state = stateOf(genesis, diff)
    const [slot, word] = [...diff.storage.get(USAGE_REGISTER_ADDRESS)!][0]!
    expect(state.getStorage(USAGE_REGISTER_ADDRESS, slot)).toBe(word)
    expect(slot).toBe(wordOf(BigInt(slot)))
  })
})
