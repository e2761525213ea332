import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { MAX_ROUND } from '@songhua/sdk/protocol/extra-data'
import { encodeMark, encodeRecord } from '../signer/safety-log.js'
import { openConsensusLog } from '../storage/consensus-log.js'
import { syncFolder } from '../storage/durable-file.js'
import type { FolderFacts } from './doctor-facts.js'

/** What the operators of a chain that stands still have agreed on. */
export interface SilenceOrder {
  /** The highest block that any validator has. */
  readonly head: number
  readonly nowMs: number
  /** Of the genesis, of the first round. */
  readonly roundTimeoutMs: number
}

export interface SilencePlan {
  readonly path: string
  /** Where the log goes that is there; undefined when none is. */
  readonly aside: string | undefined
  readonly owner: Address
  /** At which it votes again. */
  readonly height: number
  /** From which on it does. */
  readonly round: number
}

/** Clocks of machines that stand still together need not agree. */
const CLOCK_MARGIN = 2
const ROUNDS_MORE = 16

/**
 * Ends the silence of a validator by the word of its operator, where it cannot end by itself: more than f validators are
 * silent at once. The new log binds it to a round of the next height that none can have reached, so that it contradicts
 * nothing it has forgotten. What it has forgotten of a block that it helped to prepare is lost all the same: the
 * operators answer for it that no block above `head` was decided.
 * @throws CodedError `REPAIR_REFUSED`
 */
export function planEndOfSilence({ store, log }: FolderFacts, { head, nowMs, roundTimeoutMs }: SilenceOrder): SilencePlan {
  const refuse = (message: string): never => {
    throw new CodedError('REPAIR_REFUSED', message)
  }
  if (store.fault !== undefined || store.head === undefined || store.headTimeMs === undefined) {
    return refuse(store.fault?.message ?? `${store.folder}: has no chain yet; start the node, so that it fetches the chain`)
  }
  if (store.head !== head) {
    return refuse(`the last block here is ${store.head}, not ${head}; start the node until it has all that any validator has, then give that height to all of them`)
  }
  if (log?.address === undefined) return refuse('this node follows the chain, or its key cannot be read; it has no consensus log')
  if (log.silence === undefined) return refuse('this validator is not silent: its consensus log is whole')
  const stamp = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  return {
    path: log.path,
    aside: log.status === 'missing' ? undefined : `${log.path}.silent-${stamp}`,
    owner: log.address,
    height: head + 1,
    round: roundBeyond(nowMs - store.headTimeMs, roundTimeoutMs),
  }
}

/**
 * No round is shorter than the first, and nobody leaves one before somebody honest has waited for it.
 * @param sinceMs since the last block
 */
export function roundBeyond(sinceMs: number, roundTimeoutMs: number): number {
  const rounds = CLOCK_MARGIN * Math.ceil(Math.max(0, sinceMs) / roundTimeoutMs) + ROUNDS_MORE
  return Math.min(rounds, Math.floor(MAX_ROUND / 2))
}

/** Carries it out while no node runs on the folder. @throws CodedError `CONSENSUS_LOG_IO` */
export async function endSilence({ path, aside, owner, height, round }: SilencePlan): Promise<void> {
  if (aside !== undefined) {
    await rename(path, aside)
    await syncFolder(dirname(path))
  }
  const log = await openConsensusLog(path, { create: false, owner })
  await log.startEpoch(height, boundAnew({ height, round }))
  await log.close()
}

/** The entries of a log that binds a validator to a round, and to nothing that came before it. */
export function boundAnew({ height, round }: Pick<SilencePlan, 'height' | 'round'>): Uint8Array[] {
  const record = { height, round, step: 'roundChange', block: undefined, certificate: undefined } as const
  return [encodeMark({ height, isSilent: false }), encodeRecord(record)]
}
