import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modexp, modexpGas } from '@songhua/node/execution/modexp'
import { bigintToBytes, bytesToBigint, bytesToHex, concatBytes, padLeft } from '@songhua/sdk/protocol/bytes'

const word = (value: number | bigint): Uint8Array => padLeft(bigintToBytes(BigInt(value)), 32)

function input(base: Uint8Array, exponent: Uint8Array, modulus: Uint8Array): Uint8Array {
  return concatBytes(word(base.length), word(exponent.length), word(modulus.length), base, exponent, modulus)
}

/** Bit by bit, from the top. */
function powerOf(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) result = (result * result * (bit === '1' ? base : 1n)) % modulus
  return result % modulus
}

describe('modexp', () => {
  it('agrees with the definition, with operands of any length', () => {
    const operand = fc.uint8Array({ maxLength: 40 })
    fc.assert(fc.property(operand, operand, operand, (base, exponent, modulus) => {
      const answer = modexp(input(base, exponent, modulus))!
      if (base.length + modulus.length > 0) expect(answer.length).toBe(modulus.length)
      const divisor = bytesToBigint(modulus)
      const expected = divisor === 0n ? 0n : powerOf(bytesToBigint(base), bytesToBigint(exponent), divisor)
      expect(bytesToBigint(answer)).toBe(expected)
    }))
  })

  it('agrees with the definition modulo all that fits into 128 bits, odd, even and powers of two', () => {
    const modulus = fc.oneof(
      fc.bigInt({ min: 2n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 2n, max: 2n ** 128n - 1n }),
      fc.nat(127).map((bits) => 2n ** BigInt(bits + 1)),
      fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.nat(64)).map(([odd, bits]) => (2n * odd + 1n) << BigInt(bits)),
      fc.nat(3).chain((less) => fc.constantFrom(8n, 22n, 44n, 64n, 66n, 127n, 128n).map((bits) => 2n ** bits - 1n - BigInt(less))),
    ).filter((value) => value < 2n ** 128n)
    const exponent = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.nat(200).map((value) => bigintToBytes(BigInt(value))))
    const base = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 140n }), fc.nat(130).map((bits) => 2n ** BigInt(bits)))
    fc.assert(fc.property(base, exponent, modulus, (value, power, divisor) => {
      const answer = modexp(input(bigintToBytes(value), power, bigintToBytes(divisor)))!
      expect(bytesToBigint(answer)).toBe(powerOf(value, bytesToBigint(power), divisor))
    }), { numRuns: 3000 })
  })

  it('reads zeros behind the input', () => {
    const cut = input(Uint8Array.of(3), Uint8Array.of(2), Uint8Array.of(1, 0)).subarray(0, 99)
    expect(bytesToHex(modexp(cut)!)).toBe('0x0009')
    expect(bytesToHex(modexp(concatBytes(word(0), word(0), word(2)))!)).toBe('0x0000')
  })

  it('prices by EIP-2565, absurd lengths too', () => {
    const ones = (length: number): Uint8Array => new Uint8Array(length).fill(0xff)
    expect(modexpGas(input(ones(32), ones(32), ones(32)))).toBe(1360n)
    expect(modexpGas(input(ones(1), ones(1), ones(1)))).toBe(200n)
    expect(modexpGas(input(ones(64), ones(64), ones(64)))).toBe((64n * (8n * 32n + 255n)) / 3n)
    const huge = concatBytes(word(2n ** 255n), word(2n ** 255n), word(2n ** 255n))
    expect(modexpGas(huge)).toBeGreaterThan(2n ** 256n)
    expect(modexp(huge)).toBeUndefined()
    expect(modexp(new Uint8Array(0))).toEqual(new Uint8Array(0))
  })
})
