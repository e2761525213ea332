// Writing a contract's storage at genesis as solc lays it out.
import { type Address, type Hash, bytesToBigint, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { addressKey, elementsSlot, mappingSlot, wordOf } from './slots.js'

/** Slot → word, both 32 bytes. */
export type Storage = Record<Hash, Hash>

/** Zero words are not written: they are what an unset slot holds. */
export function put(storage: Storage, slot: bigint, value: bigint): void {
  if (value !== 0n) storage[wordOf(slot)] = wordOf(value)
}

/** A dynamic array whose elements take a word each. */
export function putArray(storage: Storage, slot: bigint, words: readonly bigint[]): void {
  put(storage, slot, BigInt(words.length))
  const first = elementsSlot(slot)
  words.forEach((word, index) => put(storage, first + BigInt(index), word))
}

/** OpenZeppelin's EnumerableSet: the values, then the place of each, counted from 1. */
export function putSet(storage: Storage, slot: bigint, values: readonly Uint8Array[]): void {
  putArray(storage, slot, values.map(bytesToBigint))
  values.forEach((value, index) => put(storage, mappingSlot(value, slot + 1n), BigInt(index + 1)))
}

export const putAddressSet = (storage: Storage, slot: bigint, values: readonly Address[]): void =>
  putSet(storage, slot, values.map(addressKey))

/** `string`: up to 31 bytes stand in the slot with twice their length; more stand from the slot's hash on. */
export function putString(storage: Storage, slot: bigint, text: string): void {
  const bytes = utf8ToBytes(text)
  const wordAt = (offset: number): bigint => {
    const padded = new Uint8Array(32)
    padded.set(bytes.subarray(offset, offset + 32))
    return bytesToBigint(padded)
  }
  if (bytes.length < 32) return put(storage, slot, wordAt(0) | BigInt(2 * bytes.length))
  put(storage, slot, BigInt(2 * bytes.length + 1))
  const first = elementsSlot(slot)
  for (let offset = 0; offset < bytes.length; offset += 32) put(storage, first + BigInt(offset / 32), wordAt(offset))
}

/** A short text of ASCII as `bytesN` stands in the low bits of a packed word. */
export const asciiWord = (text: string): bigint => bytesToBigint(utf8ToBytes(text))

/** A short text of ASCII as a mapping's key: padded right. */
export function asciiKey(text: string): Uint8Array {
  const key = new Uint8Array(32)
  key.set(utf8ToBytes(text))
  return key
}

/** 32 bytes in hexadecimal, zero when absent. */
export const hashWord = (hash: Hash | undefined): bigint => (hash === undefined ? 0n : bytesToBigint(hexToBytes(hash)))

/** @throws CodedError with `code` and the field's name when the check failed */
export function demand(isGood: boolean, code: string, field: string, problem: string): asserts isGood {
  if (!isGood) throw new CodedError(code, `${field} ${problem}`, { details: { field } })
}

/** The field of the second of two equal entries. */
export function repeatedAt<T>(entries: readonly T[]): number {
  const seen = new Set<T>()
  return entries.findIndex((entry) => seen.size === seen.add(entry).size)
}
