import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, RECORD_ANCHOR_ADDRESS,
  USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import { NEWCOMERS_USAGE_KEY, NO_LIMIT, ROLE, accountUsageKey, organisationUsageKey, wordOf } from '@songhua/contracts/membership/slots'
import { type Asking, type Gate, createGate } from '@songhua/node/permission/gate'
import { refusalToError } from '@songhua/node/permission/refusal'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { describe, expect, it } from 'vitest'
import {
  BANK, BUREAU, MIDNIGHT, NOON, type Registers, TODAY, asking, setUsage, stateOfStorage, storageOf, usageIn, usageOfAccount, usageSlot,
} from './registers.js'

const address = (byte: string): Address => `0x${byte.repeat(20)}`
const [CLERK, ROBOT, TELLER, STRANGER, OTHER] = ['c1', 'c2', 'c3', 'e1', 'e2'].map((byte) => address(byte)) as [Address, Address, Address, Address, Address]
const SHOP: Address = address('d0')
const NOT_GOVERNANCE: Address[] = [SHOP, RECORD_ANCHOR_ADDRESS, USAGE_REGISTER_ADDRESS, CLERK]
const ANYWHERE: (Address | undefined)[] = [SHOP, undefined, COUNCIL_ADDRESS]
const GOVERNANCE: Address[] = [NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, COUNCIL_ADDRESS, POLICY_REGISTER_ADDRESS]
const ALL = ROLE.anchor | ROLE.deploy | ROLE.issue | ROLE.administer | ROLE.read

/** A bureau with two accounts, a bank with one, newcomers who may apply. */
const BASE: Registers = {
  organisations: {
    [BUREAU]: { roles: ALL, gas: 1_000_000n, bytes: 10_000n },
    [BANK]: { roles: ROLE.anchor, gas: NO_LIMIT, bytes: NO_LIMIT },
  },
  accounts: {
    [CLERK]: { organisation: BUREAU, roles: ALL, gas: 600_000n, bytes: 6_000n },
    [ROBOT]: { organisation: BUREAU, roles: ROLE.anchor, gas: 600_000n, bytes: 6_000n },
    [TELLER]: { organisation: BANK, roles: ALL, gas: NO_LIMIT, bytes: NO_LIMIT },
  },
  newcomer: { roles: ROLE.apply, gas: 200_000n, bytes: 2_000n },
  newcomers: { gas: 500_000n, bytes: 5_000n },
}

function gateOf(registers: Registers = BASE, usage: [Uint8Array, { gas: bigint; bytes: bigint; day?: number }][] = [], timestamp = NOON): Gate {
  const storage = storageOf(registers)
  for (const [key, used] of usage) setUsage(storage, key, used)
  return createGate(stateOfStorage(storage), timestamp)
}

const codeOf = (gate: Gate, transaction: Asking): string | undefined => gate.check(transaction)?.code
const change = (registers: Partial<Registers>): Registers => ({ ...BASE, ...registers })

describe('rights', () => {
  it('anchoring needs ANCHOR, whatever is called', () => {
    const gate = gateOf(change({ accounts: { [CLERK]: { organisation: BUREAU, roles: ALL & ~ROLE.anchor, gas: NO_LIMIT, bytes: NO_LIMIT } } }))
    for (const to of NOT_GOVERNANCE) {
      expect(gate.check(asking(CLERK, to, 21_000n))).toMatchObject({
        code: 'PERMISSION_ROLE', details: { account: CLERK, organisation: BUREAU, role: 'anchor' },
      })
      expect(gateOf().check(asking(CLERK, to, 21_000n))).toBeUndefined()
    }
  })

  it('creation needs DEPLOY, and nothing but the transaction itself is creation', () => {
    expect(codeOf(gateOf(), asking(CLERK, undefined, 60_000n))).toBeUndefined()
    expect(gateOf().check(asking(ROBOT, undefined, 60_000n))).toMatchObject({
      code: 'PERMISSION_ROLE', details: { account: ROBOT, organisation: BUREAU, role: 'deploy' },
    })
    const deployer = change({ accounts: { [CLERK]: { organisation: BUREAU, roles: ROLE.deploy, gas: NO_LIMIT, bytes: NO_LIMIT } } })
    expect(codeOf(gateOf(deployer), asking(CLERK, undefined, 60_000n))).toBeUndefined()
    expect(codeOf(gateOf(deployer), asking(CLERK, SHOP, 60_000n))).toBe('PERMISSION_ROLE')
  })

  it('the governance contracts hear every bound account, even one without a role', () => {
    const gate = gateOf(change({ accounts: { [ROBOT]: { organisation: BUREAU, roles: 0, gas: NO_LIMIT, bytes: NO_LIMIT } } }))
    for (const to of GOVERNANCE) expect(codeOf(gate, asking(ROBOT, to, 60_000n))).toBeUndefined()
    expect(codeOf(gate, asking(ROBOT, SHOP, 60_000n))).toBe('PERMISSION_ROLE')
  })

  it('the governance contracts hear newcomers who may apply, and only they', () => {
    for (const to of GOVERNANCE) expect(codeOf(gateOf(), asking(STRANGER, to, 60_000n))).toBeUndefined()
    expect(gateOf().check(asking(STRANGER, SHOP, 60_000n))).toMatchObject({
      code: 'PERMISSION_ROLE', details: { account: STRANGER, role: 'anchor' },
      message: `${STRANGER}, bound to no organisation, lacks the role anchor`,
    })
    expect(gateOf().check(asking(STRANGER, undefined, 60_000n))).toMatchObject({ code: 'PERMISSION_ROLE', details: { role: 'deploy' } })
    const open = change({ newcomer: { roles: ROLE.anchor, gas: 200_000n, bytes: 2_000n } })
    expect(codeOf(gateOf(open), asking(STRANGER, SHOP, 60_000n))).toBeUndefined()
    expect(gateOf(open).check(asking(STRANGER, COUNCIL_ADDRESS, 60_000n))).toMatchObject({ code: 'PERMISSION_ROLE', details: { role: 'apply' } })
  })

  it('a newcomer without any right is told to be bound, and roles that no newcomer can have are none', () => {
    for (const roles of [0, ROLE.issue | ROLE.administer | ROLE.read]) {
      const closed = gateOf(change({ newcomer: { roles, gas: NO_LIMIT, bytes: NO_LIMIT } }))
      for (const to of ANYWHERE) {
        expect(closed.check(asking(STRANGER, to, 60_000n))).toMatchObject({ code: 'PERMISSION_NOT_BOUND', details: { account: STRANGER } })
      }
    }
  })

  it('a state without any register lets nobody in', () => {
    const gate = createGate(stateOfStorage(new Map()), NOON)
    expect(codeOf(gate, asking(CLERK, SHOP, 21_000n))).toBe('PERMISSION_NOT_BOUND')
    expect(codeOf(gate, asking(CLERK, COUNCIL_ADDRESS, 21_000n))).toBe('PERMISSION_NOT_BOUND')
  })

  it('an organisation that is suspended or unknown silences its accounts, the governance contracts included', () => {
    for (const status of [0n, 2n, 3n]) {
      const gate = gateOf(change({ organisations: { [BUREAU]: { status, roles: ALL, gas: NO_LIMIT, bytes: NO_LIMIT } } }))
      for (const to of ANYWHERE) {
        const refusal = gate.check(asking(CLERK, to, 60_000n))
        expect(refusal).toMatchObject({ code: 'PERMISSION_ORGANISATION_SUSPENDED' })
        expect(refusal?.details).toEqual({ account: CLERK, organisation: BUREAU })
      }
    }
  })

  it('an account has no role that its organisation has not', () => {
    expect(codeOf(gateOf(), asking(TELLER, SHOP, 60_000n))).toBeUndefined()
    expect(gateOf().check(asking(TELLER, undefined, 60_000n))).toMatchObject({ code: 'PERMISSION_ROLE', details: { role: 'deploy', organisation: BANK } })
  })

  it('come before quotas', () => {
    const gate = gateOf(change({ accounts: { [ROBOT]: { organisation: BUREAU, roles: 0, gas: 0n, bytes: 0n } } }))
    expect(codeOf(gate, asking(ROBOT, SHOP, 60_000n))).toBe('PERMISSION_ROLE')
    expect(codeOf(gate, asking(ROBOT, COUNCIL_ADDRESS, 60_000n))).toBe('QUOTA_ACCOUNT_GAS')
  })
})

describe('the contracts that govern', () => {
  const SUCCESSOR: Address = address('5c')

  it('are the registers and whom they obey: the successor after the council has handed over, and the old council no more', () => {
    const roleless = { accounts: { [ROBOT]: { organisation: BUREAU, roles: 0, gas: NO_LIMIT, bytes: NO_LIMIT } } }
    expect(codeOf(gateOf(change(roleless)), asking(ROBOT, SUCCESSOR, 60_000n))).toBe('PERMISSION_ROLE')
    const handedOver = gateOf(change({ ...roleless, governor: SUCCESSOR }))
    expect(codeOf(handedOver, asking(ROBOT, SUCCESSOR, 60_000n))).toBeUndefined()
    expect(codeOf(handedOver, asking(STRANGER, SUCCESSOR, 60_000n))).toBeUndefined()
    expect(codeOf(handedOver, asking(ROBOT, NODE_REGISTER_ADDRESS, 60_000n))).toBeUndefined()
    expect(codeOf(handedOver, asking(ROBOT, COUNCIL_ADDRESS, 60_000n))).toBe('PERMISSION_ROLE')
  })
})

describe('an administrator who governs', () => {
  const governed = change({ organisations: { ...BASE.organisations, [BUREAU]: { ...BASE.organisations![BUREAU]!, administrator: CLERK } } })
  const spent: [Uint8Array, { gas: bigint; bytes: bigint }][] = [[organisationUsageKey(BUREAU), { gas: 1_000_000n, bytes: 10_000n }]]

  it('is heard though others of its organisation have used up the day', () => {
    for (const to of GOVERNANCE) expect(codeOf(gateOf(governed, spent), asking(CLERK, to, 60_000n))).toBeUndefined()
    expect(codeOf(gateOf(governed, spent), asking(CLERK, SHOP, 60_000n))).toBe('QUOTA_ORGANISATION_GAS')
    expect(codeOf(gateOf(governed, spent), asking(ROBOT, COUNCIL_ADDRESS, 60_000n))).toBe('QUOTA_ORGANISATION_GAS')
    expect(codeOf(gateOf(BASE, spent), asking(CLERK, COUNCIL_ADDRESS, 60_000n))).toBe('QUOTA_ORGANISATION_GAS')
  })

  it('is counted alone for it, with all else that it has used', () => {
    const gate = gateOf(governed)
    gate.record(asking(CLERK, COUNCIL_ADDRESS, 60_000n), 50_000n)
    gate.record(asking(CLERK, SHOP, 60_000n), 20_000n)
    const storage = storageOf({})
    for (const { slot, value } of gate.usageWrites()) storage.get(USAGE_REGISTER_ADDRESS)!.set(wordOf(slot), value)
    expect(usageOfAccount(storage, CLERK)).toMatchObject({ gas: 70_000n, bytes: 200n, transactions: 2n })
    expect(usageIn(storage, organisationUsageKey(BUREAU))).toMatchObject({ gas: 20_000n, bytes: 100n, transactions: 1n })
    expect(codeOf(gate, asking(CLERK, COUNCIL_ADDRESS, 530_000n))).toBeUndefined()
    expect(gate.check(asking(CLERK, COUNCIL_ADDRESS, 530_001n))).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: { limit: 600_000n, used: 70_000n } })
    expect(codeOf(gate, asking(CLERK, COUNCIL_ADDRESS, 1n, 5_801))).toBe('QUOTA_ACCOUNT_BYTES')
  })

  it('cannot give itself more of it than the council has given its organisation', () => {
    const lavish = change({ ...governed, accounts: { [CLERK]: { organisation: BUREAU, roles: ALL, gas: NO_LIMIT, bytes: NO_LIMIT } } })
    expect(codeOf(gateOf(lavish), asking(CLERK, COUNCIL_ADDRESS, 1_000_000n, 10_000))).toBeUndefined()
    expect(gateOf(lavish).check(asking(CLERK, COUNCIL_ADDRESS, 1_000_001n))).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: { limit: 1_000_000n } })
    expect(codeOf(gateOf(lavish), asking(CLERK, COUNCIL_ADDRESS, 1n, 10_001))).toBe('QUOTA_ACCOUNT_BYTES')
  })

  it('waits with its own work alone, and is nobody when its organisation is suspended', () => {
    const pending = { own: { gas: 540_000n, bytes: 0n }, group: { gas: 5_000_000n, bytes: 0n } }
    expect(gateOf(governed).check(asking(CLERK, COUNCIL_ADDRESS, 60_000n), pending)).toBeUndefined()
    expect(gateOf(governed).check(asking(CLERK, COUNCIL_ADDRESS, 60_001n), pending)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS' })
    const suspended = change({ organisations: { [BUREAU]: { status: 2n, roles: ALL, gas: NO_LIMIT, bytes: NO_LIMIT, administrator: CLERK } } })
    expect(codeOf(gateOf(suspended), asking(CLERK, COUNCIL_ADDRESS, 60_000n))).toBe('PERMISSION_ORGANISATION_SUSPENDED')
  })
})

const clerk = accountUsageKey(CLERK)
const bureau = organisationUsageKey(BUREAU)
const stranger = accountUsageKey(STRANGER)

describe('quotas', () => {
  it.each<[string, string, [Uint8Array, { gas: bigint; bytes: bigint }][], Asking, Asking]>([
    ['account gas', 'QUOTA_ACCOUNT_GAS', [[clerk, { gas: 540_000n, bytes: 0n }]], asking(CLERK, SHOP, 60_000n), asking(CLERK, SHOP, 60_001n)],
    ['account bytes', 'QUOTA_ACCOUNT_BYTES', [[clerk, { gas: 0n, bytes: 5_900n }]], asking(CLERK, SHOP, 60_000n, 100), asking(CLERK, SHOP, 60_000n, 101)],
    ['organisation gas', 'QUOTA_ORGANISATION_GAS', [[bureau, { gas: 940_000n, bytes: 0n }]], asking(CLERK, SHOP, 60_000n), asking(CLERK, SHOP, 60_001n)],
    ['organisation bytes', 'QUOTA_ORGANISATION_BYTES', [[bureau, { gas: 0n, bytes: 9_900n }]], asking(CLERK, SHOP, 60_000n, 100), asking(CLERK, SHOP, 60_000n, 101)],
    ['newcomer gas', 'QUOTA_ACCOUNT_GAS', [[stranger, { gas: 140_000n, bytes: 0n }]], asking(STRANGER, COUNCIL_ADDRESS, 60_000n), asking(STRANGER, COUNCIL_ADDRESS, 60_001n)],
    ['newcomer bytes', 'QUOTA_ACCOUNT_BYTES', [[stranger, { gas: 0n, bytes: 1_900n }]], asking(STRANGER, COUNCIL_ADDRESS, 60_000n, 100), asking(STRANGER, COUNCIL_ADDRESS, 60_000n, 101)],
    ['all newcomers gas', 'QUOTA_NEWCOMERS_GAS', [[NEWCOMERS_USAGE_KEY, { gas: 440_000n, bytes: 0n }]], asking(STRANGER, COUNCIL_ADDRESS, 60_000n), asking(STRANGER, COUNCIL_ADDRESS, 60_001n)],
    ['all newcomers bytes', 'QUOTA_NEWCOMERS_BYTES', [[NEWCOMERS_USAGE_KEY, { gas: 0n, bytes: 4_900n }]], asking(STRANGER, COUNCIL_ADDRESS, 60_000n, 100), asking(STRANGER, COUNCIL_ADDRESS, 60_000n, 101)],
  ])('%s: up to the quota, and not one above', (_name, code, usage, fits, above) => {
    expect(gateOf(BASE, usage).check(fits)).toBeUndefined()
    expect(codeOf(gateOf(BASE, usage), above)).toBe(code)
  })

  it('say what is left and when it comes back', () => {
    const refusal = gateOf(BASE, [[clerk, { gas: 540_000n, bytes: 0n }]]).check(asking(CLERK, SHOP, 60_001n))!
    expect(refusal.details).toEqual({
      account: CLERK, organisation: BUREAU, limit: 600_000n, used: 540_000n, asked: 60_001n, resetsAt: MIDNIGHT,
    })
    expect(refusal.message).toBe(
      `gas of the day (account quota of ${CLERK}): limit 600000, used 540000, asked 60001; resets at ${new Date(MIDNIGHT * 1000).toISOString()}`)
    expect(new Date(MIDNIGHT * 1000).toISOString()).toMatch(/T16:00:00.000Z$/)
    expect(refusalToError(refusal)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: refusal.details })
  })

  it('count what the block has used so far, not what was asked for', () => {
    const gate = gateOf()
    const half = asking(CLERK, SHOP, 300_001n)
    expect(codeOf(gate, half)).toBeUndefined()
    gate.record(half, 299_999n)
    expect(codeOf(gate, half)).toBeUndefined()
    gate.record(half, 300_000n)
    expect(gate.check(half)).toMatchObject({ code: 'QUOTA_ACCOUNT_GAS', details: { used: 599_999n } })
    expect(codeOf(gate, asking(CLERK, SHOP, 1n))).toBeUndefined()
  })

  it('of an organisation are shared by its accounts', () => {
    const gate = gateOf()
    const big = asking(CLERK, SHOP, 600_000n)
    gate.record(big, 600_000n)
    expect(codeOf(gate, asking(ROBOT, SHOP, 400_000n))).toBeUndefined()
    expect(gate.check(asking(ROBOT, SHOP, 400_001n))).toMatchObject({
      code: 'QUOTA_ORGANISATION_GAS', details: { account: ROBOT, organisation: BUREAU, used: 600_000n, limit: 1_000_000n },
    })
    expect(codeOf(gate, asking(TELLER, SHOP, 400_001n))).toBeUndefined()
  })

  it('of all newcomers are shared by several in one block', () => {
    const gate = gateOf()
    const newcomers = ['f1', 'f2', 'f3'].map(address)
    for (const one of newcomers.slice(0, 2)) {
      const transaction = asking(one, COUNCIL_ADDRESS, 200_000n, 2_000)
      expect(codeOf(gate, transaction)).toBeUndefined()
      gate.record(transaction, 200_000n)
    }
    expect(codeOf(gate, asking(newcomers[2]!, COUNCIL_ADDRESS, 100_000n, 1_000))).toBeUndefined()
    expect(codeOf(gate, asking(newcomers[2]!, COUNCIL_ADDRESS, 100_001n, 1_000))).toBe('QUOTA_NEWCOMERS_GAS')
    expect(codeOf(gate, asking(newcomers[2]!, COUNCIL_ADDRESS, 100_000n, 1_001))).toBe('QUOTA_NEWCOMERS_BYTES')
    expect(gate.usageWrites()).toHaveLength(3)
  })

  it('2^64 − 1 is no limit, 0 is none', () => {
    const used: [Uint8Array, { gas: bigint; bytes: bigint }][] = [[accountUsageKey(TELLER), { gas: NO_LIMIT, bytes: NO_LIMIT }], [organisationUsageKey(BANK), { gas: NO_LIMIT, bytes: NO_LIMIT }]]
    expect(codeOf(gateOf(BASE, used), asking(TELLER, SHOP, NO_LIMIT))).toBeUndefined()
    const almost = { organisation: BANK, roles: ALL, gas: NO_LIMIT - 1n, bytes: NO_LIMIT }
    expect(codeOf(gateOf(change({ accounts: { [TELLER]: almost } })), asking(TELLER, SHOP, NO_LIMIT - 1n))).toBeUndefined()
    expect(codeOf(gateOf(change({ accounts: { [TELLER]: almost } })), asking(TELLER, SHOP, NO_LIMIT))).toBe('QUOTA_ACCOUNT_GAS')
    expect(codeOf(gateOf(change({ accounts: { [TELLER]: { ...almost, gas: 0n } } })), asking(TELLER, SHOP, 21_000n))).toBe('QUOTA_ACCOUNT_GAS')
    expect(codeOf(gateOf(change({ accounts: { [TELLER]: { ...almost, bytes: 0n } } })), asking(TELLER, SHOP, 21_000n))).toBe('QUOTA_ACCOUNT_BYTES')
  })

  it('usage without a limit stays within its word', () => {
    const gate = gateOf(BASE, [[accountUsageKey(TELLER), { gas: NO_LIMIT - 5n, bytes: NO_LIMIT }]])
    gate.record(asking(TELLER, SHOP, 21_000n), 21_000n)
    const storage = storageOf({})
    for (const { slot, value } of gate.usageWrites()) storage.get(USAGE_REGISTER_ADDRESS)!.set(wordOf(slot), value)
    expect(usageOfAccount(storage, TELLER)).toEqual({ day: BigInt(TODAY), gas: NO_LIMIT, bytes: NO_LIMIT, transactions: 2n })
  })

  it('begin anew at midnight in Beijing, not a second earlier', () => {
    const used: [Uint8Array, { gas: bigint; bytes: bigint }][] = [[clerk, { gas: 600_000n, bytes: 0n }], [bureau, { gas: 600_000n, bytes: 0n }]]
    expect(codeOf(gateOf(BASE, used, MIDNIGHT - 1), asking(CLERK, SHOP, 21_000n))).toBe('QUOTA_ACCOUNT_GAS')
    expect(codeOf(gateOf(BASE, used, MIDNIGHT), asking(CLERK, SHOP, 600_000n))).toBeUndefined()
  })

  it('of the sender\'s pending work count where it is given, for the organisation too', () => {
    const gate = gateOf(BASE, [[bureau, { gas: 500_000n, bytes: 0n }]])
    const work = { gas: 400_000n, bytes: 5_900n }
    const pending = { own: work, group: work }
    expect(gate.check(asking(CLERK, SHOP, 100_000n), pending)).toBeUndefined()
    expect(gate.check(asking(CLERK, SHOP, 100_001n), pending)).toMatchObject({
      code: 'QUOTA_ORGANISATION_GAS', details: { used: 500_000n, pending: 400_000n, asked: 100_001n },
    })
    expect(gate.check(asking(CLERK, SHOP, 100_000n, 101), pending)).toMatchObject({ code: 'QUOTA_ACCOUNT_BYTES', details: { pending: 5_900n, used: 0n } })
  })

  it('of all who share a quota count against that quota alone: whoever makes up newcomers gets no more of it', () => {
    const gate = gateOf(BASE, [])
    const others = { own: { gas: 0n, bytes: 0n }, group: { gas: 950_000n, bytes: 0n } }
    expect(gate.check(asking(CLERK, SHOP, 50_000n), others)).toBeUndefined()
    expect(gate.check(asking(CLERK, SHOP, 50_001n), others)).toMatchObject({ code: 'QUOTA_ORGANISATION_GAS', details: { pending: 950_000n } })
  })
})

describe('usage', () => {
  it('is written for each sender and what it is part of, once, and for nobody else', () => {
    const gate = gateOf(BASE, [[clerk, { gas: 10n, bytes: 20n }], [bureau, { gas: 30n, bytes: 40n }], [stranger, { gas: 7n, bytes: 8n, day: TODAY - 1 }]])
    gate.check(asking(OTHER, COUNCIL_ADDRESS, 21_000n))
    gate.record(asking(CLERK, SHOP, 99_000n, 5), 1_000n)
    gate.record(asking(ROBOT, SHOP, 99_000n, 6), 2_000n)
    gate.record(asking(CLERK, SHOP, 99_000n, 7), 3_000n)
    gate.record(asking(STRANGER, COUNCIL_ADDRESS, 99_000n, 9), 4_000n)
    const storage = storageOf({})
    const writes = gate.usageWrites()
    for (const { slot, value } of writes) storage.get(USAGE_REGISTER_ADDRESS)!.set(wordOf(slot), value)
    const day = BigInt(TODAY)
    expect(usageIn(storage, clerk)).toEqual({ day, gas: 4_010n, bytes: 32n, transactions: 3n })
    expect(usageOfAccount(storage, ROBOT)).toEqual({ day, gas: 2_000n, bytes: 6n, transactions: 1n })
    expect(usageIn(storage, bureau)).toEqual({ day, gas: 6_030n, bytes: 58n, transactions: 4n })
    expect(usageIn(storage, stranger)).toEqual({ day, gas: 4_000n, bytes: 9n, transactions: 1n })
    expect(usageIn(storage, NEWCOMERS_USAGE_KEY)).toEqual({ day, gas: 4_000n, bytes: 9n, transactions: 1n })
    expect(new Set(writes.map(({ slot }) => slot)).size).toBe(5)
    expect(writes.some(({ slot }) => slot === usageSlot(accountUsageKey(OTHER)))).toBe(false)
  })

  it('is nothing without a transaction', () => {
    const gate = gateOf()
    gate.check(asking(CLERK, SHOP, 21_000n))
    expect(gate.usageWrites()).toEqual([])
  })

  it('is read once for each sender and block', () => {
    const state = stateOfStorage(storageOf(BASE))
    const gate = createGate(state, NOON)
    for (let round = 0; round < 50; round++) {
      for (const transaction of [asking(CLERK, SHOP, 1_000n), asking(ROBOT, SHOP, 1_000n)]) {
        expect(gate.check(transaction)).toBeUndefined()
        gate.record(transaction, 900n)
      }
    }
    // Two words and the usage of each account; two words and the usage of their organisation; whom the registers obey.
    expect(state.reads).toBe(2 * 3 + 3 + 1)
  })
})
