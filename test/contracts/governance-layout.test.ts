import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, RECORD_ANCHOR_ADDRESS,
  USAGE_REGISTER_ADDRESS, genesisContracts,
} from '@songhua/contracts/addresses'
import { council } from '@songhua/contracts/generated/Council'
import { nodeRegister } from '@songhua/contracts/generated/NodeRegister'
import { organisationRegister } from '@songhua/contracts/generated/OrganisationRegister'
import { policyRegister } from '@songhua/contracts/generated/PolicyRegister'
import { usageRegister } from '@songhua/contracts/generated/UsageRegister'
import {
  ACCOUNT_BYTES_WORD, ACCOUNT_WORD, ADMINISTRATOR_WORD, COUNCIL_SLOT, NEWCOMERS_WORD, NEWCOMER_WORD, NODE_SLOT, ORGANISATION_SLOT, ORGANISATION_WORD,
  PARAMETERS_WORD, POLICY_SLOT, PROTOCOL_WORD, type PackedLayout, USAGE_SLOT, USAGE_WORD,
} from '@songhua/contracts/membership/slots'
import { describe, expect, it } from 'vitest'
import { EVERY_ABI, governanceOf } from './governance.js'

interface Place { label: string; slot: number; offset: number; type: string }
interface Artifact {
  name: string
  deployedBytecode: string
  storageLayout: readonly Place[]
  storageStructs: Readonly<Record<string, readonly Place[]>>
}

/** EIP-170. */
const CODE_BYTES_MAX = 24_576
const ARTIFACTS: Artifact[] = [organisationRegister, nodeRegister, council, policyRegister, usageRegister]
const WIDTHS: Record<string, number> = { address: 160, bool: 8 }
const widthOf = (type: string): number => {
  const digits = Number(/\d+$/.exec(type)?.[0])
  return WIDTHS[type] ?? (type.startsWith('bytes') ? digits * 8 : digits)
}

/** Members of one word of a struct, as `slots.ts` writes a layout. */
const wordOf = ({ storageStructs }: Artifact, struct: string, word: number): [number, number][] =>
  storageStructs[struct]!.filter(({ slot }) => slot === word).map(({ offset, type }) => [offset * 8, widthOf(type)])

const expected = (layout: PackedLayout): [number, number][] => {
  let shift = 0
  return layout.map(([, bits]) => [(shift += bits) - bits, bits])
}

const slotsOf = ({ storageLayout }: Artifact): number[] => storageLayout.map(({ slot }) => slot)
const numbers = (slots: Record<string, bigint>): number[] => Object.values(slots).map(Number)

describe('the layout that the node reads', () => {
  it('has every variable in the slot that slots.ts says', () => {
    expect(slotsOf(organisationRegister)).toEqual(numbers(ORGANISATION_SLOT))
    expect(slotsOf(policyRegister)).toEqual(numbers(POLICY_SLOT))
    expect(slotsOf(usageRegister)).toEqual(numbers(USAGE_SLOT))
    expect(slotsOf(council)).toEqual(numbers(COUNCIL_SLOT))
    // The schedule is one struct in slots 7 and 8.
    expect(slotsOf(nodeRegister)).toEqual(numbers(NODE_SLOT).filter((slot) => slot !== Number(NODE_SLOT.pending)))
    expect(nodeRegister.storageStructs['struct ValidatorSchedule.Schedule'].map(({ label, slot }) => [label, slot]))
      .toEqual([['current', 0], ['pending', 1]])
    expect([NODE_SLOT.validators, NODE_SLOT.pending]).toEqual([7n, 8n])
  })

  it('names the variables as slots.ts does, and their types', () => {
    const typesOf = ({ storageLayout }: Artifact) => storageLayout.map(({ label, type }) => `${type} ${label}`)
    expect(typesOf(organisationRegister)).toEqual([
      'address governor',
      'mapping(bytes18 => struct IOrganisationRegister.Organisation) _organisations',
      'mapping(address => struct IOrganisationRegister.Account) _accounts',
      'struct EnumerableSet.Bytes32Set _list',
      'mapping(bytes18 => struct EnumerableSet.AddressSet) _accountsOf',
      'mapping(address => uint256) bindingNonceOf',
    ])
    expect(typesOf(nodeRegister)).toEqual([
      'address governor', 'mapping(address => struct INodeRegister.Node) _nodes', 'struct EnumerableSet.AddressSet _connectable',
      'struct EnumerableSet.AddressSet _all', 'mapping(bytes4 => address) nodeByAcCode', 'struct ValidatorSchedule.Schedule _schedule',
      'struct ValidatorChurn.Churn _churn', 'mapping(address => address) successorOf', 'mapping(bytes32 => bool) _spent',
      'mapping(address => bytes32) _signed',
    ])
    expect(typesOf(council).slice(0, 3)).toEqual([
      'struct EnumerableSet.Bytes32Set _seats', 'mapping(uint8 => uint16) _thresholds', 'struct Council.Motion[] _motions',
    ])
    expect(typesOf(policyRegister)).toEqual([
      'address governor', 'struct IPolicyRegister.Newcomer _newcomer', 'struct IPolicyRegister.Newcomers _newcomers',
      'uint256 readLevels', 'struct IPolicyRegister.Parameters _parameters', 'struct IPolicyRegister.ProtocolChange[] _protocol',
      'mapping(address => uint256) readerDoors',
    ])
    expect(typesOf(usageRegister)).toEqual(['mapping(bytes32 => struct IUsageRegister.Usage) _usage'])
  })

  it.each<[string, Artifact, string, number, PackedLayout]>([
    ['organisation', organisationRegister, 'struct IOrganisationRegister.Organisation', 0, ORGANISATION_WORD],
    ['administrator', organisationRegister, 'struct IOrganisationRegister.Organisation', 1, ADMINISTRATOR_WORD],
    ['account', organisationRegister, 'struct IOrganisationRegister.Account', 0, ACCOUNT_WORD],
    ['account bytes', organisationRegister, 'struct IOrganisationRegister.Account', 1, ACCOUNT_BYTES_WORD],
    ['newcomer', policyRegister, 'struct IPolicyRegister.Newcomer', 0, NEWCOMER_WORD],
    ['newcomers', policyRegister, 'struct IPolicyRegister.Newcomers', 0, NEWCOMERS_WORD],
    ['parameters', policyRegister, 'struct IPolicyRegister.Parameters', 0, PARAMETERS_WORD],
    ['protocol', policyRegister, 'struct IPolicyRegister.ProtocolChange', 0, PROTOCOL_WORD],
    ['usage', usageRegister, 'struct IUsageRegister.Usage', 0, USAGE_WORD],
  ])('packs %s words as slots.ts does', (_what, artifact, struct, word, layout) => {
    expect(wordOf(artifact, struct, word)).toEqual(expected(layout))
  })

  it('has the words of an organisation and of a node that genesis writes', () => {
    const places = (artifact: Artifact, struct: string) =>
      artifact.storageStructs[struct]!.map(({ label, slot, offset }) => `${slot}.${offset} ${label}`)
    expect(places(organisationRegister, 'struct IOrganisationRegister.Organisation').slice(5))
      .toEqual(['1.0 administrator', '1.20 since', '2.0 contactHash', '3.0 nameZh', '4.0 nameEn'])
    expect(places(nodeRegister, 'struct INodeRegister.Node')).toEqual([
      '0.0 keyX', '1.0 keyPrefix', '1.1 kind', '1.2 status', '1.3 suspendedFrom', '1.4 city', '1.10 industry', '1.11 acCode',
      '1.15 since', '1.23 confirmations', '2.0 government', '3.0 telecom', '4.0 operator', '5.0 endpointsHash', '6.0 documentsHash',
      '7.0 applicant', '7.20 rotatedAt', '8.0 suspendedBy',
    ])
  })
})

describe('the governance contracts', () => {
  it.each(ARTIFACTS.map((artifact) => [artifact.name, artifact] as const))('%s can be deployed anywhere', (_name, { deployedBytecode }) => {
    const bytes = deployedBytecode.length / 2 - 1
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(CODE_BYTES_MAX)
  })

  it('stand at their fixed addresses as created contracts, where they look for each other', () => {
    const contracts = genesisContracts({ governance: governanceOf() })
    expect(contracts.map(({ address, nonce, balance }) => [address, nonce, balance])).toEqual([
      RECORD_ANCHOR_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, COUNCIL_ADDRESS, POLICY_REGISTER_ADDRESS,
      USAGE_REGISTER_ADDRESS,
    ].map((address) => [address, '0x1', '0x0']))
    const library = readFileSync(fileURLToPath(new URL('../../contracts/src/lib/SystemContracts.sol', import.meta.url)), 'utf8')
    for (const address of [NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS]) expect(library).toContain(address)
  })

  it('have no function, error or event that no test names', () => {
    const folder = fileURLToPath(new URL('.', import.meta.url))
    const tests = readdirSync(folder).filter((file) => file.endsWith('.test.ts')).map((file) => readFileSync(folder + file, 'utf8')).join('\n')
    const names = EVERY_ABI.flatMap((entry) => ('name' in entry ? [entry.name] : []))
    expect(names.length).toBeGreaterThan(150)
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(tests))).toEqual([])
  })
})
