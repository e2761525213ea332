import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import type { Prng } from '../../base/prng.js'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { ApiKeys } from '../api-keys.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { Caller, Feed, GatewayEvent, Sight } from '../model.js'
import type { FamilyReads } from '../reads.js'
import { createEventReader, createNews, type EventReader, type News } from './event-reader.js'
import { issuerSeenBy } from './route.js'
import type { PostFailure, PostOutcome, WebhookPost } from './webhook-post.js'
import { signatureHeaders } from './webhook-signature.js'
import {
  afterFailure, afterSuccess, afterSuspension, type DeadLetter, type Suspension, type WebhookState,
} from './webhook-state.js'
import type { SecretSeal, StoredWebhook, Webhook, WebhookStore } from './webhook-store.js'

export interface DeliveryPorts {
  readonly feed: Feed
  readonly keys: Pick<ApiKeys, 'callerWith'>
  readonly reads: Pick<FamilyReads, 'some' | 'of'>
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
  const delivery = new FeedDelivery(stored, ports)
  delivery.start()
  return delivery
}

class FeedDelivery implements Delivery {
  readonly #ports: DeliveryPorts
  readonly #news: News
  readonly #stopping = new AbortController()
  #webhook: StoredWebhook
  /** Counted up by whatever makes the outcome of a message under way meaningless. */
  #epoch = 0
  #reader: EventReader | undefined
  #readerSees: string | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(stored: StoredWebhook, ports: DeliveryPorts) {
    this.#webhook = stored
    this.#ports = ports
    this.#news = createNews(ports.feed, ports.clock)
  }

  get webhook(): StoredWebhook {
    return this.#webhook
  }

  start(): void {
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#step()
      } catch (error) {
        const fields = { webhook: this.#webhook.id, error: messageOf(error) }
        this.#ports.logger.error('the delivery of a webhook failed inside the gateway', fields)
        this.#reader = undefined
        await this.#news.pause(TROUBLE_MS)
      }
    }
  }

  async #step(): Promise<void> {
    const { clock, limits } = this.#ports
    const { pending, suspended } = this.#webhook.state
    if (suspended !== undefined) return this.#news.pause(LOOK_MS)
    const at = this.#epoch
    const sees = await sightOf(this.#webhook, this.#ports)
    if (this.#epoch !== at) return
    if (typeof sees === 'string') return this.#suspend(sees)
    const pauseMs = (pending?.nextAttemptMs ?? 0) - clock.now()
    if (pauseMs > 0) return this.#news.pause(Math.min(pauseMs, LOOK_MS))
    const page = await nextPage(this.#readerFor(sees), this.#webhook, { sees, limits })
    if (page === undefined) return this.#news.wait(LOOK_MS)
    await this.#deliver(page, { sees, at })
  }

  #readerFor({ issuer }: Sight): EventReader {
    if (this.#readerSees !== issuer) this.#reader = undefined
    this.#readerSees = issuer
    this.#reader ??= createEventReader(this.#ports.feed, this.#webhook.state.cursor ?? undefined, issuer)
    return this.#reader
  }

  /** @param under whose events were read, and the epoch in which they were */
  async #deliver(page: Page & { isFull: boolean }, { sees, at }: { sees: Sight; at: number }): Promise<void> {
    if (this.#epoch !== at) return
    const { state } = this.#webhook
    if (page.events.length === 0) return page.isFull ? this.#save(afterSuccess(state, page.through)) : undefined
    const still = await sightOf(this.#webhook, this.#ports)
    if (this.#epoch !== at) return
    if (typeof still === 'string' || !isSameSight(still, sees)) {
      // Lost while the page was read: what was read is not carried.
      this.#reader = undefined
      return
    }
    const outcome = await postPage(this.#webhook, page, this.#posting())
    if (this.#epoch !== at || this.#stopping.signal.aborted) return
    // The reader may have read past what was carried.
    if (!outcome.ok || state.pending !== undefined) this.#reader = undefined
    if (outcome.ok) return this.#save(afterSuccess(this.#webhook.state, page.through))
    if (outcome.isGone) return this.#suspend('RECEIVER_GONE')
    await this.#tryLater(page, outcome)
  }

  #tryLater(page: Page, outcome: PostFailure): Promise<void> {
    const { clock, prng, limits, logger } = this.#ports
    const { through, events } = page
    const attempt = { through, events: events.length, nowMs: clock.now(), random: prng.next(), limits }
    const { state, letter } = afterFailure(this.#webhook.state, outcome, attempt)
    logger.debug('a webhook could not be delivered', { webhook: this.#webhook.id, reason: outcome.reason })
    return this.#save(state, letter)
  }

  #suspend(reason: Suspension['reason']): Promise<void> {
    this.#ports.logger.warn('a webhook is suspended', { webhook: this.#webhook.id, reason })
    this.#reader = undefined
    return this.#save(afterSuspension(this.#webhook.state, { reason, atMs: this.#ports.clock.now() }))
  }

  #save(state: WebhookState, letter?: DeadLetter): Promise<void> {
    this.#webhook = { ...this.#webhook, state }
    return this.#ports.store.save(this.#webhook, letter)
  }

  #posting(): Posting {
    return { ...this.#ports, signal: this.#stopping.signal }
  }

  async replay(cursor: string | null, caller: Caller): Promise<void> {
    const isWithoutSight = typeof (await sightOf(this.#webhook, this.#ports)) === 'string'
    if (this.#stopping.signal.aborted) return
    this.#epoch++
    this.#reader = undefined
    const { state } = this.#webhook
    if (isWithoutSight || state.suspended !== undefined) this.#webhook = takenOver(this.#webhook, caller)
    await this.#save({ cursor, nextLetter: state.nextLetter })
    this.#news.wake()
  }

  async retry(letter: DeadLetter): Promise<PostOutcome> {
    const webhook = this.#webhook
    const { store, feed, limits } = this.#ports
    const sees = webhook.state.suspended?.reason ?? (await sightOf(webhook, this.#ports))
    if (typeof sees === 'string') throw gatewayError('WEBHOOK_SUSPENDED', { id: webhook.id })
    const page = await pageOf(letter, webhook, { feed, limits, sees })
    const outcome = await postPage(webhook, page, this.#posting())
    if (outcome.ok) await store.removeLetter(webhook.id, letter.n)
    return outcome
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the gateway stops, or the webhook is gone'))
    this.#news.stop()
    await this.#running
  }
}

/** Whose events it may carry, as its key and the policy are now, or why none. @throws GatewayError `GATEWAY_KEYS_UNREADABLE` */
async function sightOf({ keyId, issuer, isAllIssuers }: Webhook, { keys, reads }: Pick<DeliveryPorts, 'keys' | 'reads'>): Promise<Sight | Suspension['reason']> {
  const holder = keys.callerWith(keyId)
  if (holder === undefined) return 'KEY_REVOKED'
  const families = await reads.of(holder)
  if (families.length === 0) return 'READ_LOST'
  return { issuer: isAllIssuers && issuerSeenBy(holder) === undefined ? undefined : issuer, families }
}

const isSameSight = (a: Sight, b: Sight): boolean => a.issuer === b.issuer && String(a.families) === String(b.families)

/** It sees no more than who enables it again does, and no more than it was made for. */
function takenOver(webhook: StoredWebhook, caller: Caller): StoredWebhook {
  const isAllIssuers = webhook.isAllIssuers && issuerSeenBy(caller) === undefined
  return { ...webhook, keyId: caller.keyId, isAllIssuers }
}

/** Undefined when all has been read. A delivery that is tried again ends where it ended at first. */
async function nextPage(
  reader: EventReader,
  { events: types, state }: StoredWebhook,
  { sees, limits }: { readonly sees: Sight; readonly limits: GatewayLimits },
): Promise<(Page & { isFull: boolean }) | undefined> {
  const read = await reader.next(limits.webhookEventsMax, sees.families)
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
  readonly sees: Sight
}

async function pageOf(letter: DeadLetter, webhook: Webhook, { feed, limits, sees }: LetterReading): Promise<Page> {
  const read = await feed.read(letter.after ?? undefined, limits.webhookEventsMax, sees)
  const page = read.filter(({ cursor }) => !isBeyond(cursor, letter.through))
  return { events: page.filter(({ type }) => isWanted(webhook.events, type)), through: letter.through }
}

/** The event at which the letter ended may be of a family that the key no longer reads. */
function isBeyond(cursor: string, through: string): boolean {
  const [[event = 0, index = 0], [lastEvent = 0, lastIndex = 0]] = [cursor, through].map((one) => one.split('.').map(Number)) as [number[], number[]]
  return event > lastEvent || (event === lastEvent && index > lastIndex)
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

