/** SHA-256 and SM3 of the platform's own library, where there is one that can be had synchronously: Node's OpenSSL. */

type Hash = (data: Uint8Array) => Uint8Array

export interface NativeHashes {
  sha256?: Hash
  sm3?: Hash
}

interface NodeCrypto {
  hash?(algorithm: string, data: Uint8Array, encoding: 'buffer'): Uint8Array
}

/** FIPS 180-4 and GB/T 32905-2016, example 1: the digests of `abc`. */
const DIGESTS_OF_ABC = {
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sm3: '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0',
} as const
const ABC = Uint8Array.of(0x61, 0x62, 0x63)

/** Not imported: in a browser there is nothing to import, and bundlers need not know. */
function nodeCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } }
  return process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
}

/** OpenSSL may have been built without SM3, or be told to refuse it: then it throws here, and once only. */
function isRight(hash: Hash, digest: string): boolean {
  try {
    return Array.from(hash(ABC), (byte) => byte.toString(16).padStart(2, '0')).join('') === digest
  } catch {
    return false
  }
}

/** Those that are there and give the right digest of `abc`; none in a browser. */
export function nativeHashes(crypto = nodeCrypto()): NativeHashes {
  if (typeof crypto?.hash !== 'function') return {}
  const hashOf = (algorithm: string): Hash => (data) => new Uint8Array(crypto.hash!(algorithm, data, 'buffer'))
  const found: NativeHashes = {}
  for (const name of ['sha256', 'sm3'] as const) {
    const hash = hashOf(name)
    if (isRight(hash, DIGESTS_OF_ABC[name])) found[name] = hash
  }
  return found
}
