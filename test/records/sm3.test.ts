import { createHash } from 'node:crypto'
import { sm3 } from '@songhua/sdk/protocol/sm3'
import { describe, expect, it } from 'vitest'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const concat = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts)

describe('SM3', () => {
  it('gives the digests of GB/T 32905-2016, annex A', () => {
    expect(hex(sm3(Buffer.from('abc')))).toBe('66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0')
    expect(hex(sm3(Buffer.from('abcd'.repeat(16))))).toBe(
      'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732',
    )
  })

  it('agrees with OpenSSL at every length around the block boundaries', () => {
    for (let length = 0; length <= 260; length++) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255)
      expect(hex(sm3(message)), `${length} bytes`).toBe(createHash('sm3').update(message).digest('hex'))
    }
  })

  it('reads a view into a larger buffer', () => {
    const whole = Buffer.from('..abc..')
    expect(hex(sm3(whole.subarray(2, 5)))).toBe(hex(sm3(Buffer.from('abc'))))
  })

  it('gives the SM3 tree root of two of the Certificate Transparency leaves', () => {
    const leaf = (data: Uint8Array): Uint8Array => sm3(concat(Uint8Array.of(0), data))
    const root = sm3(concat(Uint8Array.of(1), leaf(new Uint8Array(0)), leaf(Uint8Array.of(0))))
    expect(hex(root)).toBe('0b990fe0c7ad70f1bf1a1262f2c7908ea48146b14253a6db99f2917ab1f5cc4d')
  })
})
