// Storage of NodeRegister.sol at genesis.
import { type Address, type Hash, type Hex, bytesToBigint, hexToBytes, toHash } from '@songhua/sdk/protocol/bytes'
import { publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { OrganisationGenesis } from './genesis-organisations.js'
import { type Storage, asciiKey, asciiWord, demand, hashWord, put, putAddressSet, putArray, repeatedAt } from './genesis-words.js'
import { BODY, NODE_KIND, NODE_STATUS, type NodeKindName, ORGANISATION_KIND } from './kinds.js'
import { NODE_SLOT, NODE_WORD, addressKey, mappingSlot, packWord, packedUscc } from './slots.js'

/** A node that may connect, active, from the first block on. */
export interface NodeGenesis {
  /** Compressed secp256k1 key, 33 bytes. */
  readonly publicKey: Hex
  readonly kind: NodeKindName
  /** GB/T 2260, 6 digits. */
  readonly city: string
  /** GB/T 4754, 'A' to 'T'. */
  readonly industry?: string
  /** Credit codes of its responsible bodies: all three for super and backbone nodes, the operator for service nodes. */
  readonly government?: string
  readonly telecom?: string
  readonly operator?: string
  /** Four characters of [a-z0-9], each code once. */
  readonly acCode?: string
  readonly endpointsHash?: Hash
  /** Seals from the first block on; not for service nodes. */
  readonly isValidator: boolean
}

export const MAX_NODES = 1_024
export const MAX_VALIDATORS = 64
const NODE_KEY_BYTES = 33

interface PlacedNode extends NodeGenesis {
  readonly key: Uint8Array
  readonly address: Address
}

/** Validator addresses, ascending: the set that seals the first block. */
export const genesisValidators = (nodes: readonly NodeGenesis[]): Address[] =>
  nodes.map(place).filter(({ isValidator }) => isValidator).map(({ address }) => address).sort()

/**
 * @param governor the address in slot 0
 * @throws CodedError `GOVERNANCE_NODE_COUNT`, `GOVERNANCE_NODE_KEY`, `GOVERNANCE_DUPLICATE_NODE`, `GOVERNANCE_NODE_KIND`,
 *   `GOVERNANCE_CITY`, `GOVERNANCE_INDUSTRY`, `GOVERNANCE_BODY`, `GOVERNANCE_AC_CODE`, `GOVERNANCE_DUPLICATE_AC_CODE`,
 *   `GOVERNANCE_VALIDATOR_KIND`, `GOVERNANCE_VALIDATOR_COUNT`
 */
export function nodeStorage(
  nodes: readonly NodeGenesis[],
  organisations: readonly OrganisationGenesis[],
  governor: Address,
): Storage {
  demand(nodes.length <= MAX_NODES, 'GOVERNANCE_NODE_COUNT', 'nodes', `has ${nodes.length} entries; at most ${MAX_NODES} may connect`)
  const placed = nodes.map(place)
  placed.forEach((node, index) => checkNode(node, organisations, `nodes[${index}]`))
  checkDiffer(placed)
  const validators = genesisValidators(nodes)
  demand(validators.length >= 1 && validators.length <= MAX_VALIDATORS, 'GOVERNANCE_VALIDATOR_COUNT', 'nodes',
    `has ${validators.length} validators; expected 1 to ${MAX_VALIDATORS}`)

  const storage: Storage = {}
  const addresses = placed.map(({ address }) => address)
  put(storage, NODE_SLOT.governor, BigInt(governor))
  for (const node of placed) putNode(storage, node)
  putAddressSet(storage, NODE_SLOT.connectable, addresses)
  putAddressSet(storage, NODE_SLOT.all, addresses)
  putArray(storage, NODE_SLOT.validators, validators.map(BigInt))
  return storage
}

function place(node: NodeGenesis, index: number): PlacedNode {
  const field = `nodes[${index}].publicKey`
  const key = hexToBytes(node.publicKey, field)
  const address = addressOf(key)
  demand(address !== undefined, 'GOVERNANCE_NODE_KEY', field,
    `is not a compressed secp256k1 public key (02 or 03, then the 32-byte x of a point): ${node.publicKey}`)
  return { ...node, key, address }
}

function addressOf(key: Uint8Array): Address | undefined {
  if (key.length !== NODE_KEY_BYTES) return undefined
  try {
    return publicKeyToAddress(key)
  } catch (error) {
    if (isCodedError(error, 'PUBLIC_KEY_INVALID')) return undefined
    throw error
  }
}

function putNode(storage: Storage, node: PlacedNode): void {
  const { key, address, kind, city, industry = '', acCode = '', government = '', telecom = '', operator = '' } = node
  const slot = mappingSlot(addressKey(address), NODE_SLOT.nodes)
  // Who is named at genesis has confirmed.
  const confirmations = (government ? BODY.government : 0) | (telecom ? BODY.telecom : 0) | (operator ? BODY.operator : 0)
  put(storage, slot, bytesToBigint(key.subarray(1)))
  put(storage, slot + 1n, packWord(NODE_WORD, {
    keyPrefix: BigInt(key[0]!), kind: BigInt(NODE_KIND[kind]), status: BigInt(NODE_STATUS.active), suspendedFrom: 0n,
    city: asciiWord(city), industry: asciiWord(industry), acCode: asciiWord(acCode), since: 0n, confirmations: BigInt(confirmations),
  }))
  put(storage, slot + 2n, packedUscc(government))
  put(storage, slot + 3n, packedUscc(telecom))
  put(storage, slot + 4n, packedUscc(operator))
  put(storage, slot + 5n, hashWord(node.endpointsHash))
  if (acCode !== '') put(storage, mappingSlot(asciiKey(acCode), NODE_SLOT.acCodes), BigInt(address))
}

function checkNode(node: NodeGenesis, organisations: readonly OrganisationGenesis[], field: string): void {
  const { kind, city, industry, acCode, endpointsHash, isValidator } = node
  demand(Object.hasOwn(NODE_KIND, kind), 'GOVERNANCE_NODE_KIND', `${field}.kind`, `is "${kind}"; expected super, backbone or service`)
  demand(/^[0-9]{6}$/.test(city), 'GOVERNANCE_CITY', `${field}.city`, `is "${city}"; expected the 6 digits of GB/T 2260`)
  demand(industry === undefined || /^[A-T]$/.test(industry), 'GOVERNANCE_INDUSTRY', `${field}.industry`,
    `is "${industry}"; expected a letter from A to T`)
  demand(acCode === undefined || /^[a-z0-9]{4}$/.test(acCode), 'GOVERNANCE_AC_CODE', `${field}.acCode`,
    `is "${acCode}"; expected four characters of a-z and 0-9`)
  if (endpointsHash !== undefined) toHash(endpointsHash, `${field}.endpointsHash`)
  const isService = kind === 'service'
  demand(!isService || !isValidator, 'GOVERNANCE_VALIDATOR_KIND', `${field}.isValidator`, 'is true for a service node, which does not vote')
  const checkBody = bodyCheck(organisations)
  checkBody(node.government, `${field}.government`, ORGANISATION_KIND.governmentBody, isService)
  checkBody(node.telecom, `${field}.telecom`, ORGANISATION_KIND.telecomOperator, isService)
  checkBody(node.operator, `${field}.operator`, isService ? undefined : ORGANISATION_KIND.operatingEntity, false)
}

function bodyCheck(organisations: readonly OrganisationGenesis[]) {
  return (uscc: string | undefined, field: string, kind: number | undefined, isOptional: boolean): void => {
    if (uscc === undefined && isOptional) return
    const organisation = organisations.find((candidate) => candidate.uscc === uscc)
    const isGood = organisation !== undefined && (kind === undefined || organisation.kind === kind)
    const wanted = kind === undefined ? 'any kind' : `kind ${kind}`
    demand(isGood, 'GOVERNANCE_BODY', field, `is ${uscc === undefined ? 'missing' : `"${uscc}"`}; expected an organisation of ${wanted} of this genesis`)
  }
}

function checkDiffer(nodes: readonly PlacedNode[]): void {
  const twice = repeatedAt(nodes.map(({ address }) => address))
  demand(twice < 0, 'GOVERNANCE_DUPLICATE_NODE', `nodes[${twice}].publicKey`, 'repeats the key of a node before')
  const named = nodes.flatMap(({ acCode }, index) => (acCode === undefined ? [] : [{ acCode, index }]))
  const again = repeatedAt(named.map(({ acCode }) => acCode))
  demand(again < 0, 'GOVERNANCE_DUPLICATE_AC_CODE', `nodes[${named[again]?.index}].acCode`, 'names a node before')
}
