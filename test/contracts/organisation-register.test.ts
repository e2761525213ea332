import { NO_LIMIT, ROLE } from '@songhua/contracts/membership/slots'
import { type Hex, stringToHex, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { ALL_ROLES, testUscc } from '../support/governance.js'
import {
  ADMIN, COUNCIL, type Governance, START, STRANGER, ZERO_BYTES18, ZERO_WORD, addressOf, consent, event, eventsOf, expectOk, hash, refusal,
  startGovernance, uscc,
} from './governance.js'

const SEAT_GAS = 20_000_000n
const SEAT_BYTES = 1_000_000n
/** Accounts that nobody has bound yet. */
const [ALICE, BOB] = [301, 302]
const NEW = 9

const entry = (changes: Record<string, unknown> = {}) => ({
  uscc: uscc(NEW), kind: 4, roles: ROLE.anchor | ROLE.read, nameZh: '龙江测试有限公司', nameEn: 'Longjiang Test Ltd', contactHash: hash(7),
  administrator: addressOf(ADMIN(NEW)), gasPerDay: 5_000_000n, bytesPerDay: 50_000n, ...changes,
})
const accountOf = (governance: Governance, owner: number) => governance.read('organisations', 'accountOf', [addressOf(owner)])
const admit = (governance: Governance, changes: Record<string, unknown> = {}) =>
  governance.govern('organisations', 'admitOrganisation', [entry(changes)])

async function bind(governance: Governance, owner: number, roles: number = ROLE.anchor, organisation = 0) {
  const nonce = await governance.read<bigint>('organisations', 'bindingNonceOf', [addressOf(owner)])
  const args = [addressOf(owner), roles, 1_000n, 2_000n, await consent(owner, organisation, nonce)]
  return governance.admin(organisation, 'organisations', 'bindAccount', args)
}

describe('OrganisationRegister at genesis', () => {
  it('answers with the organisations, their accounts and their rights', async () => {
    const extra = { address: addressOf(ALICE), uscc: testUscc(1), roles: ROLE.anchor, gasPerDay: 7n, bytesPerDay: 8n }
    const { read } = await startGovernance({ accounts: [extra] })
    expect(await read('organisations', 'organisationOf', [uscc(1)])).toEqual({
      status: 1, kind: 2, roles: ALL_ROLES, gasPerDay: NO_LIMIT, bytesPerDay: NO_LIMIT, administrator: addressOf(ADMIN(1)), since: 0n,
      contactHash: ZERO_WORD, nameZh: '测试单位1', nameEn: 'Test organisation 1, with a name of more than 31 bytes',
    })
    expect(await read('organisations', 'accountOf', [addressOf(ALICE)]))
      .toEqual({ organisation: uscc(1), roles: ROLE.anchor, gasPerDay: 7n, bytesPerDay: 8n })
    expect(await read('organisations', 'organisationCount')).toBe(4n)
    expect(await read('organisations', 'organisations', [0n, 100n])).toEqual([0, 1, 2, 3].map(uscc))
    expect(await read('organisations', 'accountsOf', [uscc(1), 0n, 10n])).toEqual([addressOf(ADMIN(1)), addressOf(ALICE)])
    expect(await read('organisations', 'accountCountOf', [uscc(1)])).toBe(2n)
    expect(await read('organisations', 'governor')).toBe(COUNCIL)
  })

  it('is laid out as the compiler does: what genesis wrote can be changed, released and bound again', async () => {
    const extra = { address: addressOf(ALICE), uscc: testUscc(0), roles: ROLE.anchor, gasPerDay: 7n, bytesPerDay: 8n }
    const governance = await startGovernance({ accounts: [extra] })
    expectOk(await governance.admin(0, 'organisations', 'changeAccount', [addressOf(ALICE), ROLE.read, 1n, 2n]))
    expectOk(await governance.admin(0, 'organisations', 'releaseAccount', [addressOf(ALICE)]))
    expect(await governance.read('organisations', 'accountsOf', [uscc(0), 0n, 10n])).toEqual([addressOf(ADMIN(0))])
    expectOk(await bind(governance, ALICE))
    expect(await governance.read('organisations', 'accountCountOf', [uscc(0)])).toBe(2n)
  })
})

describe('admitting organisations', () => {
  it('stores the entry and binds the administrator, with events', async () => {
    const governance = await startGovernance()
    expect(eventsOf(await admit(governance))).toEqual([
      event('OrganisationAdmitted', { uscc: uscc(NEW), administrator: addressOf(ADMIN(NEW)), entry: entry() }),
      event('AccountBound', {
        uscc: uscc(NEW), account: addressOf(ADMIN(NEW)), roles: ROLE.anchor | ROLE.read | ROLE.administer, gasPerDay: 5_000_000n, bytesPerDay: 50_000n,
      }),
    ])
    const { uscc: _uscc, ...stored } = entry()
    expect(await governance.read('organisations', 'organisationOf', [uscc(NEW)])).toEqual({ ...stored, status: 1, since: START.timestamp })
    expect(await governance.read('organisations', 'administeredBy', [addressOf(ADMIN(NEW))])).toBe(uscc(NEW))
    expect(await governance.read('organisations', 'administratorOf', [uscc(NEW)])).toBe(addressOf(ADMIN(NEW)))
    expect(await governance.read('organisations', 'isActive', [uscc(NEW)])).toBe(true)
    expect(await governance.read('organisations', 'activeKindOf', [uscc(NEW)])).toBe(4)
    expect(await governance.read('organisations', 'organisations', [4n, 1n])).toEqual([uscc(NEW)])
  })

  it('takes all seven kinds and names of 100 bytes', async () => {
    const governance = await startGovernance()
    for (let kind = 1; kind <= 7; kind++) {
      const names = { nameZh: `${'龙'.repeat(33)}1`, nameEn: 'a'.repeat(100) }
      expectOk(await admit(governance, { uscc: uscc(20 + kind), administrator: addressOf(ADMIN(20 + kind)), kind, ...names }))
      expect(await governance.read('organisations', 'organisationOf', [uscc(20 + kind)])).toMatchObject({ kind, ...names })
    }
  })

  const refusals: [string, Record<string, unknown>, string][] = [
    ['a wrong check character', { uscc: stringToHex(`${testUscc(NEW).slice(0, 17)}${testUscc(NEW)[17] === '0' ? '1' : '0'}`) }, 'OrganisationRegisterInvalidUscc'],
    ['a letter that the alphabet lacks', { uscc: stringToHex('91230000I00000000X') }, 'OrganisationRegisterInvalidUscc'],
    ['lower case', { uscc: stringToHex(testUscc(NEW).replace('11', '1a')) }, 'OrganisationRegisterInvalidUscc'],
    ['no code', { uscc: ZERO_BYTES18 }, 'OrganisationRegisterInvalidUscc'],
    ['a code that is admitted', { uscc: uscc(0) }, 'OrganisationRegisterExists'],
    ['kind 0', { kind: 0 }, 'OrganisationRegisterInvalidKind(0)'],
    ['kind 8', { kind: 8 }, 'OrganisationRegisterInvalidKind(8)'],
    ['a role that does not exist', { roles: 64 }, 'OrganisationRegisterInvalidRoles(64)'],
    ['no Chinese name', { nameZh: '' }, 'OrganisationRegisterInvalidName()'],
    ['an English name of 101 bytes', { nameEn: 'a'.repeat(101) }, 'OrganisationRegisterInvalidName'],
    ['the zero administrator', { administrator: zeroAddress }, 'OrganisationRegisterInvalidAdministrator'],
    ['an administrator of another', { administrator: addressOf(ADMIN(1)) }, 'OrganisationRegisterAccountBound'],
  ]
  it.each(refusals)('and applying refuse %s', async (_what, changes, reason) => {
    const governance = await startGovernance()
    const before = governance.storage()
    expect(refusal(await admit(governance, changes))).toContain(reason)
    expect(refusal(await governance.send('organisations', STRANGER, 'applyOrganisation', [entry(changes), hash(1)]))).toContain(reason)
    expect(governance.storage()).toEqual(before)
  })

  it('is for the governor; applying is for everyone and stores nothing', async () => {
    const governance = await startGovernance()
    const before = governance.storage()
    expect(refusal(await governance.admin(0, 'organisations', 'admitOrganisation', [entry()]))).toBe(`GovernedUnauthorized(${addressOf(ADMIN(0))})`)
    expect(eventsOf(await governance.send('organisations', STRANGER, 'applyOrganisation', [entry(), hash(1)])))
      .toEqual([event('OrganisationApplied', { uscc: uscc(NEW), sender: STRANGER, entry: entry(), documentsHash: hash(1) })])
    expect(governance.storage()).toEqual(before)
  })
})

describe('credit codes', () => {
  it('are valid with exactly one check character', async () => {
    const governance = await startGovernance()
    const taken = [...'0123456789ABCDEFGHJKLMNPQRTUWXY'].map(async (check) => {
      const code = stringToHex(`91350100M000100Y4${check}`)
      return (await governance.send('organisations', STRANGER, 'applyOrganisation', [entry({ uscc: code }), hash(1)])).ok ? [check] : []
    })
    // The example of GB 32100-2015.
    expect((await Promise.all(taken)).flat()).toEqual(['3'])
  })
})

describe('suspended organisations', () => {
  it('have no rights until they are reinstated', async () => {
    const governance = await startGovernance()
    const { read, govern, clock } = governance
    await admit(governance)
    clock.timestamp += 10n
    expect(eventsOf(await govern('organisations', 'suspendOrganisation', [uscc(NEW)]))).toEqual([event('OrganisationSuspended', { uscc: uscc(NEW) })])
    expect(await read('organisations', 'organisationOf', [uscc(NEW)])).toMatchObject({ status: 2, since: START.timestamp + 10n })
    expect(await read('organisations', 'isActive', [uscc(NEW)])).toBe(false)
    expect(await read('organisations', 'activeKindOf', [uscc(NEW)])).toBe(0)
    expect(await read('organisations', 'hasRole', [addressOf(ADMIN(NEW)), ROLE.anchor])).toBe(false)
    expect(await read('organisations', 'administeredBy', [addressOf(ADMIN(NEW))])).toBe(ZERO_BYTES18)
    const contact = await governance.send('organisations', addressOf(ADMIN(NEW)), 'setContactHash', [hash(1)])
    expect(refusal(contact)).toBe(`OrganisationRegisterNotAdministrator(${addressOf(ADMIN(NEW))})`)
    expect(refusal(await govern('organisations', 'suspendOrganisation', [uscc(NEW)]))).toContain('OrganisationRegisterNotActive')
    expect(eventsOf(await govern('organisations', 'reinstateOrganisation', [uscc(NEW)]))).toEqual([event('OrganisationReinstated', { uscc: uscc(NEW) })])
    expect(await read('organisations', 'hasRole', [addressOf(ADMIN(NEW)), ROLE.anchor])).toBe(true)
    expect(refusal(await govern('organisations', 'reinstateOrganisation', [uscc(NEW)]))).toContain('OrganisationRegisterNotSuspended')
  })

  it('are never those with a seat, nor unknown ones', async () => {
    const { govern } = await startGovernance()
    expect(refusal(await govern('organisations', 'suspendOrganisation', [uscc(0)]))).toBe(`OrganisationRegisterSeated(${uscc(0)})`)
    for (const name of ['suspendOrganisation', 'reinstateOrganisation']) {
      expect(refusal(await govern('organisations', name, [uscc(NEW)]))).toBe(`OrganisationRegisterUnknown(${uscc(NEW)})`)
    }
  })
})

describe('an organisation\'s rights', () => {
  it('are set with an event, and count together with the account\'s', async () => {
    const governance = await startGovernance()
    const { read, govern } = governance
    await admit(governance)
    const hasRole = (roles: number) => read('organisations', 'hasRole', [addressOf(ADMIN(NEW)), roles])
    expect([await hasRole(ROLE.read), await hasRole(ROLE.read | ROLE.anchor), await hasRole(ROLE.deploy)]).toEqual([true, true, false])
    // The account has ADMINISTER, its organisation has not.
    expect(await hasRole(ROLE.administer)).toBe(false)
    expect(eventsOf(await govern('organisations', 'setOrganisationRights', [uscc(NEW), ROLE.read | ROLE.deploy, 3n, 4n])))
      .toEqual([event('OrganisationRightsChanged', { uscc: uscc(NEW), roles: ROLE.read | ROLE.deploy, gasPerDay: 3n, bytesPerDay: 4n })])
    expect([await hasRole(ROLE.read), await hasRole(ROLE.anchor), await hasRole(ROLE.deploy)]).toEqual([true, false, false])
    expect(await read('organisations', 'hasRole', [STRANGER, 0])).toBe(false)
    expect(refusal(await govern('organisations', 'setOrganisationRights', [uscc(NEW), 128, 3n, 4n]))).toBe('OrganisationRegisterInvalidRoles(128)')
    expect(refusal(await govern('organisations', 'setOrganisationRights', [uscc(8), 1, 3n, 4n]))).toContain('OrganisationRegisterUnknown')
  })

  it('leave a seat what it needs, to the last unit', async () => {
    const { govern, read } = await startGovernance()
    const least = [ROLE.administer, SEAT_GAS, SEAT_BYTES] as const
    expectOk(await govern('organisations', 'setOrganisationRights', [uscc(0), ...least]))
    expect(await read('organisations', 'meetsSeatMinimum', [uscc(0)])).toBe(true)
    for (const less of [[ALL_ROLES & ~ROLE.administer, SEAT_GAS, SEAT_BYTES], [ROLE.administer, SEAT_GAS - 1n, SEAT_BYTES], [ROLE.administer, SEAT_GAS, SEAT_BYTES - 1n]]) {
      expect(refusal(await govern('organisations', 'setOrganisationRights', [uscc(0), ...less]))).toBe(`OrganisationRegisterBelowSeatMinimum(${uscc(0)})`)
    }
    expect(await read('organisations', 'organisationOf', [uscc(0)])).toMatchObject({ roles: ROLE.administer, gasPerDay: SEAT_GAS, bytesPerDay: SEAT_BYTES })
  })

  it('raise the administrator\'s account to what it needs to act', async () => {
    const governance = await startGovernance()
    await admit(governance, { gasPerDay: 0n, bytesPerDay: 0n })
    const raised = { roles: ROLE.anchor | ROLE.read | ROLE.administer, gasPerDay: SEAT_GAS, bytesPerDay: 900n }
    const result = await governance.govern('organisations', 'setOrganisationRights', [uscc(NEW), ROLE.anchor, 30_000_000n, 900n])
    expect(eventsOf(result)[1]).toEqual(event('AccountChanged', { uscc: uscc(NEW), account: addressOf(ADMIN(NEW)), ...raised }))
    expect(await accountOf(governance, ADMIN(NEW))).toEqual({ organisation: uscc(NEW), ...raised })
  })
})

describe('binding accounts', () => {
  it('needs the account\'s consent, and gives it roles and quotas', async () => {
    const governance = await startGovernance()
    expect(eventsOf(await bind(governance, ALICE)))
      .toEqual([event('AccountBound', { uscc: uscc(0), account: addressOf(ALICE), roles: ROLE.anchor, gasPerDay: 1_000n, bytesPerDay: 2_000n })])
    expect(await accountOf(governance, ALICE)).toEqual({ organisation: uscc(0), roles: ROLE.anchor, gasPerDay: 1_000n, bytesPerDay: 2_000n })
    expect(refusal(await bind(governance, ALICE))).toBe(`OrganisationRegisterAccountBound(${addressOf(ALICE)}, ${uscc(0)})`)
    expect(refusal(await bind(governance, ALICE, ROLE.anchor, 1))).toBe(`OrganisationRegisterAccountBound(${addressOf(ALICE)}, ${uscc(0)})`)
  })

  it('refuses every signature but the account\'s for this organisation and nonce', async () => {
    const governance = await startGovernance()
    const good = await consent(ALICE, 0, 0n)
    const highS = `${good.slice(0, 66)}${(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n - BigInt(`0x${good.slice(66, 130)}`)).toString(16).padStart(64, '0')}${good.endsWith('1b') ? '1c' : '1b'}`
    const signatures = [await consent(BOB, 0, 0n), await consent(ALICE, 1, 0n), await consent(ALICE, 0, 1n), good.slice(0, -2), '0x', highS] as Hex[]
    for (const signature of signatures) {
      const result = await governance.admin(0, 'organisations', 'bindAccount', [addressOf(ALICE), ROLE.anchor, 1n, 1n, signature])
      expect(refusal(result)).toBe(`OrganisationRegisterInvalidConsent(${addressOf(ALICE)}, 0)`)
    }
    const zero = await governance.admin(0, 'organisations', 'bindAccount', [zeroAddress, ROLE.anchor, 1n, 1n, '0x'])
    expect(refusal(zero)).toBe(`OrganisationRegisterInvalidConsent(${zeroAddress}, 0)`)
  })

  it('takes a consent once: a release makes it void, as revoking does', async () => {
    const governance = await startGovernance()
    const first = await consent(ALICE, 0, 0n)
    const bindWith = (signature: Hex) => governance.admin(0, 'organisations', 'bindAccount', [addressOf(ALICE), ROLE.anchor, 1n, 1n, signature])
    expectOk(await bindWith(first))
    expect(eventsOf(await governance.send('organisations', addressOf(ALICE), 'releaseAccount', [addressOf(ALICE)])))
      .toEqual([event('AccountReleased', { uscc: uscc(0), account: addressOf(ALICE) })])
    expect(refusal(await bindWith(first))).toBe(`OrganisationRegisterInvalidConsent(${addressOf(ALICE)}, 1)`)
    const second = await consent(ALICE, 0, 1n)
    expect(eventsOf(await governance.send('organisations', addressOf(ALICE), 'revokeConsents')))
      .toEqual([event('ConsentsRevoked', { account: addressOf(ALICE), nonce: 2n })])
    expect(refusal(await bindWith(second))).toBe(`OrganisationRegisterInvalidConsent(${addressOf(ALICE)}, 2)`)
    expectOk(await bindWith(await consent(ALICE, 0, 2n)))
  })

  it('is for administrators of active organisations, within the organisation\'s roles', async () => {
    const governance = await startGovernance()
    await governance.govern('organisations', 'setOrganisationRights', [uscc(0), ROLE.administer | ROLE.anchor, SEAT_GAS, SEAT_BYTES])
    expect(refusal(await bind(governance, ALICE, ROLE.deploy))).toBe(`OrganisationRegisterInvalidRoles(${ROLE.deploy})`)
    expectOk(await bind(governance, ALICE))
    const args = [addressOf(BOB), ROLE.anchor, 1n, 1n, await consent(BOB, 0, 0n)]
    for (const from of [STRANGER, addressOf(ALICE), COUNCIL]) {
      expect((await governance.send('organisations', from, 'bindAccount', args)).ok).toBe(false)
    }
    expect(refusal(await governance.send('organisations', STRANGER, 'bindAccount', args))).toBe(`OrganisationRegisterNotAdministrator(${STRANGER})`)
  })

  it('stops at 1,024 accounts of one organisation, whose pages hold 256', async () => {
    const accounts = Array.from({ length: 1_023 }, (_, index) =>
      ({ address: addressOf(5_000 + index), uscc: testUscc(0), roles: ROLE.anchor, gasPerDay: 1n, bytesPerDay: 1n }))
    const governance = await startGovernance({ accounts })
    expect(refusal(await bind(governance, ALICE))).toBe(`OrganisationRegisterTooManyAccounts(${uscc(0)}, 1024)`)
    const page = (offset: bigint, limit: bigint) => governance.read<string[]>('organisations', 'accountsOf', [uscc(0), offset, limit])
    expect(await page(0n, 2n)).toEqual([addressOf(ADMIN(0)), addressOf(5_000)])
    expect(await page(0n, 10_000n)).toHaveLength(256)
    expect(await page(1_000n, 2n ** 256n - 1n)).toHaveLength(24)
    expect(await page(2n ** 256n - 1n, 2n ** 256n - 1n)).toEqual([])
    expectOk(await governance.admin(0, 'organisations', 'releaseAccount', [addressOf(5_000)]))
    expectOk(await bind(governance, ALICE))
  }, 120_000)
})

describe('changing and releasing accounts', () => {
  it('is for the administrator of the account\'s organisation', async () => {
    const governance = await startGovernance()
    await bind(governance, ALICE)
    const rights = { roles: ROLE.read, gasPerDay: 5n, bytesPerDay: 6n }
    expect(eventsOf(await governance.admin(0, 'organisations', 'changeAccount', [addressOf(ALICE), ...Object.values(rights)])))
      .toEqual([event('AccountChanged', { uscc: uscc(0), account: addressOf(ALICE), ...rights })])
    expect(await accountOf(governance, ALICE)).toEqual({ organisation: uscc(0), ...rights })
    expect(refusal(await governance.admin(1, 'organisations', 'changeAccount', [addressOf(ALICE), 1, 1n, 1n])))
      .toBe(`OrganisationRegisterAccountNotBound(${addressOf(ALICE)})`)
    expect(refusal(await governance.send('organisations', addressOf(ALICE), 'changeAccount', [addressOf(ALICE), 1, 1n, 1n])))
      .toBe(`OrganisationRegisterNotAdministrator(${addressOf(ALICE)})`)
    expect(refusal(await governance.admin(1, 'organisations', 'releaseAccount', [addressOf(ALICE)])))
      .toBe(`OrganisationRegisterNotAdministrator(${addressOf(ADMIN(1))})`)
    expect(refusal(await governance.admin(0, 'organisations', 'releaseAccount', [STRANGER]))).toBe(`OrganisationRegisterAccountNotBound(${STRANGER})`)
    expectOk(await governance.admin(0, 'organisations', 'releaseAccount', [addressOf(ALICE)]))
    expect(await accountOf(governance, ALICE)).toEqual({ organisation: ZERO_BYTES18, roles: 0, gasPerDay: 0n, bytesPerDay: 0n })
  })

  it('never makes an administrator unable to act, nor leaves an organisation without one', async () => {
    const governance = await startGovernance()
    const change = (roles: number, gas: bigint, bytes: bigint) => governance.admin(0, 'organisations', 'changeAccount', [addressOf(ADMIN(0)), roles, gas, bytes])
    expectOk(await change(ROLE.administer, SEAT_GAS, SEAT_BYTES))
    expect(refusal(await change(ROLE.anchor, SEAT_GAS, SEAT_BYTES))).toBe(`OrganisationRegisterInvalidRoles(${ROLE.anchor})`)
    for (const [gas, bytes] of [[SEAT_GAS - 1n, SEAT_BYTES], [SEAT_GAS, SEAT_BYTES - 1n]] as const) {
      expect(refusal(await change(ROLE.administer, gas, bytes))).toBe(`OrganisationRegisterBelowAdministratorMinimum(${addressOf(ADMIN(0))})`)
    }
    expect(refusal(await governance.admin(0, 'organisations', 'releaseAccount', [addressOf(ADMIN(0))])))
      .toBe(`OrganisationRegisterIsAdministrator(${addressOf(ADMIN(0))})`)
    await governance.govern('organisations', 'setOrganisationRights', [uscc(0), ROLE.administer, SEAT_GAS, SEAT_BYTES])
    expect(refusal(await change(ROLE.administer | ROLE.deploy, SEAT_GAS, SEAT_BYTES))).toContain('OrganisationRegisterInvalidRoles')
  })

  it('names another contact with an event', async () => {
    const governance = await startGovernance()
    expect(eventsOf(await governance.admin(1, 'organisations', 'setContactHash', [hash(5)]))).toEqual([event('ContactHashChanged', { uscc: uscc(1), contactHash: hash(5) })])
    expect(await governance.read('organisations', 'organisationOf', [uscc(1)])).toMatchObject({ contactHash: hash(5) })
  })
})

describe('replacing an administrator', () => {
  const replace = (governance: Governance, next: number) => governance.govern('organisations', 'replaceAdministrator', [uscc(0), addressOf(next)])

  it('releases the old account and gives the new one its rights', async () => {
    const governance = await startGovernance()
    expect(eventsOf(await replace(governance, ALICE))).toEqual([
      event('AdministratorReplaced', { uscc: uscc(0), previous: addressOf(ADMIN(0)), next: addressOf(ALICE) }),
      event('AccountReleased', { uscc: uscc(0), account: addressOf(ADMIN(0)) }),
      event('AccountBound', { uscc: uscc(0), account: addressOf(ALICE), roles: ALL_ROLES, gasPerDay: NO_LIMIT, bytesPerDay: NO_LIMIT }),
    ])
    expect(await governance.read('organisations', 'accountsOf', [uscc(0), 0n, 9n])).toEqual([addressOf(ALICE)])
    expect(await governance.read('organisations', 'bindingNonceOf', [addressOf(ADMIN(0))])).toBe(1n)
    expect(refusal(await governance.admin(0, 'organisations', 'setContactHash', [hash(1)]))).toContain('OrganisationRegisterNotAdministrator')
    expectOk(await governance.send('organisations', addressOf(ALICE), 'setContactHash', [hash(1)]))
  })

  it('takes an account of the same organisation, and none of another', async () => {
    const governance = await startGovernance()
    await bind(governance, ALICE)
    await bind(governance, BOB, ROLE.anchor, 1)
    expect(eventsOf(await replace(governance, ALICE))[2]).toMatchObject({ eventName: 'AccountChanged', args: { account: addressOf(ALICE), roles: ALL_ROLES } })
    expect(await governance.read('organisations', 'accountCountOf', [uscc(0)])).toBe(1n)
    expect(refusal(await replace(governance, BOB))).toBe(`OrganisationRegisterAccountBound(${addressOf(BOB)}, ${uscc(1)})`)
    expect(refusal(await replace(governance, ALICE))).toBe(`OrganisationRegisterInvalidAdministrator(${addressOf(ALICE)})`)
    expect(refusal(await governance.govern('organisations', 'replaceAdministrator', [uscc(0), zeroAddress]))).toContain('OrganisationRegisterInvalidAdministrator')
    expect(refusal(await governance.govern('organisations', 'replaceAdministrator', [uscc(NEW), STRANGER]))).toContain('OrganisationRegisterUnknown')
  })
})

describe('a register\'s governor', () => {
  it.each(['organisations', 'nodes', 'policy'] as const)('of %s names a contract as its successor', async (contract) => {
    const governance = await startGovernance()
    expect(refusal(await governance.send(contract, STRANGER, 'setGovernor', [COUNCIL]))).toBe(`GovernedUnauthorized(${STRANGER})`)
    expect(refusal(await governance.govern(contract, 'setGovernor', [STRANGER]))).toBe(`GovernedInvalidGovernor(${STRANGER})`)
    const next = '0x0000000000000000000000000000000000230001'
    expect(eventsOf(await governance.govern(contract, 'setGovernor', [next]))).toEqual([event('GovernorChanged', { previous: COUNCIL, next })])
    expect(refusal(await governance.govern(contract, 'setGovernor', [next]))).toBe(`GovernedUnauthorized(${COUNCIL})`)
  })
})
