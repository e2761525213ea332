import { installCrypto } from '@songhua/sdk/protocol/crypto'
import { loadKeccak, loadNativeCurve, nodeSha256 } from '@songhua/node/execution/native-crypto'

/** Recoveries and signatures remembered, each; at 250 bytes each this is 25 MB. */
const KNOWN_MAX = 100_000

let installing: Promise<void> | undefined

/**
 * Every node of the simulated network recovers the same signatures: here once for all, because recovery and signing are
 * pure functions. Everything else is what the node itself uses.
 */
export function installCachedCrypto(): Promise<void> {
  installing ??= install()
  return installing
}

async function install(): Promise<void> {
  const curve = loadNativeCurve()
  const known = new Map<string, Uint8Array>()
  const signed = new Map<string, Uint8Array>()
  installCrypto({
    ...curve,
    ...(await loadKeccak()),
    ...nodeSha256,
    // Signatures are deterministic (RFC 6979), and forgers say the same again and again.
    sign(digest, privateKey) {
      const key = `${latin1(digest)}${latin1(privateKey)}`
      const found = signed.get(key) ?? curve.sign(digest, privateKey)
      if (signed.size > KNOWN_MAX) signed.clear()
      signed.set(key, found)
      return found.slice()
    },
    recoverPublicKey(digest, signature, yParity) {
      const key = `${latin1(digest)}${latin1(signature)}${yParity}`
      const found = known.get(key) ?? curve.recoverPublicKey(digest, signature, yParity)
      if (known.size > KNOWN_MAX) known.clear()
      known.set(key, found)
      return found.slice()
    },
  })
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
