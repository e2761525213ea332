import { concatBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { crashPoint } from '../base/crash-points.js'
import type { Logger } from '../base/logger.js'
import type { AnchorAccount } from './anchor-account.js'
import { batchChanges } from './close-batch.js'
import { RETRY_MS_MAX, RETRY_MS_MIN } from './engine-limits.js'
import type { ChainWriter } from './ports.js'
import { type OpenBatch, sizeOf } from './progress.js'
import type { BatchRow } from './rows.js'
import type { GatewayStore } from './store.js'

export interface ProposeParts {
  readonly store: GatewayStore
  readonly account: Pick<AnchorAccount, 'sign'>
  readonly writer: Pick<ChainWriter, 'submit' | 'locate'>
  readonly logger: Logger
  readonly counters: BatchCounters
}

export interface BatchCounters {
  batchesClosed: number
  batchesAnchored: number
  /** Attempts that got a block and anchored nothing. */
  attemptsFailed: number
  /** Attempts whose nonce another transaction took. */
  noncesTaken: number
  /** Submissions that the pool refused, or that did not reach it. */
  submitsFailed: number
}

/** Gives the newest attempt to the pool, once more when it has it already. What fails is tried again after a pause. */
export async function proposeBatch(batch: OpenBatch, nowMs: number, parts: ProposeParts): Promise<void> {
  try {
    await parts.writer.submit(batch.row.raw)
    crashPoint('gateway.batch-proposed')
    batch.isProposed = true
  } catch (error) {
    if (isCodedError(error, 'POOL_NONCE_TOO_LOW')) return afterNonceTaken(batch, nowMs, parts)
    batch.isProposed = false
    // Rights come by a motion, quotas at midnight: what was refused for them is asked for ever more rarely.
    const isLasting = isCodedError(error) && /^(PERMISSION|QUOTA)_/.test(error.code)
    batch.retryAtMs = nowMs + (isLasting ? pauseAfter(batch) : RETRY_MS_MIN)
    parts.counters.submitsFailed++
    parts.logger.warn('a batch could not be proposed; it is tried again', {
      ...fieldsOf(batch.row),
      ...(isCodedError(error) && { code: error.code }),
      error: messageOf(error),
    })
  }
}

/** Its nonce is used: by itself, which the next look at the chain finds, or by a stranger. */
async function afterNonceTaken(batch: OpenBatch, nowMs: number, parts: ProposeParts): Promise<void> {
  if ((await parts.writer.locate(batch.row.hashes.at(-1)!)) !== undefined) return
  parts.counters.noncesTaken++
  parts.logger.warn('another transaction took the nonce of a batch; it is signed again', fieldsOf(batch.row))
  await signAgain(batch, batch.row.batchId, parts)
  // A node that fetches its chain anew takes every nonce for too high or too low until it is through.
  batch.retryAtMs = nowMs + pauseAfter(batch)
}

/** Longer after each failure in a row. */
function pauseAfter(batch: OpenBatch): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** batch.failures++)
}

/**
 * The newest attempt has a block and anchored nothing, and so has none before it. Under the same id the contract might
 * refuse for ever (after a restored backup the id may be taken by an attempt that is not remembered), so it gets a new
 * one; nothing doubles, as no attempt is left that could still succeed.
 */
export async function afterFailure(batch: OpenBatch, nowMs: number, parts: ProposeParts): Promise<void> {
  const pauseMs = pauseAfter(batch)
  parts.counters.attemptsFailed++
  parts.logger.error('a batch was refused by the chain; it is signed again', { ...fieldsOf(batch.row), pauseMs })
  const failed = hexToBytes(batch.row.hashes.at(-1)!)
  const batchId = keccak256Hex(concatBytes(hexToBytes(batch.row.batchId), failed))
  await signAgain(batch, batchId, parts)
  batch.retryAtMs = nowMs + pauseMs
}

/** On disk before it is submitted, and all earlier hashes with it. */
async function signAgain(
  batch: OpenBatch,
  batchId: BatchRow['batchId'],
  { store, account }: ProposeParts,
): Promise<void> {
  const { family, root, hashes } = batch.row
  const { raw, hash, nonce } = await account.sign({ batchId, root, size: sizeOf(batch.row), family })
  const row = { ...batch.row, batchId, raw, nonce, hashes: [...hashes, hash] }
  await store.commit(batchChanges(row))
  batch.row = row
  batch.isProposed = false
}

function fieldsOf({ family, first, last, batchId, hashes }: BatchRow): Record<string, unknown> {
  return { family, first, last, batchId, transaction: hashes.at(-1) }
}
