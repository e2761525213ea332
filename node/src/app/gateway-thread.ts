import { Worker } from 'node:worker_threads'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type Remote, type RemoteHandlers, createRemote } from '../base/remote.js'
import type { GatewayAddress } from './gateway-parts.js'
import type { GatewaySettings } from './gateway-settings.js'

/** The gateway of a node: a thread of its own, so that a rush of records does not hold up consensus. */
export interface Gateway {
  readonly address: GatewayAddress
  /** Figures of the moment; empty while the thread is being started again. */
  stats(): Promise<Record<string, number>>
  /** @throws CodedError of the backup, `GATEWAY_DOWN` */
  backup(target: { to: string; keysTo: string }): Promise<Record<string, number>>
  /** A block has become final. */
  notify(): void
  stop(): Promise<void>
}

export interface GatewayThreadPorts {
  /** What the thread may ask of this one. */
  readonly handlers: RemoteHandlers
  readonly clock: Clock
  readonly logger: Logger
}

/** Old generation of the thread's heap: 10,000 records of a request and 16 batches in the making fit many times. */
const HEAP_MB_MAX = 1024
/** After a crash, ms; doubled up to the second figure while crashes follow each other. */
const RESTART_MS = [1_000, 60_000] as const
/** A stop that takes longer, with requests under way, is a kill, ms: everything that was accepted is on disk. */
const STOP_MS_MAX = 10_000
/** The compiled file, also when this one runs from its source: a thread cannot start from TypeScript. */
const ENTRY = new URL('../../dist/app/gateway-entry.js', import.meta.url)

interface Running {
  readonly worker: Worker
  readonly remote: Remote
}

/**
 * Starts the thread; resolves when its port answers. One that crashes later is started again: a validator does not
 * stop for its gateway.
 * @throws CodedError of whichever part of the gateway refuses to start
 */
export async function startGateway(settings: GatewaySettings, ports: GatewayThreadPorts): Promise<Gateway> {
  const { clock, logger } = ports
  let running: Running | undefined
  let isStopping = false
  let delayMs: number = RESTART_MS[0]
  let cancelRestart = (): void => undefined
  let address = await start()

  async function start(): Promise<GatewayAddress> {
    const worker = new Worker(ENTRY, {
      workerData: settings,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    })
    const remote = createRemote(worker, ports.handlers)
    // An error is followed by an exit; without a listener it would end the node.
    worker.on('error', (error) => logger.error('the gateway failed', { error: messageOf(error), stack: String((error as Error).stack) }))
    worker.on('exit', () => {
      remote.close('the gateway is down')
      const isCurrent = running?.worker === worker
      if (isCurrent) running = undefined
      if (isCurrent && !isStopping) restart()
    })
    try {
      const answer = await remote.call<GatewayAddress>('start')
      running = { worker, remote }
      return answer
    } catch (error) {
      await worker.terminate()
      throw error
    }
  }

  function restart(): void {
    logger.error('the gateway is down and will be started again', { delayMs })
    const waitMs = delayMs
    delayMs = Math.min(delayMs * 2, RESTART_MS[1])
    cancelRestart = clock.after(waitMs, () => {
      start().then(
        (answer) => {
          address = answer
          delayMs = RESTART_MS[0]
          if (isStopping) void stop()
        },
        (error: unknown) => {
          logger.error('the gateway cannot be started', { error: messageOf(error) })
          if (!isStopping) restart()
        },
      )
    })
  }

  async function stop(): Promise<void> {
    isStopping = true
    cancelRestart()
    if (running === undefined) return
    const { worker, remote } = running
    const cancel = clock.after(STOP_MS_MAX, () => remote.close('the gateway takes too long to stop'))
    try {
      await remote.call('stop')
    } finally {
      cancel()
      await worker.terminate()
    }
  }

  return {
    get address() {
      return address
    },
    stats: () => (running === undefined ? Promise.resolve({}) : running.remote.call('stats')),
    backup: (target) =>
      running === undefined
        ? Promise.reject(new CodedError('GATEWAY_DOWN', 'the gateway is down; see the log of the node, and try again'))
        : running.remote.call('backup', target),
    notify() {
      // Lost when the thread ends meanwhile: it looks for itself when it starts.
      running?.remote.call('block').catch(() => undefined)
    },
    stop,
  }
}
