import { type Address, bytesToHex } from '@songhua/sdk/protocol/bytes'
import { keccak256, recoverAddress } from '@songhua/sdk/protocol/crypto'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { decodeExtraData, encodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { type Header, encodeHeader } from '@songhua/sdk/protocol/header'

/** n/2 of secp256k1: a signature with a higher s is the twin of one with a lower s. */
const HALF_ORDER = '0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'

/** Two thirds, rounded up. */
export const quorumOf = (count: number): number => Math.ceil((2 * count) / 3)

/**
 * What is wrong with a block's seals, found without the node's own check of them; undefined when a quorum of
 * `validators` has sealed the header in its round, each once, and nobody else.
 */
export function findSealFault(header: Header, validators: readonly Address[]): string | undefined {
  const extraData = decodeExtraData(header.extraData)
  const digest = keccak256(encodeHeader({ ...header, extraData: encodeExtraData({ ...extraData, seals: [] }) }))
  const sealers = new Set<string>()
  for (const seal of extraData.seals) {
    if (bytesToHex(seal.subarray(32, 64)) > HALF_ORDER) return 'a seal has a high s'
    const sealer = sealerOf(digest, seal)
    if (sealer === 'nobody' || !validators.includes(sealer)) return `a seal recovers to ${sealer}, which is no validator of this height`
    if (sealers.has(sealer)) return `${sealer} sealed twice`
    sealers.add(sealer)
  }
  const needed = quorumOf(validators.length)
  return sealers.size < needed ? `${sealers.size} seals of ${validators.length} validators; a quorum is ${needed}` : undefined
}

function sealerOf(digest: Uint8Array, seal: Uint8Array): Address | 'nobody' {
  try {
    return recoverAddress(digest, seal)
  } catch (error) {
    if (!isCodedError(error)) throw error
    return 'nobody'
  }
}
