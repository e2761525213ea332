import { messageOf } from '../protocol/errors.js'
import { readText } from '../connection/read-body.js'
import { DEFAULT_RETRY, type RetryPolicy, throwIfAborted, withRetry, withTimeout } from '../connection/retry.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'

/** JSON-RPC over HTTP, to any node that speaks Ethereum's methods. */
export interface RpcClient {
  /**
   * Tries again when the endpoint cannot be reached; every method of this SDK may be asked twice.
   * @throws SonghuaError `RPC_UNREACHABLE`; `RPC_ANSWER` for an answer that is no JSON-RPC; `ANSWER_TOO_LARGE`; `RPC_REFUSED` when the node
   *   says no: `details.rpcCode`, `details.reason` (the node's own code, when it names one), `details.data` (what it says beside)
   */
  call(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown>
}

export interface RpcClientOptions {
  readonly url: string
  /** `shk_…`, of that node: for what its chain's policy does not leave open to everybody. */
  readonly apiKey?: string
  /** Of one request, ms. */
  readonly timeoutMs?: number
  readonly retry?: Partial<RetryPolicy>
  readonly fetch?: typeof fetch
}

const DEFAULT_TIMEOUT_MS = 20_000
const NO_EXTRA_DELAY_MS = 0
/** Of an answer, bytes: the receipts of a full block of anchors, which have the most to say, take some 10 MB. */
export const RPC_ANSWER_BYTES_MAX = 128 * 1024 * 1024

export function createRpcClient(options: RpcClientOptions): RpcClient {
  let id = 0
  return {
    call: (method, params, signal) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params })
      return withRetry(() => post(body, { ...options, method, signal }), {
        policy: { ...DEFAULT_RETRY, ...options.retry },
        decide: (error) => (isSonghuaError(error, 'RPC_UNREACHABLE') ? NO_EXTRA_DELAY_MS : undefined),
        signal,
      })
    },
  }
}

interface Request extends RpcClientOptions {
  readonly method: string
  readonly signal: AbortSignal | undefined
}

async function post(body: string, request: Request): Promise<unknown> {
  const answer: Answer = await exchange(body, request, (one) => 'result' in one || 'error' in one)
  if (answer.error !== undefined) throw refusedError(request.method, answer.error)
  return answer.result
}

/**
 * One HTTP request.
 * @param isAnswer whether what came is an answer to it
 * @throws SonghuaError `RPC_UNREACHABLE`, `RPC_ANSWER`, `ANSWER_TOO_LARGE`
 */
export async function exchange(body: string, request: Request, isAnswer: (answer: object) => boolean): Promise<object> {
  const { url, method, signal } = request
  const { status, text } = await send(body, request).catch((error: unknown) => {
    throwIfAborted(signal)
    if (isSonghuaError(error)) throw error
    throw new SonghuaError('RPC_UNREACHABLE', `${method} got no answer from ${url}: ${messageOf(error)}`, { cause: error })
  })
  const answer = parseObject(text)
  if (answer !== undefined && isAnswer(answer)) return answer
  const isBusy = status === 429 || status >= 500
  const message = `${method}: ${url} answered ${status} with what is no JSON-RPC: ${text.slice(0, 80)}`
  throw new SonghuaError(isBusy ? 'RPC_UNREACHABLE' : 'RPC_ANSWER', message, { status })
}

async function send(body: string, request: Request): Promise<{ status: number; text: string }> {
  const response = await (request.fetch ?? fetch)(request.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(request.apiKey === undefined ? {} : { authorization: `Bearer ${request.apiKey}` }) },
    body,
    signal: withTimeout(request.signal, request.timeoutMs ?? DEFAULT_TIMEOUT_MS),
  })
  return { status: response.status, text: await readText(response, RPC_ANSWER_BYTES_MAX) }
}

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown }
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function refusedError(method: string, error: NonNullable<Answer['error']>): SonghuaError {
  const data = error.data
  const reason = typeof data === 'object' && data !== null && 'code' in data ? data.code : undefined
  const text = typeof error.message === 'string' ? error.message : JSON.stringify(error)
  const details = { method, rpcCode: error.code, reason, rpcMessage: text, data }
  return new SonghuaError('RPC_REFUSED', `${method}: ${text}`, { details })
}
