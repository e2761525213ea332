import type { ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import type { ApiKeys } from '../api-keys.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { Caller, Feed, GatewayEvent, Sight } from '../model.js'
import type { FamilyReads } from '../reads.js'
import { createEventReader, createNews, type EventReader, type News } from './event-reader.js'
import { type Call, issuerSeenBy, type Route, type Schema } from './route.js'

export interface StreamPorts {
  readonly feed: Feed
  readonly keys: Pick<ApiKeys, 'callerWith'>
  readonly reads: Pick<FamilyReads, 'some' | 'of'>
  readonly clock: Clock
  readonly limits: GatewayLimits
  readonly logger: Logger
}

export interface Streams {
  readonly routes: Route[]
  /** Ends all of them. */
  stop(): void
}

/** How long a client waits before it connects again, ms. */
const RECONNECT_MS = 2000

/** Server-sent events: one reader of the feed for each stream, read no faster than its client takes them. */
export function createStreams(ports: StreamPorts): Streams {
  const { feed, reads, limits } = ports
  const open = new Map<ServerResponse, string>()
  const text: Schema = { type: 'string', minLength: 1, maxLength: 64 }
  const checkRoom = (keyId: string): void => {
    const own = [...open.values()].filter((one) => one === keyId).length
    if (own >= limits.streamsPerKeyMax) throw gatewayError('STREAMS_TOO_MANY', { limit: 'streamsPerKeyMax', max: limits.streamsPerKeyMax })
    if (open.size >= limits.streamsMax) throw gatewayError('GATEWAY_BUSY', { limit: 'streamsMax' })
  }
  const handle = async (call: Call): Promise<undefined> => {
    const { caller, reply, request } = call
    checkRoom(caller.keyId)
    open.set(reply.raw, caller.keyId)
    try {
      const cursor = (call.query.cursor ?? request.headers['last-event-id']) as string | undefined
      const start = cursor === undefined ? feed.last() : cursor === '0' ? undefined : cursor
      const reader = createEventReader(feed, start, issuerSeenBy(caller))
      // Before the first byte, while a bad cursor can still be refused.
      const first = await reader.next(limits.streamPageEvents, await reads.some(caller))
      for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
      reply.hijack()
      await serve(reply.raw, { ...ports, reader, start, first, keyId: caller.keyId })
    } finally {
      open.delete(reply.raw)
    }
    return undefined
  }
  return {
    stop: () => {
      for (const response of open.keys()) response.destroy()
    },
    routes: [
      {
        method: 'GET', url: '/v1/stream', operationId: 'streamEvents', tag: 'events', head: false,
        scopes: ['records:read', 'records:read-all'], isReading: true,
        summary: { zh: '事件流（SSE）', en: 'Events as they happen (server-sent events)' },
        description: {
          zh: '从 cursor 或 Last-Event-ID 之后继续；都没有则从现在开始；cursor=0 从头开始。密钥不可读的家族略去；一个都不可读时，事件流结束。',
          en: 'Resumes after cursor or Last-Event-ID; without either it begins now; cursor=0: with the first event. Families that the key may not read are left out; the stream ends when there is no other.',
        },
        query: { cursor: text },
        answers: {
          200: { text: { zh: '事件', en: 'id: the cursor; event: its type; data: JSON' }, schema: { $ref: 'Event#' }, type: 'text/event-stream' },
        },
        errors: ['CURSOR_INVALID', 'CURSOR_AHEAD', 'STREAMS_TOO_MANY', 'GATEWAY_BUSY'],
        handle,
      },
    ],
  }
}

interface Serving extends StreamPorts {
  readonly reader: EventReader
  /** Told in a comment, so that who began "from now on" can resume even before the first event. */
  readonly start: string | undefined
  readonly first: readonly GatewayEvent[]
  readonly keyId: string
}

async function serve(response: ServerResponse, serving: Serving): Promise<void> {
  const { reader, first, clock, limits, logger } = serving
  const news = createNews(serving.feed, clock)
  response.once('close', () => news.stop())
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  try {
    const opening = `retry: ${RECONNECT_MS}\n: cursor ${serving.start ?? '0'}\n\n`
    await write(response, opening + first.map(eventToText).join(''))
    for (let families = await openTo(serving); families !== undefined && isOpen(response); families = await openTo(serving)) {
      const events = await reader.next(limits.streamPageEvents, families)
      if (events.length > 0) await write(response, events.map(eventToText).join(''))
      else if (await isQuiet(news, serving)) await write(response, ': heartbeat\n\n')
    }
    response.end()
  } catch (error) {
    logger.error('an event stream failed inside the gateway', { error })
    response.destroy()
  } finally {
    news.stop()
  }
}

const isOpen = (response: ServerResponse): boolean => !response.destroyed && !response.writableEnded

/** A stream ends with the key that opened it, and when the policy leaves that key no family to read. */
async function openTo({ keys, keyId, reads }: Serving): Promise<Sight['families']> {
  const caller: Caller | undefined = keys.callerWith(keyId)
  const families = caller && (await reads.of(caller))
  return families?.length === 0 ? undefined : families
}

/** Waits for news; true when none came. The key is looked at every second, so that its end is that of the stream. */
async function isQuiet(news: News, serving: Serving): Promise<boolean> {
  const { clock, limits, reader, feed } = serving
  const untilMs = clock.now() + limits.heartbeatMs
  while (clock.now() < untilMs) {
    if ((await openTo(serving)) === undefined) return false
    await news.wait(Math.min(LOOK_MS, untilMs - clock.now()))
    if (news.isStopped || feed.last() !== reader.position) return false
  }
  return (await openTo(serving)) !== undefined
}

const LOOK_MS = 1000

export function eventToText(event: GatewayEvent): string {
  return `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Resolves when the client has taken it, or has gone. */
function write(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed || response.write(text)) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}
