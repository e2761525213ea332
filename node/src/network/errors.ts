import { CodedError } from '@songhua/sdk/protocol/errors'

/** Why a connection was refused or ended; travels in the goodbye, so that both sides log the same words. */
export const GOODBYE_CODES = [
  'GENESIS_MISMATCH',
  'CHAIN_ID_MISMATCH',
  'PROTOCOL_VERSION_MISMATCH',
  'NOT_ADMITTED',
  'DUPLICATE_CONNECTION',
  'HANDSHAKE_TIMEOUT',
  'HANDSHAKE_INVALID',
  'FRAME_TOO_LARGE',
  'FRAME_EMPTY',
  'FRAME_TIMEOUT',
  'MESSAGE_MALFORMED',
  'PROTOCOL_VIOLATION',
  'MUX_FRAME_TOO_LARGE',
  'MUX_FLOOD',
  'STREAM_FLOOD',
  'TOO_MANY_CONNECTIONS',
  'SLOW_READER',
  'PEER_SILENT',
  'PENALISED',
  'STOPPING',
] as const
export type GoodbyeCode = (typeof GOODBYE_CODES)[number]

export type NetworkErrorCode =
  | GoodbyeCode
  | 'PEER_ID_INVALID'
  | 'ADDRESS_INVALID'
  | 'PRIVATE_KEY_INVALID'
  | 'LISTEN_FAILED'
  | 'DIAL_FAILED'
  | 'DIAL_OTHER_KEY'
  | 'PEER_NOT_CONNECTED'
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_REFUSED'
  | 'REQUEST_TOO_MANY'
  | 'PEER_DISCONNECTED'

export function networkError(
  code: NetworkErrorCode,
  message: string,
  options?: { details?: Record<string, unknown>; cause?: unknown },
): CodedError<NetworkErrorCode> {
  return new CodedError(code, message, options)
}
