import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import type { Prng } from '../../base/prng.js'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { ApiKeys } from '../api-keys.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { Caller, Feed, GatewayEvent } from '../model.js'
import { createEventReader, createNews, type EventReader } from './event-reader.js'
import { issuerSeenBy } from './route.js'
import type { PostOutcome, WebhookPost } from './webhook-post.js'
import { signatureHeaders } from './webhook-signature.js'
import {
  afterFailure, afterSuccess, afterSuspension, type DeadLetter, type Suspension, type WebhookState,
} from './webhook-state.js'
import type { SecretSeal, StoredWebhook, Webhook, WebhookStore } from './webhook-store.js'

export interface DeliveryPorts {
  readonly feed: Feed
  readonly keys: Pick<ApiKeys, 'callerWith'>
  readonly store: WebhookStore
  readonly seal: SecretSeal
  readonly post: WebhookPost
  readonly clock: Clock
  readonly prng: Prng
  readonly limits: GatewayLimits
  readonly logger: Logger
}

/** Carries the events of the feed to one webhook, in order, each at least once. */
export interface Delivery {
  readonly webhook: StoredWebhook
  /** Goes on after this cursor; null: from the beginning. Who enables it again answers for it from then on. */
  replay(cursor: string | null, caller: Caller): Promise<void>
  /** Tries a dead letter once; gone when it arrived. @throws GatewayError `WEBHOOK_SUSPENDED` */
  retry(letter: DeadLetter): Promise<PostOutcome>
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

/** Events that go in one message, and the last that was read for it. */
interface Page {
  readonly events: readonly GatewayEvent[]
  readonly through: string
}

/** How long it pauses when the gateway's own disk fails, ms; and looks for news, and for its key, without being told. */
const TROUBLE_MS = 5_000
const LOOK_MS = 10_000

export function createDelivery(stored: StoredWebhook, ports: DeliveryPorts): Delivery {
  const { feed, keys, store, clock, prng, limits, logger } = ports
  const news = createNews(feed, clock)
  const stopping = new AbortController()
  let webhook = stored
  // Counted up by whatever makes the outcome of a message under way meaningless.
  let epoch = 0
  let reader: EventReader | undefined
  let readsAsOf: string | undefined

  const save = (state: WebhookState, letter?: DeadLetter): Promise<void> => {
    webhook = { ...webhook, state }
    return store.save(webhook, letter)
  }

  const suspend = (reason: Suspension['reason']): Promise<void> => {
    logger.warn('a webhook is suspended', { webhook: webhook.id, reason })
    reader = undefined
    return save(afterSuspension(webhook.state, { reason, atMs: clock.now() }))
  }

  async function step(): Promise<void> {
    const { pending, suspended } = webhook.state
    if (suspended !== undefined) return news.pause(LOOK_MS)
    const sees = sightOf(webhook, keys)
    if (sees === undefined) return suspend('KEY_REVOKED')
    const pauseMs = (pending?.nextAttemptMs ?? 0) - clock.now()
    if (pauseMs > 0) return news.pause(Math.min(pauseMs, LOOK_MS))
    const page = await nextPage(readerFor(sees), webhook, limits)
    if (page === undefined) return news.wait(LOOK_MS)
    // The key may have been revoked while the page was read.
    if (sightOf(webhook, keys)?.issuer !== sees.issuer) return
    if (page.events.length === 0) return page.isFull ? save(afterSuccess(webhook.state, page.through)) : undefined
    await deliver(page)
  }

  function readerFor({ issuer }: Sight): EventReader {
    if (readsAsOf !== issuer) reader = undefined
    readsAsOf = issuer
    return (reader ??= createEventReader(feed, webhook.state.cursor ?? undefined, issuer))
  }

  async function deliver(page: Page): Promise<void> {
    const at = epoch
    const outcome = await postPage(webhook, page, { ...ports, signal: stopping.signal })
    if (epoch !== at || stopping.signal.aborted) return
    // The reader may have read past what was carried.
    if (!outcome.ok || webhook.state.pending !== undefined) reader = undefined
    if (outcome.ok) return save(afterSuccess(webhook.state, page.through))
    if (outcome.isGone) return suspend('RECEIVER_GONE')
    const attempt = { through: page.through, events: page.events.length, nowMs: clock.now(), random: prng.next(), limits }
    const { state, letter } = afterFailure(webhook.state, outcome, attempt)
    logger.debug('a webhook could not be delivered', { webhook: webhook.id, reason: outcome.reason })
    await save(state, letter)
  }

  const running = repeat(step, stopping.signal, async (error) => {
    logger.error('the delivery of a webhook failed inside the gateway', { webhook: stored.id, error: messageOf(error) })
    reader = undefined
    await news.pause(TROUBLE_MS)
  })
  return {
    get webhook() {
      return webhook
    },
    async replay(cursor, caller) {
      if (stopping.signal.aborted) return
      epoch++
      reader = undefined
      const isSuspended = webhook.state.suspended !== undefined || sightOf(webhook, keys) === undefined
      if (isSuspended) webhook = takenOver(webhook, caller)
      await save({ cursor, nextLetter: webhook.state.nextLetter })
      news.wake()
    },
    async retry(letter) {
      const sees = webhook.state.suspended === undefined ? sightOf(webhook, keys) : undefined
      if (sees === undefined) throw gatewayError('WEBHOOK_SUSPENDED', { id: webhook.id })
      const page = await pageOf(letter, webhook, { feed, limits, issuer: sees.issuer })
      const outcome = await postPage(webhook, page, { ...ports, signal: stopping.signal })
      if (outcome.ok) await store.removeLetter(webhook.id, letter.n)
      return outcome
    },
    async stop() {
      stopping.abort(new Error('the gateway stops, or the webhook is gone'))
      news.stop()
      await running
    },
  }
}

/** Whose events it may carry: of one issuer, or, undefined, of all. */
interface Sight {
  readonly issuer: string | undefined
}

/** As its key's scopes are now; undefined when that key is no more. @throws GatewayError `GATEWAY_KEYS_UNREADABLE` */
function sightOf({ keyId, issuer, isAllIssuers }: Webhook, keys: DeliveryPorts['keys']): Sight | undefined {
  const holder = keys.callerWith(keyId)
  return holder && { issuer: isAllIssuers && issuerSeenBy(holder) === undefined ? undefined : issuer }
}

/** It sees no more than who enables it again does, and no more than it was made for. */
function takenOver(webhook: StoredWebhook, caller: Caller): StoredWebhook {
  const isAllIssuers = webhook.isAllIssuers && issuerSeenBy(caller) === undefined
  return { ...webhook, keyId: caller.keyId, isAllIssuers }
}

async function repeat(step: () => Promise<void>, until: AbortSignal, onError: (error: unknown) => Promise<void>): Promise<void> {
  while (!until.aborted) await step().catch(onError)
}

/** Undefined when all has been read. A delivery that is tried again ends where it ended at first. */
async function nextPage(
  reader: EventReader,
  { events: types, state }: StoredWebhook,
  limits: GatewayLimits,
): Promise<(Page & { isFull: boolean }) | undefined> {
  const read = await reader.next(limits.webhookEventsMax)
  const cut = read.findIndex(({ cursor }) => cursor === state.pending?.through)
  const page = cut === -1 ? read : read.slice(0, cut + 1)
  const through = page.at(-1)?.cursor
  if (through === undefined) return undefined
  return { events: page.filter(({ type }) => isWanted(types, type)), through, isFull: page.length === limits.webhookEventsMax }
}

const isWanted = (types: readonly string[], type: string): boolean => types.length === 0 || types.includes(type)

interface LetterReading {
  readonly feed: Feed
  readonly limits: GatewayLimits
  readonly issuer: string | undefined
}

async function pageOf(letter: DeadLetter, webhook: Webhook, { feed, limits, issuer }: LetterReading): Promise<Page> {
  const read = await feed.read(letter.after ?? undefined, limits.webhookEventsMax, issuer)
  const page = read.slice(0, read.findIndex(({ cursor }) => cursor === letter.through) + 1)
  return { events: page.filter(({ type }) => isWanted(webhook.events, type)), through: letter.through }
}

type Posting = Pick<DeliveryPorts, 'seal' | 'post' | 'clock'> & { readonly signal: AbortSignal }

/** The same events make the same message, whichever attempt it is: its id is made of what it carries. */
async function postPage(webhook: StoredWebhook, { events, through }: Page, posting: Posting): Promise<PostOutcome> {
  const { seal, post, clock, signal } = posting
  const body = JSON.stringify({ type: 'songhua.events', events })
  const name = `${webhook.id} ${events[0]?.cursor ?? ''} ${through}`
  const id = `msg_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  let secret: Uint8Array
  try {
    secret = seal.open(webhook.id, webhook.sealedSecret)
  } catch {
    return { ok: false, reason: 'its secret cannot be read: the key folder is not the one it was made with' }
  }
  const headers = signatureHeaders(secret, { id, timestampS: Math.floor(clock.now() / 1000), body })
  return post({ url: webhook.url, headers, body }, signal)
}

