import { afterEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { SigningKey, Wallet, keccak256 as ethersKeccak, recoverAddress as ethersRecover } from 'ethers'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import {
  installCrypto,
  keccak256,
  keccak256Hex,
  privateKeyToAddress,
  privateKeyToPublicKey,
  publicKeyToAddress,
  recoverAddress,
  sha256,
  signDigest,
} from '@songhua/sdk/protocol/crypto'
import { codeOf } from './support.js'

const KEY = keccak256(utf8ToBytes('a key'))
const DIGEST = keccak256(utf8ToBytes('a message'))
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const word = (value: bigint): Uint8Array => hexToBytes(`0x${value.toString(16).padStart(64, '0')}`)

afterEach(() => installCrypto({}))

it('hashes as ethers and Node do', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      expect(keccak256Hex(bytes)).toBe(ethersKeccak(bytes))
      expect(sha256(bytes)).toEqual(new Uint8Array(createHash('sha256').update(bytes).digest()))
    }),
  )
})

describe('signatures', () => {
  it('are those of ethers, byte for byte (RFC 6979)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
        const signature = signDigest(digest, KEY)
        const theirs = new SigningKey(KEY).sign(digest)
        expect(bytesToHex(signature)).toBe(`${theirs.r}${theirs.s.slice(2)}0${theirs.yParity}`)
        expect(recoverAddress(digest, signature)).toBe(privateKeyToAddress(KEY))
        expect(ethersRecover(digest, theirs).toLowerCase()).toBe(privateKeyToAddress(KEY))
      }),
      { numRuns: 20 },
    )
  })

  it('have one form: the high-s twin is refused', () => {
    const signature = signDigest(DIGEST, KEY)
    const s = BigInt(bytesToHex(signature.subarray(32, 64)))
    const twin = concatBytes(signature.subarray(0, 32), word(ORDER - s), Uint8Array.of(1 - signature[64]!))
    expect(codeOf(() => recoverAddress(DIGEST, twin))).toBe('SIGNATURE_HIGH_S')
  })

  it('accept s at half the order and refuse one above', () => {
    const r = signDigest(DIGEST, KEY).subarray(0, 32)
    expect(() => recoverAddress(DIGEST, concatBytes(r, word(ORDER / 2n), Uint8Array.of(0)))).not.toThrow()
    const above = concatBytes(r, word(ORDER / 2n + 1n), Uint8Array.of(0))
    expect(codeOf(() => recoverAddress(DIGEST, above))).toBe('SIGNATURE_HIGH_S')
  })

  const parts = (r: bigint, s: bigint, v: number): Uint8Array => concatBytes(word(r), word(s), Uint8Array.of(v))
  it.each<[string, Uint8Array]>([
    ['SIGNATURE_LENGTH', new Uint8Array(64)],
    ['SIGNATURE_LENGTH', new Uint8Array(66)],
    ['SIGNATURE_PARITY', parts(1n, 1n, 27)],
    ['SIGNATURE_PARITY', parts(1n, 1n, 2)],
    ['SIGNATURE_RANGE', parts(0n, 1n, 0)],
    ['SIGNATURE_RANGE', parts(1n, 0n, 0)],
    ['SIGNATURE_RANGE', parts(ORDER, 1n, 0)],
    ['SIGNATURE_RANGE', parts(1n, ORDER, 0)],
    // x = 5 is not on the curve: 5³ + 7 is no square.
    ['SIGNATURE_UNRECOVERABLE', parts(5n, 1n, 0)],
  ])('%s (%#)', (code, signature) => {
    expect(codeOf(() => recoverAddress(DIGEST, signature))).toBe(code)
  })

  it('of another message or key give another address, never this one', () => {
    const signature = signDigest(DIGEST, KEY)
    expect(recoverAddress(keccak256(DIGEST), signature)).not.toBe(privateKeyToAddress(KEY))
    expect(codeOf(() => recoverAddress(new Uint8Array(31), signature))).toBe('DIGEST_LENGTH')
  })
})

describe('keys', () => {
  it('give the addresses of ethers', () => {
    const key = new SigningKey(KEY)
    expect(privateKeyToAddress(KEY)).toBe(new Wallet(key).address.toLowerCase())
    expect(bytesToHex(privateKeyToPublicKey(KEY))).toBe(key.compressedPublicKey)
    expect(publicKeyToAddress(hexToBytes(key.publicKey))).toBe(privateKeyToAddress(KEY))
  })

  it.each([new Uint8Array(32), new Uint8Array(31).fill(1), word(ORDER), new Uint8Array(32).fill(255)])(
    'are refused outside 1 … n − 1 (%#)',
    (key) => {
      expect(codeOf(() => signDigest(DIGEST, key))).toBe('PRIVATE_KEY_INVALID')
      expect(codeOf(() => privateKeyToAddress(key))).toBe('PRIVATE_KEY_INVALID')
    },
  )

  it('are refused off the curve', () => {
    expect(codeOf(() => publicKeyToAddress(new Uint8Array(33).fill(2).fill(0, 1)))).toBe('PUBLIC_KEY_INVALID')
    expect(codeOf(() => publicKeyToAddress(new Uint8Array(20)))).toBe('PUBLIC_KEY_INVALID')
  })
})

it('uses an installed provider, and the default for the rest', () => {
  const seen: number[] = []
  installCrypto({
    keccak256: (data) => {
      seen.push(data.length)
      return new Uint8Array(32).fill(9)
    },
  })
  expect(keccak256(new Uint8Array(5))).toEqual(new Uint8Array(32).fill(9))
  expect(seen).toEqual([5])
  expect(bytesToHex(sha256(new Uint8Array(0)))).toMatch(/^0xe3b0c442/)
})
