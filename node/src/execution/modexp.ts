import { bigintToBytes, bytesToBigint, padLeft } from '@songhua/sdk/protocol/bytes'

/** EIP-2565: the least that a call costs. */
const MODEXP_GAS_MIN = 200n
const HEADER_BYTES = 96
const WINDOW_BITS = 4
/** Larger operands cost more gas than any block has. */
const LENGTH_MAX = 0x7fff_ffffn

interface Lengths {
  base: bigint
  exponent: bigint
  modulus: bigint
}

/** Bytes from `start`; what lies behind the input is zero. */
function slice(data: Uint8Array, start: number, length: number): Uint8Array {
  const part = data.subarray(start, start + length)
  if (part.length === length) return part
  const padded = new Uint8Array(length)
  padded.set(part)
  return padded
}

function readLengths(data: Uint8Array): Lengths {
  const word = (index: number): bigint => bytesToBigint(slice(data, 32 * index, 32))
  return { base: word(0), exponent: word(1), modulus: word(2) }
}

function bitLength(value: bigint): bigint {
  const digits = value.toString(16)
  return value === 0n ? 0n : BigInt(4 * (digits.length - 1) + 32 - Math.clz32(parseInt(digits[0]!, 16)))
}

/** EIP-2565's price. */
export function modexpGas(data: Uint8Array): bigint {
  const { base, exponent, modulus } = readLengths(data)
  const longest = base > modulus ? base : modulus
  const words = (longest + 7n) / 8n
  const headLength = exponent < 32n ? Number(exponent) : 32
  const headAt = base > BigInt(data.length) ? data.length : HEADER_BYTES + Number(base)
  const headBits = bitLength(bytesToBigint(slice(data, headAt, headLength)))
  const tail = exponent > 32n ? 8n * (exponent - 32n) : 0n
  const iterations = tail + (headBits > 0n ? headBits - 1n : 0n)
  const gas = (words * words * (iterations > 1n ? iterations : 1n)) / 3n
  return gas > MODEXP_GAS_MIN ? gas : MODEXP_GAS_MIN
}

/** EIP-198, for an input whose gas has been paid. Undefined when an operand is longer than any gas can pay for. */
export function modexp(data: Uint8Array): Uint8Array | undefined {
  const lengths = readLengths(data)
  if (lengths.modulus === 0n && lengths.base === 0n) return new Uint8Array(0)
  if (lengths.base > LENGTH_MAX || lengths.exponent > LENGTH_MAX || lengths.modulus > LENGTH_MAX) return undefined
  const [baseLength, exponentLength, modulusLength] = [lengths.base, lengths.exponent, lengths.modulus].map(Number) as
    [number, number, number]
  const exponentAt = HEADER_BYTES + baseLength
  const modulus = bytesToBigint(slice(data, exponentAt + exponentLength, modulusLength))
  if (modulus <= 1n) return new Uint8Array(modulusLength)
  const base = bytesToBigint(slice(data, HEADER_BYTES, baseLength))
  const power = powMod(base % modulus, slice(data, exponentAt, exponentLength), modulus)
  return padLeft(bigintToBytes(power), modulusLength)
}

/** Four bits of the exponent at a time: a third fewer multiplications than bit by bit. */
function powMod(base: bigint, exponent: Uint8Array, modulus: bigint): bigint {
  const digits = bytesToBigint(exponent).toString(16)
  const powers = [1n, base]
  let result = 1n
  for (let at = 0; at < digits.length; at++) {
    if (at > 0) for (let bit = 0; bit < WINDOW_BITS; bit++) result = (result * result) % modulus
    const digit = parseInt(digits[at]!, 16)
    if (digit === 0) continue
    while (powers.length <= digit) powers.push((powers[powers.length - 1]! * base) % modulus)
    result = (result * powers[digit]!) % modulus
  }
  return result
}
