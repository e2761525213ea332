import { describe, expect, it } from 'vitest'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { createGenesis } from '@songhua/node/cli/genesis-file'
import { privateKeyToIdentity } from '@songhua/node/cli/identity'
import { parseRoster } from '@songhua/node/cli/roster'

const identities = [1, 2, 3, 4, 5].map((byte) => privateKeyToIdentity(new Uint8Array(32).fill(byte)))
const member = (index: number, changes: object = {}): object => ({
  name: `Node ${index}`,
  city: '230100',
  publicKey: identities[index]?.publicKey,
  ...changes,
})
const roster = (changes: object = {}): Record<string, unknown> => ({
  validators: [0, 1, 2, 3].map((index) => member(index)),
  nodes: [member(4)],
  ...changes,
})

describe('a roster', () => {
  it('becomes a genesis whose validators are the nodes that it names, and nobody else', () => {
    const { chainId, gasLimit, ...rest } = parseRoster(roster({ qbft: { minBlockPeriodMs: 70 } }))
    expect([chainId, gasLimit]).toEqual([undefined, undefined])
    const genesis = parseGenesis(JSON.stringify(createGenesis({ ...rest, chainId: 230_000, timestamp: 1 })))
    expect(genesis.validators).toEqual(
      identities
        .slice(0, 4)
        .map(({ address }) => address)
        .sort(),
    )
    expect(genesis.qbft.minBlockPeriodMs).toBe(70)
  })

  it('gives the same genesis for the same roster and time, in whatever order the nodes stand', () => {
    const { chainId: _chainId, gasLimit: _gasLimit, ...rest } = parseRoster(roster())
    const make = (): unknown => createGenesis({ ...rest, chainId: 1, timestamp: 5 })
    expect(make()).toEqual(make())
  })

  it.each([
    ['an unknown field', roster({ validatorz: [] }), 'roster.validatorz'],
    ['no validators', { nodes: [] }, 'roster.validators'],
    ['an empty list', roster({ validators: [] }), 'validators'],
    ['a list that is none', roster({ nodes: {} }), 'nodes must be a list'],
    ['a chain id as text', roster({ chainId: '1' }), 'chainId'],
    ['a short administrator', roster({ administrator: '0x12' }), 'administrator'],
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
