import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { HistorySearch, StateAccess } from '../rpc/ports.js'

/** What runs in the worker: everything whose cost grows with the chain or with a contract. */
export type CallTasks = Pick<StateAccess, 'proof' | 'call' | 'estimateGas'> & HistorySearch
export type TaskName = keyof CallTasks

/** What a worker needs to start: its own handles on the same database and the same EVM. */
export interface WorkerSettings {
  storeFolder: string
  chainId: number
  /** Gas of one call or of one attempt of an estimate. */
  gasMax: bigint
}

export interface TaskRequest {
  name: TaskName
  args: unknown[]
}

/** `ready` comes once, first; then one answer for each request, in order. */
export type WorkerMessage =
  { kind: 'ready' } | { kind: 'result'; result: unknown } | { kind: 'error'; error: SentError }

export interface SentError {
  /** Undefined for an error that has no code: a bug. */
  code: string | undefined
  message: string
  details: Record<string, unknown>
}

export type CallServiceErrorCode =
  'CALL_TIMEOUT' | 'CALL_QUEUE_FULL' | 'CALL_MEMORY' | 'CALL_STOPPED' | 'CALL_WORKER_FAILED'

export function callError(
  code: CallServiceErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): CodedError<CallServiceErrorCode> {
  return new CodedError(code, message, { details })
}

export function errorToSent(error: unknown): SentError {
  if (isCodedError(error)) return { code: error.code, message: error.message, details: error.details }
  const stack = error instanceof Error ? error.stack : undefined
  return { code: undefined, message: messageOf(error), details: { stack } }
}

export function sentToError({ code, message, details }: SentError): CodedError {
  return new CodedError(
    code ?? 'CALL_WORKER_FAILED',
    code === undefined ? `the call worker failed: ${message}` : message,
    { details },
  )
}
