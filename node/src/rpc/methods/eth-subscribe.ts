import { z } from 'zod'
import { createShareBudget } from '../../base/share-budget.js'
import { invalidParams, limitExceeded, RpcError } from '../errors.js'
import type { FedBlock, HeadFeed } from '../head-feed.js'
import { headerToJson, logToJson, transactionToJson } from '../json.js'
import type { RpcLimits } from '../limits.js'
import { memoizeLast } from '../memoize-last.js'
import { createBloomCheck, matchesLog, type LogFilter } from '../log-filter.js'
import { defineMethod, faultyParam, param, type Method, type Session } from '../method.js'
import type { LocatedLog, PoolAccess } from '../ports.js'
import type { Transaction } from '@songhua/sdk/protocol/transaction'
import { logSubscription } from '../schemas.js'
import type { Subscriptions } from '../subscriptions.js'

interface Ports {
  heads: HeadFeed
  pool: Pick<PoolAccess, 'onAdded'>
  limits: RpcLimits
}

/** Takes JSON: what many are told is put into words once. */
type Notify = (result: string) => void
const KINDS = ['newHeads', 'logs', 'newPendingTransactions'] as const
const kind = z.enum(KINDS, `must be one of ${KINDS.join(', ')}`)
/** What they may be depends on the kind. */
const OPTIONS = param('options', z.unknown())
const subscriptionId = z.string('must be a subscription id').max(66, 'must be a subscription id')

export function ethSubscribeMethods({ heads, pool, limits }: Ports): Method[] {
  const headText = memoizeLast(({ header, hash }: FedBlock) => JSON.stringify(headerToJson(header, hash)))
  const hashText = memoizeLast(({ hash }: Transaction) => JSON.stringify(hash))
  const wholeText = memoizeLast((transaction: Transaction) => JSON.stringify(transactionToJson(transaction, undefined)))
  const logText = createLogTexts()
  const pending = createShareBudget({
    totalMax: limits.pendingSubscriptionsMax,
    shareMax: limits.pendingSubscriptionsPerAddressMax,
  })
  const feeds = { newHeads, logs, newPendingTransactions }
  return [
    defineMethod({
      name: 'eth_subscribe',
      summary: 'Subscribes to new heads, to logs or to transactions as they enter the pool; over WebSocket',
      params: [param('kind', kind), OPTIONS],
      result: z.string(),
      handler: ([wanted, options], session) =>
        pushing(session).add(feeds[wanted](options ?? undefined, session.client), session.afterReply),
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
    return (notify) => heads.subscribe((block) => notify(headText(block)))
  }

  function logs(options: unknown): (notify: Notify) => () => void {
    const filter: LogFilter = parseOptions(logSubscription, options ?? {})
    const mayMatch = createBloomCheck(filter)
    return (notify) =>
      heads.subscribe((block) => {
        if (!mayMatch(block.header.logsBloom)) return
        for (const located of block.logs()) if (matchesLog(filter, located.log)) notify(logText(located))
      })
  }

  function newPendingTransactions(options: unknown, client: string): (notify: Notify) => () => void {
    const whole = parseOptions(
      z.boolean('must be true for whole transactions or false for their hashes').optional(),
      options,
    )
    const textOf = whole ? wholeText : hashText
    return (notify) => {
      const leave = pending.take(client, 1)
      if (leave === 'total') throw tooManyPending('pendingSubscriptionsMax', 'the node serves')
      if (leave === 'share') throw tooManyPending('pendingSubscriptionsPerAddressMax', 'your address has')
      const end = pool.onAdded((transaction) => notify(textOf(transaction)))
      return () => {
        leave()
        end()
      }
    }
  }

  function tooManyPending(limit: 'pendingSubscriptionsMax' | 'pendingSubscriptionsPerAddressMax', who: string): RpcError {
    return limitExceeded(limit, `${who} ${limits[limit]} subscriptions to pending transactions already`)
  }
}

/** A log's JSON, made once for all whom it is told; forgotten with its block. */
function createLogTexts(): (located: LocatedLog) => string {
  const texts = new WeakMap<LocatedLog, string>()
  return (located) => {
    const known = texts.get(located)
    if (known !== undefined) return known
    const text = JSON.stringify(logToJson(located))
    texts.set(located, text)
    return text
  }
}

function pushing({ subscriptions }: Session): Subscriptions {
  if (subscriptions) return subscriptions
  throw new RpcError('RPC_NOTIFICATIONS_UNSUPPORTED', 'notifications not supported over HTTP; connect over WebSocket')
}

function parseOptions<S extends z.ZodType>(schema: S, options: unknown, message?: string): z.output<S> {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  if (message !== undefined) throw invalidParams(`invalid argument 1 (options): ${message}`, { argument: 1, name: 'options', path: 'options' })
  throw faultyParam({ one: OPTIONS, position: 1 }, parsed.error)
}
