import { type Address, type Hash, hexToBytes } from './bytes.js'
import { keccak256 } from './crypto.js'

/** Yellow paper §4.3.1: three bits of 2048 for each address and topic. */
export const BLOOM_BYTES = 256

interface LogNames {
  readonly address: Address
  readonly topics: readonly Hash[]
}

function bitsOf(item: Uint8Array): [number, number, number] {
  const hash = keccak256(item)
  const bit = (at: number): number => ((hash[at]! << 8) | hash[at + 1]!) & 2047
  return [bit(0), bit(2), bit(4)]
}

function addTo(bloom: Uint8Array, item: Uint8Array): void {
  for (const bit of bitsOf(item)) {
    const at = BLOOM_BYTES - 1 - (bit >> 3)
    bloom[at] = bloom[at]! | (1 << (bit & 7))
  }
}

/** @returns 256 bytes */
export function bloomOf(logs: readonly LogNames[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES)
  for (const log of logs) {
    addTo(bloom, hexToBytes(log.address))
    for (const topic of log.topics) addTo(bloom, hexToBytes(topic))
  }
  return bloom
}

/** False means certainly absent. @param item an address (20 bytes) or a topic (32 bytes) */
export function bloomMayContain(bloom: Uint8Array, item: Uint8Array): boolean {
  return bitsOf(item).every((bit) => (bloom[BLOOM_BYTES - 1 - (bit >> 3)]! & (1 << (bit & 7))) !== 0)
}

export function orBlooms(blooms: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(BLOOM_BYTES)
  for (const bloom of blooms) {
    for (let i = 0; i < BLOOM_BYTES; i++) joined[i] = joined[i]! | bloom[i]!
  }
  return joined
}
