// Where the policy stands in the state: storage slots of the system contracts, as solc lays their variables out. Part of
// the chain's format: every node reads permissions and quotas here, from the parent's post-state, without calling code.
import { type Address, type Hash, bytesToHex, concatBytes, hexToBytes, padLeft } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'

/** Variables of OrganisationRegister.sol. */
export const ORGANISATION_SLOT = { governor: 0n, organisations: 1n, accounts: 2n, list: 3n, accountsOf: 5n, bindingNonces: 6n } as const
/** Variables of NodeRegister.sol. */
export const NODE_SLOT = { governor: 0n, nodes: 1n, connectable: 2n, all: 4n, acCodes: 6n, validators: 7n, pending: 8n, churn: 9n, successors: 10n, spent: 11n, signed: 12n } as const
/** Variables of Council.sol. */
export const COUNCIL_SLOT = { seats: 0n, thresholds: 2n, motions: 3n, open: 4n } as const
/** Variables of PolicyRegister.sol. */
export const POLICY_SLOT = { governor: 0n, newcomer: 1n, newcomers: 2n, readLevels: 3n, parameters: 4n, protocol: 5n, readers: 6n } as const
/** Variables of UsageRegister.sol. */
export const USAGE_SLOT = { usage: 0n } as const

/** Members of a packed word, lowest first: name and width in bits. */
export type PackedLayout = readonly (readonly [name: string, bits: number])[]

export const ORGANISATION_WORD = [['status', 8], ['kind', 8], ['roles', 16], ['gasPerDay', 64], ['bytesPerDay', 64]] as const satisfies PackedLayout
/** Word 1 of an organisation. */
export const ADMINISTRATOR_WORD = [['administrator', 160], ['since', 64]] as const satisfies PackedLayout
/** Word 1 of a node. */
export const NODE_WORD = [
  ['keyPrefix', 8], ['kind', 8], ['status', 8], ['suspendedFrom', 8], ['city', 48], ['industry', 8], ['acCode', 32],
  ['since', 64], ['confirmations', 8],
] as const satisfies PackedLayout
export const ACCOUNT_WORD = [['organisation', 144], ['roles', 16], ['gasPerDay', 64]] as const satisfies PackedLayout
export const ACCOUNT_BYTES_WORD = [['bytesPerDay', 64]] as const satisfies PackedLayout
export const NEWCOMER_WORD = [['roles', 16], ['gasPerDay', 64], ['bytesPerDay', 64]] as const satisfies PackedLayout
export const NEWCOMERS_WORD = [['gasPerDay', 64], ['bytesPerDay', 64]] as const satisfies PackedLayout
export const PARAMETERS_WORD = [
  ['minValidators', 16], ['validatorNotice', 32], ['protocolNotice', 32], ['motionLifetime', 32],
] as const satisfies PackedLayout
export const PROTOCOL_WORD = [['height', 64], ['version', 16]] as const satisfies PackedLayout
export const USAGE_WORD = [['day', 32], ['gas', 64], ['bytes', 64], ['transactions', 32]] as const satisfies PackedLayout

export type Unpacked<L extends PackedLayout> = Record<L[number][0], bigint>

/** The members of a packed word. Bits above the layout are ignored. */
export function unpackWord<const L extends PackedLayout>(layout: L, word: bigint): Unpacked<L> {
  let shift = 0n
  const entries = layout.map(([name, bits]) => {
    const value = (word >> shift) & ((1n << BigInt(bits)) - 1n)
    shift += BigInt(bits)
    return [name, value] as const
  })
  return Object.fromEntries(entries) as Unpacked<L>
}

/** @throws RangeError for a member that does not fit its width */
export function packWord<const L extends PackedLayout>(layout: L, values: Unpacked<L>): bigint {
  let [word, shift] = [0n, 0n]
  for (const [name, bits] of layout) {
    const value = values[name as keyof Unpacked<L>]
    if (value < 0n || value >> BigInt(bits) !== 0n) throw new RangeError(`${name} is ${value}, which does not fit ${bits} bits`)
    word |= value << shift
    shift += BigInt(bits)
  }
  return word
}

/** Slot of `mapping[key]`, for a key that Solidity pads to a word. */
export function mappingSlot(key: Uint8Array, slot: bigint): bigint {
  return BigInt(keccak256Hex(concatBytes(key, hexToBytes(wordOf(slot)))))
}

/** Where the elements of the dynamic value at `slot` begin. */
export function elementsSlot(slot: bigint): bigint {
  return BigInt(keccak256Hex(hexToBytes(wordOf(slot))))
}

/** A slot or a value as 32 bytes. */
export function wordOf(value: bigint): Hash {
  return `0x${value.toString(16).padStart(64, '0')}`
}

/** An address as a mapping's key: padded left. */
export const addressKey = (address: Address): Uint8Array => padLeft(hexToBytes(address), 32)

/** A unified social credit code as a mapping's key: 18 ASCII characters, padded right. */
export function organisationKey(uscc: string): Uint8Array {
  const key = new Uint8Array(32)
  key.set([...uscc].map((character) => character.charCodeAt(0)))
  return key
}

/** `bytes18` as it stands in the low bits of a packed word, as text; undefined when it is zero. */
export function usccOf(packed: bigint): string | undefined {
  if (packed === 0n) return undefined
  return String.fromCharCode(...hexToBytes(`0x${packed.toString(16).padStart(36, '0')}`))
}

/** `bytes18` in the low bits of a packed word. */
export const packedUscc = (uscc: string): bigint => BigInt(bytesToHex(organisationKey(uscc).subarray(0, 18)))

/** Key of the usage of an account, which is also its key as an address. */
export const accountUsageKey = addressKey
/** Key of the usage of an organisation. */
export const organisationUsageKey = organisationKey
/** Key of the usage of all newcomers together: neither an address with a known key nor a credit code. */
export const NEWCOMERS_USAGE_KEY: Uint8Array = padLeft(Uint8Array.of(1), 32)

/** Bits of an account's and an organisation's roles. */
export const ROLE = { anchor: 1, deploy: 2, issue: 4, administer: 8, read: 16, apply: 32 } as const
export type Role = keyof typeof ROLE
/** A quota that limits nothing. */
export const NO_LIMIT = 2n ** 64n - 1n
/** Days of quotas begin at midnight in Beijing, UTC+8; seconds. */
export const DAY_OFFSET_S = 28_800
/** The day that a block time in seconds belongs to. */
export const dayOf = (timestamp: number): number => Math.floor((timestamp + DAY_OFFSET_S) / 86_400)
