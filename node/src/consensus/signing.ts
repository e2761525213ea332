import { type Address, type Hash, hexToBytes, numberToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256, recoverAddress } from '@songhua/sdk/protocol/crypto'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { type RlpItem, encodeRlp } from '@songhua/sdk/protocol/rlp'
import { consensusError } from './errors.js'
import type { Domain, MessageKind, PreparedPair, Unsigned } from './messages.js'

/** Numbers of the kinds on the wire and under signatures (Besu's codes). */
export const KIND_CODES: Record<MessageKind, number> = { proposal: 0x12, prepare: 0x13, commit: 0x14, roundChange: 0x15 }

/** What a signature speaks about; block bodies, certificates and justifications prove themselves. */
export type Statement = { readonly height: number; readonly round: number } & (
  | { readonly kind: 'proposal' | 'prepare'; readonly digest: Hash }
  | { readonly kind: 'commit'; readonly digest: Hash; readonly seal: Uint8Array }
  | { readonly kind: 'roundChange'; readonly prepared: PreparedPair | undefined }
)

function subject(statement: Statement): RlpItem[] {
  switch (statement.kind) {
    case 'proposal':
    case 'prepare':
      return [hexToBytes(statement.digest)]
    case 'commit':
      return [hexToBytes(statement.digest), statement.seal]
    case 'roundChange':
      return [preparedToRlp(statement.prepared)]
  }
}

/** The part of a message that its signature covers. */
export function statementOf(message: Unsigned): Statement {
  return message.kind === 'proposal' ? { ...message, digest: message.block.digest } : message
}

/** `[]`, or `[round, digest]`. */
export function preparedToRlp(prepared: PreparedPair | undefined): RlpItem[] {
  return prepared === undefined ? [] : [numberToBytes(prepared.round), hexToBytes(prepared.digest)]
}

/** keccak256(RLP[genesis hash, protocol version, height, round, kind, subject…]): what a validator signs. */
export function signingDigest(domain: Domain, statement: Statement): Uint8Array {
  return keccak256(
    encodeRlp([
      hexToBytes(domain.genesisHash),
      numberToBytes(domain.protocolVersion),
      numberToBytes(statement.height),
      numberToBytes(statement.round),
      numberToBytes(KIND_CODES[statement.kind]),
      ...subject(statement),
    ]),
  )
}

/**
 * The address that made this statement. A signature over another round, height, chain or digest recovers to some
 * unknown address, so whoever calls this must also ask whether the answer is a validator.
 * @throws CONSENSUS_SIGNATURE for high s and everything else that is not a signature
 */
export function recoverAuthor(domain: Domain, statement: Statement, signature: Uint8Array): Address {
  try {
    return recoverAddress(signingDigest(domain, statement), signature)
  } catch (cause) {
    throw consensusError('CONSENSUS_SIGNATURE', `The ${statement.kind} is not signed: ${messageOf(cause)}`, { cause })
  }
}
