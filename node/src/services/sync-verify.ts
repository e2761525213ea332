import { blockHash } from '@songhua/sdk/protocol/block-hash'
import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { decodeExtraData } from '@songhua/sdk/protocol/extra-data'
import { type Header, decodeHeader } from '@songhua/sdk/protocol/header'
import { splitRlpList } from '@songhua/sdk/protocol/rlp'
import { verifySeals } from './proven-seals.js'

/** A block that is known to be final, and who seals the next one. */
export interface SealedTip {
  readonly number: number
  readonly hash: Hash
  readonly validators: readonly Address[]
}

/** The header of an encoded block; transactions are not looked at, because their senders are dear to recover. */
export function headerOfBlock(block: Uint8Array): Header {
  return decodeHeader(splitRlpList(block, 'block', 4)[0] ?? new Uint8Array())
}

/**
 * One header follows a final one and is final itself: its place, its parent, its seals. A header sealed by a known
 * set names the set that follows, so a range is verified without executing any of it.
 * @throws CodedError `SYNC_BLOCK_MISPLACED`, or that of the seals
 */
export function followTip(tip: SealedTip, header: Header): SealedTip {
  if (header.number !== tip.number + 1 || header.parentHash !== tip.hash) {
    const message = `block ${header.number} on ${header.parentHash} does not follow block ${tip.number}, ${tip.hash}`
    throw new CodedError('SYNC_BLOCK_MISPLACED', message, { details: { number: header.number } })
  }
  verifySeals(header, tip.validators)
  const { validators } = decodeExtraData(header.extraData)
  return { number: header.number, hash: blockHash(header), validators }
}
