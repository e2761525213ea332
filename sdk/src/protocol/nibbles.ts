import { CodedError } from './errors.js'

/** The keys of a Merkle Patricia trie: half bytes (yellow paper appendix C). */

export type NibblesErrorCode = 'HEX_PREFIX_INVALID'

/** One nibble (0–15) for each half byte. */
export function bytesToNibbles(bytes: Uint8Array): Uint8Array {
  const nibbles = new Uint8Array(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    nibbles[2 * i] = bytes[i]! >> 4
    nibbles[2 * i + 1] = bytes[i]! & 15
  }
  return nibbles
}

/** Nibbles to bytes, with the flags in front: odd length (1) and leaf (2). */
export function encodeHexPrefix(nibbles: Uint8Array, isLeaf: boolean): Uint8Array {
  const isOdd = nibbles.length % 2 === 1
  const flags = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0)
  const bytes = new Uint8Array((nibbles.length >> 1) + 1)
  bytes[0] = (flags << 4) | (isOdd ? nibbles[0]! : 0)
  for (let i = isOdd ? 1 : 0, at = 1; i < nibbles.length; i += 2, at++) bytes[at] = (nibbles[i]! << 4) | nibbles[i + 1]!
  return bytes
}

/** Canonical forms only: known flags, and zero where an even length leaves a half byte over. */
export function decodeHexPrefix(bytes: Uint8Array): { nibbles: Uint8Array; isLeaf: boolean } {
  const first = bytes[0] ?? 0xff
  const flags = first >> 4
  const isOdd = (flags & 1) === 1
  if (flags > 3 || (!isOdd && (first & 15) !== 0)) {
    throw new CodedError<NibblesErrorCode>('HEX_PREFIX_INVALID', 'The path of a trie node has no valid hex prefix')
  }
  return { nibbles: bytesToNibbles(bytes).subarray(isOdd ? 1 : 2), isLeaf: flags >= 2 }
}
