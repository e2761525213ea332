import {
  type Address,
  type Hash,
  bigintToBytes,
  hexToBytes,
  numberToBytes,
  ownBytes,
} from './bytes.js'
import { BLOOM_BYTES } from './bloom.js'
import {
  type RlpItem,
  decodeRlp,
  encodeRlp,
  readAddress,
  readBigint,
  readBytes,
  readHash,
  readList,
  readNumber,
} from './rlp.js'

/** An Ethereum header with the fields up to Cancun. Gas and fees as in Ethereum, `timestamp` in seconds. */
export interface Header {
  readonly parentHash: Hash
  readonly ommersHash: Hash
  /** The validator that proposed the block. */
  readonly coinbase: Address
  readonly stateRoot: Hash
  readonly transactionsRoot: Hash
  readonly receiptsRoot: Hash
  /** 256 bytes. */
  readonly logsBloom: Uint8Array
  readonly difficulty: bigint
  readonly number: number
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  readonly timestamp: number
  readonly extraData: Uint8Array
  readonly mixHash: Hash
  /** 8 bytes. */
  readonly nonce: Uint8Array
  readonly baseFeePerGas: bigint
  readonly withdrawalsRoot: Hash
  readonly blobGasUsed: bigint
  readonly excessBlobGas: bigint
  /** Our history root: RFC 9162 over the hashes of all blocks before this one; zero in the genesis. */
  readonly parentBeaconBlockRoot: Hash
}

/** keccak256 of RLP of an empty list. */
export const EMPTY_OMMERS_HASH: Hash = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'
/** "ctical byzantine fault tolerance", by which tools know a QBFT or IBFT chain. */
export const QBFT_MIX_HASH: Hash = '0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365'
export const QBFT_DIFFICULTY = 1n
export const HEADER_NONCE_BYTES = 8
const HEADER_FIELDS = 20

export function headerToRlp(header: Header): RlpItem[] {
  return [
    hexToBytes(header.parentHash),
    hexToBytes(header.ommersHash),
    hexToBytes(header.coinbase),
    hexToBytes(header.stateRoot),
    hexToBytes(header.transactionsRoot),
    hexToBytes(header.receiptsRoot),
    header.logsBloom,
    bigintToBytes(header.difficulty),
    numberToBytes(header.number),
    bigintToBytes(header.gasLimit),
    bigintToBytes(header.gasUsed),
    numberToBytes(header.timestamp),
    header.extraData,
    hexToBytes(header.mixHash),
    header.nonce,
    bigintToBytes(header.baseFeePerGas),
    hexToBytes(header.withdrawalsRoot),
    bigintToBytes(header.blobGasUsed),
    bigintToBytes(header.excessBlobGas),
    hexToBytes(header.parentBeaconBlockRoot),
  ]
}

export function encodeHeader(header: Header): Uint8Array {
  return encodeRlp(headerToRlp(header))
}

/** Shape only: lengths and integers. What the values must be is in `header-rules`. */
export function decodeHeader(source: Uint8Array | RlpItem[]): Header {
  const item = Array.isArray(source) ? source : decodeRlp(source, { maxDepth: 1 })
  const fields = readList(item, 'header', HEADER_FIELDS)
  return {
    parentHash: readHash(fields[0], 'header.parentHash'),
    ommersHash: readHash(fields[1], 'header.ommersHash'),
    coinbase: readAddress(fields[2], 'header.coinbase'),
    stateRoot: readHash(fields[3], 'header.stateRoot'),
    transactionsRoot: readHash(fields[4], 'header.transactionsRoot'),
    receiptsRoot: readHash(fields[5], 'header.receiptsRoot'),
    logsBloom: ownBytes(readBytes(fields[6], 'header.logsBloom', BLOOM_BYTES)),
    difficulty: readBigint(fields[7], 'header.difficulty'),
    number: readNumber(fields[8], 'header.number'),
    gasLimit: readBigint(fields[9], 'header.gasLimit', 8),
    gasUsed: readBigint(fields[10], 'header.gasUsed', 8),
    timestamp: readNumber(fields[11], 'header.timestamp'),
    extraData: ownBytes(readBytes(fields[12], 'header.extraData')),
    mixHash: readHash(fields[13], 'header.mixHash'),
    nonce: ownBytes(readBytes(fields[14], 'header.nonce', HEADER_NONCE_BYTES)),
    baseFeePerGas: readBigint(fields[15], 'header.baseFeePerGas'),
    withdrawalsRoot: readHash(fields[16], 'header.withdrawalsRoot'),
    blobGasUsed: readBigint(fields[17], 'header.blobGasUsed', 8),
    excessBlobGas: readBigint(fields[18], 'header.excessBlobGas', 8),
    parentBeaconBlockRoot: readHash(fields[19], 'header.parentBeaconBlockRoot'),
  }
}
