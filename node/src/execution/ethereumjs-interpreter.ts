/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access,
   @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/only-throw-error -- reaches into the EVM library */
import { EVMError } from '@ethereumjs/evm'
import { bytesToBigint } from '@songhua/sdk/protocol/bytes'
import type { Operation } from './ethereumjs-opcodes.js'

const PUSH0 = 0x5f
const PUSH1 = 0x60
const PUSH32 = 0x7f
const JUMPDEST = 0x5b
const STOP_OPCODE = 0x00
const RETURN_OPCODE = 0xf3
const { STOP, OUT_OF_GAS, INVALID_OPCODE } = EVMError.errorMessages

/** Where JUMP may land, and the constants of PUSH by the position of their first byte, filled in when first used. */
export interface CodeAnalysis {
  jumps: Uint8Array
  pushes: (bigint | undefined)[]
}

/** By the code's own array: the journaled state returns the same array for the same code. */
const analyses = new WeakMap<Uint8Array, CodeAnalysis>()

export function analyse(code: Uint8Array): CodeAnalysis {
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

function finish(state: any): undefined {
  const [offset, length] = state.stack.popN(2) as [bigint, bigint]
  if (length > 0n) state.interpreter._result.returnValue = state.memory.read(Number(offset), Number(length))
}

/**
 * The opcodes in our own loop. The library awaits every opcode and analyses the whole code again for every call; this
 * loop awaits only what is asynchronous (calls and creations) and analyses a code once.
 */
export async function runCode(
  state: any,
  operations: readonly Operation[],
  common: any,
): Promise<EVMError | undefined> {
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
      // The library ends a frame by throwing, which costs more than a short call does.
      if (opcode === STOP_OPCODE) return undefined
      if (opcode === RETURN_OPCODE) return finish(state)
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
