/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment -- the adapter of the EVM library binds its protected fields */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { type EVM, EVMError, type EVMOpts, type EVMResult, RustBN254 } from '@ethereumjs/evm'
import { Address as LibraryAddress } from '@ethereumjs/util'
import { type Address, bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { initRustBN } from 'rustbn-wasm'
import { assert } from '../base/assert.js'
import { createFastEvmClass } from './ethereumjs-fast-evm.js'
import { createLibraryState } from './ethereumjs-state.js'
import { type PointEvaluation, createPrecompiles } from './ethereumjs-precompiles.js'
import type { BlockContext, Evm, EvmFailure, EvmMessage, EvmResult } from './evm.js'
import type { JournaledState } from './journaled-state.js'

/** More EVMs than this are never idle at once; each holds an opcode table. */
const IDLE_EVMS_MAX = 4

const { errorMessages } = EVMError
const FAILURES = new Map<string, EvmFailure>([
  [errorMessages.REVERT, 'revert'],
  [errorMessages.OUT_OF_GAS, 'out-of-gas'],
  [errorMessages.STACK_OVERFLOW, 'stack'],
  [errorMessages.STACK_UNDERFLOW, 'stack'],
  [errorMessages.INVALID_JUMP, 'invalid-jump'],
  [errorMessages.INVALID_OPCODE, 'invalid-opcode'],
  [errorMessages.STATIC_STATE_CHANGE, 'static-write'],
  [errorMessages.CODESIZE_EXCEEDS_MAXIMUM, 'code-size'],
  [errorMessages.INITCODE_SIZE_VIOLATION, 'code-size'],
  [errorMessages.INVALID_BYTECODE_RESULT, 'code-size'],
  [errorMessages.CREATE_COLLISION, 'address-collision'],
  [errorMessages.INVALID_INPUT_LENGTH, 'precompile'],
  [errorMessages.BN254_FP_NOT_IN_FIELD, 'precompile'],
])

/** Cancun. Lookups that the library makes for every opcode are answered from a set. */
function createCommon(chainId: bigint): Common {
  const common = new Common({
    chain: { ...Mainnet, chainId: chainId.toString() },
    hardfork: Hardfork.Cancun,
    customCrypto: { keccak256 },
  })
  return common
}

/** Must run after the EVM has put its parameters into the Common. */
function memoize(common: Common): void {
  const eips = new Map<number, boolean>()
  const forks = new Map<string, boolean>()
  const params = new Map<string, bigint>()
  const isActivatedEIP = common.isActivatedEIP.bind(common)
  const gteHardfork = common.gteHardfork.bind(common)
  const param = common.param.bind(common)
  const remember = <K, V>(known: Map<K, V>, ask: (key: K) => V) => (key: K): V => {
    let value = known.get(key)
    if (value === undefined) known.set(key, (value = ask(key)))
    return value
  }
  common.isActivatedEIP = remember(eips, isActivatedEIP)
  common.gteHardfork = remember(forks, gteHardfork)
  common.param = remember(params, param)
}

export interface EthereumjsEvmOptions {
  /** Answer of CHAINID. */
  readonly chainId: bigint
  /** Left out on our chain: see `PointEvaluation`. */
  readonly pointEvaluation?: PointEvaluation
}

/** `@ethereumjs/evm` behind the port. Blob opcodes answer as on a chain without blobs (BLOBHASH 0). */
export async function createEthereumjsEvm({ chainId, pointEvaluation }: EthereumjsEvmOptions): Promise<Evm> {
  const common = createCommon(chainId)
  const options: EVMOpts = {
    common,
    bn254: new RustBN254(await initRustBN()),
    customPrecompiles: createPrecompiles(pointEvaluation),
    blockchain: undefined as any,
    stateManager: undefined as any,
  }
  const FastEvm = await createFastEvmClass(options)
  const create = (): EVM => new FastEvm(options)
  const idle: EVM[] = [create()]
  memoize(common)
  const headers = new WeakMap<BlockContext, any>()
  return {
    async run(state, block, message) {
      const evm = idle.pop() ?? create()
      let header = headers.get(block)
      if (header === undefined) headers.set(block, (header = toLibraryBlock(block)))
      try {
        return await runMessage(evm, state, { block, header, message })
      } finally {
        if (idle.length < IDLE_EVMS_MAX) idle.push(evm)
      }
    },
  }
}

async function runMessage(
  evm: EVM,
  state: JournaledState,
  { block, header, message }: { block: BlockContext; header: any; message: EvmMessage },
): Promise<EvmResult> {
  const target = evm as any
  const { stateManager, journal } = createLibraryState(state)
  target.journaled = state
  target.stateManager = stateManager
  target.journal = journal
  target.blockchain = { getBlock: (number: number) => ({ hash: () => blockHashBytes(block, number) }) }
  evm.transientStorage.clear()
  const result = await evm.runCall({
    block: header,
    caller: toLibraryAddress(message.caller),
    ...(message.to === undefined ? {} : { to: toLibraryAddress(message.to) }),
    value: message.value,
    data: message.data,
    gasLimit: message.gasLimit,
    gasPrice: message.gasPrice,
    skipNonceIncrement: true,
  })
  return toResult(result)
}

function blockHashBytes(block: BlockContext, number: number): Uint8Array {
  const hash = block.blockHash(number)
  assert(hash !== undefined, `hash of block ${number} is not known while block ${block.number} is executed`)
  return hexToBytes(hash)
}

function toLibraryAddress(address: Address): LibraryAddress {
  return new LibraryAddress(hexToBytes(address))
}

function toLibraryBlock(block: BlockContext): any {
  return {
    header: {
      number: BigInt(block.number),
      coinbase: toLibraryAddress(block.coinbase),
      timestamp: BigInt(block.timestamp),
      difficulty: 0n,
      prevRandao: hexToBytes(block.prevRandao),
      gasLimit: block.gasLimit,
      baseFeePerGas: block.baseFeePerGas,
      getBlobGasPrice: () => block.blobBaseFee,
    },
  }
}

function toResult({ execResult, createdAddress }: EVMResult): EvmResult {
  const { exceptionError, executionGasUsed, gasRefund = 0n, returnValue, logs = [], selfdestruct } = execResult
  const created = execResult.createdAddresses ?? new Set<string>()
  const kind = exceptionError && (FAILURES.get(exceptionError.error) ?? 'halt')
  return {
    gasUsed: executionGasUsed,
    gasRefund,
    output: returnValue,
    logs: logs.map(([address, topics, data]) => ({
      address: bytesToHex(address),
      topics: topics.map((topic) => bytesToHex(topic)),
      data,
    })),
    destroyed: [...(selfdestruct?.keys() ?? [])].filter((address) => created.has(address)),
    createdAddress: exceptionError === undefined && createdAddress ? bytesToHex(createdAddress.bytes) : undefined,
    failure: kind === undefined ? undefined : { kind, message: exceptionError!.error },
  }
}
