import { bytesToHex, concatBytes, ownBytes } from '@songhua/sdk/protocol/bytes'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { createHashReader, treeRoot } from '@songhua/sdk/protocol/merkle-tree'
import { batchIdOf } from '@songhua/sdk/chain/batch'
import { assert } from '../base/assert.js'
import { crashPoint } from '../base/crash-points.js'
import type { AnchorAccount } from './anchor-account.js'
import { batchKey, firstWaitingKey, leavesKey, openKey, recordRange, uint64 } from './keys.js'
import type { OpenBatch, Progress, Waiting } from './progress.js'
import { type BatchRow, decodeRecordRow, encodeBatchRow } from './rows.js'
import { type Change, type GatewayStore, readRecord } from './store.js'

export interface BatchLimits {
  /** Since the oldest waiting record was accepted. */
  readonly delayMsMax: number
  readonly recordsMax: number
  /** Of canonical envelopes. */
  readonly bytesMax: number
  /** Batches between closing and anchoring: with a halted chain, records wait and batches grow. */
  readonly inFlightMax: number
}

export interface CloseParts {
  readonly store: GatewayStore
  readonly progress: Pick<Progress, 'waiting' | 'open'>
  readonly account: Pick<AnchorAccount, 'sign'>
}

/** A batch is due: it is full, or its oldest record has waited long enough. */
export function isDue(waiting: Waiting, limits: BatchLimits, nowMs: number): boolean {
  const count = waiting.next - waiting.first
  if (count === 0) return false
  const bytes = waiting.bytesSoFar - waiting.bytesBefore
  const hasWaited = nowMs >= waiting.oldestMs + limits.delayMsMax
  // It was accepted before the clock was set back: how long ago cannot be told.
  const isAhead = waiting.oldestMs > nowMs
  return count >= limits.recordsMax || bytes >= limits.bytesMax || hasWaited || isAhead
}

/** Takes the records that have waited longest. Its transaction is on disk before anybody else sees it. */
export async function closeBatch(
  family: RecordFamily,
  context: { limits: BatchLimits; nowMs: number; parts: CloseParts },
): Promise<OpenBatch> {
  const {
    limits,
    nowMs,
    parts: { store, progress, account },
  } = context
  const waiting = progress.waiting[family]
  const { leaves, bytesSoFar } = await gather(family, { waiting, limits, store })
  const last = waiting.first + leaves.length - 1
  const root = bytesToHex(treeRoot(createHashReader(leaves), leaves.length))
  const terms = { root, size: leaves.length, family }
  const batchId = batchIdOf(terms)
  const { raw, hash, nonce } = await account.sign({ ...terms, batchId })
  const row: BatchRow = {
    family,
    first: waiting.first,
    last,
    batchId,
    root,
    closedAtMs: nowMs,
    raw,
    nonce,
    hashes: [hash],
  }
  const place = { family, seq: last }
  crashPoint('gateway.before-batch')
  await store.commit([
    ...batchChanges(row),
    [leavesKey(place), concatBytes(...leaves)],
    [openKey(place), new Uint8Array(0)],
    [firstWaitingKey(family), uint64(last + 1)],
  ])
  crashPoint('gateway.batch-written')
  Object.assign(waiting, { first: last + 1, bytesBefore: bytesSoFar })
  if (waiting.first < waiting.next) waiting.oldestMs = readRecord(store, { family, seq: waiting.first }).acceptedAtMs
  const batch: OpenBatch = { row, isProposed: false, failures: 0, retryAtMs: 0 }
  progress.open.push(batch)
  return batch
}

export function batchChanges(row: BatchRow): Change[] {
  return [[batchKey({ family: row.family, seq: row.last }), encodeBatchRow(row)]]
}

interface Gathered {
  readonly leaves: readonly Uint8Array[]
  /** Up to and with the last of them. */
  readonly bytesSoFar: number
}

async function gather(
  family: RecordFamily,
  { waiting, limits, store }: { waiting: Waiting; limits: BatchLimits; store: Pick<GatewayStore, 'entries'> },
): Promise<Gathered> {
  const leaves: Uint8Array[] = []
  let bytesSoFar = waiting.bytesBefore
  for await (const [, value] of store.entries(recordRange(family, waiting.first, waiting.next - 1))) {
    const row = decodeRecordRow(value)
    const isFull = leaves.length === limits.recordsMax || row.bytesSoFar - waiting.bytesBefore > limits.bytesMax
    if (isFull && leaves.length > 0) return { leaves, bytesSoFar }
    leaves.push(ownBytes(row.leaf))
    bytesSoFar = row.bytesSoFar
  }
  assert(leaves.length > 0, `a batch of ${family} has records`)
  return { leaves, bytesSoFar }
}
