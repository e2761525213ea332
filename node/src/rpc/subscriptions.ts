import { randomBytes } from 'node:crypto'
import type { ShareBudget } from '../base/share-budget.js'
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

/** Notifications that wait for the subscription's id to be sent. */
const WAITING_MAX = 1000

interface Ports {
  readonly send: (text: string) => void
  readonly client: string
  readonly limits: RpcLimits
  /** Subscriptions over all connections. */
  readonly places: ShareBudget
}

export function createSubscriptions({ send, client, limits, places }: Ports): Subscriptions {
  const ends = new Map<string, () => void>()

  function deliver(id: string, result: string): void {
    send(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${result}}}`)
  }

  function takePlace(): () => void {
    const taken = places.take(client, 1)
    if (taken === 'total') {
      throw limitExceeded('subscriptionsMax', `the node serves ${limits.subscriptionsMax} subscriptions already; try again`)
    }
    if (taken === 'share') {
      throw limitExceeded('subscriptionsPerAddressMax', `your address has ${limits.subscriptionsPerAddressMax} subscriptions already`)
    }
    return taken
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
      const leave = takePlace()
      const id = `0x${randomBytes(16).toString('hex')}`
      let waiting: string[] | undefined = []
      try {
        const end = start((result) => {
          if (!ends.has(id)) return
          if (waiting && waiting.length < WAITING_MAX) waiting.push(result)
          else {
            flush()
            deliver(id, result)
          }
        })
        ends.set(id, () => {
          leave()
          end()
        })
      } catch (error) {
        leave()
        throw error
      }
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
      end()
    },
    close() {
      for (const end of ends.values()) end()
      ends.clear()
    },
  }
}
