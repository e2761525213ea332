import { createParser } from 'eventsource-parser'
import { messageOf } from '../protocol/errors.js'
import { answerTooLarge } from '../connection/read-body.js'
import { type RetryPolicy, backOffMs, sleep, throwIfAborted } from '../connection/retry.js'
import { SonghuaError, isSonghuaError } from '../connection/songhua-error.js'
import type { HttpClient } from './http-client.js'
import type { GatewayEvent, WatchOptions } from './model.js'

/** Three heartbeats of a gateway. */
export const SILENCE_MS = 45_000
/** Of one event, bytes; they have a few hundred. */
export const EVENT_BYTES_MAX = 1024 * 1024
/** Said by the gateway at the start of a stream: where it begins. */
const START = /^\s*cursor (\S{1,64})$/

/**
 * The gateway's events for ever: whenever the stream breaks it is opened again, after the last event that was seen.
 * @throws SonghuaError what no reconnection mends: a wrong key, a missing scope, a cursor that is none or of before a
 *   restore (`CURSOR_AHEAD`), an event without an end (`ANSWER_TOO_LARGE`); the signal's reason
 */
export async function* watchEvents(
  http: HttpClient,
  options: WatchOptions,
  policy: RetryPolicy,
): AsyncGenerator<GatewayEvent, never> {
  const position = { cursor: options.cursor }
  for (let failures = 0; ; failures++) {
    try {
      for await (const event of readStream(http, options, position)) {
        failures = 0
        position.cursor = event.cursor
        yield event
      }
    } catch (error) {
      throwIfAborted(options.signal)
      if (!isPassing(error)) throw error
    }
    await sleep(backOffMs(policy, Math.min(failures, 10)), options.signal)
  }
}

function isPassing(error: unknown): boolean {
  if (!isSonghuaError(error)) return false
  const { code, status = 0 } = error
  return code === 'GATEWAY_UNREACHABLE' || status === 429 || status >= 500
}

interface Position {
  cursor: string | undefined
}

async function* readStream(
  http: HttpClient,
  options: WatchOptions,
  position: Position,
): AsyncGenerator<GatewayEvent> {
  const { cursor } = position
  const silence = createSilence(options)
  try {
    silence.begin()
    const response = await http.open({
      method: 'GET',
      path: '/v1/stream',
      headers: { accept: 'text/event-stream', ...(cursor === undefined ? {} : { 'last-event-id': cursor }) },
      signal: silence.signal,
      timeoutMs: Infinity,
    })
    yield* eventsOf(response, silence, position)
  } finally {
    silence.end()
  }
}

async function* eventsOf(response: Response, silence: Silence, position: Position): AsyncGenerator<GatewayEvent> {
  const seen: GatewayEvent[] = []
  /** Bytes since something was whole: what the parser holds. */
  let unread = 0
  const parser = createParser({
    onEvent: ({ data }) => {
      unread = 0
      seen.push(readEvent(data))
    },
    onComment: (comment) => {
      unread = 0
      position.cursor ??= START.exec(comment)?.[1]
    },
  })
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    silence.begin()
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new SonghuaError('GATEWAY_UNREACHABLE', `The event stream broke: ${messageOf(error)}`, { cause: error })
    })
    silence.pause()
    if (done) return
    unread += value.length
    parser.feed(decoder.decode(value, { stream: true }))
    if (unread > EVENT_BYTES_MAX) throw answerTooLarge('An event of the stream', EVENT_BYTES_MAX)
    yield* seen.splice(0)
  }
}

function readEvent(data: string): GatewayEvent {
  try {
    const event = JSON.parse(data) as Partial<GatewayEvent> | null
    if (typeof event?.cursor === 'string' && typeof event.type === 'string') return event as GatewayEvent
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new SonghuaError('GATEWAY_ANSWER', `The event stream gave what is no event: ${data.slice(0, 80)}`)
}

/** Ends a stream on which nothing comes, heartbeats neither; the time that the reader takes does not count. */
interface Silence {
  readonly signal: AbortSignal
  begin(): void
  pause(): void
  /** Ends the stream too, when it is still open. */
  end(): void
}

function createSilence({ signal, silenceMs = SILENCE_MS }: WatchOptions): Silence {
  const control = new AbortController()
  const stop = (): void => control.abort(signal?.reason)
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
  let timer: ReturnType<typeof setTimeout> | undefined
  const pause = (): void => clearTimeout(timer)
  return {
    signal: control.signal,
    begin: () => {
      pause()
      timer = setTimeout(() => control.abort(silentError(silenceMs)), silenceMs)
    },
    pause,
    end: () => {
      pause()
      signal?.removeEventListener('abort', stop)
      control.abort()
    },
  }
}

function silentError(silenceMs: number): SonghuaError {
  return new SonghuaError('GATEWAY_UNREACHABLE', `The event stream was silent for ${silenceMs} ms, heartbeats included`)
}
