/** RFC 7693, section 2.7: which message word goes where in round i mod 10. */
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
]
/** The columns and diagonals that a round mixes. */
const LANES = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
]
/** SHA-512's initial values (RFC 7693, section 2.6), as v8 to v15 start. */
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
]
export const BLAKE2F_INPUT_BYTES = 213

/** v0 to v15, then m0 to m15, in the module's memory. */
const MESSAGE_AT = 128
const MEMORY_BYTES = 256

const GET = 0x20
const SET = 0x21
const ADD = 0x7c
const XOR = 0x85
const ROTR = 0x8a

function uleb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uleb(value >>> 7)]
}

function sized(body: number[]): number[] {
  return [...uleb(body.length), ...body]
}

const section = (id: number, body: number[]): number[] => [id, ...sized(body)]
/** Local 0 is the number of rounds, locals 1 to 16 are the work vector. */
const local = (index: number): number => index + 1
const load = (at: number): number[] => [0x41, 0, 0x29, 3, ...uleb(at)]

/** One G of RFC 7693, section 3.1. Rotations fit one byte of signed LEB128, 63 needs none of its sign. */
function mix([a, b, c, d]: number[], x: number, y: number): number[] {
  const va = local(a!), vb = local(b!), vc = local(c!), vd = local(d!)
  const word = (index: number): number[] => [...load(MESSAGE_AT + 8 * index), ADD]
  const rotated = (bits: number): number[] => [0x42, ...(bits < 64 ? [bits] : []), ROTR]
  const half = (index: number, first: number, second: number): number[] => [
    GET, va, GET, vb, ADD, ...word(index), SET, va,
    GET, vd, GET, va, XOR, ...rotated(first), SET, vd,
    GET, vc, GET, vd, ADD, SET, vc,
    GET, vb, GET, vc, XOR, ...rotated(second), SET, vb,
  ]
  return [...half(x, 32, 24), ...half(y, 16, 63)]
}

/** (module (func (export "f") (param rounds i32)) (memory (export "m") 1)), its ten rounds unrolled. */
function assemble(): Uint8Array<ArrayBuffer> {
  const lanes = Array.from({ length: 16 }, (_, index) => index)
  const round = (sigma: number[]): number[] => [
    GET, 0, 0x45, 0x0d, 1, // rounds = 0: leave
    GET, 0, 0x41, 1, 0x6b, SET, 0,
    ...LANES.flatMap((lane, index) => mix(lane, sigma[2 * index]!, sigma[2 * index + 1]!)),
  ]
  const body = [
    1, 16, 0x7e, // 16 locals of i64
    ...lanes.flatMap((index) => [...load(8 * index), SET, local(index)]),
    0x02, 0x40, 0x03, 0x40, ...SIGMA.flatMap(round), 0x0c, 0, 0x0b, 0x0b,
    ...lanes.flatMap((index) => [0x41, 0, GET, local(index), 0x37, 3, ...uleb(8 * index)]),
    0x0b,
  ]
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, 1, 0x66, 0, 0, 1, 0x6d, 2, 0]),
    ...section(10, [1, ...sized(body)]),
  ])
}

/** Node has it; the compiler's library for Node has not. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/**
 * BLAKE2b's F of EIP-152 in WebAssembly, assembled here: 64-bit rotations in JavaScript are 20 times slower, and at one
 * gas a round this is among the dearest things that a block can hold.
 * @returns a function from the 213 bytes (rounds, h, m, t, final) to the new h, 64 bytes
 */
export function createBlake2f(): (input: Uint8Array) => Uint8Array {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble()))
  const run = exports.f as (rounds: number) => void
  const { buffer } = exports.m as { buffer: ArrayBuffer }
  const bytes = new Uint8Array(buffer, 0, MEMORY_BYTES)
  const words = new DataView(buffer)
  return (input) => {
    const view = new DataView(input.buffer, input.byteOffset, input.length)
    bytes.set(input.subarray(4, 68))
    IV.forEach((value, index) => words.setBigUint64(64 + 8 * index, value, true))
    words.setBigUint64(96, IV[4]! ^ view.getBigUint64(196, true), true)
    words.setBigUint64(104, IV[5]! ^ view.getBigUint64(204, true), true)
    if (input[212] === 1) words.setBigUint64(112, IV[6]! ^ 0xffff_ffff_ffff_ffffn, true)
    bytes.set(input.subarray(68, 196), MESSAGE_AT)
    run(view.getUint32(0) | 0)
    const output = new Uint8Array(64)
    for (let at = 0; at < 64; at++) output[at] = input[4 + at]! ^ bytes[at]! ^ bytes[64 + at]!
    return output
  }
}
