import { Worker } from 'node:worker_threads'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { assert } from '../base/assert.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type Remote, type RemoteHandlers, createRemote } from '../base/remote.js'
import type { BackupFolders } from './gateway-backup.js'
import type { GatewayAddress } from './gateway-parts.js'
import type { GatewaySettings } from './gateway-settings.js'

/** The gateway of a node: a thread of its own, so that a rush of records does not hold up consensus. */
export interface Gateway {
  readonly address: GatewayAddress
  isUp(): boolean
  /** Figures of the moment; empty while the thread is being started again. */
  stats(): Promise<Record<string, number>>
  /** @throws CodedError of the backup, `GATEWAY_DOWN` */
  backup(folders: BackupFolders): Promise<Record<string, number>>
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
/** After a crash, ms; doubled up to the second figure while it cannot be started. */
const RESTART_MS = [1_000, 60_000] as const
/** A stop that takes longer, with requests under way, is a kill, ms: everything that was accepted is on disk. */
const STOP_MS_MAX = 10_000
/** The compiled file, also when this one runs from its source: a thread cannot start from TypeScript. */
const ENTRY = new URL('../../dist/app/gateway-entry.js', import.meta.url)

interface Running {
  readonly address: GatewayAddress
  readonly worker: Worker
  readonly remote: Remote
}

/**
 * Starts the thread; resolves when its port answers. One that crashes later is started again: a validator does not
 * stop for its gateway.
 * @throws CodedError of whichever part of the gateway refuses to start
 */
export async function startGateway(settings: GatewaySettings, ports: GatewayThreadPorts): Promise<Gateway> {
  const gateway = new SupervisedGateway(settings, ports)
  await gateway.start()
  return gateway
}

/** A thread that has started. @throws CodedError of what refuses to start there, `REMOTE_CLOSED` when it crashes */
async function startThread(settings: GatewaySettings, { handlers, logger }: GatewayThreadPorts): Promise<Running> {
  const worker = new Worker(ENTRY, {
    workerData: settings,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  })
  const remote = createRemote(worker, handlers)
  // An error is followed by an exit; without a listener it would end the node.
  worker.on('error', (error: Error) => {
    logger.error('the gateway failed', { error: error.message, stack: error.stack })
    remote.close(`the gateway failed: ${error.message}`)
  })
  worker.on('exit', () => remote.close('the gateway is down'))
  try {
    return { worker, remote, address: await remote.call<GatewayAddress>('start') }
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

class SupervisedGateway implements Gateway {
  readonly #settings: GatewaySettings
  readonly #ports: GatewayThreadPorts
  #running: Running | undefined
  #address: GatewayAddress | undefined
  #isStopping = false
  #delayMs: number = RESTART_MS[0]
  #cancelRestart = (): void => undefined

  constructor(settings: GatewaySettings, ports: GatewayThreadPorts) {
    this.#settings = settings
    this.#ports = ports
  }

  get address(): GatewayAddress {
    assert(this.#address !== undefined, 'a gateway that has started has an address')
    return this.#address
  }

  async start(): Promise<void> {
    const running = await startThread(this.#settings, this.#ports)
    this.#running = running
    this.#address = running.address
    this.#delayMs = RESTART_MS[0]
    running.worker.on('exit', () => {
      this.#running = undefined
      if (!this.#isStopping) this.#restartLater()
    })
  }

  #restartLater(): void {
    const { clock, logger } = this.#ports
    logger.error('the gateway is down and will be started again', { delayMs: this.#delayMs })
    this.#cancelRestart = clock.after(this.#delayMs, () => void this.#restart())
    this.#delayMs = Math.min(this.#delayMs * 2, RESTART_MS[1])
  }

  async #restart(): Promise<void> {
    try {
      await this.start()
    } catch (error) {
      this.#ports.logger.error('the gateway cannot be started', { error: messageOf(error) })
      if (!this.#isStopping) this.#restartLater()
    }
    // The node was told to stop meanwhile.
    if (this.#isStopping) await this.stop()
  }

  isUp(): boolean {
    return this.#running !== undefined
  }

  stats(): Promise<Record<string, number>> {
    return this.#running === undefined ? Promise.resolve({}) : this.#running.remote.call('stats')
  }

  backup(folders: BackupFolders): Promise<Record<string, number>> {
    if (this.#running !== undefined) return this.#running.remote.call('backup', folders)
    const message = 'the gateway is down; see the log of the node, and try again'
    return Promise.reject(new CodedError('GATEWAY_DOWN', message))
  }

  notify(): void {
    // Lost when the thread ends meanwhile: it looks for itself when it starts.
    this.#running?.remote.call('block').catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancelRestart()
    if (this.#running === undefined) return
    const { worker, remote } = this.#running
    const cancel = this.#ports.clock.after(STOP_MS_MAX, () => remote.close('the gateway takes too long to stop'))
    try {
      await remote.call('stop')
    } finally {
      cancel()
      await worker.terminate()
    }
  }
}
