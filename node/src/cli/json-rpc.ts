import { type CliContext, cliError } from './context.js'
import { explainUnreadable } from './rpc-flags.js'
import { titledMessage } from './titles/error-text.js'

/** How long an answer is waited for unless told, ms. */
const ANSWER_TIMEOUT_MS = 10_000

export interface RpcCallOptions {
  timeoutMs?: number
  /** `shk_…`, of the node asked: for what not everybody may read. */
  apiKey?: string | undefined
}

export type RpcCall = <T>(method: string, params?: readonly unknown[]) => Promise<T>

interface RpcAnswer {
  result?: unknown
  error?: { code: number; message: string; data?: { code?: unknown } | null }
}

/**
 * A JSON-RPC 2.0 client of one address.
 * @throws RPC_UNREACHABLE; PERMISSION_READ; RPC_ERROR naming the address and method, in its details the `reason`: the node's own code
 */
export function createRpcCall(context: CliContext, url: string, options: RpcCallOptions = {}): RpcCall {
  let id = 0
  return async <T>(method: string, params: readonly unknown[] = []): Promise<T> => {
    id += 1
    const answer = await post(context, { url, ...options }, { jsonrpc: '2.0', id, method, params })
    if (answer.error !== undefined) {
      const { code, data } = answer.error
      const reason = typeof data?.code === 'string' ? data.code : ''
      const message = titledMessage(context.language, reason, answer.error.message)
      const error = cliError(context, 'RPC_ERROR', ['rpcError', { url, method, code, message, reason }])
      throw explainUnreadable(context, error, data)
    }
    return answer.result as T
  }
}

async function post(
  context: CliContext,
  { url, timeoutMs = ANSWER_TIMEOUT_MS, apiKey }: { url: string } & RpcCallOptions,
  body: object,
): Promise<RpcAnswer> {
  let text: string
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    })
    text = await response.text()
  } catch (error) {
    throw cliError(context, 'RPC_UNREACHABLE', ['rpcUnreachable', { url, reason: networkReason(error) }, error])
  }
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer === 'object' && answer !== null && ('result' in answer || 'error' in answer))
      return answer as RpcAnswer
  } catch (error) {
    throw cliError(context, 'RPC_UNREACHABLE', ['rpcNotJson', { url }, error])
  }
  throw cliError(context, 'RPC_UNREACHABLE', ['rpcNotJson', { url }])
}

function networkReason(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error instanceof Error ? error.message : String(error)
}
