/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-argument, @typescript-eslint/only-throw-error -- reaches into the EVM library */
import { EVM, EVMError, type EVMOpts } from '@ethereumjs/evm'
import { EMPTY_BYTES, bytesToBigint } from '@songhua/sdk/protocol/bytes'
import { assert } from '../base/assert.js'
import { FrameMemory, type Operation, createOperations } from './ethereumjs-opcodes.js'

const PUSH0 = 0x5f
const PUSH1 = 0x60
const PUSH32 = 0x7f
const JUMPDEST = 0x5b
const INVALID = 0xfe
const { STOP, OUT_OF_GAS, INVALID_OPCODE, REVERT } = EVMError.errorMessages

/** Where JUMP may land, and the constants of PUSH by the position of their first byte, filled in when first used. */
interface CodeAnalysis {
  jumps: Uint8Array
  pushes: (bigint | undefined)[]
}

/** By the code's own array: the journaled state returns the same array for the same code. */
const analyses = new WeakMap<Uint8Array, CodeAnalysis>()

function analyse(code: Uint8Array): CodeAnalysis {
  let analysis = analyses.get(code)
  if (analysis === undefined) {
    const jumps = new Uint8Array(code.length)
    for (let at = 0; at < code.length; at++) {
      const opcode = code[at]!
      if (opcode === JUMPDEST) jumps[at] = 1
      else if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH0
    }
    analyses.set(code, (analysis = { jumps, pushes: [] }))
  }
  return analysis
}

function readPush(code: Uint8Array, at: number, size: number): bigint {
  const value = bytesToBigint(code.subarray(at, at + size))
  const missing = at + size - code.length
  return missing > 0 ? value << BigInt(8 * missing) : value
}

/**
 * The opcodes in our own loop. The library awaits every opcode and analyses the whole code again for every call; this
 * loop awaits only what is asynchronous (calls and creations) and analyses a code once.
 */
async function runCode(state: any, operations: readonly Operation[], common: any): Promise<EVMError | undefined> {
  const code = state.code as Uint8Array
  const { pushes } = analyse(code)
  const { stack } = state
  try {
    while (state.programCounter < code.length) {
      const opcode = code[state.programCounter]!
      const operation = operations[opcode]!
      state.opCode = opcode
      let gas = operation.fee
      if (operation.gas !== undefined) {
        const dynamic = operation.gas(state, gas, common)
        gas = typeof dynamic === 'bigint' ? dynamic : await dynamic
      }
      if ((state.gasLeft -= gas) < 0n) {
        state.gasLeft = 0n
        throw new EVMError(OUT_OF_GAS)
      }
      const at = ++state.programCounter
      if (opcode >= PUSH1 && opcode <= PUSH32) {
        const size = opcode - PUSH0
        stack.push((pushes[at] ??= readPush(code, at, size)))
        state.programCounter += size
        continue
      }
      if (operation.isInvalid) throw new EVMError(INVALID_OPCODE)
      const pending = operation.run(state, common)
      if (pending !== undefined) await pending
    }
  } catch (error) {
    if (!(error instanceof EVMError)) throw error
    if (error.error !== STOP) return error
  }
  return undefined
}

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
    validJumps: analyse(message.code).jumps,
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
  return Object.assign(interpreter, { _runState: state, _stateManager: stateManager, common, _evm: evm, journal, _env: env, _result })
}

/** A class of EVMs whose frames run in our loop. The JournaledState must be put into `journaled` in front of a run. */
export async function createFastEvmClass(options: EVMOpts): Promise<new (options: EVMOpts) => EVM> {
  const classes = await findLibraryClasses(options)
  return class extends EVM {
    private readonly operations: readonly Operation[]

    constructor(own: EVMOpts) {
      super(own)
      const self = this as any
      self._emit = (): void => undefined
      this.operations = createOperations(self._opcodeMap)
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
