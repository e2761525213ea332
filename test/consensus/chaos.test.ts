import { beforeAll, describe, it } from 'vitest'
import { installCrypto } from '@songhua/sdk/protocol/crypto'
import { loadKeccak, loadNativeCurve, nodeSha256 } from '@songhua/node/execution/native-crypto'
import { runChaos } from './chaos.js'

/** Every node recovers the same signatures: here, once for all. */
beforeAll(async () => {
  const curve = loadNativeCurve()
  const known = new Map<string, Uint8Array>()
  installCrypto({
    ...curve,
    ...(await loadKeccak()),
    ...nodeSha256,
    recoverPublicKey(digest, signature, yParity) {
      const key = `${Buffer.from(digest).toString('latin1')}${Buffer.from(signature).toString('latin1')}${yParity}`
      const found = known.get(key) ?? curve.recoverPublicKey(digest, signature, yParity)
      if (known.size > 50_000) known.clear()
      known.set(key, found)
      return found.slice()
    },
  })
})

const FIRST = Number(process.env['CHAOS_SEED'] ?? 1)
const COUNT = Number(process.env['CHAOS_COUNT'] ?? 6)
const ONLY = process.env['CHAOS_N']

describe('Byzantine validators, partitions, losses and kills: no fork ever, and the chain goes on when it may', () => {
  for (const n of ONLY ? [Number(ONLY)] : [4, 5, 6, 7]) {
    it(`${n} validators, seeds from ${FIRST}`, async () => {
      for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
        await runChaos(n, seed).catch((error: unknown) => {
          throw new Error(`n = ${n}, seed = ${seed}`, { cause: error })
        })
      }
    }, 600_000)
  }
})
