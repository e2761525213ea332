import { Worker } from 'node:worker_threads'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { EMPTY_BYTES } from '@songhua/sdk/protocol/bytes'
import { systemClock, type Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { HistorySearch, StateAccess } from '../rpc/ports.js'
import { sentToError, type TaskName, type WorkerMessage, type WorkerSettings } from './call-worker-protocol.js'
import { requireHeader, stateAfter, type TaskStore } from './call-worker-tasks.js'

export interface CallServiceOptions extends WorkerSettings {
  /** Workers at most; each starts when it is first needed. */
  threads?: number
  /** Time of one task, ms; a worker that overruns is ended and replaced. */
  timeoutMs?: number
  /** Tasks that wait for a worker. */
  queueMax?: number
  logger: Logger
  clock?: Clock
}

export type CallErrorCode = 'CALL_TIMEOUT' | 'CALL_QUEUE_FULL' | 'CALL_MEMORY' | 'CALL_STOPPED' | 'CALL_WORKER_FAILED'

/**
 * State and history for the RPC server. Single accounts and slots are read here, 0.1 ms each; calls, estimates,
 * proofs and searches run in worker threads, so that none of them holds up consensus.
 */
export interface CallService extends StateAccess, HistorySearch {
  stats(): { workers: number; running: number; waiting: number; timeouts: number }
  stop(): Promise<void>
}

export const CALL_DEFAULTS = { threads: 1, timeoutMs: 5_000, queueMax: 256 } as const
/** Opening the database and the EVM takes 0.3 s; on a machine at its limits, much longer. */
const START_MS_MAX = 30_000
/** A worker's heap; with code and native memory it takes some 60 MB when idle. */
const HEAP_MB_MAX = 128
const YOUNG_HEAP_MB_MAX = 16
/** The compiled file, also when this one runs from its source: a thread cannot start from TypeScript. */
const ENTRY = new URL('../../dist/services/call-worker-entry.js', import.meta.url)

interface Task {
  name: TaskName
  args: unknown[]
  resolve(result: unknown): void
  reject(error: Error): void
}

/** A place for one worker and the task that it runs. */
interface Slot {
  worker: Worker | undefined
  isReady: boolean
  task: Task | undefined
  cancelTimer: () => void
}

const callError = (code: CallErrorCode, message: string, details: Record<string, unknown> = {}): CodedError<CallErrorCode> =>
  new CodedError(code, message, { details })

/** @param store the same database, for what is read at once */
export function createCallService(options: CallServiceOptions, store: Pick<TaskStore, 'header' | 'state'>): CallService {
  const workers = createWorkers(options)
  const stateOf = (block: number) => stateAfter(store, requireHeader(store, block))
  const run = <N extends TaskName>(name: N) =>
    ((...args: unknown[]) => workers.run(name, args)) as CallService[N]
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
    stats: () => workers.stats(),
    stop: () => workers.stop(),
  }
}

function attempt<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()))
}

interface Workers {
  run(name: TaskName, args: unknown[]): Promise<unknown>
  stats: CallService['stats']
  stop(): Promise<void>
}

function createWorkers(options: CallServiceOptions): Workers {
  const { threads, timeoutMs, queueMax, clock, logger, storeFolder, chainId, gasMax } = {
    ...CALL_DEFAULTS,
    clock: systemClock,
    ...options,
  }
  const settings: WorkerSettings = { storeFolder, chainId, gasMax }
  const slots: Slot[] = Array.from({ length: threads }, emptySlot)
  const queue: Task[] = []
  const endings = new Set<Promise<unknown>>()
  let timeouts = 0
  let isStopped = false

  function assign(): void {
    for (const slot of slots) {
      if (slot.task || isStopped) continue
      const task = queue.shift()
      if (!task) return
      slot.task = task
      if (slot.isReady) post(slot)
      else if (!slot.worker) start(slot)
    }
  }

  function start(slot: Slot): void {
    const worker = new Worker(ENTRY, {
      workerData: settings,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: YOUNG_HEAP_MB_MAX },
      execArgv: [],
    })
    slot.worker = worker
    slot.cancelTimer = clock.after(START_MS_MAX, () => end(slot, callError('CALL_TIMEOUT', 'the call worker does not start')))
    worker.unref()
    worker.on('message', (message: WorkerMessage) => {
      if (slot.worker === worker) receive(slot, message)
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (slot.worker === worker) end(slot, workerError(error))
    })
    worker.on('exit', () => {
      if (slot.worker === worker) end(slot, callError('CALL_WORKER_FAILED', 'the call worker ended by itself'))
    })
  }

  function workerError(error: NodeJS.ErrnoException): CodedError<CallErrorCode> {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return callError('CALL_MEMORY', `the call needs more than ${HEAP_MB_MAX} MB of memory`, { limit: 'heapMbMax' })
    }
    logger.error('the call worker failed', { error })
    return callError('CALL_WORKER_FAILED', `the call worker failed: ${messageOf(error)}`)
  }

  function post(slot: Slot): void {
    const { worker, task } = slot
    if (!worker || !task) return
    slot.cancelTimer = clock.after(timeoutMs, () => {
      timeouts++
      logger.warn('a call ran too long and its worker is replaced', { task: task.name, timeoutMs })
      end(slot, callError('CALL_TIMEOUT', `execution aborted (timeout = ${timeoutMs} ms)`, { limit: 'timeoutMs', timeoutMs }))
    })
    worker.postMessage({ name: task.name, args: task.args })
  }

  function receive(slot: Slot, message: WorkerMessage): void {
    slot.cancelTimer()
    if (message.kind === 'ready') {
      slot.isReady = true
      post(slot)
      return
    }
    const { task } = slot
    slot.task = undefined
    if (message.kind === 'result') task?.resolve(message.result)
    else task?.reject(sentToError(message.error))
    assign()
  }

  /** Ends a slot's worker and fails its task; the next task starts another worker. */
  function end(slot: Slot, error: Error): void {
    const { worker, task } = slot
    slot.cancelTimer()
    Object.assign(slot, emptySlot())
    task?.reject(error)
    if (worker) {
      const ending = worker.terminate().finally(() => endings.delete(ending))
      endings.add(ending)
    }
    assign()
  }

  return {
    run: (name, args) =>
      new Promise((resolve, reject) => {
        if (isStopped) throw callError('CALL_STOPPED', 'the node is stopping')
        if (queue.length >= queueMax) {
          throw callError('CALL_QUEUE_FULL', `${queueMax} calls wait already; try again`, { limit: 'queueMax', queueMax })
        }
        queue.push({ name, args, resolve, reject })
        assign()
      }),
    stats: () => ({
      workers: slots.filter(({ worker }) => worker).length,
      running: slots.filter(({ task }) => task).length,
      waiting: queue.length,
      timeouts,
    }),
    async stop() {
      isStopped = true
      const stopping = callError('CALL_STOPPED', 'the node is stopping')
      for (const task of queue.splice(0)) task.reject(stopping)
      for (const slot of slots) end(slot, stopping)
      await Promise.all(endings)
    },
  }
}

function emptySlot(): Slot {
  return { worker: undefined, isReady: false, task: undefined, cancelTimer: () => undefined }
}
