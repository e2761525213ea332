import { CodedError } from '@songhua/sdk/protocol/errors'

/** Why a connection was refused or ended; travels in the goodbye, so that both sides log the same words. */
export const GOODBYE_CODES = [
  'genesis-mismatch',
  'chain-id-mismatch',
  'protocol-version-mismatch',
  'not-admitted',
  'duplicate-connection',
  'handshake-timeout',
  'handshake-invalid',
  'frame-too-large',
  'frame-empty',
  'frame-timeout',
  'message-malformed',
  'protocol-violation',
  'slow-reader',
  'peer-silent',
  'penalised',
  'stopping',
] as const
export type GoodbyeCode = (typeof GOODBYE_CODES)[number]

export type NetworkErrorCode =
  | GoodbyeCode
  | 'peer-id-invalid'
  | 'address-invalid'
  | 'private-key-invalid'
  | 'listen-failed'
  | 'dial-failed'
  | 'peer-not-connected'
  | 'request-timeout'
  | 'request-refused'
  | 'request-too-many'
  | 'peer-disconnected'

export function networkError(
  code: NetworkErrorCode,
  message: string,
  options?: { details?: Record<string, unknown>; cause?: unknown },
): CodedError<NetworkErrorCode> {
  return new CodedError(code, message, options)
}
