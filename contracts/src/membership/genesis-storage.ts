// Storage of contracts/src/membership/Membership.sol at genesis, slot by slot, as solc lays it out.
import { type Address, type Hash, type Hex, ZERO_ADDRESS, bytesToHex, concatBytes, hexToBytes, toAddress } from '@songhua/sdk/protocol/bytes'
import { keccak256, publicKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'

export const MAX_MEMBERSHIP_VALIDATORS = 64
export const MAX_MEMBERSHIP_NODES = 1024

const NODE_KEY_BYTES = 33

const ADMINISTRATOR_SLOT = 0n
const VALIDATORS_SLOT = 1n
const NODES_SLOT = 2n
const POSITIONS_SLOT = 3n

export interface MembershipGenesis {
  /** The account that may change the membership; absent: nobody may. */
  readonly administrator?: Address
  /** 1 to 64 addresses, in any order. */
  readonly validators: readonly Address[]
  /** Compressed secp256k1 public keys (33 bytes) of every node that may connect, validators' nodes included. */
  readonly nodes: readonly Hex[]
}

/**
 * @returns slot → word, both 32 bytes; unset slots are absent
 * @throws CodedError `MEMBERSHIP_VALIDATOR_COUNT`, `MEMBERSHIP_DUPLICATE_VALIDATOR`, `MEMBERSHIP_ZERO_VALIDATOR`,
 *   `MEMBERSHIP_NODE_COUNT`, `MEMBERSHIP_INVALID_NODE_KEY`, `MEMBERSHIP_DUPLICATE_NODE`
 */
export function membershipStorage(membership: MembershipGenesis): Record<Hash, Hash> {
  const administrator = toAddress(membership.administrator ?? ZERO_ADDRESS, 'membership.administrator')
  const validators = checkedValidators(membership.validators)
  const nodes = checkedNodes(membership.nodes)

  const storage: Record<Hash, Hash> = {}
  const put = (slot: bigint, value: bigint): void => {
    if (value !== 0n) storage[word(slot)] = word(value)
  }
  put(ADMINISTRATOR_SLOT, BigInt(administrator))
  put(VALIDATORS_SLOT, BigInt(validators.length))
  const validatorsAt = hashOfSlot(VALIDATORS_SLOT)
  validators.forEach((validator, index) => put(validatorsAt + BigInt(index), BigInt(validator)))
  put(NODES_SLOT, BigInt(nodes.length))
  const nodesAt = hashOfSlot(NODES_SLOT)
  nodes.forEach((node, index) => {
    putLongBytes(put, nodesAt + BigInt(index), node)
    put(mappingSlot(keccak256(node), POSITIONS_SLOT), BigInt(index + 1))
  })
  return storage
}

/** `bytes` of 32 and more: the slot holds 2·length + 1, the data starts at the slot's hash, the last word padded right. */
function putLongBytes(put: (slot: bigint, value: bigint) => void, slot: bigint, value: Uint8Array): void {
  put(slot, BigInt(2 * value.length + 1))
  const dataAt = hashOfSlot(slot)
  for (let offset = 0; offset < value.length; offset += 32) {
    const padded = new Uint8Array(32)
    padded.set(value.subarray(offset, offset + 32))
    put(dataAt + BigInt(offset / 32), BigInt(bytesToHex(padded)))
  }
}

function checkedValidators(validators: readonly Address[]): Address[] {
  if (validators.length === 0 || validators.length > MAX_MEMBERSHIP_VALIDATORS) {
    throw new CodedError('MEMBERSHIP_VALIDATOR_COUNT',
      `membership.validators has ${validators.length} entries; give 1 to ${MAX_MEMBERSHIP_VALIDATORS}`)
  }
  const sorted = validators.map((validator, index) => toAddress(validator, `membership.validators[${index}]`)).sort()
  sorted.forEach((validator, index) => {
    if (validator === ZERO_ADDRESS) {
      throw new CodedError('MEMBERSHIP_ZERO_VALIDATOR', 'membership.validators contains the zero address, which has no key')
    }
    if (validator === sorted[index - 1]) {
      throw new CodedError('MEMBERSHIP_DUPLICATE_VALIDATOR', `membership.validators names ${validator} twice`)
    }
  })
  return sorted
}

function checkedNodes(nodes: readonly Hex[]): Uint8Array[] {
  if (nodes.length > MAX_MEMBERSHIP_NODES) {
    throw new CodedError('MEMBERSHIP_NODE_COUNT',
      `membership.nodes has ${nodes.length} entries; at most ${MAX_MEMBERSHIP_NODES} are possible`)
  }
  const seen = new Set<Hex>()
  return nodes.map((node, index) => {
    const field = `membership.nodes[${index}]`
    const bytes = hexToBytes(node, field)
    if (!isCompressedKey(bytes)) {
      throw new CodedError('MEMBERSHIP_INVALID_NODE_KEY',
        `${field} is not a compressed secp256k1 public key (02 or 03, then the 32-byte x of a point): ${node}`)
    }
    const canonical = bytesToHex(bytes)
    if (seen.has(canonical)) throw new CodedError('MEMBERSHIP_DUPLICATE_NODE', `${field} repeats the key ${canonical}`)
    seen.add(canonical)
    return bytes
  })
}

function isCompressedKey(bytes: Uint8Array): boolean {
  if (bytes.length !== NODE_KEY_BYTES) return false
  try {
    publicKeyToAddress(bytes)
    return true
  } catch (error) {
    if (isCodedError(error, 'PUBLIC_KEY_INVALID')) return false
    throw error
  }
}

function word(value: bigint): Hash {
  return `0x${value.toString(16).padStart(64, '0')}`
}

/** Where the elements of the dynamic value at `slot` begin. */
function hashOfSlot(slot: bigint): bigint {
  return BigInt(bytesToHex(keccak256(hexToBytes(word(slot)))))
}

function mappingSlot(key: Uint8Array, slot: bigint): bigint {
  return BigInt(bytesToHex(keccak256(concatBytes(key, hexToBytes(word(slot))))))
}
