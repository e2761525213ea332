import type { GatewayLimits } from '../limits.js'
import type { GatewayEvent } from '../model.js'
import type { FamilyReads } from '../reads.js'
import { toTime } from './record-view.js'
import type { Call, Route, Schema } from './route.js'
import { type DeadLetter, SUSPENSION_TEXTS, type Suspension } from './webhook-state.js'
import type { StoredWebhook } from './webhook-store.js'
import type { ManagedWebhook, NewWebhook, Webhooks } from './webhooks.js'

const EVENT_TYPES = ['record.anchored', 'record.erased', 'record.held', 'record.released'] as const satisfies readonly GatewayEvent['type'][]

const text: Schema = { type: 'string', minLength: 1, maxLength: 64 }
const webhook: Schema = { $ref: 'Webhook#' }
const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties, required: Object.keys(properties) })

type Common = Pick<Route, 'tag' | 'scopes'>
const common = { tag: 'events', scopes: ['webhooks:manage'] } as const satisfies Common

export interface WebhookRoutePorts {
  readonly webhooks: Webhooks
  readonly reads: Pick<FamilyReads, 'some'>
  readonly limits: GatewayLimits
}

export function webhookRoutes(ports: WebhookRoutePorts): Route[] {
  const { webhooks, limits } = ports
  const of = ({ params, caller }: Call): ManagedWebhook => webhooks.get(params.id!, caller)
  const toRead = async (call: Call): Promise<ManagedWebhook> => {
    const found = of(call)
    await ports.reads.some(call.caller)
    return found
  }
  return [...collectionRoutes(ports), ...itemRoutes(of, toRead), ...letterRoutes({ of, toRead, limits })]
}

function collectionRoutes({ webhooks, reads, limits }: WebhookRoutePorts): Route[] {
  const body: Schema = {
    type: 'object',
    properties: {
      url: { type: 'string', minLength: 1, maxLength: limits.webhookUrlCharactersMax },
      events: { type: 'array', items: { type: 'string', enum: EVENT_TYPES }, minItems: 1, maxItems: EVENT_TYPES.length, description: 'all unless given' },
    },
    required: ['url'],
    additionalProperties: false,
  }
  return [
    {
      ...common, method: 'POST', url: '/v1/webhooks', operationId: 'createWebhook', isReading: true,
      summary: { zh: '登记网络回调', en: 'Have events sent to a URL' },
      description: {
        zh: [
          '按 Standard Webhooks 签名；失败后以 5 秒至 6 小时的间隔重试三天，其后转入死信。主机须由运维许可。',
          '其密钥被撤销、按链上策略不再可读任何家族，或接收方答复 410 时暂停，事件不丢失；见 …/replay。密钥不可读的家族略去。',
        ].join(''),
        en: [
          'Signed per Standard Webhooks; retried with pauses of 5 s to 6 h for three days, then a dead letter.',
          'The operator allows hosts. It is suspended when its key is revoked, or may read no family any more by the chain\'s policy,',
          'or its receiver answers 410 Gone; no event is lost: see …/replay. Families that its key may not read are left out.',
        ].join(' '),
      },
      body: { limit: 'smallBodyBytesMax', content: { 'application/json': body } },
      answers: {
        201: { text: { zh: '已登记；secret 仅此一次', en: 'made; the secret is told this once' }, schema: { allOf: [webhook, object({ secret: text })] } },
      },
      errors: ['WEBHOOK_URL', 'WEBHOOK_HOST', 'WEBHOOKS_TOO_MANY'],
      handle: async (call) => {
        await reads.some(call.caller)
        const made = await webhooks.create(call.body as NewWebhook, call.caller)
        void call.reply.code(201).header('cache-control', 'no-store')
        return { ...webhookToJson(made.webhook), secret: made.secret }
      },
    },
    {
      ...common, method: 'GET', url: '/v1/webhooks', operationId: 'listWebhooks',
      summary: { zh: '网络回调列表', en: 'The webhooks of the issuer' },
      answers: { 200: { text: { zh: '列表', en: 'all of them' }, schema: object({ webhooks: { type: 'array', items: webhook } }) } },
      errors: [],
      handle: ({ caller }) => ({ webhooks: webhooks.list(caller).map(webhookToJson) }),
    },
  ]
}

function itemRoutes(of: (call: Call) => ManagedWebhook, toRead: (call: Call) => Promise<ManagedWebhook>): Route[] {
  const params = { id: text }
  return [
    {
      ...common, method: 'GET', url: '/v1/webhooks/:id', operationId: 'getWebhook', params,
      summary: { zh: '查看网络回调', en: 'A webhook and where it stands' },
      answers: { 200: { text: { zh: '网络回调', en: 'the webhook' }, schema: webhook } },
      errors: ['WEBHOOK_UNKNOWN'],
      handle: (call) => webhookToJson(of(call).webhook),
    },
    {
      ...common, method: 'DELETE', url: '/v1/webhooks/:id', operationId: 'deleteWebhook', params,
      summary: { zh: '删除网络回调', en: 'Delete a webhook, with its dead letters' },
      answers: { 204: { text: { zh: '已删除', en: 'gone' } } },
      errors: ['WEBHOOK_UNKNOWN'],
      handle: async (call) => {
        await of(call).remove()
        void call.reply.code(204).send()
        return undefined
      },
    },
    {
      ...common, method: 'POST', url: '/v1/webhooks/:id/replay', operationId: 'replayWebhook', params, isReading: true,
      summary: { zh: '自某处起重发；已暂停者重新启用', en: 'Send again what came after a cursor; enable it again' },
      description: {
        zh: '不给 cursor 则从停下之处继续。暂停后由谁启用，即由谁的密钥负责，其可见范围不超过该密钥。',
        en: 'Without a cursor it goes on where it stands. Who enables a suspended one answers for it, and it sees no more than that key does.',
      },
      body: {
        limit: 'smallBodyBytesMax',
        content: {
          'application/json': {
            type: 'object',
            properties: { cursor: { ...text, description: '0: from the beginning' } },
            additionalProperties: false,
          },
        },
      },
      answers: { 200: { text: { zh: '网络回调', en: 'the webhook' }, schema: webhook } },
      errors: ['WEBHOOK_UNKNOWN', 'CURSOR_INVALID', 'CURSOR_AHEAD'],
      handle: async (call) => {
        await (await toRead(call)).replay((call.body as { cursor?: string }).cursor)
        return webhookToJson(of(call).webhook)
      },
    },
  ]
}

interface LetterPorts {
  readonly of: (call: Call) => ManagedWebhook
  readonly toRead: (call: Call) => Promise<ManagedWebhook>
  readonly limits: GatewayLimits
}

function letterRoutes({ of, toRead, limits }: LetterPorts): Route[] {
  return [
    {
      ...common, method: 'GET', url: '/v1/webhooks/:id/dead-letters', operationId: 'listDeadLetters', params: { id: text },
      summary: { zh: '死信列表', en: 'Deliveries that were given up' },
      description: { zh: `保留最近 ${limits.deadLettersMax} 封。`, en: `The last ${limits.deadLettersMax} are kept.` },
      answers: {
        200: { text: { zh: '由旧到新', en: 'newest last' }, schema: object({ deadLetters: { type: 'array', items: { $ref: 'DeadLetter#' } } }) },
      },
      errors: ['WEBHOOK_UNKNOWN'],
      handle: async (call) => ({ deadLetters: (await of(call).letters()).map(letterToJson) }),
    },
    {
      ...common, method: 'POST', url: '/v1/webhooks/:id/dead-letters/:n/retry', operationId: 'retryDeadLetter', isReading: true,
      params: { id: text, n: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' } },
      summary: { zh: '重试死信', en: 'Try a dead letter once more' },
      answers: {
        200: {
          text: { zh: '是否送达', en: 'whether it arrived; if so it is gone' },
          schema: { type: 'object', properties: { delivered: { type: 'boolean' }, failure: { type: 'string' } }, required: ['delivered'] },
        },
      },
      errors: ['WEBHOOK_UNKNOWN', 'WEBHOOK_SUSPENDED', 'DEAD_LETTER_UNKNOWN'],
      handle: async (call) => {
        const outcome = await (await toRead(call)).retry(Number(call.params.n))
        return outcome.ok ? { delivered: true } : { delivered: false, failure: outcome.reason }
      },
    },
  ]
}

function webhookToJson({ id, url, events, createdAtMs, state }: StoredWebhook): Record<string, unknown> {
  const { pending, suspended } = state
  return {
    id,
    url,
    events,
    createdAt: toTime(createdAtMs),
    state: suspended ? 'suspended' : 'active',
    ...(suspended ? { suspended: suspensionToJson(suspended) } : {}),
    cursor: state.cursor,
    attempts: pending?.attempts ?? 0,
    ...(pending ? { nextAttemptAt: toTime(pending.nextAttemptMs), lastFailure: pending.lastFailure } : {}),
  }
}

function suspensionToJson({ reason, atMs }: Suspension): Record<string, unknown> {
  return { reason, ...SUSPENSION_TEXTS[reason], at: toTime(atMs) }
}

function letterToJson({ atMs, ...letter }: DeadLetter): Record<string, unknown> {
  return { ...letter, at: toTime(atMs) }
}
