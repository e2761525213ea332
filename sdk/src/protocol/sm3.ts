import { concatBytes } from './bytes.js'

/** SM3, the hash of GB/T 32905-2016. @noble/hashes has none, and a browser has no other way to check a 国密 digest. */

const BLOCK_BYTES = 64
const INITIAL = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
] as const

function rotateLeft(word: number, bits: number): number {
  return (word << bits % 32) | (word >>> (32 - (bits % 32)) % 32)
}

/** T(j) <<< j, §4.2. */
const ROUND_CONSTANTS = Int32Array.from({ length: 64 }, (_, j) => rotateLeft(j < 16 ? 0x79cc4519 : 0x7a879d8a, j))

const permute0 = (x: number): number => x ^ rotateLeft(x, 9) ^ rotateLeft(x, 17)
const permute1 = (x: number): number => x ^ rotateLeft(x, 15) ^ rotateLeft(x, 23)

/** The message, one bit, zeros, and its length in bits in 64 bits: §5.2. */
function pad(message: Uint8Array): Uint8Array {
  const zeros = (2 * BLOCK_BYTES - 9 - (message.length % BLOCK_BYTES)) % BLOCK_BYTES
  const tail = new Uint8Array(1 + zeros + 8)
  tail[0] = 0x80
  const view = new DataView(tail.buffer)
  view.setUint32(tail.length - 8, Math.floor(message.length / 2 ** 29))
  view.setUint32(tail.length - 4, (message.length * 8) >>> 0)
  return concatBytes(message, tail)
}

/** §5.3.2: 68 words W out of one block. */
function expand(block: DataView, words: Int32Array): void {
  for (let j = 0; j < 16; j++) words[j] = block.getInt32(j * 4)
  for (let j = 16; j < 68; j++) {
    const mixed = permute1(words[j - 16]! ^ words[j - 9]! ^ rotateLeft(words[j - 3]!, 15))
    words[j] = mixed ^ rotateLeft(words[j - 13]!, 7) ^ words[j - 6]!
  }
}

/** §5.3.3: the compression function, `state` in place. */
function compress(state: Int32Array, words: Int32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let j = 0; j < 64; j++) {
    const a12 = rotateLeft(a, 12)
    const ss1 = rotateLeft((a12 + e + ROUND_CONSTANTS[j]!) | 0, 7)
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c)
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g)
    const tt1 = (ff + d + (ss1 ^ a12) + (words[j]! ^ words[j + 4]!)) | 0
    const tt2 = (gg + h + ss1 + words[j]!) | 0
    d = c
    c = rotateLeft(b, 9)
    b = a
    a = tt1
    h = g
    g = rotateLeft(f, 19)
    f = e
    e = permute0(tt2)
  }
  const next = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < 8; i++) state[i] = state[i]! ^ next[i]!
}

/** @returns 32 bytes */
export function sm3(message: Uint8Array): Uint8Array {
  const padded = pad(message)
  const state = Int32Array.from(INITIAL)
  const words = new Int32Array(68)
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    expand(new DataView(padded.buffer, padded.byteOffset + at, BLOCK_BYTES), words)
    compress(state, words)
  }
  const digest = new Uint8Array(32)
  state.forEach((word, i) => new DataView(digest.buffer).setInt32(i * 4, word))
  return digest
}
