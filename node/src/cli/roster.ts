import { type Address, type Hex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import {
  failField,
  joinPath,
  readAddressField,
  readHexBytes,
  readInteger,
  readShape,
} from '@songhua/sdk/protocol/json-fields'
import type { QbftConfig } from '@songhua/sdk/protocol/qbft-config'
import { CITIES } from './cities.js'

/** A node that a roster names. */
export interface RosterMember {
  name: string
  /** GB/T 2260 code of its city. */
  city: string
  publicKey: Hex
  isValidator: boolean
}

/** Who begins a chain: what the organisations agree on before there is one. */
export interface Roster {
  chainId: number | undefined
  administrator: Address | undefined
  members: RosterMember[]
  qbft: Partial<QbftConfig>
  gasLimit: bigint | undefined
}

const PUBLIC_KEY_BYTES = 33
const MAX_NAME_CHARACTERS = 64
const MAX_MEMBERS = 1024
/** Of `config.qbft`; their ranges are checked with the genesis that they become part of. */
const QBFT_FIELDS = [
  'roundTimeoutMs',
  'roundTimeoutStepMs',
  'roundTimeoutCapMs',
  'minBlockPeriodMs',
  'emptyBlockPeriodS',
  'protocolVersions',
] as const
const MAX_GAS_LIMIT = 1_000_000_000

export const ROSTER_EXAMPLE = `{
  "chainId": 230000,
  "administrator": "0x…40 digits, an account",
  "validators": [
    { "name": "Harbin 哈尔滨", "city": "230100", "publicKey": "0x02…66 digits, from songhua init" },
    { "name": "Qiqihar 齐齐哈尔", "city": "230200", "publicKey": "0x03…" }
  ],
  "nodes": [{ "name": "Court 法院", "city": "230100", "publicKey": "0x02…" }],
  "qbft": { "minBlockPeriodMs": 50, "emptyBlockPeriodS": 30 }
}`

/**
 * Reads a roster from parsed JSON.
 * @throws CodedError with a `JSON_` code, naming the path of the field
 */
export function parseRoster(json: unknown): Roster {
  const root = readShape(json, 'roster', {
    required: ['validators'],
    optional: ['chainId', 'administrator', 'nodes', 'qbft', 'gasLimit'],
  })
  const members = [
    ...readMembers(root.validators, 'validators', true),
    ...readMembers(root.nodes ?? [], 'nodes', false),
  ]
  if (!members.some(({ isValidator }) => isValidator))
    failField('JSON_RANGE', 'validators', 'must name at least one node')
  refuseTwice(members)
  return {
    chainId:
      root.chainId === undefined
        ? undefined
        : readInteger(root.chainId, 'chainId', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    administrator: root.administrator === undefined ? undefined : readAddressField(root.administrator, 'administrator'),
    members,
    qbft: readShape(root.qbft ?? {}, 'qbft', { required: [], optional: QBFT_FIELDS }),
    gasLimit:
      root.gasLimit === undefined
        ? undefined
        : BigInt(readInteger(root.gasLimit, 'gasLimit', { min: 5_000, max: MAX_GAS_LIMIT })),
  }
}

/**
 * @param accounts whose keys are public knowledge
 * @throws CodedError naming the field when one of them would have a say
 */
export function refuseAccounts(
  { administrator, members }: Pick<Roster, 'administrator' | 'members'>,
  accounts: readonly Address[],
): void {
  const must = (address: Address): string => `${address} is a development account, whose key is public knowledge`
  if (administrator !== undefined && accounts.includes(administrator)) {
    failField('JSON_RANGE', 'administrator', must(administrator))
  }
  for (const { name, publicKey } of members) {
    const address = publicKeyToAddress(hexToBytes(publicKey))
    if (accounts.includes(address)) failField('JSON_RANGE', `publicKey of ${name}`, must(address))
  }
}

function readMembers(value: unknown, field: string, isValidator: boolean): RosterMember[] {
  if (!Array.isArray(value)) return failField('JSON_TYPE', field, 'must be a list')
  if (value.length > MAX_MEMBERS) failField('JSON_RANGE', field, `has more than ${MAX_MEMBERS} entries`)
  return value.map((entry: unknown, index) => readMember(entry, `${field}[${index}]`, isValidator))
}

function readMember(value: unknown, path: string, isValidator: boolean): RosterMember {
  const { name, city, publicKey } = readShape(value, path, { required: ['name', 'city', 'publicKey'] })
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_CHARACTERS) {
    return failField('JSON_TYPE', joinPath(path, 'name'), `must be a text of 1 to ${MAX_NAME_CHARACTERS} characters`)
  }
  if (!CITIES.some(({ code }) => code === city)) {
    const known = CITIES.map(({ code, en }) => `${code} ${en}`)
      .sort()
      .join(', ')
    return failField('JSON_TYPE', joinPath(path, 'city'), `must be a text, one of the codes ${known}`)
  }
  return { name, city: city as string, publicKey: readPublicKey(publicKey, joinPath(path, 'publicKey')), isValidator }
}

function readPublicKey(value: unknown, path: string): Hex {
  const bytes = readHexBytes(value, path, PUBLIC_KEY_BYTES)
  if (bytes.length !== PUBLIC_KEY_BYTES) {
    failField(
      'JSON_RANGE',
      path,
      `must be a compressed public key of ${PUBLIC_KEY_BYTES} bytes; it has ${bytes.length}`,
    )
  }
  try {
    publicKeyToAddress(hexToBytes((value as string).toLowerCase(), path))
  } catch {
    failField('JSON_RANGE', path, 'is no point of secp256k1')
  }
  return (value as string).toLowerCase() as Hex
}

function refuseTwice(members: readonly RosterMember[]): void {
  for (const field of ['publicKey', 'name'] as const) {
    const seen = new Set<string>()
    for (const member of members) {
      if (seen.has(member[field])) failField('JSON_DUPLICATE', field, `${member[field]} stands in the roster twice`)
      seen.add(member[field])
    }
  }
}
