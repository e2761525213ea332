import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { type SchemaRegistry, createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { systemClock } from '../base/clock.js'
import type { RefusalCount } from '../base/refusals.js'
import type { Logger } from '../base/logger.js'
import { apiKeyFileAt } from '../gateway/api-key-file.js'
import { createApiKeys } from '../gateway/api-keys.js'
import { DEFAULT_ENGINE_OPTIONS, type GatewayEngine, createGatewayEngine } from '../gateway/engine.js'
import { type GatewayServer, createGatewayServer } from '../gateway/http/server.js'
import { GATEWAY_LIMITS } from '../gateway/limits.js'
import type { ChainProofs, ChainWriter, GatewayTable, ReadPolicy } from '../gateway/ports.js'
import { replaceDurably } from '../storage/durable-file.js'
import { openKeyRing } from '../storage/key-ring-file.js'
import { openLevelTable } from '../storage/level-table.js'
import { failStopKeyRing, failStopTable } from './fail-stop.js'
import { type BackupFolders, backUpGateway } from './gateway-backup.js'
import { GATEWAY_RECORDS, checkNotRestoring, gatewayFiles } from './gateway-files.js'
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
  refusals(): RefusalCount[]
  backup(folders: BackupFolders): Promise<Record<string, number>>
}

export interface GatewayPartsPorts {
  readonly chain: { readonly writer: ChainWriter; readonly proofs: ChainProofs; readonly policy: ReadPolicy }
  readonly logger: Logger
  readonly stops: StopStack
  /** The disk has failed: the thread must end and be started again. */
  readonly onBroken: (error: Error) => void
}

const SECRET_BYTES = 32
/** Of a key's rates, that may come at once, s. */
const BURST_S = 2

/**
 * Opens folders, engine and port, in this order.
 * @throws CodedError of whichever part refuses to start; what was opened is on the stop stack
 */
export async function openGateway(settings: GatewaySettings, ports: GatewayPartsPorts): Promise<GatewayParts> {
  const { gatewayDir, keysDir, chainId, genesisHash, accountKey, options } = settings
  const { chain, logger, stops } = ports
  const files = gatewayFiles(settings)
  await checkNotRestoring(files)
  const secret = await openSecret(files)
  for (const folder of [gatewayDir, keysDir]) await mkdir(folder, { recursive: true, mode: 0o700 })
  const registry = await loadSchemas(files.schemas)
  const store = await openLevelTable(files.store, GATEWAY_RECORDS)
  stops.push('gateway store', () => store.close())
  const table = failStopTable(store, ports.onBroken)
  const ring = await openKeyRing(files.keyRing)
  stops.push('key ring', () => ring.close())
  const keyRing = failStopKeyRing(ring, ports.onBroken)
  const engine = await createGatewayEngine(
    {
      chainId,
      genesisHash,
      accountKey,
      secret,
      ...DEFAULT_ENGINE_OPTIONS,
      batch: { ...DEFAULT_ENGINE_OPTIONS.batch, delayMsMax: options.batchDelayMs, recordsMax: options.batchRecords },
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
    refusals: () => server.refusals(),
    backup: (folders) => backUpGateway({ gatewayDir, chainId, genesisHash, backup: (targets) => engine.backup(targets) }, folders),
  }
}

interface Opened extends GatewayPartsPorts {
  readonly table: GatewayTable
  readonly registry: SchemaRegistry
  readonly engine: GatewayEngine
  readonly secret: Uint8Array
  readonly account: Address
}

function openServer(settings: GatewaySettings, opened: Opened): Promise<GatewayServer> {
  const { chainId, genesisHash, options } = settings
  const { table, registry, engine, secret, account, chain, logger } = opened
  const { host, port, allowedHosts, corsOrigins, webhookHosts, trustedProxies } = options
  const { requestsPerSecond, recordsPerSecond } = options
  const rates = {
    requestsPerSecond,
    requestsBurst: BURST_S * requestsPerSecond,
    recordsPerSecond,
    // A request of the largest size must fit.
    recordsBurst: Math.max(BURST_S * recordsPerSecond, GATEWAY_LIMITS.recordsPerRequestMax),
  }
  const { intake, shelf, custody, feed } = engine
  return createGatewayServer(
    {
      host, port, allowedHosts, corsOrigins, webhookHosts, trustedProxies,
      chainId, genesisHash, account, version: VERSION, secret, limits: rates,
    },
    {
      intake, shelf, custody, feed, table, registry, logger,
      proofs: chain.proofs,
      policy: chain.policy,
      keys: createApiKeys(apiKeyFileAt(gatewayFiles(settings).apiKeys), systemClock, (error) =>
        logger.error('the file of API keys cannot be read: nobody is let in', { error: messageOf(error) }),
      ),
      pending: () => engine.stats().recordsPending ?? 0,
      clock: systemClock,
    },
  )
}

/**
 * Made at the first start, when there is neither store nor ring. It is kept beside the keys of payloads: with it, what is
 * guessed can be compared with what the store holds.
 * @throws CodedError `GATEWAY_SECRET_MISSING`, `GATEWAY_SECRET_DAMAGED`
 */
async function openSecret({ secret: path, store, keyRing }: ReturnType<typeof gatewayFiles>): Promise<Uint8Array> {
  const kept = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (kept?.length === SECRET_BYTES) return new Uint8Array(kept)
  if (kept !== undefined) {
    const message = `${path} has ${kept.length} bytes, not ${SECRET_BYTES}; bring back the key folder from its backup`
    throw new CodedError('GATEWAY_SECRET_DAMAGED', message, { details: { path } })
  }
  if (existsSync(store) || existsSync(keyRing)) {
    const message = `${path} is missing, and records are there: is the volume of the keys mounted? Otherwise bring it back from its backup`
    throw new CodedError('GATEWAY_SECRET_MISSING', message, { details: { path } })
  }
  const secret = new Uint8Array(randomBytes(SECRET_BYTES))
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await replaceDurably(path, [secret])
  await file.close()
  return secret
}

/**
 * The SDK's schemas, and over them what the operator has put into the folder: one schema a file.
 * @throws CodedError `GATEWAY_SCHEMA` naming the file
 */
async function loadSchemas(folder: string): Promise<SchemaRegistry> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  let registry = createSchemaRegistry(RECORD_SCHEMAS)
  for (const name of names) {
    const path = join(folder, name)
    try {
      registry = registry.extend([JSON.parse(await readFile(path, 'utf8'))])
    } catch (cause) {
      throw new CodedError('GATEWAY_SCHEMA', `${path}: ${messageOf(cause)}`, { details: { path }, cause })
    }
  }
  return registry
}
