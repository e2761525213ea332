import { DEFAULT_RETRY, withRetry } from '../connection/retry.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'
import { type RpcClient, type RpcClientOptions, createRpcClient, exchange, refusedError } from './rpc-client.js'

export interface RpcCall {
  readonly method: string
  readonly params: readonly unknown[]
}

/** JSON-RPC in batches: one exchange for many questions. */
export interface RpcBatchClient extends RpcClient {
  /**
   * @returns the results, in the order of the calls
   * @throws SonghuaError as `call`; `RPC_REFUSED` when one of them is refused, or the batch as a whole
   */
  batch(calls: readonly RpcCall[], signal?: AbortSignal): Promise<unknown[]>
}

interface Answer {
  readonly id?: unknown
  readonly result?: unknown
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown }
}

export function createRpcBatchClient(options: RpcClientOptions): RpcBatchClient {
  return {
    ...createRpcClient(options),
    batch: (calls, signal) =>
      calls.length === 0
        ? Promise.resolve([])
        : withRetry(() => postBatch(calls, options, signal), {
            policy: { ...DEFAULT_RETRY, ...options.retry },
            decide: (error) => (isSonghuaError(error, 'RPC_UNREACHABLE') ? 0 : undefined),
            signal,
          }),
  }
}

async function postBatch(calls: readonly RpcCall[], options: RpcClientOptions, signal: AbortSignal | undefined): Promise<unknown[]> {
  const method = calls[0]!.method
  const body = JSON.stringify(calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call })))
  const answer = await exchange(body, { ...options, method, signal }, (one) => Array.isArray(one) || 'error' in one)
  if (!Array.isArray(answer)) throw refusedError(method, (answer as Required<Answer>).error)
  const byId = new Map((answer as Answer[]).map((one) => [one.id, one]))
  return calls.map((call, id) => {
    const one = byId.get(id)
    if (one === undefined) {
      throw new SonghuaError('RPC_ANSWER', `${call.method}: ${options.url} left a question of a batch without an answer`)
    }
    if (one.error !== undefined) throw refusedError(call.method, one.error)
    return one.result
  })
}
