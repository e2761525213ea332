import type { CrashOrder } from '../base/crash-points.js'
import type { LogConfig } from './logger.js'
import type { NodeOptions } from './options.js'

/** All that a node needs to know before it starts; the options' table is in options.ts. */
export interface NodeConfig extends Omit<NodeOptions, 'nodeKey' | 'log'> {
  readonly dataDir: string
  /** The node's secp256k1 private key, 32 bytes: its validator address and its peer id follow from it. */
  readonly nodeKey: Uint8Array
  readonly log: LogConfig
  /** Of a test, on a devnet: where this process or its gateway is to be killed. */
  readonly crashAt?: CrashOrder | undefined
}
