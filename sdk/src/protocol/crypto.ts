import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, type Hash, bytesToHex, compareBytes, concatBytes, hexToBytes } from './bytes.js'
import { CodedError } from './errors.js'
import { nativeHashes } from './native-hashes.js'
import { sm3 as pureSm3 } from './sm3.js'

/**
 * What the protocol needs of a cryptographic library. All calls are synchronous and must not keep or change their
 * arguments; every result is a new array.
 */
export interface CryptoProvider {
  keccak256(data: Uint8Array): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  /** GB/T 32905-2016. */
  sm3(data: Uint8Array): Uint8Array
  /** @returns the uncompressed point, 65 bytes; throws when there is none */
  recoverPublicKey(digest: Uint8Array, signature64: Uint8Array, yParity: 0 | 1): Uint8Array
  /** RFC 6979, low-s. @returns r ‖ s ‖ yParity, 65 bytes */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** @returns the compressed point, 33 bytes */
  derivePublicKey(privateKey: Uint8Array): Uint8Array
}

export type CryptoErrorCode =
  | 'SIGNATURE_LENGTH'
  | 'SIGNATURE_PARITY'
  | 'SIGNATURE_RANGE'
  | 'SIGNATURE_HIGH_S'
  | 'SIGNATURE_UNRECOVERABLE'
  | 'DIGEST_LENGTH'
  | 'PRIVATE_KEY_INVALID'
  | 'PUBLIC_KEY_INVALID'

export const SIGNATURE_BYTES = 65
const ZERO_32 = new Uint8Array(32)
const CURVE_ORDER = hexToBytes('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
/** n/2: of s and n − s the chain takes the lower one only, so that a signature has one form (EIP-2). */
const HALF_ORDER = hexToBytes('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')

const nobleProvider: CryptoProvider = {
  keccak256: (data) => keccak_256(data),
  sha256: (data) => nobleSha256(data),
  sm3: pureSm3,
  recoverPublicKey: (digest, signature64, yParity) =>
    secp256k1.Signature.fromBytes(concatBytes(Uint8Array.of(yParity), signature64), 'recovered')
      .recoverPublicKey(digest)
      .toBytes(false),
  sign: (digest, privateKey) => {
    const signature = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true, format: 'recovered' })
    return concatBytes(signature.subarray(1), signature.subarray(0, 1))
  },
  derivePublicKey: (privateKey) => secp256k1.getPublicKey(privateKey, true),
}

/** What is there without anybody installing it. */
const defaultProvider: CryptoProvider = { ...nobleProvider, ...nativeHashes() }

let provider = defaultProvider

/**
 * Replaces parts of the default provider (pure JavaScript, but for the hashes that the platform has) for the whole process; what is left out stays the default.
 * Called once, at start, by whoever has faster code: keccak and recovery are most of the cost of a transaction.
 */
export function installCrypto(replacement: Partial<CryptoProvider>): void {
  provider = { ...defaultProvider, ...replacement }
}

export function keccak256(data: Uint8Array): Uint8Array {
  return provider.keccak256(data)
}

export function keccak256Hex(data: Uint8Array): Hash {
  return bytesToHex(provider.keccak256(data))
}

export function sha256(data: Uint8Array): Uint8Array {
  return provider.sha256(data)
}

/** SM3, the 国密 hash. @returns 32 bytes */
export function sm3(data: Uint8Array): Uint8Array {
  return provider.sm3(data)
}

function fail(code: CryptoErrorCode, message: string, cause?: unknown): never {
  throw new CodedError(code, message, { cause })
}

function isScalar(bytes: Uint8Array): boolean {
  return compareBytes(bytes, ZERO_32) > 0 && compareBytes(bytes, CURVE_ORDER) < 0
}

function checkDigest(digest: Uint8Array): void {
  if (digest.length !== 32) fail('DIGEST_LENGTH', `A digest has 32 bytes, not ${digest.length}`)
}

function checkPrivateKey(privateKey: Uint8Array): void {
  if (privateKey.length !== 32 || !isScalar(privateKey)) {
    fail('PRIVATE_KEY_INVALID', 'A private key is 32 bytes between 1 and the order of secp256k1 less 1')
  }
}

/** @returns r ‖ s ‖ yParity (0 or 1), 65 bytes, low-s */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  checkDigest(digest)
  checkPrivateKey(privateKey)
  return provider.sign(digest, privateKey)
}

function checkSignature(signature: Uint8Array): 0 | 1 {
  if (signature.length !== SIGNATURE_BYTES) {
    fail('SIGNATURE_LENGTH', `A signature has ${SIGNATURE_BYTES} bytes, not ${signature.length}`)
  }
  const yParity = signature[64]
  if (yParity !== 0 && yParity !== 1) fail('SIGNATURE_PARITY', `The last byte of a signature is 0 or 1, not ${yParity}`)
  const s = signature.subarray(32, 64)
  if (!isScalar(signature.subarray(0, 32)) || !isScalar(s)) {
    fail('SIGNATURE_RANGE', 'r and s lie between 1 and the order of secp256k1 less 1')
  }
  if (compareBytes(s, HALF_ORDER) > 0) fail('SIGNATURE_HIGH_S', 's is above half the order; use the low-s form')
  return yParity
}

/**
 * The one address that made this signature.
 * @throws CodedError on a bad length, parity or range, high s, or a point that does not exist
 */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): Address {
  checkDigest(digest)
  const yParity = checkSignature(signature)
  let publicKey: Uint8Array
  try {
    publicKey = provider.recoverPublicKey(digest, signature.subarray(0, 64), yParity)
  } catch (error) {
    return fail('SIGNATURE_UNRECOVERABLE', 'No public key belongs to this signature', error)
  }
  return uncompressedToAddress(publicKey)
}

function uncompressedToAddress(publicKey: Uint8Array): Address {
  return bytesToHex(provider.keccak256(publicKey.subarray(1)).subarray(12))
}

/** @param publicKey compressed (33 bytes) or uncompressed (65 bytes) */
export function publicKeyToAddress(publicKey: Uint8Array): Address {
  try {
    return uncompressedToAddress(secp256k1.Point.fromBytes(publicKey).toBytes(false))
  } catch (error) {
    return fail('PUBLIC_KEY_INVALID', 'A public key is a point of secp256k1 in 33 or 65 bytes', error)
  }
}

/** @returns compressed, 33 bytes */
export function privateKeyToPublicKey(privateKey: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey)
  return provider.derivePublicKey(privateKey)
}

export function privateKeyToAddress(privateKey: Uint8Array): Address {
  return publicKeyToAddress(privateKeyToPublicKey(privateKey))
}
