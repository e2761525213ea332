import { CodedError } from '@songhua/sdk/protocol/errors'
import type { SentError } from '../base/sent-error.js'
import type { GovernanceReads, HistorySearch, StateAccess } from '../rpc/ports.js'

/** What runs in the worker: everything whose cost grows with the chain or with a contract. */
export type CallTasks = Pick<StateAccess, 'proof' | 'call' | 'estimateGas'> & HistorySearch & GovernanceReads
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

export type CallServiceErrorCode =
  'CALL_TIMEOUT' | 'CALL_QUEUE_FULL' | 'CALL_MEMORY' | 'CALL_OUTPUT' | 'CALL_STOPPED' | 'CALL_WORKER_FAILED'

export function callError(
  code: CallServiceErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): CodedError<CallServiceErrorCode> {
  return new CodedError(code, message, { details })
}
