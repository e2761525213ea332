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

type PlainField = { [K in keyof Header]: Header[K] extends Uint8Array ? never : K }[keyof Header]

function expectField<K extends PlainField>(
  header: Header,
  name: K,
  code: HeaderErrorCode,
): { toBe(value: Header[K]): void } {
  return {
    toBe: (expected) => {
      const actual = header[name]
      if (actual !== expected) fail(code, header, `${name} is ${String(actual)}; expected ${String(expected)}`)
    },
  }
}

function checkConstants(header: Header): void {
  expectField(header, 'ommersHash', 'HEADER_OMMERS').toBe(EMPTY_OMMERS_HASH)
  expectField(header, 'difficulty', 'HEADER_DIFFICULTY').toBe(QBFT_DIFFICULTY)
  expectField(header, 'mixHash', 'HEADER_MIX_HASH').toBe(QBFT_MIX_HASH)
  expectField(header, 'baseFeePerGas', 'HEADER_BASE_FEE').toBe(0n)
  expectField(header, 'blobGasUsed', 'HEADER_BLOB_GAS').toBe(0n)
  expectField(header, 'excessBlobGas', 'HEADER_BLOB_GAS').toBe(0n)
  expectField(header, 'withdrawalsRoot', 'HEADER_WITHDRAWALS').toBe(EMPTY_TRIE_ROOT)
  if (!equalBytes(header.nonce, ZERO_NONCE)) fail('HEADER_NONCE', header, 'nonce must be 8 zero bytes')
}

function checkPlace(header: Header, parent: ParentBlock): void {
  expectField(header, 'number', 'HEADER_NUMBER').toBe(parent.header.number + 1)
  expectField(header, 'parentHash', 'HEADER_PARENT_HASH').toBe(parent.hash)
  expectField(header, 'parentBeaconBlockRoot', 'HEADER_HISTORY_ROOT').toBe(frontierRoot(parent.frontier))
  if (!parent.validators.includes(header.coinbase)) {
    fail('HEADER_COINBASE', header, `coinbase ${header.coinbase} is no validator of this height`)
  }
}

function checkGas(header: Header, rules: HeaderRules): void {
  expectField(header, 'gasLimit', 'HEADER_GAS_LIMIT').toBe(rules.gasLimit)
  if (header.gasUsed > header.gasLimit) {
    fail('HEADER_GAS_USED', header, `gasUsed ${header.gasUsed} is above the gas limit ${header.gasLimit}`)
  }
}

function checkExtraData(header: Header, parent: ParentBlock, rules: HeaderRules): void {
  const { vanity, validators } = decodeExtraData(header.extraData)
  const { genesisPrefix, blockTimeMs: timeMs } = readVanity(vanity)
  if (!equalBytes(genesisPrefix, hexToBytes(rules.genesisHash).subarray(0, GENESIS_PREFIX_BYTES))) {
    fail('HEADER_CHAIN', header, 'the vanity names another genesis: this block belongs to another chain')
  }
  const earliestMs = blockTimeMs(parent.header) + rules.minBlockPeriodMs
  if (timeMs < earliestMs) fail('HEADER_TIME', header, `block time is ${timeMs} ms; at the earliest ${earliestMs} ms`)
  expectField(header, 'timestamp', 'HEADER_TIMESTAMP').toBe(Math.floor(timeMs / 1000))
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
