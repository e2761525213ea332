import { type Hash } from './bytes.js'
import { keccak256, keccak256Hex } from './crypto.js'
import { decodeExtraData, encodeExtraData, readVanity } from './extra-data.js'
import { type Header, encodeHeader } from './header.js'

/**
 * The hash by which blocks know each other: keccak256 of the header with round 0 and no seals, so that it is settled
 * before the block is sealed. The genesis is hashed as it stands.
 */
export function blockHash(header: Header): Hash {
  if (header.number === 0) return keccak256Hex(encodeHeader(header))
  return keccak256Hex(encodeHeader(withRoundAndSeals(header, 0, [])))
}

/** What a validator signs to seal the block in its round: keccak256 of the header with that round and no seals. */
export function commitSealDigest(header: Header): Uint8Array {
  return keccak256(encodeHeader(headerWithSeals(header, [])))
}

/** The same block in another round: same hash, another seal digest. Seals of the old round are dropped. */
export function headerWithRound(header: Header, round: number): Header {
  return withRoundAndSeals(header, round, [])
}

export function headerWithSeals(header: Header, seals: Uint8Array[]): Header {
  return { ...header, extraData: encodeExtraData({ ...decodeExtraData(header.extraData), seals }) }
}

function withRoundAndSeals(header: Header, round: number, seals: Uint8Array[]): Header {
  return { ...header, extraData: encodeExtraData({ ...decodeExtraData(header.extraData), round, seals }) }
}

/** Milliseconds since 1970; the genesis has whole seconds only. */
export function blockTimeMs(header: Header): number {
  if (header.number === 0) return header.timestamp * 1000
  return readVanity(decodeExtraData(header.extraData).vanity).blockTimeMs
}
