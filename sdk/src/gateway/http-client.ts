import { messageOf } from '../protocol/errors.js'
import type { Violation } from '../records/schema-types.js'
import { readText } from '../connection/read-body.js'
import { DEFAULT_RETRY, type RetryPolicy, throwIfAborted, withRetry, withTimeout } from '../connection/retry.js'
import { type RefusedRow, SonghuaError, isSonghuaError } from '../connection/songhua-error.js'

/** The gateway's REST over fetch, which keeps connections open. */
export interface HttpClient {
  /**
   * Tries again what may be tried again: whatever never reached the gateway or met a busy one (429, 503: as long as
   * `Retry-After` says), and any failure of the server when the request can be repeated without harm.
   * @throws SonghuaError with the gateway's code and status; `GATEWAY_UNREACHABLE`; `GATEWAY_ANSWER`;
   *   `ANSWER_TOO_LARGE`
   */
  request(request: HttpRequest): Promise<HttpAnswer>
  /** One try; the body is left to the caller. @throws as `request` */
  open(request: HttpRequest): Promise<Response>
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root of the gateway. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, unless the headers name another type. */
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
  /** Of one try, ms. */
  readonly timeoutMs?: number
  /** Of the answer; `ANSWER_BYTES_MAX` when left out. */
  readonly answerBytesMax?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly json: unknown
}

export interface HttpOptions {
  readonly gateway: string
  readonly apiKey?: string | undefined
  /** Of the messages of errors; the gateway's choice when left out. */
  readonly language?: 'zh' | 'en' | undefined
  /** Of one try, ms. */
  readonly requestTimeoutMs?: number | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  readonly fetch?: typeof fetch | undefined
}

const DEFAULT_TIMEOUT_MS = 30_000
/** Of an answer, bytes: a page of records, a bundle, a payload of 1 MiB in base64 each take less than half. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024
const RETRY_AFTER = /^\d{1,6}$/
const BUSY = [429, 503]

export function createHttpClient(options: HttpOptions): HttpClient {
  const base = checkBase(options.gateway)
  const policy = { ...DEFAULT_RETRY, ...options.retry }
  const open = (request: HttpRequest): Promise<Response> => exchange(base, request, options)
  const read = (response: Response, request: HttpRequest): Promise<string> => readAnswer(response, request, base)
  return {
    open: async (request) => {
      const response = await open(request)
      if (response.ok) return response
      throw refusedError(response, parseJson(await read(response, request)))
    },
    request: (request) =>
      withRetry(() => ask({ open, read }, request), { policy, signal: request.signal, decide: decideFor(request) }),
  }
}

function checkBase(gateway: string): string {
  try {
    if (/^https?:$/.test(new URL(gateway).protocol)) return gateway.replace(/\/+$/, '')
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  const message = `gateway "${gateway}" is no URL of http or https`
  throw new SonghuaError('OPTION_INVALID', message, { field: 'gateway' })
}

async function exchange(base: string, request: HttpRequest, options: HttpOptions): Promise<Response> {
  const { method, path, body, signal } = request
  const url = base + path + queryOf(request)
  const timeoutMs = request.timeoutMs ?? options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS
  try {
    return await (options.fetch ?? fetch)(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
        ...(options.language === undefined ? {} : { 'accept-language': options.language }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: body as BodyInit }),
      redirect: 'error',
      signal: timeoutMs === Infinity ? (signal ?? null) : withTimeout(signal, timeoutMs),
    })
  } catch (error) {
    throwIfAborted(signal)
    throw unreachable(base, request, error)
  }
}

function queryOf({ query = {} }: HttpRequest): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return ''
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`
}

interface Exchange {
  readonly open: (request: HttpRequest) => Promise<Response>
  readonly read: (response: Response, request: HttpRequest) => Promise<string>
}

async function ask({ open, read }: Exchange, request: HttpRequest): Promise<HttpAnswer> {
  const response = await open(request)
  const text = await read(response, request)
  const json = parseJson(text)
  if (!response.ok) throw refusedError(response, json)
  if (json === undefined) throw notJson(response.status, text)
  return { status: response.status, json }
}

/** An answer that breaks off in the middle is no answer. */
async function readAnswer(response: Response, request: HttpRequest, base: string): Promise<string> {
  try {
    return await readText(response, request.answerBytesMax ?? ANSWER_BYTES_MAX)
  } catch (error) {
    throwIfAborted(request.signal)
    if (isSonghuaError(error)) throw error
    throw unreachable(base, request, error)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

// ------------------------------------------------------------------------------------------------------- errors

function unreachable(base: string, { method, path }: HttpRequest, error: unknown): SonghuaError {
  const reason = reasonOf(error)
  const message = `The gateway ${base} gave no answer to ${method} ${path}: ${reason}`
  return new SonghuaError('GATEWAY_UNREACHABLE', message, { cause: error, details: { url: base, reason } })
}

/** `ECONNREFUSED` says more than the `fetch failed` that it caused. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return messageOf(error)
  return 'code' in cause ? String(cause.code) : cause.message
}

function notJson(status: number, text: string): SonghuaError {
  const message = `The gateway answered ${status} with what is no JSON: ${text.slice(0, 80)}`
  return new SonghuaError('GATEWAY_ANSWER', message, { status })
}

interface ErrorJson {
  readonly code?: unknown
  readonly message?: unknown
  readonly field?: unknown
  readonly details?: Record<string, unknown>
  readonly violations?: unknown
  readonly rows?: unknown
  readonly existingId?: unknown
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
/** A list that callers go through; what is no object in it is left out. */
const listOf = (value: unknown): readonly object[] | undefined => (Array.isArray(value) ? value.filter(isObject) : undefined)

/** What the gateway said, or a proxy in front of it. */
function refusedError(response: Response, json: unknown): SonghuaError {
  const { status } = response
  const error = (json as { error?: ErrorJson } | null | undefined)?.error
  const retryAfterMs = retryAfterOf(response)
  const waiting = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (typeof error?.code !== 'string') {
    const code = status >= 500 || BUSY.includes(status) ? 'GATEWAY_UNREACHABLE' : 'GATEWAY_ANSWER'
    return new SonghuaError(code, `The gateway answered ${status} without a code`, { status, details: waiting })
  }
  const { code, message, field, details, violations, rows, existingId } = error
  return new SonghuaError(code, typeof message === 'string' ? message : code, {
    status,
    field: typeof field === 'string' ? field : undefined,
    violations: listOf(violations) as readonly Violation[] | undefined,
    rows: listOf(rows) as readonly RefusedRow[] | undefined,
    details: { ...details, ...waiting, ...(existingId === undefined ? {} : { existingId }) },
  })
}

function retryAfterOf(response: Response): number | undefined {
  const value = response.headers.get('retry-after')
  if (value === null) return undefined
  if (RETRY_AFTER.test(value)) return Number(value) * 1000
  const atMs = Date.parse(value)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now())
}

/** Reading, and changes that are the same done twice, may be repeated; writing with a key of the request's own too. */
function isRepeatable({ method, headers }: HttpRequest): boolean {
  return method !== 'POST' || headers?.['idempotency-key'] !== undefined
}

function decideFor(request: HttpRequest): (error: unknown) => number | undefined {
  return (error) => {
    if (!isSonghuaError(error)) return undefined
    const { status = 0 } = error
    const retryAfterMs = (error.details.retryAfterMs as number | undefined) ?? 0
    if (BUSY.includes(status)) return retryAfterMs
    const isFailure = status >= 500 || error.code === 'GATEWAY_UNREACHABLE'
    return isFailure && isRepeatable(request) ? retryAfterMs : undefined
  }
}
