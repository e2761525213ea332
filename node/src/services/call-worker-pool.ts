import { EMPTY_BYTES } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { systemClock, type Clock } from '../base/clock.js'
import { type FairQueue, createFairQueue } from '../base/fair-queue.js'
import type { Logger } from '../base/logger.js'
import type { GovernanceReads, HistorySearch, StateAccess } from '../rpc/ports.js'
import { callError, type TaskName, type TaskRequest, type WorkerSettings } from './call-worker-protocol.js'
import { requireHeader, stateAfter, type TaskStore } from './call-worker-tasks.js'
import { createCallThread } from './call-worker-thread.js'

export interface CallServiceOptions extends WorkerSettings {
  /** Workers at most; each starts when it is first needed. */
  threads?: number
  /** Time of one task, ms; a worker that overruns is ended and replaced. */
  timeoutMs?: number
  /** Tasks that wait for a worker. */
  queueMax?: number
  /** Of one client: addresses wait in lanes of their own, and take turns. */
  queuePerClientMax?: number
  /** How long a task may wait for a worker, ms: its client has gone long before the whole queue has had its turn. */
  waitMs?: number
  /** A worker has read a store that is damaged. */
  onDamage?: (error: Error) => void
  logger: Logger
  clock?: Clock
}

/**
 * State and history for the RPC server. Single accounts and slots are read here, 0.1 ms each; calls, estimates,
 * proofs and searches run in worker threads, so that none of them holds up consensus.
 */
export interface CallService extends StateAccess, HistorySearch, GovernanceReads {
  stats(): { workers: number; running: number; waiting: number; timeouts: number }
  stop: () => Promise<void>
}

export const CALL_DEFAULTS = { threads: 1, timeoutMs: 5_000, queueMax: 256, queuePerClientMax: 64, waitMs: 15_000 } as const

/** @param store the same database, for what is read at once */
export function createCallService(
  options: CallServiceOptions,
  store: Pick<TaskStore, 'header' | 'state'>,
): CallService {
  const workers = createWorkers(options)
  const stateOf = (block: number) => stateAfter(store, requireHeader(store, block))
  const run = <N extends TaskName>(name: N) =>
    ((...args: [{ client: string }, ...unknown[]]) => workers.run({ name, args }, args[0].client)) as CallService[N]
  return {
    account: (block, address) => attempt(() => stateOf(block).getAccount(address)),
    storage: (block, address, slot) => attempt(() => stateOf(block).getStorage(address, slot)),
    code: (block, address) =>
      attempt(() => {
        const account = stateOf(block).getAccount(address)
        return account ? store.state.getCode(account.codeHash) : EMPTY_BYTES
      }),
    proof: run('proof'),
    call: run('call'),
    estimateGas: run('estimateGas'),
    logs: run('logs'),
    rewards: run('rewards'),
    governance: run('governance'),
    stats: () => workers.stats(),
    stop: () => workers.stop(),
  }
}

function attempt<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()))
}

function queueFull(limit: keyof CallServiceOptions, message: string): Error {
  return callError('CALL_QUEUE_FULL', `${message}; try again (limit ${limit})`, { limit })
}

interface Task {
  request: TaskRequest
  sinceMs: number
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

interface Workers {
  run(request: TaskRequest, client: string): Promise<unknown>
  stats: CallService['stats']
  stop: () => Promise<void>
}

const createTaskQueue = (totalMax: number, shareMax: number): FairQueue<Task> =>
  createFairQueue({
    totalMax,
    shareMax,
    onDisplaced: ({ reject }) => reject(queueFull('queueMax', `${totalMax} calls wait already, of your address more than of others`)),
  })

/** Tasks wait in lanes, one for each client; each thread runs one at a time. */
function createWorkers(options: CallServiceOptions): Workers {
  const {
    threads: count,
    timeoutMs,
    queueMax,
    queuePerClientMax,
    waitMs,
    clock,
    logger,
    onDamage = () => undefined,
    ...settings
  } = { ...CALL_DEFAULTS, clock: systemClock, ...options }
  const threads = Array.from({ length: count }, () => createCallThread(settings, { timeoutMs, clock, logger }))
  const idle = [...threads]
  const queue = createTaskQueue(queueMax, queuePerClientMax)
  let isStopped = false

  function refuseOverdue(): void {
    for (const { reject } of queue.expire(({ sinceMs }) => clock.now() - sinceMs > waitMs)) {
      const message = `no worker was free for ${waitMs} ms; try again (limit waitMs)`
      reject(callError('CALL_QUEUE_FULL', message, { limit: 'waitMs' }))
    }
  }

  function assign(): void {
    refuseOverdue()
    while (queue.size > 0) {
      // A thread that has its worker already comes before one that would have to start it.
      const thread = idle.find(({ isStarted }) => isStarted()) ?? idle[0]
      if (!thread) return
      idle.splice(idle.indexOf(thread), 1)
      const { request, resolve, reject } = queue.shift()!
      const free = (): void => {
        idle.push(thread)
        assign()
      }
      const fail = (error: unknown): void => {
        if (isCodedError(error, 'STORE_DAMAGED')) onDamage(error)
        reject(error)
      }
      thread.run(request).finally(free).then(resolve, fail)
    }
  }

  return {
    run: (request, client) =>
      new Promise((resolve, reject) => {
        if (isStopped) throw callError('CALL_STOPPED', 'the node is stopping')
        // What has waited too long takes nobody's place.
        refuseOverdue()
        const refused = queue.push(client, { request, sinceMs: clock.now(), resolve, reject })
        if (refused === 'total') throw queueFull('queueMax', `${queueMax} calls wait already`)
        if (refused === 'share') throw queueFull('queuePerClientMax', `${queuePerClientMax} calls of your address wait already`)
        assign()
      }),
    stats: () => ({
      workers: threads.filter(({ isStarted }) => isStarted()).length,
      running: threads.length - idle.length,
      waiting: queue.size,
      timeouts: threads.reduce((sum, thread) => sum + thread.timeouts(), 0),
    }),
    async stop() {
      isStopped = true
      for (const { reject } of queue.expire(() => true)) reject(callError('CALL_STOPPED', 'the node is stopping'))
      await Promise.all(threads.map((thread) => thread.stop()))
    },
  }
}
