import { decodeBlock } from '@songhua/sdk/protocol/block'
import { headerWithSeals } from '@songhua/sdk/protocol/block-hash'
import { type CryptoProvider, installCrypto } from '@songhua/sdk/protocol/crypto'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import type { Header } from '@songhua/sdk/protocol/header'
import { installNativeCrypto, loadNativeCurve } from '@songhua/node/execution/native-crypto'
import { verifySeals } from '@songhua/node/services/proven-seals'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { councilOf, growTo, testChain } from './chain.js'

const council = councilOf([11, 12, 13, 14])
const others = councilOf([21, 22, 23, 24])
let recovered = 0
let header: Header

beforeEach(async () => {
  await installNativeCrypto()
  const test = testChain(council)
  await growTo(test, 1, () => council)
  header = decodeBlock(test.blocks[1]!).header
  const native = loadNativeCurve()
  const counting: Partial<CryptoProvider> = {
    ...native,
    recoverPublicKey: (digest, signature, yParity) => {
      recovered++
      return native.recoverPublicKey(digest, signature, yParity)
    },
  }
  installCrypto(counting)
  recovered = 0
})

afterEach(async () => {
  await installNativeCrypto()
})

const codeOf = (header: Header, validators = council.addresses): unknown => {
  try {
    return verifySeals(header, validators)
  } catch (error) {
    return (error as { code: string }).code
  }
}
const reseal = (change: (seals: Uint8Array[]) => Uint8Array[]): Header =>
  headerWithSeals(header, change(decodeExtraData(header.extraData).seals))

describe('proven seals', () => {
  it('recovers nothing again of a header that the same set was found to have sealed', () => {
    const distinct = { ...header, gasUsed: 0n }
    expect(codeOf(distinct)).toBe(undefined)
    const once = recovered
    expect(codeOf({ ...distinct })).toBe(undefined)
    expect(recovered).toBe(once)
  })

  it('holds the header against another set anew', () => {
    expect(codeOf(header)).toBe(undefined)
    expect(codeOf(header, others.addresses)).toBe('SEAL_UNKNOWN_SIGNER')
    expect(codeOf(header, council.addresses.slice(0, 2))).toBe('SEALS_TOO_MANY')
  })

  it('takes no other header, and no other seals, for the proven one', () => {
    expect(codeOf(header)).toBe(undefined)
    expect(codeOf({ ...header, gasUsed: header.gasUsed + 1n })).toBe('SEAL_UNKNOWN_SIGNER')
    expect(codeOf(reseal((seals) => seals.slice(1)))).toBe('SEALS_BELOW_QUORUM')
    expect(codeOf(reseal((seals) => [seals[0]!, seals[0]!, seals[1]!]))).toBe('SEAL_DUPLICATE_SIGNER')
  })

  it('remembers no failure: what failed once fails again, by recovering', () => {
    const forged = { ...header, gasUsed: header.gasUsed + 2n }
    expect(codeOf(forged)).toBe('SEAL_UNKNOWN_SIGNER')
    const once = recovered
    expect(codeOf(forged)).toBe('SEAL_UNKNOWN_SIGNER')
    expect(recovered).toBe(2 * once)
  })
})
