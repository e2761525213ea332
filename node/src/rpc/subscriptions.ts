import { randomBytes } from 'node:crypto'
import { limitExceeded, RpcError } from './errors.js'
import type { RpcLimits } from './limits.js'

/** The subscriptions of one WebSocket. */
export interface Subscriptions {
  /**
   * @param start begins to feed `notify` with the JSON of each result, and returns how to end it
   * @returns the subscription's id; what is notified before the id has been sent waits for it
   * @throws RPC_LIMIT_EXCEEDED
   */
  add(start: (notify: (result: string) => void) => () => void, afterReply: (run: () => void) => void): string
  /** @throws RPC_SUBSCRIPTION_NOT_FOUND */
  remove(id: string): void
  readonly size: number
  close(): void
}

/** Over all connections. */
export interface SubscriptionCount {
  total: number
}

/** Notifications that wait for the subscription's id to be sent. */
const WAITING_MAX = 1000

export function createSubscriptions(send: (text: string) => void, limits: RpcLimits, count: SubscriptionCount): Subscriptions {
  const ends = new Map<string, () => void>()

  function deliver(id: string, result: string): void {
    send(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${result}}}`)
  }

  return {
    get size() {
      return ends.size
    },
    add(start, afterReply) {
      if (ends.size >= limits.subscriptionsPerConnectionMax) {
        const most = limits.subscriptionsPerConnectionMax
        throw limitExceeded('subscriptionsPerConnectionMax', `this connection has ${most} subscriptions already`)
      }
      if (count.total >= limits.subscriptionsMax) {
        throw limitExceeded('subscriptionsMax', `the node serves ${count.total} subscriptions already; try again`)
      }
      const id = `0x${randomBytes(16).toString('hex')}`
      let waiting: string[] | undefined = []
      const end = start((result) => {
        if (!ends.has(id)) return
        if (waiting && waiting.length < WAITING_MAX) waiting.push(result)
        else {
          flush()
          deliver(id, result)
        }
      })
      count.total++
      ends.set(id, end)
      afterReply(flush)
      return id

      function flush(): void {
        for (const text of waiting ?? []) deliver(id, text)
        waiting = undefined
      }
    },
    remove(id) {
      const end = ends.get(id)
      if (!end) throw new RpcError('RPC_SUBSCRIPTION_NOT_FOUND', `subscription not found: ${id.slice(0, 66)}`)
      ends.delete(id)
      count.total--
      end()
    },
    close() {
      count.total -= ends.size
      for (const end of ends.values()) end()
      ends.clear()
    },
  }
}
