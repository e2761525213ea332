import {
  type Address,
  EMPTY_BYTES,
  ZERO_ADDRESS,
  bytesToBigint,
  bytesToHex,
  utf8ToBytes,
} from '@songhua/sdk/protocol/bytes'
import { keccak256 } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { MAX_VALIDATORS, normalizeValidators } from '@songhua/sdk/protocol/validator-set'
import type { BlockContext, Evm } from './evm.js'
import type { JournaledState } from './journaled-state.js'
import { warmForTransaction } from './transaction-run.js'

/** Fixed by the protocol: every node gets the same answer, or runs out of gas in the same place. 64 slots: 0.15 M. */
export const VALIDATORS_READ_GAS = 1_000_000n
/** Not part of consensus. 1,024 keys in three slots each take 7 M. */
export const NODES_READ_GAS = 20_000_000n
/** As many as the membership contract holds: validators, backbone, service and sub-chain nodes. */
export const NODES_MAX = 1_024
const NODE_KEY_BYTES = 33
const WORD = 32

const selector = (signature: string): Uint8Array => keccak256(utf8ToBytes(signature)).slice(0, 4)

export type SystemReadCode = 'MEMBERSHIP_READ_FAILED' | 'MEMBERSHIP_ANSWER_MALFORMED' | 'MEMBERSHIP_VALIDATORS' | 'MEMBERSHIP_NODES'

export interface SystemReadFailure {
  readonly code: SystemReadCode
  readonly message: string
}

export interface SystemReadContext {
  readonly evm: Evm
  readonly block: BlockContext
  readonly membershipContract: Address
}

/** `getValidators() returns (address[])`: sorted and checked, or why there is no good answer. Changes nothing. */
export async function readValidators(
  state: JournaledState,
  context: SystemReadContext,
): Promise<{ validators: Address[] } | SystemReadFailure> {
  const answer = await readContract(state, context, { signature: 'getValidators()', gasLimit: VALIDATORS_READ_GAS })
  if ('code' in answer) return answer
  const addresses = decodeArray(answer.output, readAddress, MAX_VALIDATORS)
  if ('code' in addresses) return addresses
  try {
    return { validators: normalizeValidators(addresses.items.map((address) => bytesToHex(address))) }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { code: 'MEMBERSHIP_VALIDATORS', message: `getValidators() answered a list that is not a set: ${error.message}` }
  }
}

/** `getNodes() returns (bytes[])`: compressed secp256k1 keys of the peers that may connect. Changes nothing. */
export async function readNodes(
  state: JournaledState,
  context: SystemReadContext,
): Promise<{ nodes: Uint8Array[] } | SystemReadFailure> {
  const answer = await readContract(state, context, { signature: 'getNodes()', gasLimit: NODES_READ_GAS })
  if ('code' in answer) return answer
  const keys = decodeArray(answer.output, readBytesElement, NODES_MAX)
  if ('code' in keys) return keys
  const bad = keys.items.findIndex((key) => key.length !== NODE_KEY_BYTES || (key[0] !== 2 && key[0] !== 3))
  if (bad < 0) return { nodes: keys.items }
  const shown = bytesToHex(keys.items[bad]!.subarray(0, NODE_KEY_BYTES + 1))
  const message = `node ${bad} of getNodes() is ${shown}, not a compressed secp256k1 key (33 bytes)`
  return { code: 'MEMBERSHIP_NODES', message }
}

async function readContract(
  state: JournaledState,
  { evm, block, membershipContract }: SystemReadContext,
  { signature, gasLimit }: { signature: string; gasLimit: bigint },
): Promise<{ output: Uint8Array } | SystemReadFailure> {
  const to = membershipContract
  warmForTransaction(state, { sender: ZERO_ADDRESS, to, coinbase: block.coinbase, accessList: [] })
  const message = { caller: ZERO_ADDRESS, to, value: 0n, data: selector(signature), gasLimit, gasPrice: 0n }
  const { output, failure } = await evm.run(state, block, message)
  state.abandonTransaction()
  if (failure === undefined) return { output }
  return { code: 'MEMBERSHIP_READ_FAILED', message: `${signature} of ${to} failed: ${failure.message}` }
}

// ------------------------------------------------------------------------------------- ABI, one dynamic array

class Malformed extends Error {}

function readWord(data: Uint8Array, at: number): Uint8Array {
  if (at + WORD > data.length) throw new Malformed(`it has ${data.length} bytes and a word at ${at}`)
  return data.subarray(at, at + WORD)
}

/** Offsets and lengths above the answer's own size cannot be good. */
function readSize(data: Uint8Array, at: number): number {
  const size = bytesToBigint(readWord(data, at))
  if (size > BigInt(data.length)) throw new Malformed(`size ${size} at ${at} is above its ${data.length} bytes`)
  return Number(size)
}

function decodeArray(
  output: Uint8Array,
  readElement: (tail: Uint8Array, at: number) => Uint8Array,
  lengthMax: number,
): { items: Uint8Array[] } | SystemReadFailure {
  try {
    const at = readSize(output, 0)
    const length = readSize(output, at)
    if (length > lengthMax) throw new Malformed(`${length} elements, at most ${lengthMax}`)
    const tail = output.subarray(at + WORD)
    return { items: Array.from({ length }, (_, index) => readElement(tail, index * WORD)) }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { code: 'MEMBERSHIP_ANSWER_MALFORMED', message: `the answer is not an ABI array: ${error.message}` }
  }
}

function readBytesElement(tail: Uint8Array, at: number): Uint8Array {
  const start = readSize(tail, at)
  const length = readSize(tail, start)
  if (start + WORD + length > tail.length) {
    throw new Malformed(`element at ${start} ends behind its ${tail.length} bytes`)
  }
  return length === 0 ? EMPTY_BYTES : tail.slice(start + WORD, start + WORD + length)
}

function readAddress(tail: Uint8Array, at: number): Uint8Array {
  const word = readWord(tail, at)
  if (word.subarray(0, 12).some((byte) => byte !== 0)) throw new Malformed(`${bytesToHex(word)} is not an address`)
  return word.subarray(12)
}
