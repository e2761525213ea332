/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-argument, @typescript-eslint/only-throw-error -- reaches into the EVM library */
import { EVMError } from '@ethereumjs/evm'
import type { Address as LibraryAddress } from '@ethereumjs/util'
import { type Hash, bytesToBigint } from '@songhua/sdk/protocol/bytes'
import { addressOf } from './ethereumjs-state.js'

/** One opcode of the loop. `gas` answers fee and dynamic part; what is asynchronous answers a promise. */
export interface Operation {
  readonly fee: bigint
  readonly gas: ((state: any, fee: bigint, common: any) => bigint | Promise<bigint>) | undefined
  readonly run: (state: any, common: any) => void | Promise<void>
  readonly isInvalid: boolean
}

const { OUT_OF_GAS, STATIC_STATE_CHANGE, OUT_OF_RANGE } = EVMError.errorMessages
const MEMORY_BYTES_MIN = 1024
const WORD_MASK = (1n << 256n) - 1n

/** A frame's memory, grown by doubling: the library's starts at 8 kB for every call and grows by as much. */
export class FrameMemory {
  _store = new Uint8Array(0)

  extend(offset: number, size: number): void {
    if (size === 0 || offset + size <= this._store.length) return
    const needed = Math.ceil((offset + size) / 32) * 32
    const grown = new Uint8Array(Math.max(MEMORY_BYTES_MIN, 2 * this._store.length, needed))
    grown.set(this._store)
    this._store = grown
  }

  write(offset: number, size: number, value: Uint8Array): void {
    if (size === 0) return
    this.extend(offset, size)
    this._store.set(value, offset)
  }

  read(offset: number, size: number, avoidCopy = false): Uint8Array {
    this.extend(offset, size)
    return avoidCopy ? this._store.subarray(offset, offset + size) : this._store.slice(offset, offset + size)
  }
}

function charge(state: any, gas: bigint): void {
  if ((state.gasLeft -= gas) >= 0n) return
  state.gasLeft = 0n
  throw new EVMError(OUT_OF_GAS)
}

/** Yellow paper, C_mem: what growing the memory up to `offset + length` costs. */
function growMemory(state: any, offset: bigint, length: bigint): bigint {
  if (length === 0n) return 0n
  const words = (offset + length + 31n) >> 5n
  if (words <= state.memoryWordCount) return 0n
  const cost = words * 3n + (words * words) / 512n
  const growth = cost - (state.highestMemCost as bigint)
  state.highestMemCost = cost
  state.memoryWordCount = words
  return growth
}

const wordsOf = (length: bigint): bigint => (length + 31n) >> 5n

function wordToSlot(value: bigint): Hash {
  return `0x${value.toString(16).padStart(64, '0')}`
}

function mload(state: any): void {
  const offset = state.stack.pop() as bigint
  charge(state, growMemory(state, offset, 32n))
  state.stack.push(bytesToBigint(state.memory.read(Number(offset), 32, true)))
}

function mstore(state: any): void {
  const offset = state.stack.pop() as bigint
  let word = state.stack.pop() as bigint
  charge(state, growMemory(state, offset, 32n))
  const at = Number(offset)
  state.memory.extend(at, 32)
  const store = state.memory._store as Uint8Array
  for (let end = at + 32; end > at; end -= 4) {
    const part = Number(word & 0xffff_ffffn)
    word >>= 32n
    store[end - 1] = part
    store[end - 2] = part >>> 8
    store[end - 3] = part >>> 16
    store[end - 4] = part >>> 24
  }
}

/** CALLDATACOPY and CODECOPY: what lies behind the source is zero. */
function copyFrom(sourceOf: (state: any) => Uint8Array): (state: any) => void {
  return (state) => {
    const to = state.stack.pop() as bigint
    const from = state.stack.pop() as bigint
    const length = state.stack.pop() as bigint
    charge(state, 3n * wordsOf(length) + growMemory(state, to, length))
    if (length === 0n) return
    const source = sourceOf(state)
    const [at, size] = [Number(to), Number(length)]
    const start = from > BigInt(source.length) ? source.length : Number(from)
    const part = source.subarray(start, start + size)
    state.memory.extend(at, size)
    const store = state.memory._store as Uint8Array
    store.set(part, at)
    store.fill(0, at + part.length, at + size)
  }
}

function returnDataCopy(state: any): void {
  const source = state.returnBytes as Uint8Array
  const [from, length] = state.stack.peek(3).slice(1) as [bigint, bigint]
  if (from + length > BigInt(source.length)) throw new EVMError(OUT_OF_RANGE)
  copyFrom(() => source)(state)
}

function mcopy(state: any): void {
  const [to, from, length] = state.stack.popN(3) as [bigint, bigint, bigint]
  const growth = growMemory(state, from > to ? from : to, length)
  charge(state, 3n * wordsOf(length) + growth)
  if (length === 0n) return
  state.memory.extend(Number(from > to ? from : to), Number(length))
  ;(state.memory._store as Uint8Array).copyWithin(Number(to), Number(from), Number(from + length))
}

function sload(state: any): void {
  const slot = wordToSlot(state.stack.pop() as bigint)
  const address = addressOf(state.env.address)
  const { journaled } = state
  if (journaled.isWarmSlot(address, slot)) charge(state, 100n)
  else {
    charge(state, 2_100n)
    journaled.warmSlot(address, slot)
  }
  state.stack.push(journaled.getStorage(address, slot))
}

/** EIP-2200 with the prices of EIP-2929 and EIP-3529. */
function sstore(state: any): void {
  if (state.env.isStatic) throw new EVMError(STATIC_STATE_CHANGE)
  const slot = wordToSlot(state.stack.pop() as bigint)
  const value = state.stack.pop() as bigint
  if (state.gasLeft <= 2_300n) throw new EVMError(OUT_OF_GAS)
  const address = addressOf(state.env.address)
  const { journaled } = state
  const current = journaled.getStorage(address, slot) as bigint
  const original = journaled.getOriginalStorage(address, slot) as bigint
  let gas = 0n
  if (!journaled.isWarmSlot(address, slot)) {
    journaled.warmSlot(address, slot)
    gas = 2_100n
  }
  if (value === current || original !== current) gas += 100n
  else gas += original === 0n ? 20_000n : 2_900n
  charge(state, gas)
  if (value === current) return
  state.gasRefund += sstoreRefund(original, current, value)
  journaled.putStorage(address, slot, value)
}

/** What changing `current` to another `value` gives back, or takes back again. */
function sstoreRefund(original: bigint, current: bigint, value: bigint): bigint {
  let refund = 0n
  if (original !== 0n && current === 0n) refund -= 4_800n
  else if (original !== 0n && value === 0n) refund += 4_800n
  if (original !== current && original === value) refund += original === 0n ? 19_900n : 2_800n
  return refund
}

function addressWord(of: (state: any) => LibraryAddress): (state: any) => void {
  return (state) => {
    const address = of(state) as LibraryAddress & { word?: bigint }
    state.stack.push((address.word ??= BigInt(addressOf(address))))
  }
}

/** Whole opcodes of our own, gas and all: synchronous, where the library's are promises over copied bytes. */
const OWN: Record<number, (state: any) => void> = {
  0x30: addressWord((state) => state.env.address as LibraryAddress),
  0x32: addressWord((state) => state.env.origin as LibraryAddress),
  0x33: addressWord((state) => state.env.caller as LibraryAddress),
  0x37: copyFrom((state) => state.env.callData as Uint8Array),
  0x39: copyFrom((state) => state.env.code as Uint8Array),
  0x3e: returnDataCopy,
  0x41: addressWord((state) => state.env.block.header.coinbase as LibraryAddress),
  0x51: mload,
  0x52: mstore,
  0x54: sload,
  0x55: sstore,
  0x5e: mcopy,
}

const peekMemory = (state: any, fee: bigint): bigint => {
  const [offset, length] = state.stack.peek(2) as [bigint, bigint]
  return fee + growMemory(state, offset, length)
}

/** The library's opcodes with dynamic gas of our own. */
const OWN_GAS: Record<number, (state: any, fee: bigint) => bigint> = {
  0x0a: (state, fee) => fee + 50n * BigInt(byteLength(state.stack.peek(2)[1] as bigint)),
  0x20: (state, fee) => peekMemory(state, fee) + 6n * wordsOf(state.stack.peek(2)[1] as bigint),
  0x53: (state, fee) => fee + growMemory(state, state.stack.peek()[0] as bigint, 1n),
  0xf3: peekMemory,
  0xfd: peekMemory,
}

function byteLength(value: bigint): number {
  return value === 0n ? 0 : Math.ceil(value.toString(16).length / 2)
}

/** EXP by squaring modulo 2^256; the library divides by two in arbitrary precision for every bit. */
function exp(state: any): void {
  let base = state.stack.pop() as bigint
  let bits = state.stack.pop() as bigint
  let result = 1n
  for (; bits > 0n; bits >>= 1n) {
    if ((bits & 1n) === 1n) result = (result * base) & WORD_MASK
    if (bits > 1n) base = (base * base) & WORD_MASK
  }
  state.stack.push(result)
}

/** The loop's table: the library's opcodes of the active hard fork, ours in place of the dear ones. */
export function createOperations(libraryOpcodes: any[]): Operation[] {
  return libraryOpcodes.map(({ opcodeInfo, gasHandler, opHandler }, opcode) => ({
    // The library counts the warm price of SLOAD and SSTORE in their dynamic part; ours charge all of it themselves.
    fee: opcode === 0x54 || opcode === 0x55 ? 0n : (opcodeInfo.feeBigInt as bigint),
    gas: opcode in OWN ? undefined : OWN_GAS[opcode] ?? (opcodeInfo.dynamicGas ? gasHandler : undefined),
    run: OWN[opcode] ?? (opcode === 0x0a ? exp : opHandler),
    isInvalid: opcodeInfo.isInvalid as boolean,
  }))
}
