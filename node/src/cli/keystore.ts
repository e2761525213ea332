import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { scryptAsync as portableScrypt } from '@noble/hashes/scrypt.js'
import { bytesToHex, concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256, privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { type CliContext, cliError } from './context.js'

/**
 * Encrypted keys in the Web3 Secret Storage format, version 3, as geth and ethers write it: scrypt or PBKDF2,
 * AES-128-CTR, keccak256 MAC. Written here over node:crypto: its scrypt is native, and a node need not load ethers.
 * Source: ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage
 */
export interface Keystore {
  version: 3
  id: string
  address: string
  crypto: {
    cipher: 'aes-128-ctr'
    cipherparams: { iv: string }
    ciphertext: string
    kdf: 'scrypt' | 'pbkdf2'
    kdfparams: Record<string, number | string>
    mac: string
  }
}

/** geth's standard cost: 0.4 s and 128 MiB once. */
const SCRYPT_N = 131_072
const SCRYPT_R = 8
/** A key file may not ask for more memory or work than this, so that a hostile one cannot stall the program. */
const MAX_SCRYPT_BYTES = 512 * 1024 * 1024
const MAX_PBKDF2_ROUNDS = 10_000_000
export const MIN_PASSWORD_CHARACTERS = 8

const scryptAsync = promisify<string, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
)
const pbkdf2Async = promisify(pbkdf2)

/** @param privateKey 32 bytes */
export async function encryptKey(privateKey: Uint8Array, password: string): Promise<Keystore> {
  const [salt, iv] = [randomBytes(32), randomBytes(16)]
  const kdfparams = { dklen: 32, n: SCRYPT_N, p: 1, r: SCRYPT_R, salt: salt.toString('hex') }
  const derived = await deriveKey('scrypt', kdfparams, password)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()])
  return {
    version: 3,
    id: randomUUID(),
    address: privateKeyToAddress(privateKey).slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams,
      mac: bytesToHex(macOf(derived, ciphertext)).slice(2),
    },
  }
}

/**
 * @param path shown in messages
 * @returns the 32 bytes
 * @throws KEYSTORE_PASSWORD when the password is wrong; KEYSTORE_FIELD when key and address differ
 */
export async function decryptKey(
  context: CliContext,
  { keystore, password, path }: { keystore: Keystore; password: string; path: string },
): Promise<Uint8Array> {
  const { ciphertext, mac, cipherparams, kdf, kdfparams } = keystore.crypto
  const derived = await deriveKey(kdf, kdfparams, password)
  const sealed = Buffer.from(ciphertext, 'hex')
  if (!timingSafeEqual(macOf(derived, sealed), Buffer.from(mac, 'hex'))) {
    throw cliError(context, 'KEYSTORE_PASSWORD', ['passwordWrong', { path }])
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), Buffer.from(cipherparams.iv, 'hex'))
  const privateKey = new Uint8Array(Buffer.concat([decipher.update(sealed), decipher.final()]))
  checkPrivateKey(context, privateKey, path)
  const address = privateKeyToAddress(privateKey).slice(2)
  if (keystore.address !== '' && keystore.address !== address) {
    throw cliError(context, 'KEYSTORE_FIELD', ['keystoreField', { path, field: 'address', must: `0x${address}` }])
  }
  return privateKey
}

async function deriveKey(
  kdf: Keystore['crypto']['kdf'],
  params: Record<string, number | string>,
  password: string,
): Promise<Buffer> {
  const salt = Buffer.from(String(params.salt), 'hex')
  const length = Number(params.dklen)
  const text = password.normalize('NFKC')
  if (kdf === 'pbkdf2') return pbkdf2Async(text, salt, Number(params.c), length, 'sha256')
  const [N, r, p] = [Number(params.n), Number(params.r), Number(params.p)]
  // OpenSSL holds to RFC 7914's N < 2^(16·r); eth-keyfile (web3.py) writes N = 2^18 with r = 1.
  if (N >= 2 ** (16 * r)) return Buffer.from(await portableScrypt(text, salt, { N, r, p, dkLen: length }))
  return scryptAsync(text, salt, length, { N, r, p, maxmem: 128 * N * r + 128 * r * (p + 2) + (1 << 20) })
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak256(concatBytes(derived.subarray(16, 32), ciphertext))
}

/** @param text 64 hexadecimal digits with or without 0x @throws CLI_KEY, never showing the text */
export function textToPrivateKey(context: CliContext, text: string, source: string): Uint8Array {
  const digits = text.trim().replace(/^0x/, '')
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw cliError(context, 'CLI_KEY', ['keyInvalid', { source }])
  const privateKey = hexToBytes(`0x${digits.toLowerCase()}`)
  checkPrivateKey(context, privateKey, source)
  return privateKey
}

function checkPrivateKey(context: CliContext, privateKey: Uint8Array, source: string): void {
  try {
    privateKeyToAddress(privateKey)
  } catch (error) {
    throw cliError(context, 'CLI_KEY', ['keyInvalid', { source }, error])
  }
}

/**
 * Checks the shape of a key file. Upper-case spellings (`Crypto`) of old tools are read.
 * @throws KEYSTORE_FIELD naming the field
 */
export function parseKeystore(context: CliContext, json: unknown, path: string): Keystore {
  const fail = (field: string, must: string): never => {
    throw cliError(context, 'KEYSTORE_FIELD', ['keystoreField', { path, field, must }])
  }
  const object = (value: unknown, field: string): Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : fail(field, 'an object')
  const hex = (value: unknown, field: string, bytes: [number, number]): string => {
    const text = typeof value === 'string' ? value.replace(/^0x/, '').toLowerCase() : ''
    const isRight = /^([0-9a-f]{2})+$/.test(text) && text.length >= bytes[0] * 2 && text.length <= bytes[1] * 2
    return isRight
      ? text
      : fail(field, `${bytes[0] === bytes[1] ? bytes[0] : bytes.join('–')} bytes of hexadecimal digits`)
  }
  const integer = (value: unknown, field: string, bounds: [number, number]): number =>
    Number.isSafeInteger(value) && (value as number) >= bounds[0] && (value as number) <= bounds[1]
      ? (value as number)
      : fail(field, `an integer from ${bounds[0]} to ${bounds[1]}`)

  const root = object(json, '(file)')
  if (root.version !== 3) fail('version', '3')
  const crypto = object(root.crypto ?? root.Crypto, 'crypto')
  if (crypto.cipher !== 'aes-128-ctr') fail('crypto.cipher', '"aes-128-ctr"')
  const kdf =
    crypto.kdf === 'scrypt' || crypto.kdf === 'pbkdf2' ? crypto.kdf : fail('crypto.kdf', '"scrypt" or "pbkdf2"')
  const given = object(crypto.kdfparams, 'crypto.kdfparams')
  const at = (name: string): string => `crypto.kdfparams.${name}`
  const kdfparams: Record<string, number | string> = {
    dklen: integer(given.dklen, at('dklen'), [32, 64]),
    salt: hex(given.salt, at('salt'), [8, 64]),
  }
  if (kdf === 'pbkdf2') {
    kdfparams.c = integer(given.c, at('c'), [1000, MAX_PBKDF2_ROUNDS])
    if (given.prf !== 'hmac-sha256') fail(at('prf'), '"hmac-sha256"')
  } else {
    const n = integer(given.n, at('n'), [2, 1 << 24])
    if ((n & (n - 1)) !== 0) fail(at('n'), 'a power of two')
    const r = integer(given.r, at('r'), [1, 64])
    const p = integer(given.p, at('p'), [1, 16])
    if (128 * n * r > MAX_SCRYPT_BYTES) fail(at('n'), `so that 128·n·r is at most ${MAX_SCRYPT_BYTES} bytes`)
    Object.assign(kdfparams, { n, r, p })
  }
  return {
    version: 3,
    id: typeof root.id === 'string' ? root.id : '',
    address: root.address === undefined ? '' : hex(root.address, 'address', [20, 20]),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: {
        iv: hex(object(crypto.cipherparams, 'crypto.cipherparams').iv, 'crypto.cipherparams.iv', [16, 16]),
      },
      ciphertext: hex(crypto.ciphertext, 'crypto.ciphertext', [32, 32]),
      kdf,
      kdfparams,
      mac: hex(crypto.mac, 'crypto.mac', [32, 32]),
    },
  }
}
