import '../base/polyfill.js'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.js'
import { createRemote } from '../base/remote.js'
import { installNativeCrypto } from '../execution/native-crypto.js'
import { remoteChain } from './gateway-chain.js'
import type { BackupFolders } from './gateway-backup.js'
import { type GatewayAddress, type GatewayParts, openGateway } from './gateway-parts.js'
import type { GatewaySettings } from './gateway-settings.js'
import { createLogger } from './logger.js'
import { createStopStack } from './stop-stack.js'

/** For answers that tell of the failure, ms. */
const BROKEN_MS = 100

/** The gateway's thread: it does what the node's thread asks, and ends when that one ends it. */
function serve(): void {
  const line = parentPort
  if (!line) throw new RangeError('this file runs as a worker thread')
  const settings = workerData as GatewaySettings
  const logger = createLogger(settings.log, { node: settings.name, part: 'gateway' })
  const stops = createStopStack(logger)
  let parts: GatewayParts | undefined
  const remote = createRemote(line, {
    async start(): Promise<GatewayAddress> {
      await installNativeCrypto()
      parts = await openGateway(settings, { chain, logger, stops, onBroken })
      return parts.address
    },
    block: () => chain.notify(),
    stats: () => parts?.stats() ?? {},
    backup: (folders: BackupFolders) => requireParts().backup(folders),
    stop: () => stops.run(),
  })
  let isBroken = false
  const onBroken = (error: Error): void => {
    if (isBroken) return
    isBroken = true
    // Ends the thread, after the answers under way; it is started again and reads what is really on the disk.
    setTimeout(() => {
      throw error
    }, BROKEN_MS)
  }
  const requireParts = (): GatewayParts => {
    assert(parts !== undefined, 'the gateway has started')
    return parts
  }
  const chain = remoteChain(remote, logger)
}

serve()
