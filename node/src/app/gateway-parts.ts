import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { type SchemaRegistry, createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { systemClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createApiKeys } from '../gateway/api-keys.js'
import { createGatewayEngine } from '../gateway/engine.js'
import { createGatewayServer } from '../gateway/http/server.js'
import type { ChainProofs, ChainWriter } from '../gateway/ports.js'
import { replaceDurably } from '../storage/durable-file.js'
import { openKeyRing } from '../storage/key-ring-file.js'
import { openLevelTable } from '../storage/level-table.js'
import type { GatewaySettings } from './gateway-settings.js'
import type { StopStack } from './stop-stack.js'
import { VERSION } from './version.js'

export interface GatewayAddress {
  readonly host: string
  readonly port: number
  /** That anchors. */
  readonly account: Address
}

/** The gateway in the thread that runs it. */
export interface GatewayParts {
  readonly address: GatewayAddress
  stats(): Record<string, number>
  backup(target: { to: string; keysTo: string }): Promise<Record<string, number>>
}

export interface GatewayPartsPorts {
  readonly chain: { readonly writer: ChainWriter; readonly proofs: ChainProofs }
  readonly logger: Logger
  readonly stops: StopStack
}

const SECRET_BYTES = 32
const RECORDS = {
  name: 'the database of records',
  remedy: 'move this folder away and bring back the last backup: songhua restore --help',
}

/**
 * Opens folders, engine and port, in this order.
 * @throws CodedError of whichever part refuses to start; what was opened is on the stop stack
 */
export async function openGateway(settings: GatewaySettings, ports: GatewayPartsPorts): Promise<GatewayParts> {
  const { gatewayDir, keysDir, chainId, genesisHash, accountKey, options } = settings
  const { chain, logger, stops } = ports
  for (const folder of [gatewayDir, keysDir]) await mkdir(folder, { recursive: true, mode: 0o700 })
  const secret = await openSecret(join(keysDir, 'secret'))
  const registry = await loadSchemas(join(gatewayDir, 'schemas'))
  const table = await openLevelTable(join(gatewayDir, 'store'), RECORDS)
  stops.push('gateway store', () => table.close())
  const keyRing = await openKeyRing(join(keysDir, 'ring'))
  stops.push('key ring', () => keyRing.close())
  const engine = await createGatewayEngine(
    {
      chainId,
      genesisHash,
      accountKey,
      secret,
      batch: { delayMsMax: options.batchDelayMs, recordsMax: options.batchRecords },
    },
    { table, keyRing, ...chain, registry, clock: systemClock, logger },
  )
  stops.push('gateway engine', () => engine.stop())
  const account = privateKeyToAddress(accountKey)
  const server = await openServer(settings, { ...ports, table, registry, engine, secret, account })
  stops.push('gateway server', () => server.stop())
  const { host, port } = server
  return {
    address: { host, port, account },
    stats: () => engine.stats(),
    backup: (target) => engine.backup(target),
  }
}
