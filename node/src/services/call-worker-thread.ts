import { Worker } from 'node:worker_threads'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { sentToError } from '../base/sent-error.js'
import {
  callError,
  type TaskRequest,
  type WorkerMessage,
  type WorkerSettings,
} from './call-worker-protocol.js'

/** A worker thread that is started when it is first needed, and again after it had to be ended. */
export interface CallThread {
  /**
   * One task at a time.
   * @throws CodedError of the task, or `CALL_TIMEOUT`, `CALL_MEMORY`, `CALL_STOPPED`, `CALL_WORKER_FAILED`
   */
  run: (request: TaskRequest) => Promise<unknown>
  isStarted: () => boolean
  timeouts: () => number
  stop: () => Promise<void>
}

interface Ports {
  timeoutMs: number
  clock: Clock
  logger: Logger
}

interface Task {
  request: TaskRequest
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

/** Opening the database and the EVM takes 0.3 s; on a machine at its limits, much longer. */
const START_MS_MAX = 30_000
/** A worker's heap; with code and native memory it takes some 60 MB when idle. */
const HEAP_MB_MAX = 128
const YOUNG_HEAP_MB_MAX = 16
/** The compiled file, also when this one runs from its source: a thread cannot start from TypeScript. */
const ENTRY = new URL('../../dist/services/call-worker-entry.js', import.meta.url)

export function createCallThread(settings: WorkerSettings, { timeoutMs, clock, logger }: Ports): CallThread {
  let worker: Worker | undefined
  let isReady = false
  let task: Task | undefined
  let timeouts = 0
  let cancelTimer = (): void => undefined

  function start(): void {
    const started = startWorker(settings)
    const isCurrent = (): boolean => worker === started
    worker = started
    cancelTimer = clock.after(
      START_MS_MAX,
      () => void end(callError('CALL_WORKER_FAILED', 'the call worker does not start')),
    )
    started.on('message', (message: WorkerMessage) => isCurrent() && receive(message))
    started.on('error', (error: NodeJS.ErrnoException) => isCurrent() && void end(workerError(error, logger)))
    started.on(
      'exit',
      () => isCurrent() && void end(callError('CALL_WORKER_FAILED', 'the call worker ended by itself')),
    )
  }

  function post(): void {
    if (!worker || !task) return
    const { request } = task
    cancelTimer = clock.after(timeoutMs, () => {
      timeouts++
      logger.warn('a call ran too long and its worker is replaced', { task: request.name, timeoutMs })
      void end(timeoutError(timeoutMs))
    })
    worker.postMessage(request)
  }

  function receive(message: WorkerMessage): void {
    cancelTimer()
    if (message.kind === 'ready') {
      isReady = true
      post()
      return
    }
    const answered = task
    task = undefined
    if (message.kind === 'result') answered?.resolve(message.result)
    else answered?.reject(sentToError(message.error, { code: 'CALL_WORKER_FAILED', message: 'the call worker failed' }))
  }

  /** The next task starts another worker. */
  async function end(error: Error): Promise<void> {
    const [ending, failed] = [worker, task]
    cancelTimer()
    worker = undefined
    task = undefined
    isReady = false
    failed?.reject(error)
    await ending?.terminate()
  }

  return {
    run: (request) =>
      new Promise((resolve, reject) => {
        task = { request, resolve, reject }
        if (isReady) post()
        else if (!worker) start()
      }),
    isStarted: () => worker !== undefined,
    timeouts: () => timeouts,
    stop: () => end(callError('CALL_STOPPED', 'the node is stopping')),
  }
}

function startWorker(workerData: WorkerSettings): Worker {
  const worker = new Worker(ENTRY, {
    workerData,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: YOUNG_HEAP_MB_MAX },
  })
  worker.unref()
  return worker
}

function timeoutError(timeoutMs: number): Error {
  return callError('CALL_TIMEOUT', `execution aborted (timeout = ${timeoutMs} ms)`, { limit: 'timeoutMs', timeoutMs })
}

function workerError(error: NodeJS.ErrnoException, logger: Logger): Error {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return callError('CALL_MEMORY', `the call needs more than ${HEAP_MB_MAX} MB of memory`, { limit: 'heapMbMax' })
  }
  logger.error('the call worker failed', { error })
  return callError('CALL_WORKER_FAILED', `the call worker failed: ${messageOf(error)}`)
}
