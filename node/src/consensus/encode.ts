import { hexToBytes, numberToBytes } from '@songhua/sdk/protocol/bytes'
import { type RlpItem, encodeRlp } from '@songhua/sdk/protocol/rlp'
import { WIRE_VERSION } from './limits.js'
import type { SignedVote, Unencoded } from './messages.js'
import { KIND_CODES, preparedToRlp } from './signing.js'

/*
 * RLP[version, kind, height, round, …, signature], where … is
 *   proposal     block, [[prepared, signature]…], [prepare signature…]
 *   prepare      digest
 *   commit       digest, seal
 *   roundChange  [] or [prepared round, block, [prepare signature…]]
 * and prepared is [] or [round, digest]. A nested vote carries no height, round or digest of its own: it is checked
 * against those that it must have, so that votes of different rounds cannot be mixed.
 */

const signatures = (votes: readonly SignedVote[]): RlpItem[] => votes.map(({ signature }) => signature)

function bodyToRlp(message: Unencoded): RlpItem[] {
  switch (message.kind) {
    case 'proposal': {
      const { roundChanges, prepares } = message.justification
      const claims = roundChanges.map((claim) => [preparedToRlp(claim.prepared), claim.signature])
      return [message.block.bytes, claims, signatures(prepares)]
    }
    case 'prepare':
      return [hexToBytes(message.digest)]
    case 'commit':
      return [hexToBytes(message.digest), message.seal]
    case 'roundChange': {
      const { prepared } = message
      if (prepared === undefined) return [[]]
      return [[numberToBytes(prepared.round), prepared.block.bytes, signatures(prepared.prepares)]]
    }
  }
}

export function encodeMessage(message: Unencoded): Uint8Array {
  return encodeRlp([
    numberToBytes(WIRE_VERSION),
    numberToBytes(KIND_CODES[message.kind]),
    numberToBytes(message.height),
    numberToBytes(message.round),
    ...bodyToRlp(message),
    message.signature,
  ])
}
