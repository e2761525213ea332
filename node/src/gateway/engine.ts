import type { Hash } from '@songhua/sdk/protocol/bytes'
import { CodedError, messageOf } from '@songhua/sdk/protocol/errors'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type AnchorAccount, createAnchorAccount } from './anchor-account.js'
import { createBatchShelf } from './batch-shelf.js'
import { type Batcher, createBatcher, repeat } from './batcher.js'
import { type BackedUp, type BackupTargets, backUp } from './backup.js'
import type { BatchLimits } from './close-batch.js'
import { createCustody, finishErasures } from './custody.js'
import { GROUP_RECORDS_MAX, SWEEP_INTERVAL_MS } from './engine-limits.js'
import { createEventLog } from './event-log.js'
import { createFeed } from './feed.js'
import { sweepExpired } from './idempotency.js'
import { createIntake } from './intake.js'
import { createJudge } from './judge.js'
import { RING_SIZE_KEY, uint64 } from './keys.js'
import type { Custody, Feed, Intake, Shelf } from './model.js'
import type { ChainProofs, ChainWriter, GatewayTable, KeyRing } from './ports.js'
import { type Progress, loadProgress } from './progress.js'
import type { BatchCounters } from './propose.js'
import { createRecordWriter } from './record-writer.js'
import { takeRandom } from './random.js'
import { createReservations } from './reservations.js'
import { createShelf } from './shelf.js'
import { type GatewayStore, claimTable, createGatewayStore, readCounter } from './store.js'
import { type Tags, createTags } from './tags.js'
import { createValidatorChanges } from './validator-changes.js'

export interface EngineOptions {
  readonly chainId: number
  readonly genesisHash: Hash
  /** Private key of the account that anchors, 32 bytes. */
  readonly accountKey: Uint8Array
  /** 32 bytes, of the key ring's folder: HMACs of what can be guessed are made with keys derived from it. */
  readonly secret: Uint8Array
  readonly batch: BatchLimits
  /** Records that are accepted and not anchored. */
  readonly outboxRecordsMax: number
  /** How long an idempotency key is remembered. */
  readonly idempotencyDays: number
}

export interface EnginePorts {
  readonly table: GatewayTable
  readonly keyRing: KeyRing
  readonly writer: ChainWriter
  readonly proofs: ChainProofs
  readonly registry: SchemaRegistry
  readonly clock: Clock
  readonly logger: Logger
}

export const DEFAULT_ENGINE_OPTIONS = {
  batch: { delayMsMax: 200, recordsMax: 10_000, bytesMax: 16 * 1024 * 1024, inFlightMax: 16 },
  outboxRecordsMax: 1_000_000,
  idempotencyDays: 7,
} as const satisfies Partial<EngineOptions>

export interface GatewayEngine {
  readonly intake: Intake
  readonly shelf: Shelf
  readonly custody: Custody
  readonly feed: Feed
  /** Of the running gateway: see `backUp`. */
  backup(targets: BackupTargets): Promise<BackedUp>
  /** Ends what is under way; table and key ring stay open. */
  stop(): Promise<void>
  /** Numbers of now and since the start, by name. */
  stats(): Record<string, number>
}

/**
 * The gateway without its doors: what it has accepted is on disk, and goes on where it was after any crash.
 * @throws CodedError with a `GatewayStoreErrorCode`, `KEY_RING_INCOMPLETE`
 */
export async function createGatewayEngine(options: EngineOptions, ports: EnginePorts): Promise<GatewayEngine> {
  const { table, keyRing, clock, logger } = ports
  const tags = createTags(options.secret)
  await claimTable(table, { genesisHash: options.genesisHash, mark: tags.mark, keySlots: keyRing.size })
  const store = createGatewayStore(table)
  await passOverOrphans(store, keyRing, logger)
  const events = createEventLog(store, logger)
  const resumed = await finishErasures({ store, keyRing, events })
  if (resumed > 0) logger.info('erasures that had broken off are finished', { erasures: resumed })
  const progress = await loadProgress(store, clock)
  const chain = { chainId: options.chainId, genesisHash: options.genesisHash }
  const shelf = createShelf({
    store,
    keyRing,
    progress,
    batches: createBatchShelf({ store, chain }),
    tags,
    proofs: ports.proofs,
  })
  const custody = createCustody({ store, keyRing, events, clock, get: (id) => shelf.get(id) })
  const counters: BatchCounters = {
    batchesClosed: 0,
    batchesAnchored: 0,
    attemptsFailed: 0,
    noncesTaken: 0,
    submitsFailed: 0,
  }
  const account = accountOf(options, progress, ports.writer)
  const changes = await createValidatorChanges(store, ports.proofs)
  const batcher = createBatcher(
    {
      limits: options.batch,
      progress,
      clock,
      logger,
      close: { store, progress, account },
      propose: { store, account, writer: ports.writer, logger, counters },
      settle: { store, events, changes, writer: ports.writer, chain, address: account.address },
    },
    ports.writer,
  )
  const { intake, idle } = trackIntake(intakeOf(options, ports, { store, tags, progress, batcher }))
  const stopSweeps = repeat(clock, SWEEP_INTERVAL_MS, () => {
    sweepExpired(store, clock).catch((error: unknown) =>
      logger.error('expired idempotency keys were not removed', { error: messageOf(error) }),
    )
  })
  return {
    intake,
    shelf,
    custody,
    feed: createFeed({ store, events, tags }),
    backup: (targets) => backUp(targets, { table, keyRing, secret: options.secret }),
    async stop() {
      stopSweeps()
      await idle()
      await batcher.stop()
      await store.idle()
    },
    stats: () => ({
      ...Object.fromEntries(Object.entries(counters).map(([name, count]) => [`${name}Total`, count])),
      oldestPendingMs: progress.oldestPendingMs(clock.now()),
      recordsPending: progress.pending(),
      batchesInFlight: progress.open.length,
      keySlots: keyRing.size,
    }),
  }
}

function accountOf({ accountKey, chainId }: EngineOptions, { open }: Progress, writer: ChainWriter): AnchorAccount {
  const nonceMin = open.reduce((min, { row }) => (row.nonce >= min ? row.nonce + 1n : min), 0n)
  return createAnchorAccount({ key: accountKey, chainId, nonceMin }, writer)
}

interface Composed {
  readonly store: GatewayStore
  readonly tags: Tags
  readonly progress: Progress
  readonly batcher: Batcher
}

function intakeOf(
  options: EngineOptions,
  { registry, clock, keyRing }: EnginePorts,
  { store, tags, progress, batcher }: Composed,
): Intake {
  const sources = { nowMs: () => clock.now(), randomBytes: takeRandom }
  const writer = createRecordWriter({ store, keyRing, tags, progress, onWritten: () => batcher.wake() })
  return createIntake(options, {
    judge: createJudge(registry, sources),
    reservations: createReservations(store, tags),
    writer,
    progress,
    store,
    tags,
    clock,
  })
}

/** `idle` waits for the submissions that are under way. */
function trackIntake(intake: Intake): { intake: Intake; idle: () => Promise<unknown> } {
  const running = new Set<Promise<unknown>>()
  const accept: Intake['accept'] = (submission) => {
    const answer = intake.accept(submission)
    running.add(answer)
    const forget = (): boolean => running.delete(answer)
    answer.then(forget, forget)
    return answer
  }
  return { intake: { ...intake, accept }, idle: () => Promise.allSettled(running) }
}

/**
 * Keys that a crash left on disk without the records for which they were made. They open nothing, as nothing was sealed
 * with them, and are passed over, not erased: if the store was not the ring's newest, they are the newest store's keys.
 */
async function passOverOrphans(store: GatewayStore, keyRing: KeyRing, logger: Logger): Promise<void> {
  const used = readCounter(store, RING_SIZE_KEY)
  if (keyRing.size < used) {
    const has = `the key ring has ${keyRing.size} slots, the store names ${used}`
    const message = `${has}: put back the key folder that belongs to it`
    throw new CodedError('KEY_RING_INCOMPLETE', message, { details: { size: keyRing.size, used } })
  }
  if (keyRing.size === used) return
  const slots = keyRing.size - used
  const fields = { slots, used }
  if (slots <= GROUP_RECORDS_MAX) logger.info('keys of records that a crash cut off are passed over', fields)
  else logger.warn('the key ring is far ahead of the store: is this the newest store? its records are missing', fields)
  await store.commit([[RING_SIZE_KEY, uint64(keyRing.size)]])
}
