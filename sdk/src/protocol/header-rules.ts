import { EMPTY_TRIE_ROOT } from './account.js'
import { type Address, type Hash, equalBytes, hexToBytes } from './bytes.js'
import { blockTimeMs } from './block-hash.js'
import { CodedError } from './errors.js'
import { GENESIS_PREFIX_BYTES, decodeExtraData, encodeExtraData, readVanity, vanityOf } from './extra-data.js'
import { EMPTY_OMMERS_HASH, HEADER_NONCE_BYTES, type Header, QBFT_DIFFICULTY, QBFT_MIX_HASH } from './header.js'
import { type HistoryFrontier, frontierRoot } from './history-tree.js'
import { checkValidatorSet } from './validator-set.js'

/** What the chain fixes for all its blocks. */
export interface HeaderRules {
  readonly genesisHash: Hash
  /** The genesis block's: it never changes. */
  readonly gasLimit: bigint
  readonly minBlockPeriodMs: number
}

/** The block below. */
export interface ParentBlock {
  readonly header: Header
  readonly hash: Hash
  /** The set that its header lists: who may propose and seal the block above. */
  readonly validators: readonly Address[]
  /** The history up to and with this block: its size is `header.number` + 1. */
  readonly frontier: HistoryFrontier
}

export type HeaderErrorCode =
  | 'HEADER_NUMBER'
  | 'HEADER_PARENT_HASH'
  | 'HEADER_HISTORY_ROOT'
  | 'HEADER_COINBASE'
  | 'HEADER_CHAIN'
  | 'HEADER_TIME'
  | 'HEADER_TIMESTAMP'
  | 'HEADER_VALIDATORS'
  | 'HEADER_GAS_LIMIT'
  | 'HEADER_GAS_USED'
  | 'HEADER_OMMERS'
  | 'HEADER_DIFFICULTY'
  | 'HEADER_MIX_HASH'
  | 'HEADER_NONCE'
  | 'HEADER_BASE_FEE'
  | 'HEADER_WITHDRAWALS'
  | 'HEADER_BLOB_GAS'

/** What the proposer and the execution decide of a header; the rest follows from the parent and the rules. */
export interface HeaderChoices {
  coinbase: Address
  blockTimeMs: number
  round: number
  stateRoot: Hash
  transactionsRoot: Hash
  receiptsRoot: Hash
  logsBloom: Uint8Array
  gasUsed: bigint
  /** The set that seals the block above this one, ascending. */
  nextValidators: Address[]
}

const ZERO_NONCE = new Uint8Array(HEADER_NONCE_BYTES)

/** An unsealed header that `checkHeader` accepts, given choices that it accepts. */
export function createHeader(choices: HeaderChoices, parent: ParentBlock, rules: HeaderRules): Header {
  const { blockTimeMs, round, nextValidators, ...chosen } = choices
  const vanity = vanityOf(rules.genesisHash, blockTimeMs)
  return {
    ...chosen,
    parentHash: parent.hash,
    ommersHash: EMPTY_OMMERS_HASH,
    difficulty: QBFT_DIFFICULTY,
    number: parent.header.number + 1,
    gasLimit: rules.gasLimit,
    timestamp: Math.floor(blockTimeMs / 1000),
    extraData: encodeExtraData({ vanity, validators: nextValidators, round, seals: [] }),
    mixHash: QBFT_MIX_HASH,
    nonce: ZERO_NONCE,
    baseFeePerGas: 0n,
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: frontierRoot(parent.frontier),
  }
}

function fail(code: HeaderErrorCode, header: Header, message: string, cause?: unknown): never {
  throw new CodedError(code, `Block ${header.number}: ${message}`, { details: { number: header.number }, cause })
}

function expectEqual<T extends bigint | number | string>(
  header: Header,
  field: { code: HeaderErrorCode; name: string },
  values: { actual: T; expected: T },
): void {
  const { actual, expected } = values
  if (actual !== expected) fail(field.code, header, `${field.name} is ${actual}; expected ${expected}`)
}

function checkConstants(header: Header): void {
  const zero = { expected: 0n }
  expectEqual(header, { code: 'HEADER_OMMERS', name: 'ommersHash' }, { actual: header.ommersHash, expected: EMPTY_OMMERS_HASH })
  expectEqual(header, { code: 'HEADER_DIFFICULTY', name: 'difficulty' }, { actual: header.difficulty, expected: QBFT_DIFFICULTY })
  expectEqual(header, { code: 'HEADER_MIX_HASH', name: 'mixHash' }, { actual: header.mixHash, expected: QBFT_MIX_HASH })
  expectEqual(header, { code: 'HEADER_BASE_FEE', name: 'baseFeePerGas' }, { actual: header.baseFeePerGas, ...zero })
  expectEqual(header, { code: 'HEADER_BLOB_GAS', name: 'blobGasUsed' }, { actual: header.blobGasUsed, ...zero })
  expectEqual(header, { code: 'HEADER_BLOB_GAS', name: 'excessBlobGas' }, { actual: header.excessBlobGas, ...zero })
  const withdrawals = { actual: header.withdrawalsRoot, expected: EMPTY_TRIE_ROOT }
  expectEqual(header, { code: 'HEADER_WITHDRAWALS', name: 'withdrawalsRoot' }, withdrawals)
  if (!equalBytes(header.nonce, ZERO_NONCE)) fail('HEADER_NONCE', header, 'nonce must be 8 zero bytes')
}

function checkPlace(header: Header, parent: ParentBlock): void {
  const expected = parent.header.number + 1
  expectEqual(header, { code: 'HEADER_NUMBER', name: 'number' }, { actual: header.number, expected })
  expectEqual(header, { code: 'HEADER_PARENT_HASH', name: 'parentHash' }, { actual: header.parentHash, expected: parent.hash })
  const history = { actual: header.parentBeaconBlockRoot, expected: frontierRoot(parent.frontier) }
  expectEqual(header, { code: 'HEADER_HISTORY_ROOT', name: 'parentBeaconBlockRoot' }, history)
  if (!parent.validators.includes(header.coinbase)) {
    fail('HEADER_COINBASE', header, `coinbase ${header.coinbase} is no validator of this height`)
  }
}

function checkGas(header: Header, rules: HeaderRules): void {
  expectEqual(header, { code: 'HEADER_GAS_LIMIT', name: 'gasLimit' }, { actual: header.gasLimit, expected: rules.gasLimit })
  if (header.gasUsed > header.gasLimit) fail('HEADER_GAS_USED', header, `gasUsed ${header.gasUsed} is above the gas limit`)
}

function checkExtraData(header: Header, parent: ParentBlock, rules: HeaderRules): void {
  const { vanity, validators } = decodeExtraData(header.extraData)
  const { genesisPrefix, blockTimeMs: timeMs } = readVanity(vanity)
  if (!equalBytes(genesisPrefix, hexToBytes(rules.genesisHash).subarray(0, GENESIS_PREFIX_BYTES))) {
    fail('HEADER_CHAIN', header, 'the vanity names another genesis: this block belongs to another chain')
  }
  const earliestMs = blockTimeMs(parent.header) + rules.minBlockPeriodMs
  if (timeMs < earliestMs) fail('HEADER_TIME', header, `block time is ${timeMs} ms; at the earliest ${earliestMs} ms`)
  const timestamp = { actual: header.timestamp, expected: Math.floor(timeMs / 1000) }
  expectEqual(header, { code: 'HEADER_TIMESTAMP', name: 'timestamp' }, timestamp)
  try {
    checkValidatorSet(validators)
  } catch (error) {
    fail('HEADER_VALIDATORS', header, 'extraData lists no valid set of validators', error)
  }
}

/**
 * Every rule that the block hash covers and that needs no execution. Seals, the clock, whose turn it was, whether an
 * empty block was due, and the execution's results are checked elsewhere.
 * @throws CodedError: one code for each rule; `EXTRA_DATA_` and `RLP_` codes when extraData cannot be read
 */
export function checkHeader(header: Header, parent: ParentBlock, rules: HeaderRules): void {
  checkPlace(header, parent)
  checkConstants(header)
  checkGas(header, rules)
  checkExtraData(header, parent, rules)
}
