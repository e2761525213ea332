import {
  COUNCIL_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, RECORD_ANCHOR_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import { NEWCOMERS_USAGE_KEY, POLICY_SLOT, ROLE, accountUsageKey, organisationUsageKey, wordOf } from '@songhua/contracts/membership/slots'
import { createHeadGate } from '@songhua/node/permission/head-gate'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  BANK, BUREAU, MIDNIGHT, NOON, type Storage, accountSlot, asking, organisationSlot, organisationWord, setUsage, stateOfStorage, storageOf, usageSlot,
} from './registers.js'

const CLERK: Address = `0x${'c1'.repeat(20)}`
const limits = { roles: ROLE.anchor, gas: 100_000n, bytes: 1_000n }
const call = asking(CLERK, RECORD_ANCHOR_ADDRESS, 60_000n)
const NOON_MS = NOON * 1000

let storage: Storage
let state: ReturnType<typeof stateOfStorage>

beforeEach(() => {
  storage = storageOf({ organisations: { [BUREAU]: limits }, accounts: { [CLERK]: { organisation: BUREAU, ...limits } } })
  state = stateOfStorage(storage)
})

const usageKeyOf = (of: string): Uint8Array =>
  of === 'newcomers' ? NEWCOMERS_USAGE_KEY : of.startsWith('0x') ? accountUsageKey(of as Address) : organisationUsageKey(of)

/** What a block's diff says: the slots that differ, with their new values. */
function differences(before: Storage, after: Storage): Storage {
  const found: Storage = new Map()
  for (const [contract, slots] of after) {
    const old = before.get(contract)!
    const changedSlots = [...new Set([...old.keys(), ...slots.keys()])].filter((slot) => (old.get(slot) ?? 0n) !== (slots.get(slot) ?? 0n))
    if (changedSlots.length > 0) found.set(contract, new Map(changedSlots.map((slot) => [slot, slots.get(slot) ?? 0n])))
  }
  return found
}

/** The slots of a contract that a block changed, as they are now. */
function changed(contract: Address, slots: bigint[]): ReadonlyMap<Address, ReadonlyMap<Hash, bigint>> {
  return new Map([[contract, new Map(slots.map((slot) => [wordOf(slot), storage.get(contract)!.get(wordOf(slot)) ?? 0n]))]])
}

describe('the gate at the head', () => {
  it('follows the usage of each block without reading anything again', () => {
    const gate = createHeadGate(state, NOON)
    expect(gate.check(call, NOON_MS)).toBeUndefined()
    const { reads } = state
    setUsage(storage, accountUsageKey(CLERK), { gas: 50_000n, bytes: 0n })
    expect(gate.onBlock({ timestamp: NOON, storage: changed(USAGE_REGISTER_ADDRESS, [usageSlot(accountUsageKey(CLERK))]) })).toBe(false)
    expect(gate.check(call, NOON_MS)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: { used: 50_000n } })
    expect(state.reads).toBe(reads)
  })

  it('says when a block changed organisations or policy, and reads anew what hangs on it', () => {
    const gate = createHeadGate(state, NOON)
    expect(gate.checkRight(call, NOON_MS)).toBeUndefined()
    storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(organisationSlot(BUREAU)), organisationWord({ ...limits, status: 2n }))
    expect(gate.onBlock({ timestamp: NOON, storage: changed(RECORD_ANCHOR_ADDRESS, []) })).toBe(false)
    expect(gate.onBlock({ timestamp: NOON, storage: changed(ORGANISATION_REGISTER_ADDRESS, [organisationSlot(BUREAU)]) })).toBe(true)
    expect(gate.checkRight(call, NOON_MS)).toMatchObject({ code: 'PERMISSION_ORGANISATION_SUSPENDED' })
    const { reads } = state
    expect(gate.onBlock({ timestamp: NOON, storage: changed(POLICY_REGISTER_ADDRESS, [POLICY_SLOT.readLevels]) })).toBe(true)
    expect(gate.checkRight(call, NOON_MS)).toMatchObject({ code: 'PERMISSION_ORGANISATION_SUSPENDED' })
    expect(state.reads).toBe(reads)
  })

  it('sees a quota of bytes that changes alone, in the account\'s second word', () => {
    const gate = createHeadGate(state, NOON)
    expect(gate.check(call, NOON_MS)).toBeUndefined()
    const slot = accountSlot(CLERK) + 1n
    storage.get(ORGANISATION_REGISTER_ADDRESS)!.set(wordOf(slot), 99n)
    gate.onBlock({ timestamp: NOON, storage: changed(ORGANISATION_REGISTER_ADDRESS, [slot]) })
    expect(gate.check(call, NOON_MS)).toMatchObject({ code: 'QUOTA_ACCOUNT_BYTES', details: { limit: 99n } })
  })

  it('whatever blocks change, says what a gate would that reads everything anew', () => {
    const senders = [1, 2, 3, 4].map((number): Address => `0x${String(number).repeat(40)}`)
    const small = fc.record({ roles: fc.constantFrom(0, ROLE.anchor, ROLE.apply), gas: fc.bigInt(0n, 3n), bytes: fc.bigInt(0n, 3n) })
    const policy = fc.record({
      organisations: fc.record({
        [BUREAU]: small.map((of) => ({ ...of, status: of.gas % 2n === 0n ? 1n : 2n })),
        [BANK]: fc.tuple(small, fc.constantFrom(...senders)).map(([of, administrator]) => ({ ...of, administrator })),
      }),
      accounts: fc.tuple(...senders.slice(1).map(() => fc.option(fc.tuple(small, fc.constantFrom(BUREAU, BANK)))))
        .map((entries) => Object.fromEntries(entries.flatMap((entry, at) => (entry === null ? [] : [[senders[at]!, { ...entry[0], organisation: entry[1] }] as const])))),
      newcomer: small, newcomers: small, governor: fc.constantFrom(COUNCIL_ADDRESS, RECORD_ANCHOR_ADDRESS),
    })
    const usages = fc.array(fc.tuple(fc.constantFrom(...senders, BUREAU, BANK, 'newcomers'), fc.bigInt(0n, 2n)), { maxLength: 3 })
    fc.assert(fc.property(policy, fc.array(fc.tuple(fc.option(policy), usages), { maxLength: 8 }), (first, blocks) => {
      const now = storageOf(first)
      const followed = createHeadGate(stateOfStorage(now), NOON)
      for (const [policyThen, used] of blocks) {
        const before = new Map([...now].map(([contract, slots]) => [contract, new Map(slots)]))
        if (policyThen !== null) {
          for (const [contract, slots] of storageOf(policyThen)) if (contract !== USAGE_REGISTER_ADDRESS) now.set(contract, slots)
        }
        for (const [of, gas] of used) setUsage(now, usageKeyOf(of), { gas, bytes: 0n })
        followed.onBlock({ timestamp: NOON, storage: differences(before, now) })
        const fresh = createHeadGate(stateOfStorage(now), NOON)
        for (const sender of senders) {
          for (const asked of [asking(sender, RECORD_ANCHOR_ADDRESS, 1n, 1), asking(sender, COUNCIL_ADDRESS, 1n, 1)]) {
            expect(followed.check(asked, NOON_MS)).toEqual(fresh.check(asked, NOON_MS))
            expect(followed.isGovernance(asked, NOON_MS)).toBe(fresh.isGovernance(asked, NOON_MS))
          }
        }
      }
    }), { numRuns: 200 })
  })

  it('counts anew with the day of the next block: now, but never before the head', () => {
    setUsage(storage, accountUsageKey(CLERK), { gas: 100_000n, bytes: 0n })
    const gate = createHeadGate(state, NOON)
    expect(gate.check(call, MIDNIGHT * 1000 - 1)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: { resetsAt: MIDNIGHT } })
    expect(gate.check(call, MIDNIGHT * 1000)).toBeUndefined()
    expect(gate.check(call, NOON_MS)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS' })
    gate.onBlock({ timestamp: MIDNIGHT, storage: new Map() })
    expect(gate.check(call, NOON_MS)).toBeUndefined()
  })

  it('holds right beside quota, and counts what waits', () => {
    const gate = createHeadGate(state, NOON)
    const work = { gas: 40_001n, bytes: 0n }
    const pending = { own: work, group: work }
    expect(gate.check(call, NOON_MS, pending)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: { pending: 40_001n } })
    expect(gate.checkRight({ ...call, gasLimit: 10n ** 9n }, NOON_MS)).toBeUndefined()
  })

  it('does not remember more senders than fit', () => {
    const gate = createHeadGate(state, NOON)
    const sender = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
    for (let number = 1; number <= 16_384; number++) gate.check({ ...call, sender: sender(number) }, NOON_MS)
    const { reads } = state
    gate.check({ ...call, sender: sender(16_384) }, NOON_MS)
    expect(state.reads).toBeGreaterThan(reads)
    const again = state.reads
    gate.check({ ...call, sender: sender(16_384) }, NOON_MS)
    expect(state.reads).toBe(again)
  })
})
