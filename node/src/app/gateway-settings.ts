import { createHmac } from 'node:crypto'
import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CRASH_POINTS, type CrashOrder } from '../base/crash-points.js'
import type { NodeConfig } from './config.js'
import type { LogConfig } from './logger.js'
import { dataPaths } from './options.js'

/** All that the gateway's thread is given; it survives the structured clone. */
export interface GatewaySettings {
  readonly chainId: number
  readonly genesisHash: Hash
  /** Of the account that anchors, 32 bytes. */
  readonly accountKey: Uint8Array
  readonly gatewayDir: string
  readonly keysDir: string
  readonly options: NodeConfig['gateway']
  readonly log: LogConfig
  readonly name: string
  /** Where its first process is to be killed. */
  readonly crashAt?: CrashOrder | undefined
}

/** Separates the gateway's account from what the node key signs in consensus. */
const ACCOUNT_DOMAIN = 'songhua.gateway/1'

/** The account goes with the node key: whoever has a backup of that needs no other. */
export function gatewayAccountKey(nodeKey: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', nodeKey).update(ACCOUNT_DOMAIN).digest())
}

export function gatewaySettings(
  config: NodeConfig,
  chain: { chainId: number; genesisHash: Hash; name: string },
): GatewaySettings {
  const paths = dataPaths(config.dataDir)
  const { keysDir } = config.gateway
  return {
    ...chain,
    accountKey: gatewayAccountKey(config.nodeKey),
    gatewayDir: paths.gatewayDir,
    keysDir: keysDir === '' ? paths.gatewayKeysDir : keysDir,
    options: config.gateway,
    log: config.log,
    crashAt: config.crashAt && CRASH_POINTS[config.crashAt.point].process === 'gateway' ? config.crashAt : undefined,
  }
}
