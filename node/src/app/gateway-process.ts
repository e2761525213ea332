import { type ChildProcess, fork } from 'node:child_process'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { RefusalCount } from '../base/refusals.js'
import { type Remote, type RemoteHandlers, type RemoteMessage, createRemote } from '../base/remote.js'
import type { DiagnosedGateway } from './diagnosis.js'
import type { Fault } from './fault.js'
import type { BackupFolders } from './gateway-backup.js'
import type { GatewayAddress } from './gateway-parts.js'
import type { GatewaySettings } from './gateway-settings.js'

/** Figures of the moment, and how often clients were refused since it started. */
export interface GatewayStats {
  readonly figures: Record<string, number>
  readonly refusals: readonly RefusalCount[]
}

/**
 * The gateway of a node: a process of its own, so that neither a rush of records nor anything that kills it can touch
 * the validator. It ends with the node, however that ends.
 */
export interface Gateway {
  /** Where it listens, or is to listen. */
  readonly address: GatewayAddress
  isUp(): boolean
  health(): DiagnosedGateway
  /** Few figures while it does not answer. */
  stats(): Promise<GatewayStats>
  /** @throws CodedError of the backup, `GATEWAY_DOWN` */
  backup(folders: BackupFolders): Promise<Record<string, number>>
  /** A block has become final. */
  notify(): void
  stop(): Promise<void>
}

export interface GatewayProcessPorts {
  /** What the gateway may ask of the node. */
  readonly handlers: RemoteHandlers
  readonly clock: Clock
  readonly logger: Logger
}

/** Old generation of its heap, MB: 10,000 records of a request and 16 batches in the making fit many times. */
const HEAP_MB_MAX = 1024
/** After a crash, ms; doubled up to the second figure while crashes follow each other. */
const RESTART_MS = [1_000, 60_000] as const
/** One that has run for so long was well: the next crash is a first one, ms. */
const WELL_AFTER_MS = 60_000
/** A stop that takes longer, with requests under way, is a kill, ms: everything that was accepted is on disk. */
const STOP_MS_MAX = 10_000
/** One that does not give its figures in this time is busy or stuck; the node's other figures do not wait, ms. */
const STATS_MS_MAX = 500
/** The compiled file, also when this one runs from its source: a process cannot start from TypeScript. */
const ENTRY = new URL('../../dist/app/gateway-entry.js', import.meta.url)

/** Of one that ends while it is asked. */
const NO_STATS: GatewayStats = { figures: {}, refusals: [] }

interface Running {
  readonly address: GatewayAddress
  readonly child: ChildProcess
  readonly remote: Remote
  readonly sinceMs: number
}

/**
 * Starts the gateway, and starts it again whenever it ends or cannot start: a validator does not stop, or fail to come
 * up, for its gateway. Resolves when the first try has succeeded or failed; whether it runs is in readiness and metrics.
 */
export async function startGateway(settings: GatewaySettings, ports: GatewayProcessPorts): Promise<Gateway> {
  const gateway = new SupervisedGateway(settings, ports)
  await gateway.start()
  return gateway
}

/** @throws CodedError of what refuses to start there, `REMOTE_CLOSED` when it ends */
async function startChild(settings: GatewaySettings, { handlers, clock }: GatewayProcessPorts): Promise<Running> {
  const child = fork(ENTRY, {
    execArgv: [`--max-old-space-size=${HEAP_MB_MAX}`],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const remote = createRemote(
    {
      // A message to one that has gone is answered by its exit.
      send: (message) => void (child.connected && child.send(message, () => undefined)),
      onMessage: (listener) => void child.on('message', (message) => listener(message as RemoteMessage)),
    },
    handlers,
  )
  child.on('error', (error) => remote.close(`the gateway cannot be started: ${error.message}`))
  child.on('exit', (code, signal) => remote.close(`the gateway ended by ${signal ?? `exit code ${code ?? '?'}`}`))
  try {
    return { child, remote, address: await remote.call<GatewayAddress>('start', settings), sinceMs: clock.now() }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

class SupervisedGateway implements Gateway {
  #settings: GatewaySettings
  readonly #ports: GatewayProcessPorts
  #running: Running | undefined
  #address: GatewayAddress
  #isStopping = false
  #restarts = 0
  #lastError: Fault | undefined
  #delayMs: number = RESTART_MS[0]
  #cancelRestart = (): void => undefined

  constructor(settings: GatewaySettings, ports: GatewayProcessPorts) {
    this.#settings = settings
    this.#ports = ports
    const { options, accountKey } = settings
    this.#address = { host: options.host, port: options.port, account: privateKeyToAddress(accountKey) }
  }

  get address(): GatewayAddress {
    return this.#address
  }

  isUp(): boolean {
    return this.#running !== undefined
  }

  health(): DiagnosedGateway {
    return { isUp: this.isUp(), error: this.#lastError, restarts: this.#restarts }
  }

  async start(): Promise<void> {
    try {
      this.#running = await this.#startChild()
    } catch (error) {
      this.#lastError = { code: isCodedError(error) ? error.code : 'UNKNOWN', message: messageOf(error) }
      const { code, message } = this.#lastError
      this.#ports.logger.error('the gateway cannot be started; the node goes on without it', { code, error: message })
      return this.#restartLater()
    }
    const { child, address, sinceMs } = this.#running
    this.#address = address
    child.on('exit', (code, signal) => {
      this.#running = undefined
      if (this.#isStopping) return
      this.#lastError = { code: 'GATEWAY_DOWN', message: `it ended by ${signal ?? `exit code ${code ?? '?'}`}` }
      this.#ports.logger.error('the gateway ended by itself', { code, signal })
      if (this.#ports.clock.now() - sinceMs >= WELL_AFTER_MS) this.#delayMs = RESTART_MS[0]
      this.#restartLater()
    })
    // The node was told to stop meanwhile.
    if (this.#isStopping) await this.stop()
  }

  /** Only the first one is killed by order: what comes after the kill is the point of it. */
  #startChild(): Promise<Running> {
    const settings = this.#settings
    this.#settings = { ...settings, crashAt: undefined }
    return startChild(settings, this.#ports)
  }

  #restartLater(): void {
    if (this.#isStopping) return
    const { clock, logger } = this.#ports
    logger.info('the gateway will be started again', { delayMs: this.#delayMs })
    this.#restarts++
    this.#cancelRestart = clock.after(this.#delayMs, () => void this.start())
    this.#delayMs = Math.min(this.#delayMs * 2, RESTART_MS[1])
  }

  async stats(): Promise<GatewayStats> {
    const own = { up: Number(this.isUp()), restarts_total: this.#restarts }
    if (this.#running === undefined) return { figures: own, refusals: [] }
    const asked = this.#running.remote.call<GatewayStats>('stats').catch(() => NO_STATS)
    const { figures, refusals } = await this.#within(asked)
    return { figures: { ...own, answering: 1, ...figures }, refusals }
  }

  /** `answering: 0` when it takes too long. */
  #within(asked: Promise<GatewayStats>): Promise<GatewayStats> {
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(STATS_MS_MAX, () => resolve({ figures: { answering: 0 }, refusals: [] }))
      void asked.then((given) => {
        cancel()
        resolve(given)
      })
    })
  }

  backup(folders: BackupFolders): Promise<Record<string, number>> {
    if (this.#running !== undefined) return this.#running.remote.call('backup', folders)
    const message = 'the gateway is down; see the log of the node, and try again'
    return Promise.reject(new CodedError('GATEWAY_DOWN', message))
  }

  notify(): void {
    // Lost when it ends meanwhile: it looks for itself when it starts.
    this.#running?.remote.call('block').catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancelRestart()
    if (this.#running === undefined) return
    const { child, remote } = this.#running
    const exited = new Promise((resolve) => child.once('exit', resolve))
    const cancel = this.#ports.clock.after(STOP_MS_MAX, () => remote.close('the gateway takes too long to stop'))
    try {
      await remote.call('stop')
    } catch (error) {
      this.#ports.logger.warn('the gateway did not stop cleanly', { error: messageOf(error) })
    }
    cancel()
    child.kill('SIGKILL')
    await exited
  }
}
