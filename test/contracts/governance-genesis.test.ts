import { genesisContracts } from '@songhua/contracts/addresses'
import { isCreditCode } from '@songhua/contracts/membership/credit-code'
import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import type { NodeGenesis } from '@songhua/contracts/membership/genesis-nodes'
import type { OrganisationGenesis } from '@songhua/contracts/membership/genesis-organisations'
import type { DOOR } from '@songhua/contracts/membership/kinds'
import { ROLE } from '@songhua/contracts/membership/slots'
import { isUscc } from '@songhua/sdk/protocol/uscc'
import { zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { testUscc } from '../support/governance.js'
import { ADMIN, NODE, STRANGER, addressOf, governanceOf, publicKeyOf } from './governance.js'

const organisations = (index: number, changes: Partial<OrganisationGenesis>): Partial<GovernanceGenesis> =>
  ({ organisations: governanceOf().organisations.map((one, at) => (at === index ? { ...one, ...changes } : one)) })
const nodes = (index: number, changes: Partial<NodeGenesis>): Partial<GovernanceGenesis> =>
  ({ nodes: governanceOf({ others: 1 }).nodes.map((one, at) => (at === index ? { ...one, ...changes } : one)) })
const account = { address: STRANGER, uscc: testUscc(0), roles: 1, gasPerDay: 1n, bytesPerDay: 1n }
const seats = (list: string[]): Partial<GovernanceGenesis> => ({ seats: list })
const [S0, S1, S2, S3] = [0, 1, 2, 3].map(testUscc) as [string, string, string, string]

describe('a genesis is refused for', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...account, address: addressOf(5_000 + index) }))
  const wrongCheck = `${S0.slice(0, 17)}${S0[17] === '0' ? '1' : '0'}`
  it.each<[string, Partial<GovernanceGenesis>, string, string]>([
    ['a wrong credit code', organisations(0, { uscc: wrongCheck }), 'GOVERNANCE_USCC', 'organisations[0].uscc'],
    ['an organisation twice', organisations(1, { uscc: S0 }), 'GOVERNANCE_DUPLICATE_ORGANISATION', 'organisations[1].uscc'],
    ['a kind that is none', organisations(2, { kind: 8 }), 'GOVERNANCE_ORGANISATION_KIND', 'organisations[2].kind'],
    ['roles that do not exist', organisations(2, { roles: 64 }), 'GOVERNANCE_ROLES', 'organisations[2].roles'],
    ['no name', organisations(0, { nameZh: '' }), 'GOVERNANCE_NAME', 'organisations[0].nameZh'],
    ['a name of 102 bytes', organisations(0, { nameEn: '龙'.repeat(34) }), 'GOVERNANCE_NAME', 'organisations[0].nameEn'],
    ['a quota above 64 bits', organisations(3, { gasPerDay: 2n ** 64n }), 'GOVERNANCE_QUOTA', 'organisations[3].gasPerDay'],
    ['a negative quota', organisations(3, { bytesPerDay: -1n }), 'GOVERNANCE_QUOTA', 'organisations[3].bytesPerDay'],
    ['the zero administrator', organisations(0, { administrator: zeroAddress }), 'GOVERNANCE_ACCOUNT', 'organisations[0].administrator'],
    ['one administrator of two', organisations(1, { administrator: addressOf(ADMIN(0)) }), 'GOVERNANCE_DUPLICATE_ACCOUNT', 'organisations[1].administrator'],
    ['an account twice', { accounts: [account, account] }, 'GOVERNANCE_DUPLICATE_ACCOUNT', 'accounts[1].address'],
    ['an administrator among the accounts', { accounts: [{ ...account, address: addressOf(ADMIN(2)) }] }, 'GOVERNANCE_DUPLICATE_ACCOUNT', 'accounts[0].address'],
    ['an account of nobody', { accounts: [{ ...account, uscc: testUscc(9) }] }, 'GOVERNANCE_UNKNOWN_ORGANISATION', 'accounts[0].uscc'],
    ['an account with more roles than its organisation', { ...organisations(0, { roles: ROLE.administer }), accounts: [account] }, 'GOVERNANCE_ROLES', 'accounts[0].roles'],
    ['1,025 accounts of one', { accounts: many(1_024) }, 'GOVERNANCE_ACCOUNT_COUNT', 'organisations[0]'],
    ['three seats', seats([S0, S1, S2]), 'GOVERNANCE_SEAT_COUNT', 'seats'],
    ['65 seats', seats(Array.from({ length: 65 }, () => S0)), 'GOVERNANCE_SEAT_COUNT', 'seats'],
    ['a seat twice', seats([S0, S1, S2, S2]), 'GOVERNANCE_DUPLICATE_SEAT', 'seats[3]'],
    ['a seat of nobody', seats([S0, S1, S2, testUscc(9)]), 'GOVERNANCE_UNKNOWN_SEAT', 'seats[3]'],
    ['a seat without ADMINISTER', organisations(3, { roles: 1 }), 'GOVERNANCE_SEAT_RIGHTS', 'seats[3]'],
    ['a seat with too little gas', organisations(3, { gasPerDay: 19_999_999n }), 'GOVERNANCE_SEAT_RIGHTS', 'seats[3]'],
    ['a seat with too few bytes', organisations(3, { bytesPerDay: 999_999n }), 'GOVERNANCE_SEAT_RIGHTS', 'seats[3]'],
    ['no validators', { nodes: [] }, 'GOVERNANCE_VALIDATOR_COUNT', 'nodes'],
    ['65 validators', { nodes: governanceOf({ validators: 65 }).nodes }, 'GOVERNANCE_VALIDATOR_COUNT', 'nodes'],
    ['1,025 nodes', { nodes: Array.from({ length: 1_025 }, () => governanceOf().nodes[0]!) }, 'GOVERNANCE_NODE_COUNT', 'nodes'],
    ['an uncompressed key', nodes(0, { publicKey: `0x04${'11'.repeat(64)}` }), 'GOVERNANCE_NODE_KEY', 'nodes[0].publicKey'],
    ['a key off the curve', nodes(0, { publicKey: `0x02${'00'.repeat(31)}05` }), 'GOVERNANCE_NODE_KEY', 'nodes[0].publicKey'],
    ['a node twice', nodes(1, { publicKey: publicKeyOf(NODE(0)) }), 'GOVERNANCE_DUPLICATE_NODE', 'nodes[1].publicKey'],
    ['a node of no kind', nodes(1, { kind: 'light' as 'super' }), 'GOVERNANCE_NODE_KIND', 'nodes[1].kind'],
    ['a city of five digits', nodes(1, { city: '23010' }), 'GOVERNANCE_CITY', 'nodes[1].city'],
    ['industry U', nodes(1, { industry: 'U' }), 'GOVERNANCE_INDUSTRY', 'nodes[1].industry'],
    ['an AC code in capitals', nodes(1, { acCode: 'HRB1' }), 'GOVERNANCE_AC_CODE', 'nodes[1].acCode'],
    ['an AC code twice', { nodes: governanceOf().nodes.map((node, at) => (at % 2 === 1 ? { ...node, acCode: 'hrb1' } : node)) }, 'GOVERNANCE_DUPLICATE_AC_CODE', 'nodes[3].acCode'],
    ['a body of another kind', nodes(1, { government: S3 }), 'GOVERNANCE_BODY', 'nodes[1].government'],
    ['a backbone node without telecom operator', { nodes: governanceOf().nodes.map(({ telecom: _none, ...node }) => node) }, 'GOVERNANCE_BODY', 'nodes[0].telecom'],
    ['an unknown operator of a service node', nodes(5, { operator: testUscc(9) }), 'GOVERNANCE_BODY', 'nodes[5].operator'],
    ['a service node that votes', nodes(5, { isValidator: true }), 'GOVERNANCE_VALIDATOR_KIND', 'nodes[5].isValidator'],
    ['newcomers who administer', { policy: { newcomers: { roles: ROLE.administer } } }, 'GOVERNANCE_ROLES', 'policy.newcomers.roles'],
    ['newcomers\' quota of more than 64 bits', { policy: { newcomers: { bytesPerDayTotal: 2n ** 64n } } }, 'GOVERNANCE_QUOTA', 'policy.newcomers.bytesPerDayTotal'],
    ['a door that is none', { policy: { readLevels: { attic: 'public' } as Record<string, 'public'> } }, 'GOVERNANCE_DOOR', 'policy.readLevels'],
    ['a level that is none', { policy: { readLevels: { eth: 'friends' as 'public' } } }, 'GOVERNANCE_READ_LEVEL', 'policy.readLevels.eth'],
    ['a reader at a door that is none', { policy: { readers: [{ address: STRANGER, doors: ['attic' as keyof typeof DOOR] }] } }, 'GOVERNANCE_DOOR', 'policy.readers[0].doors'],
    ['a notice of no blocks', { policy: { parameters: { validatorNotice: 0 } } }, 'GOVERNANCE_PARAMETER', 'policy.parameters.validatorNotice'],
    ['motions of ten minutes', { policy: { parameters: { motionLifetime: 600 } } }, 'GOVERNANCE_PARAMETER', 'policy.parameters.motionLifetime'],
    ['a minimum above the validators', { policy: { parameters: { minValidators: 6 } } }, 'GOVERNANCE_PARAMETER', 'policy.parameters.minValidators'],
  ])('%s, with a code and the field', (_what, changes, code, field) => {
    const thrown = expect.objectContaining({ code, details: { field }, message: expect.stringContaining(field) as string }) as Error
    expect(() => genesisContracts({ governance: { ...governanceOf(), ...changes } })).toThrow(thrown)
  })
})

describe('credit codes', () => {
  it('of the SDK are good for the contracts', () => {
    const codes = Array.from({ length: 500 }, (_, index) => testUscc(index * 199_999))
    expect(codes.filter((code) => !isUscc(code) || !isCreditCode(code))).toEqual([])
    expect(new Set(codes).size).toBe(500)
    for (const wrong of ['', '91350100M000100Y4', '91350100M000100Y433', '9135010lM000100Y43', 'I1350100M000100Y43']) expect(isCreditCode(wrong)).toBe(false)
    expect(isCreditCode('91350100M000100Y43')).toBe(true)
  })
})
