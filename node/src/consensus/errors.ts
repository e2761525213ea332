import { CodedError } from '@songhua/sdk/protocol/errors'

/** Why a message of the world was refused. The code reaches the log and decides the penalty of the peer. */
export type ConsensusErrorCode =
  | 'CONSENSUS_MESSAGE_TOO_LARGE'
  | 'CONSENSUS_MESSAGE_MALFORMED'
  | 'CONSENSUS_WIRE_VERSION'
  | 'CONSENSUS_SIGNATURE'
  | 'CONSENSUS_UNKNOWN_VALIDATOR'
  | 'CONSENSUS_DUPLICATE_SIGNER'
  | 'CONSENSUS_BELOW_QUORUM'
  | 'CONSENSUS_NOT_PROPOSER'
  | 'CONSENSUS_JUSTIFICATION'
  | 'CONSENSUS_CERTIFICATE'
  | 'CONSENSUS_BLOCK_HEIGHT'
  | 'CONSENSUS_BLOCK_FORM'
  | 'CONSENSUS_BLOCK_BODY'
  | 'CONSENSUS_COINBASE'
  | 'CONSENSUS_EMPTY_BLOCK'
  | 'CONSENSUS_FUTURE_BLOCK'
  | 'CONSENSUS_BLOCK_INVALID'
  /** The check itself failed, through no fault of the block. */
  | 'CONSENSUS_CHECK_FAILED'
  | 'CONSENSUS_COMMIT_SEAL'

export type ConsensusError = CodedError<ConsensusErrorCode>

export function consensusError(
  code: ConsensusErrorCode,
  message: string,
  options: { details?: Record<string, unknown>; cause?: unknown } = {},
): ConsensusError {
  return new CodedError(code, message, options)
}
