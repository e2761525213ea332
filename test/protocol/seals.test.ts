import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { RLP } from '@ethereumjs/rlp'
import { keccak256 as ethersKeccak } from 'ethers'
import { type Address, bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import {
  blockHash,
  blockTimeMs,
  commitSealDigest,
  headerWithRound,
  headerWithSeals,
} from '@songhua/sdk/protocol/block-hash'
import { signDigest } from '@songhua/sdk/protocol/crypto'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { type Header, headerToRlp } from '@songhua/sdk/protocol/header'
import { recoverSealers, verifySeals } from '@songhua/sdk/protocol/seals'
import {
  MAX_VALIDATORS,
  checkValidatorSet,
  faultTolerance,
  normalizeValidators,
  quorumSize,
} from '@songhua/sdk/protocol/validator-set'
import { MEMBERS, VALIDATORS, codeOf, createTestChain, member, sealedBy } from './support.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const chain = createTestChain()
const header = headerWithRound(chain.next(), 3)

/** keccak of the header with its extraData written by another encoder. */
function hashWith(source: Header, round: number, seals: Uint8Array[]): string {
  const { vanity, validators } = decodeExtraData(source.extraData)
  const extraData = RLP.encode([vanity, validators, [], round, seals])
  return ethersKeccak(RLP.encode(headerToRlp({ ...source, extraData })))
}

describe('the three hashes (QBFT §2.2)', () => {
  const sealed = sealedBy(header, MEMBERS)

  it('block hash: round 0, no seals', () => {
    expect(blockHash(sealed)).toBe(hashWith(header, 0, []))
    expect(blockHash(headerWithRound(sealed, 9))).toBe(blockHash(header))
    expect(blockHash({ ...header, gasUsed: 1n })).not.toBe(blockHash(header))
  })

  it('commit seal digest: the real round, no seals', () => {
    expect(bytesToHex(commitSealDigest(sealed))).toBe(hashWith(header, 3, []))
    expect(commitSealDigest(headerWithRound(sealed, 4))).not.toEqual(commitSealDigest(sealed))
  })

  it('genesis: as it stands', () => {
    const [genesis] = chain.headers
    expect(blockHash(genesis!)).toBe(ethersKeccak(RLP.encode(headerToRlp(genesis!))))
  })

  it('a new round drops the seals of the old one', () => {
    expect(decodeExtraData(headerWithRound(sealed, 4).extraData)).toMatchObject({ round: 4, seals: [] })
  })

  it('block time: ms of the vanity, whole seconds in the genesis', () => {
    expect(blockTimeMs(chain.headers[0]!)).toBe(1_800_000_000_000)
    expect(blockTimeMs(header)).toBe(1_800_000_001_234)
  })
})

describe('seals', () => {
  it('of a quorum or more hold', () => {
    expect(recoverSealers(sealedBy(header, MEMBERS))).toEqual(VALIDATORS)
    expect(() => verifySeals(sealedBy(header, MEMBERS), VALIDATORS)).not.toThrow()
    expect(() => verifySeals(sealedBy(header, MEMBERS.slice(1)), VALIDATORS)).not.toThrow()
    expect(() => verifySeals(sealedBy(header, MEMBERS.slice(0, 1)), VALIDATORS.slice(0, 1))).not.toThrow()
  })

  const own = (index: number, of = header): Uint8Array => signDigest(commitSealDigest(of), MEMBERS[index]!.privateKey)
  const twin = (seal: Uint8Array): Uint8Array => {
    const s = ORDER - BigInt(bytesToHex(seal.subarray(32, 64)))
    const high = hexToBytes(`0x${s.toString(16).padStart(64, '0')}`)
    return concatBytes(seal.subarray(0, 32), high, Uint8Array.of(1 - seal[64]!))
  }
  const foreign = signDigest(commitSealDigest(header), member('stranger').privateKey)
  const otherRound = headerWithRound(header, 4)
  it.each<[string, string, Uint8Array[], Address[]]>([
    ['none', 'SEALS_BELOW_QUORUM', [], VALIDATORS],
    ['one below a quorum', 'SEALS_BELOW_QUORUM', [own(0), own(1)], VALIDATORS],
    ['one signer twice', 'SEAL_DUPLICATE_SIGNER', [own(0), own(1), own(1)], VALIDATORS],
    ['a quorum and one twice', 'SEAL_DUPLICATE_SIGNER', [own(0), own(1), own(2), own(0)], VALIDATORS],
    ['the high-s twin of a seal', 'SIGNATURE_HIGH_S', [own(0), own(1), twin(own(1))], VALIDATORS],
    ['a stranger', 'SEAL_UNKNOWN_SIGNER', [own(0), own(1), foreign], VALIDATORS],
    ['a former validator', 'SEAL_UNKNOWN_SIGNER', [own(0), own(1), own(3)], VALIDATORS.slice(0, 3)],
    ['another round’s seal', 'SEAL_UNKNOWN_SIGNER', [own(0), own(1), own(2, otherRound)], VALIDATORS],
    ['another block’s seal', 'SEAL_UNKNOWN_SIGNER', [own(0), own(1), own(2, { ...header, gasUsed: 1n })], VALIDATORS],
    ['more seals than validators', 'SEALS_TOO_MANY', [own(0), own(1), own(2), own(3)], VALIDATORS.slice(0, 3)],
    ['zeros', 'SIGNATURE_RANGE', [own(0), own(1), new Uint8Array(65)], VALIDATORS],
    ['an empty validator set', 'SEALS_BELOW_QUORUM', [], []],
  ])('are refused: %s', (_, code, seals, validators) => {
    expect(codeOf(() => verifySeals(headerWithSeals(header, seals), validators))).toBe(code)
  })

  it('do not hold in another round of the same block', () => {
    const sealed = sealedBy(header, MEMBERS)
    const { seals } = decodeExtraData(sealed.extraData)
    expect(codeOf(() => verifySeals(headerWithSeals(otherRound, seals), VALIDATORS))).toBe('SEAL_UNKNOWN_SIGNER')
  })
})

describe('a validator set', () => {
  it('tolerates f = ⌊(n − 1)/3⌋ and decides by ⌈2n/3⌉', () => {
    const table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 64].map((n) => [n, faultTolerance(n), quorumSize(n)])
    expect(table).toEqual([
      [1, 0, 1], [2, 0, 2], [3, 0, 2], [4, 1, 3], [5, 1, 4], [6, 1, 4], [7, 2, 5], [8, 2, 6], [9, 2, 6], [10, 3, 7],
      [11, 3, 8], [64, 21, 43],
    ])
  })

  it('has quorums that share more than f members, and that f absent members cannot prevent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (n) => {
        expect(2 * quorumSize(n) - n).toBeGreaterThan(faultTolerance(n))
        expect(n - faultTolerance(n)).toBeGreaterThanOrEqual(quorumSize(n))
      }),
    )
  })

  const numbered = (count: number): Address[] =>
    Array.from({ length: count }, (_, at) => `0x${(at + 1).toString(16).padStart(40, '0')}` as const)
  it('is sorted and lower-cased', () => {
    const shuffled = [VALIDATORS[2]!.toUpperCase().replace('0X', '0x'), VALIDATORS[0]!, VALIDATORS[3]!, VALIDATORS[1]!]
    expect(normalizeValidators(shuffled)).toEqual(VALIDATORS)
    expect(normalizeValidators(numbered(MAX_VALIDATORS))).toHaveLength(64)
  })

  it.each<[string, Address[]]>([
    ['VALIDATORS_EMPTY', []],
    ['VALIDATORS_TOO_MANY', numbered(65)],
    ['VALIDATORS_DUPLICATE', [VALIDATORS[0]!, VALIDATORS[0]!]],
    ['VALIDATORS_UNSORTED', [VALIDATORS[1]!, VALIDATORS[0]!]],
    ['VALIDATORS_ZERO_ADDRESS', [`0x${'00'.repeat(20)}`]],
  ])('is refused with %s', (code, validators) => {
    expect(codeOf(() => checkValidatorSet(validators))).toBe(code)
    if (code !== 'VALIDATORS_UNSORTED') expect(codeOf(() => normalizeValidators(validators))).toBe(code)
  })
})
