/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- reaches into the EVM library */
import { EVM, EVMError, type EVMOpts } from '@ethereumjs/evm'
import { Address as LibraryAddress } from '@ethereumjs/util'
import { EMPTY_ACCOUNT } from '@songhua/sdk/protocol/account'
import { type Address, EMPTY_BYTES, type Hex, bigintToBytes, concatBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { encodeRlp } from '@songhua/sdk/protocol/rlp'
import { assert } from '../base/assert.js'
import { analyse, runCode } from './ethereumjs-interpreter.js'
import { FrameMemory, type Operation, createOperations } from './ethereumjs-opcodes.js'
import { addressOf } from './ethereumjs-state.js'
import type { JournaledState } from './journaled-state.js'

const INVALID = 0xfe
const CREATE2_PREFIX = Uint8Array.of(0xff)
const MAX_UINT256 = 2n ** 256n - 1n
const { REVERT, INSUFFICIENT_BALANCE, VALUE_OVERFLOW } = EVMError.errorMessages

interface LibraryClasses {
  Interpreter: { prototype: object }
  Stack: new () => unknown
}

/** The library does not export its Interpreter and Stack; an opcode of our own sees an instance of each. */
async function findLibraryClasses(options: EVMOpts): Promise<LibraryClasses> {
  let found: LibraryClasses | undefined
  const logicFunction = (state: any): any => {
    found = { Interpreter: state.interpreter.constructor, Stack: state.stack.constructor }
  }
  const customOpcodes = [{ opcode: 0x0c, opcodeName: 'PROBE', baseFee: 0, logicFunction }]
  const evm = new EVM({ ...options, customOpcodes, stateManager: { getAccount: () => undefined } as any })
  await evm.runCode({ code: Uint8Array.of(0x0c) })
  assert(found !== undefined, 'the EVM library did not run the probe')
  return found
}

/** What the library's `new Interpreter` makes, but for the memory and with the code analysed. */
function createFrame(evm: any, message: any, { Interpreter, Stack }: LibraryClasses): any {
  const env = {
    address: message.to,
    caller: message.caller,
    callData: message.data,
    callValue: message.value,
    code: message.code,
    isStatic: message.isStatic,
    isCreate: message.isCreate ?? false,
    depth: message.depth,
    gasPrice: evm._tx.gasPrice,
    origin: evm._tx.origin,
    block: evm._block,
    contract: evm.stateManager.getAccount(message.to),
    codeAddress: message.codeAddress,
    gasRefund: message.gasRefund,
    blobVersionedHashes: [],
    createdAddresses: message.createdAddresses,
  }
  const interpreter = Object.create(Interpreter.prototype)
  const state = {
    programCounter: 0,
    opCode: INVALID,
    memory: new FrameMemory(),
    memoryWordCount: 0n,
    highestMemCost: 0n,
    stack: new Stack(),
    code: message.code,
    validJumps: analyse(message.code as Uint8Array).jumps,
    shouldDoJumpAnalysis: false,
    stateManager: evm.stateManager,
    journaled: evm.journaled,
    blockchain: evm.blockchain,
    env,
    interpreter,
    gasRefund: message.gasRefund,
    gasLeft: message.gasLimit,
    stateGasSpilled: 0n,
    returnBytes: EMPTY_BYTES,
  }
  const _result = { logs: [], selfdestruct: message.selfdestruct, createdAddresses: message.createdAddresses }
  const { stateManager, common, journal } = evm
  const own = { _runState: state, _stateManager: stateManager, common, _evm: evm, journal, _env: env, _result }
  return Object.assign(interpreter, own)
}

function emptyResult(gasRefund: bigint, error?: EVMError['error']): any {
  const exceptionError = error === undefined ? undefined : new EVMError(error)
  return { gasRefund, executionGasUsed: 0n, returnValue: EMPTY_BYTES, exceptionError }
}

/** Moves the message's value; an account that receives nothing is touched all the same (EIP-161). */
function transfer(state: JournaledState, { caller, to, value }: any): EVMError['error'] | undefined {
  const from = addressOf(caller)
  if (value > 0n) {
    if ((state.getAccount(from) ?? EMPTY_ACCOUNT).balance < value) return INSUFFICIENT_BALANCE
    state.addBalance(from, -(value as bigint))
  }
  const receiver = addressOf(to)
  if ((state.getAccount(receiver) ?? EMPTY_ACCOUNT).balance + (value as bigint) > MAX_UINT256) return VALUE_OVERFLOW
  state.addBalance(receiver, value)
  return undefined
}

/** Yellow paper §7, or EIP-1014 when there is a salt. The caller's nonce has been incremented. */
function createdAddress(state: JournaledState, { caller, salt, code }: any): Uint8Array {
  if (salt !== undefined) {
    return keccak256(concatBytes(CREATE2_PREFIX, caller.bytes, salt, keccak256(code))).subarray(12)
  }
  const nonce = (state.getAccount(addressOf(caller)) ?? EMPTY_ACCOUNT).nonce - 1n
  return keccak256(encodeRlp([caller.bytes, bigintToBytes(nonce)])).subarray(12)
}

/** A class of EVMs whose frames run in our loop. The JournaledState must be put into `journaled` in front of a run. */
export async function createFastEvmClass(options: EVMOpts): Promise<new (options: EVMOpts) => EVM> {
  const classes = await findLibraryClasses(options)
  return class extends EVM {
    private readonly operations: readonly Operation[]
    private readonly precompileAt: ReadonlyMap<Address, (input: any) => any>
    declare readonly journaled: JournaledState

    constructor(own: EVMOpts) {
      super(own)
      const self = this as any
      self._emit = (): void => undefined
      this.operations = createOperations(self._opcodeMap)
      this.precompileAt = new Map([...this.precompiles].map(([hex, run]) => [`0x${hex}` satisfies Hex, run]))
    }

    protected override async _executeCall(message: any): Promise<any> {
      const { gasRefund, gasLimit } = message
      const error = message.delegatecall === true ? undefined : transfer(this.journaled, message)
      if (error !== undefined) return { execResult: emptyResult(gasRefund, error) }
      const codeAddress = addressOf(message.codeAddress)
      const precompile = this.precompileAt.get(codeAddress)
      if (precompile !== undefined) {
        const execResult = await precompile({ data: message.data, gasLimit, common: this.common, _EVM: this })
        return { execResult: { ...execResult, gasRefund } }
      }
      message.code = this.journaled.getCode(codeAddress)
      if (message.code.length === 0) return { execResult: emptyResult(gasRefund) }
      return { execResult: await this.runInterpreter(message) }
    }

    /** The library asks up to three times for one creation, and hashes all of the init code each time. */
    protected override _generateAddress(message: any): Promise<LibraryAddress> {
      return (message.generated ??= new LibraryAddress(createdAddress(this.journaled, message)))
    }

    protected override async runInterpreter(message: any): Promise<any> {
      const frame = createFrame(this, message, classes)
      const exceptionError = await runCode(frame._runState, this.operations, this.common)
      const { gasLeft, gasRefund } = frame._runState
      const { logs, selfdestruct, createdAddresses, returnValue = EMPTY_BYTES } = frame._result
      const failed = exceptionError !== undefined
      return {
        exceptionError,
        returnValue,
        executionGasUsed: failed && exceptionError.error !== REVERT ? message.gasLimit : message.gasLimit - gasLeft,
        gasRefund,
        logs: failed ? [] : logs,
        selfdestruct: failed ? new Map() : selfdestruct,
        createdAddresses: failed ? new Set() : createdAddresses,
      }
    }
  }
}
