import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { TransactionErrorCode } from '@songhua/sdk/protocol/transaction'
import type { CallErrorCode } from '../execution/call.js'
import type { RpcErrorCode } from './errors.js'

/** The `error` member of a JSON-RPC response. */
export interface JsonRpcError {
  code: number
  message: string
  data?: unknown
}

interface Mapping {
  code: number
  /** geth's words for the same refusal, which ethers, viem and wallets look for; they come first in the message. */
  phrase?: string
  /** The field of the error's details that becomes `data`; all of them when absent. */
  data?: string
}

/** EIP-1474: resource unavailable, limit exceeded. */
const LIMIT_EXCEEDED = -32005
const SERVER_ERROR = -32000
const INTERNAL_ERROR = -32603

const RPC_ERRORS: Record<RpcErrorCode, Mapping> = {
  RPC_PARSE_ERROR: { code: -32700 },
  RPC_INVALID_REQUEST: { code: -32600 },
  RPC_METHOD_NOT_FOUND: { code: -32601 },
  RPC_NOTIFICATIONS_UNSUPPORTED: { code: -32601 },
  RPC_INVALID_PARAMS: { code: -32602 },
  RPC_LIMIT_EXCEEDED: { code: LIMIT_EXCEEDED },
  RPC_HEADER_NOT_FOUND: { code: SERVER_ERROR },
  RPC_EXECUTION_REVERTED: { code: 3, data: 'output' },
  RPC_EXECUTION_FAILED: { code: SERVER_ERROR },
  // Told to nobody, but counted.
  RPC_CLIENT_GONE: { code: SERVER_ERROR },
  RPC_FILTER_NOT_FOUND: { code: SERVER_ERROR },
  RPC_SUBSCRIPTION_NOT_FOUND: { code: SERVER_ERROR },
  // EIP-7966: 4 with the hash when the wait ran out, 6 with the expected nonce when a lower one is missing.
  RPC_SYNC_TIMEOUT: { code: 4, data: 'hash' },
  RPC_SYNC_NONCE_GAP: { code: 6, data: 'expectedNonce' },
  RPC_HOST_NOT_ALLOWED: { code: -32600 },
  RPC_ORIGIN_NOT_ALLOWED: { code: -32600 },
  RPC_CONTENT_TYPE: { code: -32600 },
  RPC_NOT_FOUND: { code: -32600 },
  RPC_ADMIN_NOT_LOOPBACK: { code: INTERNAL_ERROR },
  RPC_LISTEN_FAILED: { code: INTERNAL_ERROR },
}

/** What other modules throw through the ports; codes that stand in no table are internal errors. */
const CALL_ERRORS: Record<CallErrorCode, Mapping> = {
  CALL_OVERRIDE_CONFLICT: { code: -32602 },
  TX_INIT_CODE_TOO_LARGE: { code: SERVER_ERROR, phrase: 'max initcode size exceeded' },
  TX_INTRINSIC_GAS: { code: SERVER_ERROR, phrase: 'intrinsic gas too low' },
  TX_INSUFFICIENT_FUNDS: { code: SERVER_ERROR, phrase: 'insufficient funds for gas * price + value' },
  CALL_REVERTED: { code: 3, data: 'data' },
  CALL_GAS_ALLOWANCE: { code: SERVER_ERROR },
  CALL_FAILED: { code: SERVER_ERROR },
}

/** geth's words where the protocol's own message does not begin with them; the pool's messages do. */
const TRANSACTION_ERRORS: Record<string, Mapping> = {
  TX_TYPE: { code: SERVER_ERROR, phrase: 'transaction type not supported' },
  TX_TOO_LARGE: { code: SERVER_ERROR, phrase: 'oversized data' },
  TX_FEES: { code: SERVER_ERROR, phrase: 'max priority fee per gas higher than max fee per gas' },
  TX_V: { code: SERVER_ERROR, phrase: 'invalid transaction v, r, s values' },
} satisfies Partial<Record<TransactionErrorCode, Mapping>>

/** Why a raw transaction is refused: unreadable, badly signed, not wanted by the pool, or not its sender's to send (today); or a read. */
const REFUSAL_PREFIXES = ['POOL_', 'PERMISSION_', 'QUOTA_', 'TX_', 'RLP_', 'SIGNATURE_'] as const
const REFUSAL: Mapping = { code: SERVER_ERROR }
const BAD_SIGNATURE: Mapping = { code: SERVER_ERROR, phrase: 'invalid sender' }

/** Of the call worker, by name: it stands on a higher floor. */
const WORKER_ERRORS: Record<string, Mapping> = {
  CALL_TIMEOUT: { code: LIMIT_EXCEEDED },
  CALL_QUEUE_FULL: { code: LIMIT_EXCEEDED },
  CALL_MEMORY: { code: LIMIT_EXCEEDED },
  CALL_OUTPUT: { code: LIMIT_EXCEEDED },
  CALL_BLOCK_UNKNOWN: { code: SERVER_ERROR },
  CALL_STOPPED: { code: SERVER_ERROR },
}

/** Of the file of API keys, by name as well. */
const KEY_ERRORS: Record<string, Mapping> = {
  GATEWAY_KEYS_UNREADABLE: { code: SERVER_ERROR },
}

/** Of backups, by name as well. */
const BACKUP_ERRORS: Record<string, Mapping> = {
  GATEWAY_DOWN: { code: SERVER_ERROR },
  REMOTE_CLOSED: { code: SERVER_ERROR },
  BACKUP_FOLDER_NOT_EMPTY: { code: -32602 },
  BACKUP_FOLDERS_SAME: { code: -32602 },
  BACKUP_OTHER_CHAIN: { code: -32602 },
  BACKUP_AHEAD: { code: SERVER_ERROR },
  BACKUP_INCOMPLETE: { code: -32602 },
  BACKUP_FOREIGN: { code: -32602 },
  BACKUP_NEWER: { code: -32602 },
  BACKUP_DAMAGED: { code: -32602 },
  BACKUP_IO: { code: SERVER_ERROR },
}

const MAPPINGS: ReadonlyMap<string, Mapping> = new Map(
  [RPC_ERRORS, CALL_ERRORS, TRANSACTION_ERRORS, WORKER_ERRORS, KEY_ERRORS, BACKUP_ERRORS].flatMap((table) => Object.entries(table)),
)

function mappingOf(code: string): Mapping | undefined {
  const known = MAPPINGS.get(code)
  if (known) return known
  if (code.startsWith('SIGNATURE_')) return BAD_SIGNATURE
  return REFUSAL_PREFIXES.some((prefix) => code.startsWith(prefix)) ? REFUSAL : undefined
}

/** @returns undefined for what no table names: a bug or a failing disk, whose words stay in the log */
export function errorToJsonRpc(error: unknown): JsonRpcError | undefined {
  if (!isCodedError(error)) return undefined
  const mapping = mappingOf(error.code)
  if (!mapping) return undefined
  const { code, phrase } = mapping
  const data = mapping.data === undefined ? { ...error.details, code: error.code } : error.details[mapping.data]
  return { code, message: phrase === undefined ? error.message : `${phrase}: ${error.message}`, data: jsonSafe(data) }
}

export const internalError: JsonRpcError = { code: INTERNAL_ERROR, message: 'internal error; the node has logged it' }

function jsonSafe(data: unknown): unknown {
  const text = JSON.stringify(data ?? null, (_key, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  )
  return JSON.parse(text) as unknown
}
