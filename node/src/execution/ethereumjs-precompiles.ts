import { type CustomPrecompile, EVMError, type ExecResult, type PrecompileInput } from '@ethereumjs/evm'
import { type Address as LibraryAddress, createAddressFromString } from '@ethereumjs/util'
import { bytesToBigint, bigintToBytes, concatBytes, hexToBytes, padLeft } from '@songhua/sdk/protocol/bytes'
import { recoverAddress, sha256 } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { BLAKE2F_INPUT_BYTES, createBlake2f } from './blake2f.js'
import { modexp, modexpGas } from './modexp.js'

const EMPTY = new Uint8Array(0)
const ECRECOVER_GAS = 3_000n
const SHA256_GAS = 60n
const SHA256_WORD_GAS = 12n
const POINT_EVALUATION_GAS = 50_000n
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

interface Precompile {
  readonly gas: (data: Uint8Array) => bigint
  /** Undefined when the precompile fails, which takes all gas. */
  readonly run: (data: Uint8Array) => Uint8Array | undefined
}

function failed(gasLimit: bigint, error: 'OUT_OF_GAS' | 'INVALID_INPUTS'): ExecResult {
  const exceptionError = new EVMError(EVMError.errorMessages[error])
  return { returnValue: EMPTY, executionGasUsed: gasLimit, exceptionError }
}

function precompileAddress(address: number): LibraryAddress {
  return createAddressFromString(`0x${address.toString(16).padStart(40, '0')}`)
}

function toLibrary(address: number, { gas, run }: Precompile): CustomPrecompile {
  return {
    address: precompileAddress(address),
    function: ({ data, gasLimit }: PrecompileInput): ExecResult => {
      const executionGasUsed = gas(data)
      if (executionGasUsed > gasLimit) return failed(gasLimit, 'OUT_OF_GAS')
      const returnValue = run(data)
      return returnValue === undefined ? failed(gasLimit, 'INVALID_INPUTS') : { executionGasUsed, returnValue }
    },
  }
}

/**
 * The precompile takes a high s, the protocol does not: (r, s, v) and (r, n − s, 1 − v) recover the same key.
 * Whatever is not a signature has no answer.
 */
function recover(data: Uint8Array): Uint8Array {
  const input = new Uint8Array(128)
  input.set(data.subarray(0, 128))
  const v = bytesToBigint(input.subarray(32, 64))
  if (v !== 27n && v !== 28n) return EMPTY
  let parity = Number(v - 27n)
  let s = bytesToBigint(input.subarray(96))
  if (s >= CURVE_ORDER) return EMPTY
  if (s > CURVE_ORDER / 2n) {
    s = CURVE_ORDER - s
    parity = 1 - parity
  }
  const signature = concatBytes(input.subarray(64, 96), padLeft(bigintToBytes(s), 32), Uint8Array.of(parity))
  try {
    return padLeft(hexToBytes(recoverAddress(input.subarray(0, 32), signature)), 32)
  } catch (error) {
    if (isCodedError(error)) return EMPTY
    throw error
  }
}

/**
 * EIP-4844's precompile 0x0a, as a function from its input to its output; undefined when the proof is bad. Our chain
 * has none: without blobs there are no commitments to prove, and a pairing on BLS12-381 in JavaScript would be the
 * dearest thing in a block by far. Every call of 0x0a fails there, as for a bad proof.
 */
export type PointEvaluation = (input: Uint8Array) => Uint8Array | undefined

const refuseEveryProof: PointEvaluation = () => undefined

/** EIP-152: one gas a round; a malformed input fails whatever gas there is. */
function runBlake2f(blake2f: (input: Uint8Array) => Uint8Array, data: Uint8Array, gasLimit: bigint): ExecResult {
  if (data.length !== BLAKE2F_INPUT_BYTES || data[212]! > 1) return failed(gasLimit, 'INVALID_INPUTS')
  const executionGasUsed = bytesToBigint(data.subarray(0, 4))
  if (executionGasUsed > gasLimit) return failed(gasLimit, 'OUT_OF_GAS')
  return { executionGasUsed, returnValue: blake2f(data) }
}

/** Where ours replace the library's. */
export function createPrecompiles(pointEvaluation: PointEvaluation = refuseEveryProof): CustomPrecompile[] {
  const blake2f = createBlake2f()
  return [
    toLibrary(0x01, { gas: () => ECRECOVER_GAS, run: recover }),
    toLibrary(0x02, { gas: (data) => SHA256_GAS + SHA256_WORD_GAS * BigInt(Math.ceil(data.length / 32)), run: sha256 }),
    toLibrary(0x05, { gas: modexpGas, run: modexp }),
    {
      address: precompileAddress(0x09),
      function: ({ data, gasLimit }: PrecompileInput): ExecResult => runBlake2f(blake2f, data, gasLimit),
    },
    toLibrary(0x0a, { gas: () => POINT_EVALUATION_GAS, run: pointEvaluation }),
  ]
}
