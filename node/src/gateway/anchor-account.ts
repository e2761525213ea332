import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { ANCHOR_CONTRACT } from '@songhua/sdk/protocol/evidence-receipt'
import { signTransaction } from '@songhua/sdk/protocol/transaction'
import { ANCHOR_GAS_LIMIT, anchorCall } from '@songhua/sdk/chain/batch'
import type { ChainWriter } from './ports.js'

/** A batch as the contract is told of it. */
export interface AnchorTerms {
  readonly batchId: Hash
  readonly root: Hash
  readonly size: number
  readonly family: RecordFamily
}

export interface SignedAnchor {
  readonly raw: Uint8Array
  readonly hash: Hash
  readonly nonce: bigint
}

/** The account that anchors; nobody else is supposed to use it, and nothing breaks when somebody does. */
export interface AnchorAccount {
  readonly address: Address
  /** With a nonce that neither the chain, nor the pool, nor an earlier call has used. */
  sign(terms: AnchorTerms): Promise<SignedAnchor>
}

/** @param options.nonceMin above those of all batches that were signed before */
export function createAnchorAccount(
  options: { key: Uint8Array; chainId: number; nonceMin: bigint },
  writer: Pick<ChainWriter, 'pendingNonce'>,
): AnchorAccount {
  const address = privateKeyToAddress(options.key)
  let next = options.nonceMin
  return {
    address,
    async sign(terms) {
      const pending = await writer.pendingNonce(address)
      const nonce = pending > next ? pending : next
      next = nonce + 1n
      const { raw, hash } = signTransaction(
        {
          type: 2,
          chainId: options.chainId,
          nonce,
          gasLimit: ANCHOR_GAS_LIMIT,
          to: ANCHOR_CONTRACT,
          data: anchorCall(terms),
        },
        options.key,
      )
      return { raw, hash, nonce }
    },
  }
}
