import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Clock } from '../../base/clock.js'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { GatewayLimits } from '../limits.js'
import { type Resolve, type ResolvedAddress, resolveHost, resolveWebhookHost } from './webhook-hosts.js'

export interface WebhookMessage {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type PostOutcome = { readonly ok: true } | PostFailure

export interface PostFailure {
  readonly ok: false
  readonly reason: string
  readonly retryAfterMs?: number
  /** Its receiver wants no more of it: 410. */
  readonly isGone?: true
}

/** One attempt. Never rejects. */
export type WebhookPost = (message: WebhookMessage, signal: AbortSignal) => Promise<PostOutcome>

export interface PostOptions {
  readonly webhookHosts: readonly string[]
  readonly version: string
  readonly limits: GatewayLimits
  readonly clock: Clock
  readonly resolve?: Resolve
}

/** Posts to allowed hosts: within a time, following no redirect, reading no more of the answer than its beginning. */
export function createWebhookPost(options: PostOptions): WebhookPost {
  const { clock, limits, webhookHosts, resolve = resolveHost } = options
  return async (message, signal) => {
    const late = new AbortController()
    const cancel = clock.after(limits.webhookPostMs, () => late.abort(new Error(`no answer within ${limits.webhookPostMs} ms`)))
    const either = AbortSignal.any([signal, late.signal])
    try {
      const url = new URL(message.url)
      const to = await raced(resolveWebhookHost(url, webhookHosts, resolve), either)
      const response = await send(url, { message, to, signal: either, version: options.version })
      const outcome = outcomeOf(response)
      await drain(response, limits.webhookResponseBytesMax)
      return outcome
    } catch (error) {
      const reason = late.signal.aborted ? messageOf(late.signal.reason) : messageOf(error)
      return { ok: false, reason: reason.slice(0, REASON_CHARACTERS) }
    } finally {
      cancel()
    }
  }
}

const REASON_CHARACTERS = 200

/** A resolver knows no signal. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

interface Sending {
  readonly message: WebhookMessage
  readonly to: ResolvedAddress
  readonly signal: AbortSignal
  readonly version: string
}

function send(url: URL, { message, to, signal, version }: Sending): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_host, options, callback) => {
    if (options.all) callback(null, [{ address: to.address, family: to.family }])
    else callback(null, to.address, to.family)
  }
  const start = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const request: ClientRequest = start(url, {
      method: 'POST',
      agent: false,
      lookup,
      signal,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(message.body),
        'user-agent': `songhua/${version}`,
        ...message.headers,
      },
    })
    request.once('response', resolve)
    request.once('error', reject)
    request.end(message.body)
  })
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): PostOutcome {
  if (statusCode >= 200 && statusCode < 300) return { ok: true }
  const redirect = statusCode >= 300 && statusCode < 400 ? '; redirects are not followed' : ''
  const seconds = /^\d{1,6}$/.exec(headers['retry-after'] ?? '')?.[0]
  return {
    ok: false,
    reason: `HTTP ${statusCode}${redirect}`,
    ...(statusCode === 410 ? { isGone: true } : {}),
    ...(seconds === undefined ? {} : { retryAfterMs: Number(seconds) * 1000 }),
  }
}

/** The status has said it all; a short answer is read so that its sender sees it taken. */
async function drain(response: IncomingMessage, bytesMax: number): Promise<void> {
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) break
  }
  response.destroy()
}
