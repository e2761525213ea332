import { type Address, type Hash, EMPTY_BYTES, bytesToBigint, bytesToHex, padLeft } from './bytes.js'
import {
  failField,
  joinPath,
  readAddressField,
  readHexBytes,
  readObject,
  readQuantity,
  readShape,
} from './json-fields.js'

/** An account that exists before block 1. Balance in wei. */
export interface GenesisAccount {
  readonly address: Address
  readonly balance: bigint
  readonly nonce: bigint
  /** Runtime code. */
  readonly code: Uint8Array
  /** Values by slot; zero values are left out. */
  readonly storage: Map<Hash, bigint>
}

/** As geth and Besu write it. */
export interface GenesisAccountJson {
  balance?: string
  nonce?: string
  code?: string
  storage?: Record<string, string>
}

export const MAX_GENESIS_ACCOUNTS = 100_000
export const MAX_GENESIS_SLOTS = 200_000
/** EIP-170. */
export const MAX_GENESIS_CODE_BYTES = 24_576
const MAX_UINT256 = 2n ** 256n - 1n
const MAX_NONCE = 2n ** 64n - 2n

/** Up to 32 bytes, zeros in front left out or not. */
function readWord(value: unknown, path: string): Uint8Array {
  const digits = typeof value === 'string' && value.length % 2 === 1 ? value.replace(/^0x/, '0x0') : value
  return padLeft(readHexBytes(digits, path, 32), 32)
}

function readStorage(value: unknown, path: string): Map<Hash, bigint> {
  const storage = new Map<Hash, bigint>()
  const seen = new Set<Hash>()
  const entries = Object.entries(readObject(value, path))
  if (entries.length > MAX_GENESIS_SLOTS) failField('JSON_RANGE', path, `has more than ${MAX_GENESIS_SLOTS} slots`)
  for (const [key, word] of entries) {
    const slot = bytesToHex(readWord(key, joinPath(path, key)))
    if (seen.has(slot)) failField('JSON_DUPLICATE', joinPath(path, key), 'names a slot that is there already')
    seen.add(slot)
    const number = bytesToBigint(readWord(word, joinPath(path, key)))
    if (number !== 0n) storage.set(slot, number)
  }
  return storage
}

function readAccount(address: Address, value: unknown, path: string): GenesisAccount {
  const json = readShape(value, path, { required: [], optional: ['balance', 'nonce', 'code', 'storage'] })
  const at = (key: string): string => joinPath(path, key)
  return {
    address,
    balance: readQuantity(json.balance ?? 0, at('balance'), MAX_UINT256),
    nonce: readQuantity(json.nonce ?? 0, at('nonce'), MAX_NONCE),
    code: json.code === undefined ? EMPTY_BYTES : readHexBytes(json.code, at('code'), MAX_GENESIS_CODE_BYTES),
    storage: readStorage(json.storage ?? {}, at('storage')),
  }
}

/** Ascending by address. Keys with or without `0x`, of any case. */
export function readAlloc(value: unknown, path: string): GenesisAccount[] {
  const json = readObject(value, path)
  const keys = Object.keys(json)
  if (keys.length > MAX_GENESIS_ACCOUNTS) {
    failField('JSON_RANGE', path, `has more than ${MAX_GENESIS_ACCOUNTS} accounts`)
  }
  const accounts = new Map<Address, GenesisAccount>()
  let slots = 0
  for (const key of keys) {
    const at = joinPath(path, key)
    const address = readAddressField(key.startsWith('0x') ? key : `0x${key}`, at)
    if (accounts.has(address)) failField('JSON_DUPLICATE', at, 'names an account that is there already')
    const account = readAccount(address, json[key], at)
    slots += account.storage.size
    if (slots > MAX_GENESIS_SLOTS) failField('JSON_RANGE', path, `has more than ${MAX_GENESIS_SLOTS} slots`)
    accounts.set(address, account)
  }
  return [...accounts.values()].sort((a, b) => (a.address < b.address ? -1 : 1))
}
