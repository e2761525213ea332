import type { Feed, GatewayEvent, Sight } from '../model.js'

/** Where a reader of the feed is, and what it may see. */
export interface EventReader {
  /** The cursor after which it reads next; undefined: the beginning. */
  readonly position: string | undefined
  /** The next events of these families, of all when undefined; none when all have been read. @throws GatewayError `CURSOR_INVALID` */
  next(limit: number, families: Sight['families']): Promise<readonly GatewayEvent[]>
}

/** @param issuer only of this one; undefined: of all */
export function createEventReader(feed: Feed, start: string | undefined, issuer: string | undefined): EventReader {
  let position = start
  return {
    get position() {
      return position
    },
    async next(limit, families) {
      const last = feed.last()
      const events = await feed.read(position, limit, { issuer, families })
      // What others have written before `last` has been passed over, and need not be looked at again.
      const passed = events.length < limit ? last : undefined
      position = events.at(-1)?.cursor ?? passed ?? position
      return events
    },
  }
}

/** Resolves at the next news, at once when some has come since the last call, or after `ms`. */
export interface News {
  wait(ms: number): Promise<void>
  /** Resolves after `ms`, news or not; at once when it is woken or stopped. */
  pause(ms: number): Promise<void>
  wake(): void
  readonly isStopped: boolean
  stop(): void
}

export function createNews(feed: Feed, clock: { after(delayMs: number, run: () => void): () => void }): News {
  let isNew = false
  let isStopped = false
  let wake: () => void = () => undefined
  let wakeForNews: () => void = () => undefined
  const unsubscribe = feed.onNews(() => {
    isNew = true
    wakeForNews()
  })
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  return {
    get isStopped() {
      return isStopped
    },
    async wait(ms) {
      if (!isNew && !isStopped) {
        const slept = sleep(ms)
        wakeForNews = wake
        await slept
      }
      wakeForNews = () => undefined
      isNew = false
    },
    async pause(ms) {
      if (!isStopped) await sleep(ms)
    },
    wake: () => {
      isNew = true
      wake()
    },
    stop() {
      unsubscribe()
      isStopped = true
      wake()
    },
  }
}
