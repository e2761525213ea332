import type { GovernanceGenesis } from '@songhua/contracts/membership/genesis-governance'
import type { NodeGenesis } from '@songhua/contracts/membership/genesis-nodes'
import { type Address, type Hex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { failField, joinPath, readHashField, readHexBytes, readInteger, readShape } from '@songhua/sdk/protocol/json-fields'
import { NODE_KINDS } from '@songhua/sdk/governance/codes'
import type { QbftConfig } from '@songhua/sdk/protocol/qbft-config'
import { isCityCode, knownCities } from './cities.js'
import { type RosterOrganisation, readOneOf, readOrganisations, readUscc } from './roster-governance.js'

/** A node that a roster names. */
export interface RosterNode {
  readonly name: string
  readonly entry: NodeGenesis
}

/** Who begins a chain: what the organisations agree on before there is one. */
export interface Roster {
  readonly chainId: number | undefined
  readonly organisations: readonly RosterOrganisation[]
  readonly nodes: readonly RosterNode[]
  readonly qbft: Partial<QbftConfig>
  readonly gasLimit: bigint | undefined
}

const PUBLIC_KEY_BYTES = 33
const MAX_NAME_CHARACTERS = 64
const MAX_NODES = 1024
/** Of `config.qbft`; their ranges are checked with the genesis that they become part of. */
const QBFT_FIELDS = [
  'roundTimeoutMs', 'roundTimeoutStepMs', 'roundTimeoutCapMs', 'minBlockPeriodMs', 'emptyBlockPeriodS', 'protocolVersions',
] as const
const MAX_GAS_LIMIT = 1_000_000_000

export const ROSTER_EXAMPLE = `{
  "chainId": 230000,
  "organisations": [
    { "uscc": "18 characters", "kind": "government-body", "nameZh": "省委网信办", "nameEn": "Cyberspace Office",
      "administrator": "0x…40 digits, an account of its own", "seat": true },
    { "uscc": "…", "kind": "telecom-operator", "nameZh": "…", "nameEn": "…", "administrator": "0x…", "seat": true },
    { "uscc": "…", "kind": "operating-entity", "nameZh": "…", "nameEn": "…", "administrator": "0x…", "seat": true },
    { "uscc": "…", "kind": "bank", "nameZh": "…", "nameEn": "…", "administrator": "0x…", "seat": true,
      "roles": ["anchor", "administer"], "gasPerDay": 1000000000, "bytesPerDay": 200000000 }
  ],
  "validators": [
    { "name": "Harbin 哈尔滨", "city": "230100", "publicKey": "0x02…66 digits, from songhua init", "kind": "super",
      "government": "uscc", "telecom": "uscc", "operator": "uscc" },
    { "name": "Qiqihar 齐齐哈尔", "city": "230200", "publicKey": "0x03…", "kind": "backbone",
      "government": "uscc", "telecom": "uscc", "operator": "uscc" }
  ],
  "nodes": [{ "name": "Court 法院", "city": "230100", "publicKey": "0x02…", "kind": "service", "operator": "uscc" }],
  "qbft": { "minBlockPeriodMs": 50, "emptyBlockPeriodS": 30 }
}`

/**
 * Reads a roster from parsed JSON.
 * @throws CodedError with a `JSON_` code, naming the path of the field
 */
export function parseRoster(json: unknown): Roster {
  const root = readShape(json, 'roster', {
    required: ['organisations', 'validators'],
    optional: ['chainId', 'nodes', 'qbft', 'gasLimit'],
  })
  const nodes = [...readNodes(root.validators, 'validators', true), ...readNodes(root.nodes ?? [], 'nodes', false)]
  if (!nodes.some(({ entry }) => entry.isValidator)) failField('JSON_RANGE', 'validators', 'must name at least one node')
  refuseTwice('publicKey', nodes.map(({ entry }) => entry.publicKey))
  refuseTwice('name', nodes.map(({ name }) => name))
  return {
    chainId:
      root.chainId === undefined
        ? undefined
        : readInteger(root.chainId, 'chainId', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    organisations: readOrganisations(root.organisations, 'organisations'),
    nodes,
    qbft: readShape(root.qbft ?? {}, 'qbft', { required: [], optional: QBFT_FIELDS }),
    gasLimit:
      root.gasLimit === undefined
        ? undefined
        : BigInt(readInteger(root.gasLimit, 'gasLimit', { min: 5_000, max: MAX_GAS_LIMIT })),
  }
}

/** What the genesis says of who governs: in an order of its own, so that the order of the roster does not count. */
export function rosterGovernance({ organisations, nodes }: Pick<Roster, 'organisations' | 'nodes'>): GovernanceGenesis {
  const sorted = [...organisations].sort(compareOrganisations)
  return {
    organisations: sorted.map(({ entry }) => entry),
    seats: sorted.filter(({ hasSeat }) => hasSeat).map(({ entry }) => entry.uscc),
    nodes: [...nodes].sort(compareNodes).map(({ entry }) => entry),
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
export const compareOrganisations = (a: RosterOrganisation, b: RosterOrganisation): number => compare(a.entry.uscc, b.entry.uscc)
export const compareNodes = (a: RosterNode, b: RosterNode): number => compare(a.entry.publicKey, b.entry.publicKey)

/**
 * @param accounts whose keys are public knowledge
 * @throws CodedError naming the field when one of them would have a say
 */
export function refuseAccounts(
  { organisations, nodes }: Pick<Roster, 'organisations' | 'nodes'>,
  accounts: readonly Address[],
): void {
  const must = (address: Address): string => `${address} is a development account, whose key is public knowledge`
  for (const [index, { entry }] of organisations.entries()) {
    const path = `organisations[${index}].administrator`
    if (accounts.includes(entry.administrator)) failField('JSON_RANGE', path, must(entry.administrator))
  }
  for (const { name, entry } of nodes) {
    const address = publicKeyToAddress(hexToBytes(entry.publicKey))
    if (accounts.includes(address)) failField('JSON_RANGE', `publicKey of ${name}`, must(address))
  }
}

function readNodes(value: unknown, field: string, isValidator: boolean): RosterNode[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', field, 'must be a list')
  if (value.length > MAX_NODES) failField('JSON_RANGE', field, `has more than ${MAX_NODES} entries`)
  return value.map((entry: unknown, index) => readNode(entry, `${field}[${index}]`, isValidator))
}

function readNode(value: unknown, path: string, isValidator: boolean): RosterNode {
  const json = readShape(value, path, {
    required: ['name', 'city', 'publicKey', 'kind', 'operator'],
    optional: ['government', 'telecom', 'industry', 'acCode', 'endpointsHash'],
  })
  const at = (name: string): string => joinPath(path, name)
  const { name, city } = json
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_CHARACTERS) {
    return failField('JSON_TYPE', at('name'), `must be a text of 1 to ${MAX_NAME_CHARACTERS} characters`)
  }
  if (!isCityCode(city)) return failField('JSON_TYPE', at('city'), `must be a text, one of the codes ${knownCities('en')}`)
  const optional = <T>(field: string, read: (value: unknown, path: string) => T): Record<string, T> =>
    json[field] === undefined ? {} : { [field]: read(json[field], at(field)) }
  return {
    name,
    entry: {
      city: city as string,
      publicKey: readPublicKey(json.publicKey, at('publicKey')),
      kind: readOneOf(json.kind, at('kind'), NODE_KINDS),
      operator: readUscc(json.operator, at('operator')),
      ...optional('government', readUscc),
      ...optional('telecom', readUscc),
      ...optional('industry', (one, field) => readPattern(one, field, [/^[A-T]$/, 'a letter from A to T (GB/T 4754)'])),
      ...optional('acCode', (one, field) => readPattern(one, field, [/^[a-z0-9]{4}$/, '4 characters of a to z and 0 to 9'])),
      ...optional('endpointsHash', readHashField),
      isValidator,
    },
  }
}

function readPattern(value: unknown, path: string, [pattern, shown]: [RegExp, string]): string {
  return typeof value === 'string' && pattern.test(value) ? value : failField('JSON_TYPE', path, `must be ${shown}`)
}

function readPublicKey(value: unknown, path: string): Hex {
  const bytes = readHexBytes(value, path, PUBLIC_KEY_BYTES)
  if (bytes.length !== PUBLIC_KEY_BYTES) {
    failField('JSON_RANGE', path, `must be a compressed public key of ${PUBLIC_KEY_BYTES} bytes; it has ${bytes.length}`)
  }
  try {
    publicKeyToAddress(hexToBytes((value as string).toLowerCase(), path))
  } catch {
    failField('JSON_RANGE', path, 'is no point of secp256k1')
  }
  return (value as string).toLowerCase() as Hex
}

function refuseTwice(field: string, values: readonly string[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  if (twice !== undefined) failField('JSON_DUPLICATE', field, `${twice} stands in the roster twice`)
}
