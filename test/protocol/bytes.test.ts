import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import {
  bigintToBytes,
  bytesToBigint,
  bytesToHex,
  bytesToNumber,
  compareBytes,
  hexToBytes,
  isHex,
  numberToBytes,
  padLeft,
  toAddress,
  toHash,
} from '@songhua/sdk/protocol/bytes'
import { codeOf } from './support.js'

describe('hexadecimal', () => {
  it('agrees with Node for bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000 }), (bytes) => {
        const hex = bytesToHex(bytes)
        expect(hex).toBe(`0x${Buffer.from(bytes).toString('hex')}`)
        expect(hexToBytes(hex)).toEqual(bytes)
        expect(hexToBytes(`0x${hex.slice(2).toUpperCase()}`)).toEqual(bytes)
      }),
    )
  })

  it.each(['', '0', 'ff', '0xf', '0xgg', '0x0g', '0X00', '0x0０', '0x é', ' 0x00', '0x00 '])('refuses %j', (hex) => {
    expect(isHex(hex)).toBe(false)
    expect(codeOf(() => hexToBytes(hex))).toBe('HEX_INVALID')
  })

  it('names the field that it refuses', () => {
    expect(() => hexToBytes('0xzz', 'params[0].data')).toThrow(/params\[0\]\.data/)
    expect(() => toAddress('0x00', 'to')).toThrow(/^to is "0x00"; expected 0x and 40/)
    expect(codeOf(() => toHash(new Uint8Array(31)))).toBe('BYTES_LENGTH')
  })

  it('lowers addresses and hashes', () => {
    expect(toAddress(`0x${'AB'.repeat(20)}`)).toBe(`0x${'ab'.repeat(20)}`)
    expect(toHash(new Uint8Array(32).fill(0xcd))).toBe(`0x${'cd'.repeat(32)}`)
  })
})

describe('integers', () => {
  it('round-trip without leading zeros', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n }), (value) => {
        const bytes = bigintToBytes(value)
        expect(bytesToBigint(bytes)).toBe(value)
        expect(bytes[0]).not.toBe(0)
      }),
    )
    fc.assert(fc.property(fc.maxSafeNat(), (value) => bytesToNumber(numberToBytes(value)) === value))
  })

  it('refuses what is negative, fractional or too large', () => {
    expect(codeOf(() => bigintToBytes(-1n))).toBe('INTEGER_RANGE')
    for (const value of [-1, 1.5, 2 ** 53, NaN, Infinity]) {
      expect(codeOf(() => numberToBytes(value))).toBe('INTEGER_RANGE')
    }
    expect(bytesToNumber(hexToBytes('0x1fffffffffffff'))).toBe(Number.MAX_SAFE_INTEGER)
    for (const hex of ['0x20000000000000', '0xffffffffffffffff', '0x010000000000000000']) {
      expect(codeOf(() => bytesToNumber(hexToBytes(hex)))).toBe('INTEGER_RANGE')
    }
    expect(codeOf(() => padLeft(new Uint8Array(33), 32))).toBe('BYTES_LENGTH')
  })
})

it('compares as Buffer.compare', () => {
  const some = fc.uint8Array({ maxLength: 4 })
  fc.assert(fc.property(some, some, (a, b) => Math.sign(compareBytes(a, b)) === Buffer.compare(a, b)))
})
