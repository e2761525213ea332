import { CodedError } from '@songhua/sdk/protocol/errors'
import type { RpcLimits } from './limits.js'

export type RpcErrorCode =
  | 'RPC_PARSE_ERROR'
  | 'RPC_INVALID_REQUEST'
  | 'RPC_METHOD_NOT_FOUND'
  | 'RPC_NOTIFICATIONS_UNSUPPORTED'
  | 'RPC_INVALID_PARAMS'
  | 'RPC_LIMIT_EXCEEDED'
  | 'RPC_HEADER_NOT_FOUND'
  | 'RPC_EXECUTION_REVERTED'
  | 'RPC_EXECUTION_FAILED'
  | 'RPC_CLIENT_GONE'
  | 'RPC_FILTER_NOT_FOUND'
  | 'RPC_SUBSCRIPTION_NOT_FOUND'
  | 'RPC_SYNC_TIMEOUT'
  | 'RPC_SYNC_NONCE_GAP'
  | 'RPC_HOST_NOT_ALLOWED'
  | 'RPC_ORIGIN_NOT_ALLOWED'
  | 'RPC_CONTENT_TYPE'
  | 'RPC_NOT_FOUND'
  | 'RPC_ADMIN_NOT_LOOPBACK'
  | 'RPC_LISTEN_FAILED'

export class RpcError extends CodedError<RpcErrorCode> {}

export function invalidParams(message: string, details: Record<string, unknown> = {}): RpcError {
  return new RpcError('RPC_INVALID_PARAMS', message, { details })
}

/** @param message what was too much, with the figure allowed */
export function limitExceeded(limit: keyof RpcLimits, message: string): RpcError {
  return new RpcError('RPC_LIMIT_EXCEEDED', `${message} (limit ${limit})`, { details: { limit } })
}
