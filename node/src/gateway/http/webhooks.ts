import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { Caller, Feed } from '../model.js'
import { issuerSeenBy } from './route.js'
import { createDelivery, type Delivery, type DeliveryPorts } from './webhook-delivery.js'
import { parseWebhookUrl } from './webhook-hosts.js'
import type { PostOutcome, WebhookPost } from './webhook-post.js'
import { secretToText, WEBHOOK_SECRET_BYTES } from './webhook-signature.js'
import type { DeadLetter } from './webhook-state.js'
import { newWebhookId, type SecretSeal, type StoredWebhook, type WebhookStore } from './webhook-store.js'

export interface NewWebhook {
  readonly url: string
  readonly events?: readonly string[]
}

/** The webhooks of all issuers, each with its delivery. Those of another issuer are as unknown as those that are not. */
export interface Webhooks {
  /** @throws GatewayError `WEBHOOK_URL`, `WEBHOOK_HOST`, `WEBHOOKS_TOO_MANY` */
  create(asked: NewWebhook, caller: Caller): Promise<{ webhook: StoredWebhook; secret: string }>
  list(caller: Caller): StoredWebhook[]
  /** @throws GatewayError `WEBHOOK_UNKNOWN` */
  get(id: string, caller: Caller): ManagedWebhook
  stop(): Promise<void>
}

export interface ManagedWebhook {
  readonly webhook: StoredWebhook
  remove(): Promise<void>
  /** On from where it stands unless another cursor is given. @throws GatewayError `CURSOR_INVALID`, `CURSOR_AHEAD` */
  replay(cursor: string | undefined): Promise<void>
  letters(): Promise<DeadLetter[]>
  /** @throws GatewayError `DEAD_LETTER_UNKNOWN`, `WEBHOOK_SUSPENDED` */
  retry(n: number): Promise<PostOutcome>
}

export interface WebhookPorts extends DeliveryPorts {
  readonly store: WebhookStore
  readonly seal: SecretSeal
  readonly clock: Clock
  readonly webhookHosts: readonly string[]
}

/** Takes up all deliveries where they were. */
export async function openWebhooks(given: WebhookPorts): Promise<Webhooks> {
  const { store, limits } = given
  const ports = { ...given, post: withPlaces(given.post, limits.webhookPostsMax) }
  const deliveries = new Map<string, Delivery>()
  for (const stored of await store.list()) deliveries.set(stored.id, createDelivery(stored, ports))

  return {
    async create(asked, caller) {
      parseWebhookUrl(asked.url, ports.webhookHosts)
      checkRoom([...deliveries.values()], caller, limits)
      const { webhook, secret } = newWebhook(asked, caller, ports)
      await store.save(webhook)
      deliveries.set(webhook.id, createDelivery(webhook, ports))
      return { webhook, secret }
    },
    list: ({ issuer }) => [...deliveries.values()].map(({ webhook }) => webhook).filter((one) => one.issuer === issuer),
    get(id, caller) {
      const { issuer } = caller
      const delivery = deliveries.get(id)
      if (delivery?.webhook.issuer !== issuer) throw gatewayError('WEBHOOK_UNKNOWN', { id })
      const remove = async (): Promise<void> => {
        deliveries.delete(id)
        await delivery.stop()
        await store.remove(id)
      }
      return manage(delivery, { store, feed: ports.feed, remove, caller })
    },
    stop: async () => {
      await Promise.all([...deliveries.values()].map((delivery) => delivery.stop()))
    },
  }
}

interface Managing {
  readonly store: WebhookStore
  readonly feed: Feed
  readonly remove: () => Promise<void>
  readonly caller: Caller
}

function manage(delivery: Delivery, { store, feed, remove, caller }: Managing): ManagedWebhook {
  const { id } = delivery.webhook
  return {
    get webhook() {
      return delivery.webhook
    },
    remove,
    letters: () => store.letters(id),
    async replay(cursor) {
      const after = cursor === undefined ? delivery.webhook.state.cursor : cursor === '0' ? null : cursor
      // A cursor that was never given out is refused here, not later in the dark.
      await feed.read(after ?? undefined, 1)
      await delivery.replay(after, caller)
    },
    async retry(n) {
      const letter = (await store.letters(id)).find((one) => one.n === n)
      if (letter === undefined) throw gatewayError('DEAD_LETTER_UNKNOWN', { n })
      return delivery.retry(letter)
    },
  }
}

function checkRoom(deliveries: readonly Delivery[], { issuer }: Caller, limits: GatewayLimits): void {
  const own = deliveries.filter(({ webhook }) => webhook.issuer === issuer).length
  if (own >= limits.webhooksPerIssuerMax) throw gatewayError('WEBHOOKS_TOO_MANY', { limit: 'webhooksPerIssuerMax', max: limits.webhooksPerIssuerMax })
  if (deliveries.length >= limits.webhooksMax) throw gatewayError('WEBHOOKS_TOO_MANY', { limit: 'webhooksMax', max: limits.webhooksMax })
}

function newWebhook(asked: NewWebhook, caller: Caller, { seal, feed, clock }: WebhookPorts) {
  const id = newWebhookId()
  const secret = randomBytes(WEBHOOK_SECRET_BYTES)
  const webhook: StoredWebhook = {
    id,
    url: asked.url,
    events: asked.events ?? [],
    issuer: caller.issuer,
    isAllIssuers: issuerSeenBy(caller) === undefined,
    createdAtMs: clock.now(),
    keyId: caller.keyId,
    sealedSecret: seal.seal(id, secret),
    state: { cursor: feed.last() ?? null, nextLetter: 1 },
  }
  return { webhook, secret: secretToText(secret) }
}

/** So many posts at one time; the others wait for a place. */
function withPlaces(post: WebhookPost, places: number): WebhookPost {
  let free = places
  const waiting: (() => void)[] = []
  return async (message, signal) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return signal.aborted ? { ok: false, reason: 'stopped' } : await post(message, signal)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
