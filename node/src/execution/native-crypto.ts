import { hash } from 'node:crypto'
import { createRequire } from 'node:module'
import { concatBytes } from '@songhua/sdk/protocol/bytes'
import { type CryptoProvider, installCrypto } from '@songhua/sdk/protocol/crypto'
import { createKeccak } from 'hash-wasm'

/** Which code runs, for the log at start: recovery is 12,000/s native, 2,250/s wasm and 450/s in pure JavaScript. */
export interface CryptoReport {
  secp256k1: 'native' | 'wasm' | 'js'
  keccak: 'wasm' | 'js'
  /** What kept the faster code from running. */
  reasons: string[]
}

type Curve = Pick<CryptoProvider, 'recoverPublicKey' | 'sign' | 'derivePublicKey'>

interface NativeSecp256k1 {
  ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number }
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array
}

/** The package's own entry falls back to JavaScript without a word; its binding alone fails when there is no binary. */
export function loadNativeCurve(): Curve {
  const native = createRequire(import.meta.url)('secp256k1/bindings') as NativeSecp256k1
  return {
    recoverPublicKey: (digest, signature, yParity) => native.ecdsaRecover(signature, yParity, digest, false),
    sign: (digest, privateKey) => {
      const { signature, recid } = native.ecdsaSign(digest, privateKey)
      return concatBytes(signature, Uint8Array.of(recid))
    },
    derivePublicKey: (privateKey) => native.publicKeyCreate(privateKey, true),
  }
}

export async function loadWasmCurve(): Promise<Curve> {
  const wasm = await import('tiny-secp256k1')
  const present = (bytes: Uint8Array | null): Uint8Array => {
    if (bytes === null) throw new RangeError('no point of secp256k1 belongs to this input')
    return bytes
  }
  return {
    recoverPublicKey: (digest, signature, yParity) => present(wasm.recover(digest, signature, yParity, false)),
    sign: (digest, privateKey) => {
      const { signature, recoveryId } = wasm.signRecoverable(digest, privateKey)
      return concatBytes(signature, Uint8Array.of(recoveryId))
    },
    derivePublicKey: (privateKey) => present(wasm.pointFromScalar(privateKey, true)),
  }
}

export async function loadKeccak(): Promise<Pick<CryptoProvider, 'keccak256'>> {
  const hasher = await createKeccak(256)
  return { keccak256: (data) => hasher.init().update(data).digest('binary') }
}

export const nodeSha256: Pick<CryptoProvider, 'sha256'> = {
  sha256: (data) => new Uint8Array(hash('sha256', data, 'buffer')),
}

async function firstThatLoads<T>(
  loaders: [name: T, load: () => object | Promise<object>][],
  reasons: string[],
): Promise<T> {
  for (const [name, load] of loaders) {
    try {
      Object.assign(installed, await load())
      return name
    } catch (error) {
      reasons.push(`${String(name)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new RangeError('the last loader must not fail')
}

let installed: Partial<CryptoProvider> = {}

/**
 * Puts the fastest cryptography that this machine has behind the protocol's crypto functions, for the whole process.
 * Called first by every entry point, worker and benchmark; nothing breaks without it but speed.
 */
export async function installNativeCrypto(): Promise<CryptoReport> {
  installed = { ...nodeSha256 }
  const reasons: string[] = []
  const none = (): object => ({})
  const secp256k1 = await firstThatLoads<CryptoReport['secp256k1']>(
    [['native', loadNativeCurve], ['wasm', loadWasmCurve], ['js', none]], reasons)
  const keccak = await firstThatLoads<CryptoReport['keccak']>([['wasm', loadKeccak], ['js', none]], reasons)
  installCrypto(installed)
  return { secp256k1, keccak, reasons }
}
