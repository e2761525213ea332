import { bytesToHex } from '@songhua/sdk/protocol/bytes'

const ERROR_STRING_SELECTOR = '0x08c379a0'
const PANIC_SELECTOR = '0x4e487b71'
const REASON_CHARACTERS_MAX = 1024

/** The words of a revert: Solidity's `Error(string)` and `Panic(uint256)`; undefined for other data. */
export function revertReason(output: Uint8Array): string | undefined {
  const selector = bytesToHex(output.subarray(0, 4))
  if (selector === PANIC_SELECTOR && output.length === 36) {
    return `panic code 0x${BigInt(bytesToHex(output.subarray(4))).toString(16)}`
  }
  if (selector !== ERROR_STRING_SELECTOR || output.length < 68) return undefined
  const length = BigInt(bytesToHex(output.subarray(36, 68)))
  if (length > BigInt(output.length - 68)) return undefined
  return new TextDecoder().decode(output.subarray(68, 68 + Number(length))).slice(0, REASON_CHARACTERS_MAX)
}
