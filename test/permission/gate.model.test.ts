import { COUNCIL_ADDRESS, USAGE_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { NEWCOMERS_USAGE_KEY, NO_LIMIT, ROLE, accountUsageKey, organisationUsageKey, wordOf } from '@songhua/contracts/membership/slots'
import { createGate } from '@songhua/node/permission/gate'
import type { Address } from '@songhua/sdk/protocol/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BANK, BUREAU, NOON, type Registers, type Storage, asking, stateOfStorage, storageOf, usageIn } from './registers.js'

const SHOP: Address = `0x${'d0'.repeat(20)}`
const SENDERS = [1, 2, 3, 4, 5, 6].map((number): Address => `0x${String(number).repeat(40)}`)
const TARGETS: (Address | undefined)[] = [SHOP, COUNCIL_ADDRESS, undefined]

// ------------------------------------------------------------------------------------------- what may happen

const roles = fc.constantFrom(0, ROLE.anchor, ROLE.anchor | ROLE.deploy, ROLE.apply, ROLE.deploy | ROLE.apply, 63)
const gas = fc.oneof({ weight: 4, arbitrary: fc.bigInt(0n, 900n) }, { weight: 1, arbitrary: fc.constantFrom(0n, NO_LIMIT) })
const bytes = fc.oneof({ weight: 4, arbitrary: fc.bigInt(0n, 90n) }, { weight: 1, arbitrary: fc.constantFrom(0n, NO_LIMIT) })
const limits = fc.record({ roles, gas, bytes })
const organisation = fc.tuple(limits, fc.constantFrom(1n, 1n, 1n, 2n), fc.constantFrom(...SENDERS))
  .map(([of, status, administrator]) => ({ ...of, status, administrator }))
const account = fc.tuple(limits, fc.constantFrom(BUREAU, BANK, undefined)).map(([of, uscc]) => ({ ...of, uscc }))

/** Accounts without an organisation are newcomers. */
const policy = fc.record({
  organisations: fc.record({ [BUREAU]: organisation, [BANK]: organisation }),
  accounts: fc.tuple(account, account, account, account),
  newcomer: limits,
  newcomers: fc.record({ gas, bytes }),
})
type Policy = typeof policy extends fc.Arbitrary<infer P> ? P : never

const transaction = fc.record({
  from: fc.nat(SENDERS.length - 1), target: fc.constantFrom(0, 0, 1, 2), gasLimit: fc.bigInt(0n, 300n),
  size: fc.nat(30), usedPercent: fc.bigInt(0n, 100n),
})
const block = fc.record({
  afterS: fc.oneof({ weight: 3, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.nat(90_000) }),
  policy: fc.option(policy, { freq: 4, nil: undefined }),
  transactions: fc.array(transaction, { maxLength: 12 }),
})

function registersOf({ organisations, accounts, newcomer, newcomers }: Policy): Registers {
  const bound: NonNullable<Registers['accounts']> = Object.fromEntries(
    accounts.flatMap(({ uscc, ...of }, index) => (uscc === undefined ? [] : [[SENDERS[index]!, { ...of, organisation: uscc }]])))
  return { organisations, accounts: bound, newcomer, newcomers }
}

// --------------------------------------------------------------------------------------------------- the model

/** The rule in other words: a ledger of single uses, added up each time. */
interface Use { readonly day: string; readonly of: string; readonly gas: bigint; readonly bytes: bigint }

const dayInBeijing = (timestamp: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date(timestamp * 1000))

class Model {
  readonly uses: Use[] = []

  sum(of: string, day: string): { gas: bigint; bytes: bigint; transactions: bigint } {
    const uses = this.uses.filter((use) => use.of === of && use.day === day)
    const add = (field: 'gas' | 'bytes'): bigint => uses.reduce((total, use) => total + use[field], 0n)
    return { gas: add('gas'), bytes: add('bytes'), transactions: BigInt(uses.length) }
  }

  decide(rules: Policy, { from, target, gasLimit, size }: { from: number; target: number; gasLimit: bigint; size: number }, day: string): string | undefined {
    const entry = rules.accounts[from]
    const group = entry?.uscc === undefined ? undefined : rules.organisations[entry.uscc]
    if (group !== undefined && group.status !== 1n) return 'PERMISSION_ORGANISATION_SUSPENDED'
    const granted = group === undefined ? rules.newcomer.roles & 35 : entry!.roles & group.roles
    if (group === undefined && granted === 0) return 'PERMISSION_NOT_BOUND'
    const needed = target === 2 ? 2 : target === 0 ? 1 : group === undefined ? 32 : 0
    if ((granted & needed) !== needed) return 'PERMISSION_ROLE'
    const own = group === undefined ? rules.newcomer : entry!
    const shared = group ?? rules.newcomers
    const name = group === undefined ? 'NEWCOMERS' : 'ORGANISATION'
    const used = this.sum(SENDERS[from]!, day)
    const usedTogether = this.sum(entry?.uscc ?? 'newcomers', day)
    if (governs(rules, { from, target })) {
      if (exceeds(used.gas + gasLimit, [own.gas, shared.gas])) return 'QUOTA_ACCOUNT_GAS'
      return exceeds(used.bytes + BigInt(size), [own.bytes, shared.bytes]) ? 'QUOTA_ACCOUNT_BYTES' : undefined
    }
    if (own.gas !== NO_LIMIT && used.gas + gasLimit > own.gas) return 'QUOTA_ACCOUNT_GAS'
    if (own.bytes !== NO_LIMIT && used.bytes + BigInt(size) > own.bytes) return 'QUOTA_ACCOUNT_BYTES'
    if (shared.gas !== NO_LIMIT && usedTogether.gas + gasLimit > shared.gas) return `QUOTA_${name}_GAS`
    if (shared.bytes !== NO_LIMIT && usedTogether.bytes + BigInt(size) > shared.bytes) return `QUOTA_${name}_BYTES`
    return undefined
  }
}

const exceeds = (total: bigint, limits: bigint[]): boolean => limits.some((limit) => limit !== NO_LIMIT && total > limit)

/** An administrator speaks to the council. */
function governs(rules: Policy, { from, target }: { from: number; target: number }): boolean {
  const uscc = rules.accounts[from]?.uscc
  return target === 1 && uscc !== undefined && rules.organisations[uscc].administrator === SENDERS[from]
}

const keyOf = (of: string): Uint8Array =>
  of === 'newcomers' ? NEWCOMERS_USAGE_KEY : of.startsWith('0x') ? accountUsageKey(of as Address) : organisationUsageKey(of)

/** Whoever has used something in a block was within the quotas that held in it. */
function expectWithin(rules: Policy, storage: Storage, uses: readonly Use[]): void {
  for (const { of } of uses) {
    const index = SENDERS.indexOf(of as Address)
    const own = rules.accounts[index]?.uscc === undefined ? rules.newcomer : rules.accounts[index]
    const quota = of === 'newcomers' ? rules.newcomers : index < 0 ? rules.organisations[of as typeof BUREAU] : own
    const stored = usageIn(storage, keyOf(of))
    expect(stored.gas <= quota.gas && stored.bytes <= quota.bytes, `${of} has used ${stored.gas} gas and ${stored.bytes} bytes`).toBe(true)
  }
}

describe('whatever is sent over several blocks and days', () => {
  it('each transaction is judged as the model does, stored usage is the model\'s and never above a quota', () => {
    fc.assert(fc.property(policy, fc.array(block, { minLength: 1, maxLength: 6 }), (first, blocks) => {
      const model = new Model()
      let rules = first
      let storage = storageOf(registersOf(rules))
      let timestamp = NOON
      for (const { afterS, policy: next, transactions } of blocks) {
        timestamp += afterS
        const day = dayInBeijing(timestamp)
        const gate = createGate(stateOfStorage(storage), timestamp)
        const before = model.uses.length
        for (const one of transactions) {
          const asked = asking(SENDERS[one.from]!, TARGETS[one.target], one.gasLimit, one.size)
          const verdict = gate.check(asked)?.code
          expect(verdict).toBe(model.decide(rules, one, day))
          if (verdict !== undefined) continue
          const gasUsed = (one.gasLimit * one.usedPercent) / 100n
          gate.record(asked, gasUsed)
          const use = { day, gas: gasUsed, bytes: BigInt(one.size) }
          model.uses.push({ ...use, of: SENDERS[one.from]! })
          if (!governs(rules, one)) model.uses.push({ ...use, of: rules.accounts[one.from]?.uscc ?? 'newcomers' })
        }
        const usage = storage.get(USAGE_REGISTER_ADDRESS)!
        for (const { slot, value } of gate.usageWrites()) usage.set(wordOf(slot), value)
        const uses = model.uses.slice(before)
        expectWithin(rules, storage, uses)
        for (const { of } of uses) expect(usageIn(storage, keyOf(of))).toMatchObject(model.sum(of, day))
        expect(gate.usageWrites()).toHaveLength(new Set(uses.map(({ of }) => of)).size)
        rules = next ?? rules
        storage = new Map([...storageOf(registersOf(rules)), [USAGE_REGISTER_ADDRESS, usage]])
      }
    }), { numRuns: 400 })
  })
})
