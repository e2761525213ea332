import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import type { Hash, Hex } from '@songhua/sdk/protocol/bytes'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256, keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { type RlpItem, encodeRlp } from '@songhua/sdk/protocol/rlp'

/** The root over a whole map, straight from the Yellow Paper's appendix D: slow, and sharing no code with the trie. */
export function referenceRoot(entries: ReadonlyMap<Hex, Uint8Array>): Hash {
  const pairs = [...entries].map(([key, value]): Pair => [[...key.slice(2)].map((digit) => parseInt(digit, 16)), value])
  return pairs.length === 0 ? EMPTY_TRIE_ROOT : keccak256Hex(encodeRlp(composition(pairs, 0)))
}

type Pair = [number[], Uint8Array]

/** c(𝔍, i) */
function composition(pairs: Pair[], depth: number): RlpItem {
  const [[firstKey, firstValue]] = pairs as [Pair]
  if (pairs.length === 1) return [hexPrefix(firstKey.slice(depth), true), firstValue]
  let fork = depth
  while (pairs.every(([key]) => key.length > fork && key[fork] === firstKey[fork])) fork++
  if (fork > depth) return [hexPrefix(firstKey.slice(depth, fork), false), reference(pairs, fork)]
  const ways = Array.from({ length: 16 }, (_, digit) => pairs.filter(([key]) => key[depth] === digit))
  const ending = pairs.find(([key]) => key.length === depth)
  return [...ways.map((way) => reference(way, depth + 1)), ending?.[1] ?? new Uint8Array()]
}

/** n(𝔍, i) */
function reference(pairs: Pair[], depth: number): RlpItem {
  if (pairs.length === 0) return new Uint8Array()
  const item = composition(pairs, depth)
  const encoded = encodeRlp(item)
  return encoded.length < 32 ? item : keccak256(encoded)
}

function hexPrefix(digits: number[], isLeaf: boolean): Uint8Array {
  const flag = (isLeaf ? 2 : 0) + (digits.length % 2)
  const padded = digits.length % 2 === 1 ? [flag, ...digits] : [flag, 0, ...digits]
  return hexToBytes(`0x${padded.map((digit) => digit.toString(16)).join('')}`)
}
