import { type Address, type Hash, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'

/**
 * Register of the store's keys: one byte, then what is written here. Numbers are 8 bytes, big-endian, so that keys
 * ascend with them. A number given up is never used again: it stays here as a comment. Behind each value but the
 * schema's stands its checksum; see `checked-table.ts`.
 *
 * Change the meaning of a key or value only together with SCHEMA_VERSION. 1 had no checksums.
 */
export const SCHEMA_VERSION = 2

const PREFIX = {
  schema: 0x00, //             // → schema version, one byte
  genesis: 0x01, //            // → hash of block 0, 32 bytes
  head: 0x02, //               // → RLP [number, hash, rotation, frontier] of the last block

  header: 0x10, //      number // → header RLP, seals included
  blockHash: 0x11, //   number // → block hash, 32 bytes
  blockNumber: 0x12, //   hash // → block number
  body: 0x13, //        number // → RLP list of raw transactions
  receipts: 0x14, //    number // → RLP list of receipts
  transaction: 0x15, //   hash // → RLP [block number, index]

  account: 0x20, //    address // → account RLP, at the head
  slot: 0x21, //  address slot // → value without leading zeros, at the head; absent when 0
  code: 0x22, //          hash // → code
  trieNode: 0x23, //      hash // → RLP of a node of the state trie or of a storage trie; every state is kept

  history: 0x30, // level index // → node of the history tree (level is one byte)
} as const

export const SCHEMA_KEY = Uint8Array.of(PREFIX.schema)
export const GENESIS_KEY = Uint8Array.of(PREFIX.genesis)
export const HEAD_KEY = Uint8Array.of(PREFIX.head)

export const headerKey = (number: number): Uint8Array => numberKey(PREFIX.header, number)
export const blockHashKey = (number: number): Uint8Array => numberKey(PREFIX.blockHash, number)
export const blockNumberKey = (hash: Hash): Uint8Array => hexKey(PREFIX.blockNumber, hash)
export const bodyKey = (number: number): Uint8Array => numberKey(PREFIX.body, number)
export const receiptsKey = (number: number): Uint8Array => numberKey(PREFIX.receipts, number)
export const transactionKey = (hash: Hash): Uint8Array => hexKey(PREFIX.transaction, hash)
export const accountKey = (address: Address): Uint8Array => hexKey(PREFIX.account, address)
export const slotKey = (address: Address, slot: Hash): Uint8Array => hexKey(PREFIX.slot, `${address}${slot.slice(2)}`)
export const codeKey = (hash: Hash): Uint8Array => hexKey(PREFIX.code, hash)
export const trieNodeKey = (hash: Hash): Uint8Array => hexKey(PREFIX.trieNode, hash)

export function historyKey(level: number, index: number): Uint8Array {
  return concatBytes(Uint8Array.of(PREFIX.history, level), eightBytes(index))
}

/** All accounts, and all slots, of the flat state. */
export const ACCOUNTS = { from: Uint8Array.of(PREFIX.account), below: Uint8Array.of(PREFIX.slot) } as const
export const SLOTS = { from: Uint8Array.of(PREFIX.slot), below: Uint8Array.of(PREFIX.code) } as const

/** The keys of all slots of an account: from the first one on, below the second. */
export function slotRange(address: Address): { from: Uint8Array; below: Uint8Array } {
  const from = hexKey(PREFIX.slot, address)
  return { from, below: concatBytes(from, new Uint8Array(33).fill(0xff)) }
}

function numberKey(prefix: number, number: number): Uint8Array {
  return concatBytes(Uint8Array.of(prefix), eightBytes(number))
}

function eightBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number))
  return bytes
}

/** Not `concatBytes`: this is on the path of every read of state. */
function hexKey(prefix: number, hex: string): Uint8Array {
  const digits = hexToBytes(hex)
  const key = new Uint8Array(1 + digits.length)
  key[0] = prefix
  key.set(digits, 1)
  return key
}
