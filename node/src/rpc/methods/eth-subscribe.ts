import { z } from 'zod'
import { invalidParams, RpcError } from '../errors.js'
import type { HeadFeed } from '../head-feed.js'
import { headerToJson, logToJson, transactionToJson } from '../json.js'
import { createBloomCheck, matchesLog, type LogFilter } from '../log-filter.js'
import { defineMethod, param, type Method, type Session } from '../method.js'
import type { PoolAccess } from '../ports.js'
import { logSubscription } from '../schemas.js'
import type { Subscriptions } from '../subscriptions.js'

interface Ports {
  heads: HeadFeed
  pool: Pick<PoolAccess, 'onAdded'>
}

type Notify = (result: unknown) => void
const KINDS = ['newHeads', 'logs', 'newPendingTransactions'] as const
const kind = z.enum(KINDS, `must be one of ${KINDS.join(', ')}`)
const subscriptionId = z.string('must be a subscription id').max(66, 'must be a subscription id')

export function ethSubscribeMethods({ heads, pool }: Ports): Method[] {
  const feeds = { newHeads, logs, newPendingTransactions }
  return [
    defineMethod({
      name: 'eth_subscribe',
      summary: 'Subscribes to new heads, to logs or to transactions as they enter the pool; over WebSocket',
      params: [param('kind', kind), param('options', z.unknown())],
      result: z.string(),
      handler: ([wanted, options], session) =>
        pushing(session).add(feeds[wanted](options ?? undefined), session.afterReply),
    }),
    defineMethod({
      name: 'eth_unsubscribe',
      summary: 'Ends a subscription; over WebSocket',
      params: [param('subscription', subscriptionId)],
      result: z.boolean(),
      handler: ([id], session) => {
        pushing(session).remove(id)
        return true
      },
    }),
  ]

  function newHeads(options: unknown): (notify: Notify) => () => void {
    parseOptions(z.undefined(), options, 'newHeads takes no options')
    return (notify) => heads.subscribe(({ header, hash }) => notify(headerToJson(header, hash)))
  }

  function logs(options: unknown): (notify: Notify) => () => void {
    const filter: LogFilter = parseOptions(logSubscription, options ?? {})
    const mayMatch = createBloomCheck(filter)
    return (notify) =>
      heads.subscribe((block) => {
        if (!mayMatch(block.header.logsBloom)) return
        for (const located of block.logs()) if (matchesLog(filter, located.log)) notify(logToJson(located))
      })
  }

  function newPendingTransactions(options: unknown): (notify: Notify) => () => void {
    const whole = parseOptions(
      z.boolean('must be true for whole transactions or false for their hashes').optional(),
      options,
    )
    return (notify) =>
      pool.onAdded((transaction) => notify(whole ? transactionToJson(transaction, undefined) : transaction.hash))
  }
}

function pushing({ subscriptions }: Session): Subscriptions {
  if (subscriptions) return subscriptions
  throw new RpcError('RPC_NOTIFICATIONS_UNSUPPORTED', 'notifications not supported over HTTP; connect over WebSocket')
}

function parseOptions<S extends z.ZodType>(schema: S, options: unknown, message?: string): z.output<S> {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = ['options', ...(issue?.path ?? [])].map(String).join('.')
  throw invalidParams(`invalid argument 1 (${path}): ${message ?? issue?.message ?? 'invalid'}`, {
    argument: 1,
    name: 'options',
    path,
  })
}
