import { type Address, type Hash, bytesToNumber, concatBytes, hexToBytes, numberToBytes, ownBytes } from './bytes.js'
import { SIGNATURE_BYTES } from './crypto.js'
import { CodedError } from './errors.js'
import { decodeRlp, encodeRlp, readAddress, readBytes, readList, readNumber } from './rlp.js'
import { MAX_VALIDATORS } from './validator-set.js'

/** The QBFT part of a header: RLP[vanity, validators, vote, round, seals]; the vote is always empty. */
export interface ExtraData {
  /** 32 bytes: see `vanityOf`. */
  readonly vanity: Uint8Array
  /** The set that seals the next block, ascending. */
  readonly validators: Address[]
  /** The round in which the block was sealed: not covered by the block hash. */
  readonly round: number
  /** 65 bytes each: not covered by the block hash. */
  readonly seals: Uint8Array[]
}

export type ExtraDataErrorCode =
  | 'EXTRA_DATA_TOO_LARGE'
  | 'EXTRA_DATA_VOTE'
  | 'EXTRA_DATA_VALIDATORS'
  | 'EXTRA_DATA_SEALS'
  | 'EXTRA_DATA_ROUND'

export const VANITY_BYTES = 32
export const GENESIS_PREFIX_BYTES = 24
/** 64 validators and 64 seals take 5,734 bytes. */
export const MAX_EXTRA_DATA_BYTES = 6 * 1024
/** A round takes 32 bits on the wire. */
export const MAX_ROUND = 2 ** 32 - 1

function fail(code: ExtraDataErrorCode, message: string): never {
  throw new CodedError(code, message)
}

export function encodeExtraData(extraData: ExtraData): Uint8Array {
  const validators = extraData.validators.map((validator) => hexToBytes(validator))
  return encodeRlp([extraData.vanity, validators, [], numberToBytes(extraData.round), extraData.seals])
}

/** Shape only; order and membership of validators and seals are checked in `header-rules` and `seals`. */
export function decodeExtraData(bytes: Uint8Array): ExtraData {
  if (bytes.length > MAX_EXTRA_DATA_BYTES) {
    fail('EXTRA_DATA_TOO_LARGE', `extraData has ${bytes.length} bytes; at most ${MAX_EXTRA_DATA_BYTES}`)
  }
  const fields = readList(decodeRlp(bytes, { maxDepth: 2 }), 'extraData', 5)
  const validators = readList(fields[1], 'extraData.validators')
  const seals = readList(fields[4], 'extraData.seals')
  const round = readNumber(fields[3], 'extraData.round')
  if (validators.length > MAX_VALIDATORS) {
    fail('EXTRA_DATA_VALIDATORS', `extraData lists more than ${MAX_VALIDATORS} validators`)
  }
  if (seals.length > MAX_VALIDATORS) fail('EXTRA_DATA_SEALS', `extraData has more than ${MAX_VALIDATORS} seals`)
  if (readList(fields[2], 'extraData.vote').length > 0) fail('EXTRA_DATA_VOTE', 'extraData.vote must be an empty list')
  if (round > MAX_ROUND) fail('EXTRA_DATA_ROUND', `extraData.round is ${round}; at most ${MAX_ROUND}`)
  return {
    vanity: ownBytes(readBytes(fields[0], 'extraData.vanity', VANITY_BYTES)),
    validators: validators.map((item, at) => readAddress(item, `extraData.validators[${at}]`)),
    round,
    seals: seals.map((item, at) => ownBytes(readBytes(item, `extraData.seals[${at}]`, SIGNATURE_BYTES))),
  }
}

/**
 * Binds a header to its chain and carries its time: the first 24 bytes of the genesis hash, then the block time in
 * milliseconds, 8 bytes big-endian.
 */
export function vanityOf(genesisHash: Hash, blockTimeMs: number): Uint8Array {
  const time = new Uint8Array(8)
  new DataView(time.buffer).setBigUint64(0, BigInt(blockTimeMs))
  return concatBytes(hexToBytes(genesisHash).subarray(0, GENESIS_PREFIX_BYTES), time)
}

/** Of any header but the genesis. Throws when the time is above 2^53 − 1 ms. */
export function readVanity(vanity: Uint8Array): { genesisPrefix: Uint8Array; blockTimeMs: number } {
  const time = vanity.subarray(GENESIS_PREFIX_BYTES)
  return {
    genesisPrefix: vanity.subarray(0, GENESIS_PREFIX_BYTES),
    blockTimeMs: bytesToNumber(time, 'block time in ms'),
  }
}
