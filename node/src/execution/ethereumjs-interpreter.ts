/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-argument, @typescript-eslint/only-throw-error -- reaches into the EVM library */
import { EVM, EVMError, type EVMOpts } from '@ethereumjs/evm'
import { bytesToBigint } from '@songhua/sdk/protocol/bytes'

const PUSH0 = 0x5f
const PUSH1 = 0x60
const PUSH32 = 0x7f
const JUMPDEST = 0x5b
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
 * The library's opcodes in our own loop. The library awaits every opcode and analyses the whole code again for every
 * call; this loop awaits only what is asynchronous (calls and creations) and analyses a code once.
 */
async function runCode(interpreter: any, code: Uint8Array): Promise<EVMError | undefined> {
  const state = interpreter._runState
  const { common } = interpreter
  const opcodes = interpreter._evm._opcodeMap as any[]
  const { jumps, pushes } = analyse(code)
  const { stack } = state
  state.code = code
  state.validJumps = jumps
  state.shouldDoJumpAnalysis = false
  try {
    while (state.programCounter < code.length) {
      const opcode = code[state.programCounter]!
      const entry = opcodes[opcode]
      state.opCode = opcode
      let gas = entry.opcodeInfo.feeBigInt
      if (entry.opcodeInfo.dynamicGas) {
        gas = entry.gasHandler(state, gas, common)
        if (typeof gas !== 'bigint') gas = await gas
      }
      if (entry.opcodeInfo.isInvalid) throw new EVMError(INVALID_OPCODE)
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
      const pending = entry.opHandler(state, common)
      if (pending !== undefined) await pending
    }
  } catch (error) {
    if (!(error instanceof EVMError)) throw error
    if (error.error !== STOP) return error
  }
  return undefined
}

/** The library does not export its Interpreter; an opcode of our own sees an instance of it. */
async function findInterpreterClass(options: EVMOpts): Promise<any> {
  let found: unknown
  const logicFunction = (state: any): any => {
    found = state.interpreter.constructor
  }
  const customOpcodes = [{ opcode: 0x0c, opcodeName: 'PROBE', baseFee: 0, logicFunction }]
  const evm = new EVM({ ...options, customOpcodes, stateManager: { getAccount: () => undefined } as any })
  await evm.runCode({ code: Uint8Array.of(0x0c) })
  return found
}

/** A class of EVMs whose interpreter runs in our loop. */
export async function createFastEvmClass(options: EVMOpts): Promise<new (options: EVMOpts) => EVM> {
  const Interpreter = await findInterpreterClass(options)
  return class extends EVM {
    constructor(own: EVMOpts) {
      super(own)
      const self = this as any
      self._emit = (): void => undefined
    }

    protected override async runInterpreter(message: any): Promise<any> {
      const self = this as any
      const env = {
        address: message.to,
        caller: message.caller,
        callData: message.data,
        callValue: message.value,
        code: message.code,
        isStatic: message.isStatic,
        isCreate: message.isCreate ?? false,
        depth: message.depth,
        gasPrice: self._tx.gasPrice,
        origin: self._tx.origin,
        block: self._block,
        contract: self.stateManager.getAccount(message.to),
        codeAddress: message.codeAddress,
        gasRefund: message.gasRefund,
        blobVersionedHashes: [],
        createdAddresses: message.createdAddresses,
      }
      const interpreter = new Interpreter(self, self.stateManager, self.blockchain, env, message.gasLimit, self.journal,
        self.performanceLogger)
      interpreter._result.selfdestruct = message.selfdestruct
      interpreter._result.createdAddresses = message.createdAddresses
      const exceptionError = await runCode(interpreter, message.code)
      const { gasLeft, gasRefund } = interpreter._runState
      const { logs, selfdestruct, createdAddresses, returnValue = new Uint8Array(0) } = interpreter._result
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
