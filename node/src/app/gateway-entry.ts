import '../base/polyfill.js'
import { assert } from '../base/assert.js'
import { armCrashPoint } from '../base/crash-points.js'
import { type RemoteMessage, createRemote } from '../base/remote.js'
import { installNativeCrypto } from '../execution/native-crypto.js'
import type { BackupFolders } from './gateway-backup.js'
import { remoteChain } from './gateway-chain.js'
import { type GatewayAddress, type GatewayParts, openGateway } from './gateway-parts.js'
import type { GatewayStats } from './gateway-process.js'
import type { GatewaySettings } from './gateway-settings.js'
import { createLogger } from './logger.js'
import { createStopStack } from './stop-stack.js'

/** For answers that tell of the failure, ms. */
const BROKEN_MS = 100

/** The process of the gateway: it does what the node asks, and ends with it. */
function serve(): void {
  assert(process.send !== undefined, 'this file runs as the child of a node')
  // The node decides when to stop; a terminal's Ctrl-C reaches both.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  // At once, as the node may be started again any moment: everything that was accepted is on disk.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  let parts: GatewayParts | undefined
  let stop = (): Promise<void> => Promise.resolve()
  let notify = (): void => undefined
  const requireParts = (): GatewayParts => {
    assert(parts !== undefined, 'the gateway has started')
    return parts
  }
  const remote = createRemote(
    {
      send: (message) => void process.send?.(message),
      onMessage: (listener) => void process.on('message', (message) => listener(message as RemoteMessage)),
    },
    {
      async start(settings: GatewaySettings): Promise<GatewayAddress> {
        if (settings.crashAt !== undefined) armCrashPoint(settings.crashAt)
        const logger = createLogger(settings.log, { node: settings.name, part: 'gateway' })
        const stops = createStopStack(logger)
        const chain = remoteChain(remote, logger)
        stop = () => stops.run()
        notify = () => chain.notify()
        await installNativeCrypto()
        parts = await openGateway(settings, { chain, logger, stops, onBroken: endAfterAnswers() })
        return parts.address
      },
      block: () => notify(),
      stats: (): GatewayStats => {
        const gateway = requireParts()
        const figures = { ...gateway.stats(), pid: process.pid, rss_bytes: process.memoryUsage.rss() }
        return { figures, refusals: gateway.refusals() }
      },
      backup: (folders: BackupFolders) => requireParts().backup(folders),
      stop: () => stop(),
    },
  )
}

/** The disk has failed: the node starts this process again, which then reads what is really there. */
function endAfterAnswers(): (error: Error) => void {
  let isBroken = false
  return (error) => {
    if (isBroken) return
    isBroken = true
    setTimeout(() => {
      throw error
    }, BROKEN_MS)
  }
}

serve()
