import { EMPTY_TRIE_ROOT } from './account.js'
import { BLOOM_BYTES } from './bloom.js'
import {
  type Address,
  type Hash,
  type Hex,
  ZERO_ADDRESS,
  ZERO_HASH,
  bytesToHex,
  equalBytes,
} from './bytes.js'
import { canonicalBytes } from './canonical-json.js'
import { keccak256 } from './crypto.js'
import { CodedError, messageOf } from './errors.js'
import { MAX_EXTRA_DATA_BYTES, decodeExtraData, encodeExtraData } from './extra-data.js'
import { type GenesisAccount, type GenesisAccountJson, readAlloc } from './genesis-alloc.js'
import { EMPTY_OMMERS_HASH, HEADER_NONCE_BYTES, type Header, QBFT_DIFFICULTY, QBFT_MIX_HASH } from './header.js'
import {
  type JsonObject,
  failField,
  joinPath,
  readHashField,
  readHexBytes,
  readInteger,
  readAddressField,
  readQuantity,
  readShape,
} from './json-fields.js'
import { DEFAULT_QBFT_CONFIG, type QbftConfig, protocolVersionIn, readQbftConfig } from './qbft-config.js'
import { checkValidatorSet, normalizeValidators } from './validator-set.js'

/** The agreed beginning of a chain, in the JSON shape of geth and Besu. */
export interface Genesis {
  readonly chainId: number
  /** As it stands in the file: its RFC 8785 form is hashed into the genesis block. */
  readonly config: Readonly<Record<string, unknown>>
  readonly qbft: QbftConfig
  /** The set that seals block 1, ascending. */
  readonly validators: Address[]
  readonly alloc: GenesisAccount[]
  /** Of every block. */
  readonly gasLimit: bigint
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly extraData: Uint8Array
}

export type GenesisErrorCode =
  | 'GENESIS_TOO_LARGE'
  | 'GENESIS_NOT_JSON'
  | 'GENESIS_CONSTANT'
  | 'GENESIS_EXTRA_DATA'
  | 'GENESIS_VANITY'

/** Of the file, in characters. */
export const MAX_GENESIS_CHARACTERS = 32 * 1024 * 1024
/**
 * The dearest precompile executes at 4.8 Mgas/s on two shared cores (`test/bench/dear-block.ts`): 1.34 s, a third of the
 * round's timeout. Deploying the largest contract takes 5.5 M.
 */
export const DEFAULT_GAS_LIMIT = 6_500_000n
const MIN_GAS_LIMIT = 5_000n
const MAX_GAS_LIMIT = 2n ** 53n - 1n
const MAX_TIMESTAMP_S = Math.floor(Number.MAX_SAFE_INTEGER / 1000)
const MAX_UINT256 = 2n ** 256n - 1n

/** The chain has Cancun's rules from its first block. */
const FORK_BLOCKS = [
  'homesteadBlock',
  'eip150Block',
  'eip155Block',
  'eip158Block',
  'byzantiumBlock',
  'constantinopleBlock',
  'petersburgBlock',
  'istanbulBlock',
  'muirGlacierBlock',
  'berlinBlock',
  'londonBlock',
  'arrowGlacierBlock',
  'grayGlacierBlock',
]
const OPTIONAL_FORKS = [...FORK_BLOCKS, 'mergeNetsplitBlock', 'terminalTotalDifficulty']
const FORK_TIMES = ['shanghaiTime', 'cancunTime']

/** Header fields that a genesis file may state and that have one value only. */
const CONSTANTS: Record<string, { isIt: (value: unknown, path: string) => boolean; shown: string }> = {
  difficulty: quantityIs(QBFT_DIFFICULTY),
  mixHash: { isIt: (value, path) => readHashField(value, path) === QBFT_MIX_HASH, shown: QBFT_MIX_HASH },
  nonce: quantityIs(0n),
  number: quantityIs(0n),
  gasUsed: quantityIs(0n),
  baseFeePerGas: quantityIs(0n),
  blobGasUsed: quantityIs(0n),
  excessBlobGas: quantityIs(0n),
  coinbase: { isIt: (value, path) => readAddressField(value, path) === ZERO_ADDRESS, shown: ZERO_ADDRESS },
  parentHash: { isIt: (value, path) => readHashField(value, path) === ZERO_HASH, shown: ZERO_HASH },
  parentBeaconBlockRoot: { isIt: (value, path) => readHashField(value, path) === ZERO_HASH, shown: ZERO_HASH },
}

function quantityIs(expected: bigint): { isIt: (value: unknown, path: string) => boolean; shown: string } {
  return {
    isIt: (value, path) => readQuantity(value, path, MAX_UINT256) === expected,
    shown: `0x${expected.toString(16)}`,
  }
}

function fail(code: GenesisErrorCode, message: string, path: string, cause?: unknown): never {
  throw new CodedError(code, message, { details: { path }, cause })
}

// ------------------------------------------------------------------------------------------------------ reading

function parseText(text: string): unknown {
  if (text.length > MAX_GENESIS_CHARACTERS) {
    fail('GENESIS_TOO_LARGE', `The genesis has ${text.length} characters; at most ${MAX_GENESIS_CHARACTERS}`, '')
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    return fail('GENESIS_NOT_JSON', `The genesis is no JSON: ${messageOf(error)}`, '', error)
  }
}

function readConfig(value: unknown): { config: JsonObject; chainId: number; qbft: QbftConfig } {
  const config = readShape(value, 'config', { required: ['chainId', ...FORK_TIMES, 'qbft'], optional: OPTIONAL_FORKS })
  for (const fork of [...OPTIONAL_FORKS, ...FORK_TIMES]) {
    const path = joinPath('config', fork)
    if (config[fork] !== undefined && config[fork] !== 0) {
      fail('GENESIS_CONSTANT', `${path} must be 0: the chain has Cancun's rules from its first block`, path)
    }
  }
  return {
    config,
    chainId: readInteger(config.chainId, 'config.chainId', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    qbft: readQbftConfig(config.qbft, 'config.qbft'),
  }
}

/** keccak256 of the RFC 8785 form: ties the genesis hash to the chain id and the consensus parameters. */
export function configVanity(config: Readonly<Record<string, unknown>>): Uint8Array {
  return keccak256(canonicalBytes(config))
}

function readGenesisExtraData(extraData: Uint8Array, config: JsonObject): Address[] {
  let decoded
  try {
    decoded = decodeExtraData(extraData)
    checkValidatorSet(decoded.validators)
  } catch (error) {
    return fail('GENESIS_EXTRA_DATA', `extraData cannot be used: ${messageOf(error)}`, 'extraData', error)
  }
  if (decoded.round !== 0 || decoded.seals.length > 0) {
    fail('GENESIS_EXTRA_DATA', 'extraData must have round 0 and no seals', 'extraData')
  }
  const expected = configVanity(config)
  if (!equalBytes(decoded.vanity, expected)) {
    const message = `extraData does not belong to this config: its vanity must be ${bytesToHex(expected)}`
    fail('GENESIS_VANITY', message, 'extraData')
  }
  return decoded.validators
}

function checkConstants(json: JsonObject): void {
  for (const [name, constant] of Object.entries(CONSTANTS)) {
    if (json[name] !== undefined && !constant.isIt(json[name], name)) {
      fail('GENESIS_CONSTANT', `${name} must be ${constant.shown}`, name)
    }
  }
}

function readGasLimit(value: unknown): bigint {
  const gasLimit = readQuantity(value, 'gasLimit', MAX_GAS_LIMIT)
  if (gasLimit < MIN_GAS_LIMIT) failField('JSON_RANGE', 'gasLimit', `is ${gasLimit}; at least ${MIN_GAS_LIMIT}`)
  return gasLimit
}

/**
 * @param source the text of the file, or what `JSON.parse` made of it
 * @throws CodedError whose `details.path` names the field: `JSON_` codes for its form, `GENESIS_` codes for its meaning
 */
export function parseGenesis(source: unknown): Genesis {
  const json = readShape(typeof source === 'string' ? parseText(source) : source, 'genesis', {
    required: ['config', 'alloc', 'extraData', 'gasLimit', 'timestamp'],
    optional: Object.keys(CONSTANTS),
  })
  const { config, chainId, qbft } = readConfig(json.config)
  checkConstants(json)
  const extraData = readHexBytes(json.extraData, 'extraData', MAX_EXTRA_DATA_BYTES)
  return {
    chainId,
    config,
    qbft,
    validators: readGenesisExtraData(extraData, config),
    alloc: readAlloc(json.alloc, 'alloc'),
    gasLimit: readGasLimit(json.gasLimit),
    timestamp: Number(readQuantity(json.timestamp, 'timestamp', BigInt(MAX_TIMESTAMP_S))),
    extraData,
  }
}

/**
 * Block 0. Its history root is zero, as in any Ethereum genesis: there is no block before it.
 * @param stateRoot of the state that holds `genesis.alloc`
 */
export function genesisHeader(genesis: Genesis, stateRoot: Hash): Header {
  return {
    parentHash: ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    coinbase: ZERO_ADDRESS,
    stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(BLOOM_BYTES),
    difficulty: QBFT_DIFFICULTY,
    number: 0,
    gasLimit: genesis.gasLimit,
    gasUsed: 0n,
    timestamp: genesis.timestamp,
    extraData: genesis.extraData,
    mixHash: QBFT_MIX_HASH,
    nonce: new Uint8Array(HEADER_NONCE_BYTES),
    baseFeePerGas: 0n,
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
  }
}

/** The protocol version that the genesis lays down for this height; motions may schedule higher ones on the chain. */
export function protocolVersionAt(genesis: Genesis, height: number): number {
  return protocolVersionIn(genesis.qbft, height)
}

// ------------------------------------------------------------------------------------------------------ writing

export interface GenesisJson {
  config: Record<string, unknown>
  nonce: Hex
  timestamp: Hex
  extraData: Hex
  gasLimit: Hex
  difficulty: Hex
  mixHash: Hash
  coinbase: Address
  baseFeePerGas: Hex
  alloc: Record<string, GenesisAccountJson>
}

export interface GenesisOptions {
  chainId: number
  /** The set that seals block 1. */
  validators: readonly string[]
  alloc: Record<string, GenesisAccountJson>
  /** `membershipContract` is needed; the rest has defaults. */
  qbft: Partial<QbftConfig> & Pick<QbftConfig, 'membershipContract'>
  /** Seconds since 1970. */
  timestamp: number
  gasLimit?: bigint
}

/** A genesis file that `parseGenesis` accepts. @throws CodedError as `parseGenesis` does, on what it would refuse */
export function createGenesisJson(options: GenesisOptions): GenesisJson {
  const config = {
    chainId: options.chainId,
    ...Object.fromEntries(FORK_BLOCKS.map((fork) => [fork, 0])),
    terminalTotalDifficulty: 0,
    shanghaiTime: 0,
    cancunTime: 0,
    qbft: { ...DEFAULT_QBFT_CONFIG, ...options.qbft },
  }
  const validators = normalizeValidators(options.validators)
  const json: GenesisJson = {
    config,
    nonce: '0x0',
    timestamp: `0x${options.timestamp.toString(16)}`,
    extraData: bytesToHex(encodeExtraData({ vanity: configVanity(config), validators, round: 0, seals: [] })),
    gasLimit: `0x${(options.gasLimit ?? DEFAULT_GAS_LIMIT).toString(16)}`,
    difficulty: `0x${QBFT_DIFFICULTY.toString(16)}`,
    mixHash: QBFT_MIX_HASH,
    coinbase: ZERO_ADDRESS,
    baseFeePerGas: '0x0',
    alloc: options.alloc,
  }
  parseGenesis(json)
  return json
}
