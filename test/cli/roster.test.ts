import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { privateKeyToIdentity } from '@songhua/node/cli/identity'
import { parseRoster, rosterGovernance } from '@songhua/node/cli/roster'
import { rosterOrganisations } from '../support/roster.js'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

const at = await testFolder()

const identities = [1, 2, 3, 4, 5].map((byte) => privateKeyToIdentity(new Uint8Array(32).fill(byte)))
const organisations = rosterOrganisations()
const [GOVERNMENT, , TELECOM, OPERATOR] = organisations.map(({ uscc }) => uscc)
const member = (index: number, changes: object = {}): object => ({
  name: `Node ${index}`,
  city: '230100',
  publicKey: identities[index]?.publicKey,
  kind: 'backbone',
  government: GOVERNMENT,
  telecom: TELECOM,
  operator: OPERATOR,
  ...changes,
})
const roster = (changes: object = {}): Record<string, unknown> => ({
  organisations,
  validators: [0, 1, 2, 3].map((index) => member(index)),
  nodes: [member(4)],
  ...changes,
})

describe('a genesis that a roster does not make', () => {
  const refuse = async (changes: object, language: 'en' | 'zh' = 'en') => {
    await writeFile(at('roster.json'), JSON.stringify(roster(changes)))
    return runCommand(['genesis', '--roster', at('roster.json'), '--out', at('genesis.json')], { language })
  }
  const validators = (change: object): object => ({ validators: [0, 1, 2, 3].map((index) => member(index, index === 2 ? change : {})) })

  it('names the roster’s own path, and kinds in words', async () => {
    const wrong = await refuse(validators({ telecom: GOVERNMENT }))
    expect(wrong.error).toBe('GOVERNANCE_BODY')
    expect(wrong.message).toBe(`${at('roster.json')}: validators[2].telecom is ${GOVERNMENT}; it must be the credit code of an organisation of the roster of kind telecom operator`)
    expect((await refuse(validators({ telecom: undefined }), 'zh')).message).toContain('validators[2].telecom 缺失；应为名册中一个电信运营商的信用代码')
    expect((await refuse({ nodes: [member(4, { government: OPERATOR })] })).message).toContain('nodes[0].government is')
    const twice = { ...organisations[3]!, administrator: organisations[0]!.administrator }
    expect((await refuse({ organisations: [...organisations.slice(0, 3), twice] })).message).toMatch(/organisations\[[03]\]\.administrator/)
  })

  it('says that at least four organisations have seats', async () => {
    const three = organisations.map((one, index) => ({ ...one, seat: index !== 1 }))
    const few = await refuse({ organisations: three })
    expect([few.error, few.message]).toEqual(['GOVERNANCE_SEAT_COUNT', expect.stringMatching(/organisations: 3 have a seat.*at least four/)])
    expect((await refuse({ organisations: three.filter(({ seat }) => seat) }, 'zh')).message).toContain('至少 4 个')
  })
})

describe('a roster', () => {
  it('becomes a genesis whose validators are the nodes that it names, and nobody else', () => {
    const { chainId, gasLimit, qbft, ...rest } = parseRoster(roster({ qbft: { minBlockPeriodMs: 70 } }))
    expect([chainId, gasLimit]).toEqual([undefined, undefined])
    const genesis = parseGenesis(JSON.stringify(createGenesis({ governance: rosterGovernance(rest), qbft, chainId: 230_000, timestamp: 1 })))
    expect(genesis.validators).toEqual(
      identities
        .slice(0, 4)
        .map(({ address }) => address)
        .sort(),
    )
    expect(genesis.qbft.minBlockPeriodMs).toBe(70)
  })

  it('gives the same genesis for the same roster and time, in whatever order the nodes stand', () => {
    const make = (json: object): unknown => createGenesis({ governance: rosterGovernance(parseRoster(json)), chainId: 1, timestamp: 5 })
    const others = roster({ organisations: [...organisations].reverse(), validators: [3, 1, 0, 2].map((index) => member(index)) })
    expect(make(others)).toEqual(make(roster()))
  })

  it.each([
    ['an unknown field', roster({ validatorz: [] }), 'roster.validatorz'],
    ['no organisations', { validators: [] }, 'roster.organisations'],
    ['no validators', { organisations }, 'roster.validators'],
    ['an empty list', roster({ validators: [] }), 'validators'],
    ['a list that is none', roster({ nodes: {} }), 'nodes must be a list'],
    ['a chain id as text', roster({ chainId: '1' }), 'chainId'],
    ['a short administrator', roster({ organisations: [{ ...organisations[0], administrator: '0x12' }] }), 'organisations[0].administrator'],
    ['a code with a slip', roster({ organisations: [{ ...organisations[0], uscc: '11230000MB0000019X' }] }), 'organisations[0].uscc'],
    ['an unknown kind', roster({ organisations: [{ ...organisations[0], kind: 'club' }] }), 'organisations[0].kind'],
    ['an unknown role', roster({ organisations: [{ ...organisations[0], roles: ['rule'] }] }), 'organisations[0].roles[0]'],
    ['a name too long', roster({ organisations: [{ ...organisations[0], nameZh: '长'.repeat(34) }] }), 'organisations[0].nameZh'],
    ['a quota as text', roster({ organisations: [{ ...organisations[0], gasPerDay: '5' }] }), 'organisations[0].gasPerDay'],
    ['a seat as text', roster({ organisations: [{ ...organisations[0], seat: 'yes' }] }), 'organisations[0].seat'],
    ['a node without operator', roster({ nodes: [member(4, { operator: undefined })] }), 'nodes[0].operator'],
    ['a node of an unknown kind', roster({ nodes: [member(4, { kind: 'leaf' })] }), 'nodes[0].kind'],
    ['an industry that is none', roster({ nodes: [member(4, { industry: 'Z' })] }), 'nodes[0].industry'],
    ['an AC code in capitals', roster({ nodes: [member(4, { acCode: 'HLJ1' })] }), 'nodes[0].acCode'],
    ['a node without name', roster({ nodes: [member(4, { name: ' ' })] }), 'nodes[0].name'],
    ['an unknown city', roster({ nodes: [member(4, { city: '110000' })] }), 'nodes[0].city'],
    ['a city as a number', roster({ nodes: [member(4, { city: 230100 })] }), 'nodes[0].city'],
    [
      'an address for a key',
      roster({ nodes: [member(4, { publicKey: identities[4]?.address })] }),
      'nodes[0].publicKey',
    ],
    [
      'a key that is no point',
      roster({ nodes: [member(4, { publicKey: `0x02${'ff'.repeat(32)}` })] }),
      'nodes[0].publicKey',
    ],
    ['a key twice', roster({ nodes: [member(3, { name: 'Other' })] }), 'publicKey'],
    ['a name twice', roster({ nodes: [member(4, { name: 'Node 0' })] }), 'name Node 0'],
    ['an unknown qbft field', roster({ qbft: { blockperiodseconds: 1 } }), 'qbft.blockperiodseconds'],
    ['a gas limit too low', roster({ gasLimit: 21 }), 'gasLimit'],
  ])('with %s is refused by name', (_what, json, named) => {
    expect(() => parseRoster(json)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^JSON_/) as string,
        message: expect.stringContaining(named) as string,
      }) as Error,
    )
  })
})
