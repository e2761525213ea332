// Reading a contract's storage as solc lays it out: the inverse of `genesis-words.ts`.
import { type Address, type Hash, bytesToUtf8, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { elementsSlot, wordOf } from './slots.js'

/** The state after a block. */
export interface SystemState {
  /** 0n when unset. */
  readSlot(contract: Address, slot: bigint): bigint
}

/** Storage of one contract. */
export type ReadSlot = (slot: bigint) => bigint

export const storageOf = (state: SystemState, contract: Address): ReadSlot => (slot) => state.readSlot(contract, slot)

/** A part of a list. */
export interface Page {
  readonly offset: number
  readonly limit: number
}

export interface Paged<T> {
  /** Of the whole list. */
  readonly total: number
  readonly items: readonly T[]
}

/** Entries of a dynamic array whose elements take `words` words each, by the slot of each. */
export function readArray<T>(read: ReadSlot, slot: bigint, { page, words = 1n, entry }: { page?: Page; words?: bigint; entry: (at: bigint) => T }): Paged<T> {
  const total = Number(read(slot))
  const { offset, limit } = page ?? { offset: 0, limit: total }
  const first = elementsSlot(slot)
  const count = Math.max(0, Math.min(limit, total - offset))
  return { total, items: Array.from({ length: count }, (_, index) => entry(first + BigInt(offset + index) * words)) }
}

/** Values of OpenZeppelin's EnumerableSet, which begins with an array of them. */
export const readSet = <T>(read: ReadSlot, slot: bigint, { page, value }: { page?: Page; value: (word: bigint) => T }): Paged<T> =>
  readArray(read, slot, { ...(page && { page }), entry: (at) => value(read(at)) })

/** `bytes` and `string`. */
export function readBytes(read: ReadSlot, slot: bigint): Uint8Array {
  const head = read(slot)
  if ((head & 1n) === 0n) return hexToBytes(wordOf(head)).slice(0, Number(head & 0xffn) / 2)
  const length = Number(head >> 1n)
  const first = elementsSlot(slot)
  const words = Array.from({ length: Math.ceil(length / 32) }, (_, index) => hexToBytes(wordOf(read(first + BigInt(index)))))
  return concatBytes(...words).slice(0, length)
}

export const readString = (read: ReadSlot, slot: bigint): string => bytesToUtf8(readBytes(read, slot))

/** An address in the low bits of a word. */
export const addressOf = (word: bigint): Address => `0x${(word & ((1n << 160n) - 1n)).toString(16).padStart(40, '0')}`

/** Undefined when it is zero. */
export const addressOrNone = (word: bigint): Address | undefined => (word === 0n ? undefined : addressOf(word))
export const hashOrNone = (word: bigint): Hash | undefined => (word === 0n ? undefined : wordOf(word))

/** Short ASCII in the low bits of a packed word; undefined when it is zero. */
export function asciiOf(packed: bigint): string | undefined {
  if (packed === 0n) return undefined
  const digits = packed.toString(16)
  return String.fromCharCode(...hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`).filter((byte) => byte !== 0))
}

/** `bytes18` as an element of a list: in the high bits. */
export const listedUscc = (word: bigint): string => asciiOf(word >> 112n) ?? ''

/** The name of a number in an enumeration; undefined for one without a name. */
export const nameOf = <const K extends string>(names: Readonly<Record<K, number>>, number: bigint): K | undefined =>
  (Object.keys(names) as K[]).find((name) => names[name] === Number(number))

