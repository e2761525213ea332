import { systemClock, type Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createRefusals, type RefusalCount } from '../base/refusals.js'
import { createBlockTransactions } from './block-transactions.js'
import { createDispatcher, type DispatcherStats } from './dispatcher.js'
import { createFilters } from './filters.js'
import { createHeadFeed } from './head-feed.js'
import type { DoorOptions } from './host-guard.js'
import { close, createHttpDoor, listen, serveJsonRpc } from './http-door.js'
import { RPC_LIMITS, type RpcLimits } from './limits.js'
import { createLongAnswers } from './long-answers.js'
import { methodTable, type Method } from './method.js'
import { ethBlockMethods } from './methods/eth-blocks.js'
import { ethChainMethods } from './methods/eth-chain.js'
import { ethFilterMethods } from './methods/eth-filters.js'
import { ethStateMethods } from './methods/eth-state.js'
import { ethSubscribeMethods } from './methods/eth-subscribe.js'
import { ethTransactionMethods } from './methods/eth-transactions.js'
import { netMethods } from './methods/net.js'
import { qbftMethods } from './methods/qbft.js'
import { songhuaGovernanceMethods } from './methods/songhua-governance.js'
import { songhuaMethods } from './methods/songhua.js'
import { txpoolMethods } from './methods/txpool.js'
import { web3Methods } from './methods/web3.js'
import { withDiscovery } from './openrpc.js'
import type { RpcPorts } from './ports.js'
import { createAdmission, watchReads } from './read-doors.js'
import { createReceiptWaiter } from './receipt-waiter.js'
import { serveWebSocket } from './websocket-door.js'

export interface RpcServerOptions extends DoorOptions {
  host: string
  /** 0: any free port. */
  port: number
  logger: Logger
  /** Shown in the OpenRPC document. */
  version: string
  limits?: Partial<RpcLimits>
  clock?: Clock
}

export interface RpcServerStats extends DispatcherStats {
  webSocketConnections: number
  subscriptions: number
  filters: number
  receiptWaits: number
  /** Requests whose long answer is not begun yet. */
  longAnswersWaiting: number
  /** HTTP requests that are not answered yet. */
  httpRequests: number
  refusals: RefusalCount[]
}

export interface RpcServer {
  readonly host: string
  /** The port in fact listened on. */
  readonly port: number
  readonly methods: readonly Method[]
  stats(): RpcServerStats
  /** Refuses new requests, answers those under way, closes all connections. */
  stop(): Promise<void>
}

/**
 * JSON-RPC over HTTP and WebSocket on one port.
 * @throws RPC_LISTEN_FAILED
 */
export async function createRpcServer(options: RpcServerOptions, ports: RpcPorts): Promise<RpcServer> {
  const { logger, clock = systemClock } = options
  const limits: RpcLimits = { ...RPC_LIMITS, ...options.limits }
  const { chain, pool, node, reads } = ports
  const transactions = createBlockTransactions(chain)
  const refusals = createRefusals()
  const filters = createFilters(pool, clock, limits)
  // Before the feed of heads, so that nobody is told of the block that closed the door.
  const watch = watchReads({ chain, reads, clock })
  const heads = createHeadFeed(chain, logger)
  const answers = createLongAnswers(limits)
  const receiptWaiter = createReceiptWaiter({ chain, transactions, answers, clock, limits })
  const methods = withDiscovery(
    [
      ...web3Methods(node),
      ...netMethods(node),
      ...ethChainMethods({ ...ports, limits }),
      ...ethBlockMethods({ chain, transactions, answers }),
      ...ethStateMethods({ ...ports, limits }),
      ...ethTransactionMethods({ chain, pool, transactions, answers, receiptWaiter, limits }),
      ...ethFilterMethods({ ...ports, filters, limits }),
      ...ethSubscribeMethods({ heads, pool, limits }),
      ...txpoolMethods({ pool, answers, limits }),
      ...qbftMethods({ chain, limits }),
      ...songhuaMethods(ports),
      ...songhuaGovernanceMethods({ ...ports, clock }),
    ],
    options.version,
  )
  const dispatcher = createDispatcher({ methods: methodTable(methods), limits, logger, refusals, admit: createAdmission(methods, reads) })
  const server = createHttpDoor({ ...options, limits, refusals })
  const sockets = await serveWebSocket(server, { ...options, dispatcher, limits, clock, refusals })
  for (const holder of [filters, sockets]) watch.add(holder)
  const http = serveJsonRpc(server, dispatcher, limits)
  const stop = async (): Promise<void> => {
    watch.stop()
    receiptWaiter.stop()
    heads.stop()
    filters.stop()
    await close(server, clock)
  }
  const port = await listen(server, options.host, options.port).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    host: options.host,
    port,
    methods,
    stop,
    stats: () => {
      const { connections, subscriptions } = sockets.stats()
      return {
        ...dispatcher.stats(),
        webSocketConnections: connections,
        subscriptions,
        filters: filters.size,
        receiptWaits: receiptWaiter.size,
        longAnswersWaiting: answers.waiting,
        httpRequests: http.requests(),
        refusals: refusals.list(),
      }
    },
  }
}
