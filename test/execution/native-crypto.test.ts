import { describe, expect, it } from 'vitest'
import { type CryptoProvider } from '@songhua/sdk/protocol/crypto'
import * as protocol from '@songhua/sdk/protocol/crypto'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { installNativeCrypto, loadKeccak, loadNativeCurve, loadWasmCurve, nodeSha256 } from '@songhua/node/execution/native-crypto'

const digests = [1, 2, 3].map((seed) => protocol.keccak256(Uint8Array.of(seed)))
const key = new Uint8Array(32).fill(0x42)

describe('faster cryptography', () => {
  it('says what it found; on this platform the binding is the native one', async () => {
    const { secp256k1, keccak } = await installNativeCrypto()
    expect(keccak).toBe('wasm')
    if (process.platform === 'linux' && process.arch === 'x64') expect(secp256k1).toBe('native')
  })

  it.each<[string, () => Pick<CryptoProvider, 'recoverPublicKey' | 'sign' | 'derivePublicKey'> | Promise<Pick<CryptoProvider, 'recoverPublicKey' | 'sign' | 'derivePublicKey'>>]>([
    ['native', loadNativeCurve],
    ['wasm', loadWasmCurve],
  ])('%s signs, recovers and derives as the default provider does', async (_name, load) => {
    protocol.installCrypto({})
    const curve = await load()
    for (const digest of digests) {
      const expected = protocol.signDigest(digest, key)
      expect(bytesToHex(curve.sign(digest, key))).toBe(bytesToHex(expected))
      const publicKey = curve.recoverPublicKey(digest, expected.subarray(0, 64), expected[64] as 0 | 1)
      expect(protocol.publicKeyToAddress(publicKey)).toBe(protocol.privateKeyToAddress(key))
    }
    expect(bytesToHex(curve.derivePublicKey(key))).toBe(bytesToHex(protocol.privateKeyToPublicKey(key)))
    // r is a valid scalar, but no curve point has it as x coordinate.
    const noPoint = Uint8Array.from([...new Uint8Array(31), 5, ...new Uint8Array(31), 1])
    expect(() => curve.recoverPublicKey(digests[0]!, noPoint, 0)).toThrow()
  })

  it('hashes the same, and hands out arrays that later calls leave alone', async () => {
    protocol.installCrypto({})
    const { keccak256 } = await loadKeccak()
    for (const length of [0, 1, 135, 136, 137, 5000]) {
      const data = new Uint8Array(length).fill(length)
      const hash = keccak256(data)
      keccak256(Uint8Array.of(1))
      expect(bytesToHex(hash)).toBe(bytesToHex(protocol.keccak256(data)))
      const sha = nodeSha256.sha256(data)
      expect(sha.constructor).toBe(Uint8Array)
      expect(bytesToHex(sha)).toBe(bytesToHex(protocol.sha256(data)))
    }
  })
})
