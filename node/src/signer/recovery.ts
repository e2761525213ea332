import type { Block } from '@songhua/sdk/protocol/block'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { messageOf } from '@songhua/sdk/protocol/errors'
import type { SafetyRecord } from '../consensus/safety-record.js'
import { type LogContent, readSafetyLog } from './safety-log.js'

/**
 * The consensus log as it was found at the start; `fresh` is the log of a new data folder, in which nothing was written,
 * `foreign` that of another key: of what this one has signed it says nothing.
 */
export interface FoundLog {
  readonly status: 'fresh' | 'ok' | 'missing' | 'damaged' | 'foreign'
  readonly records: readonly Uint8Array[]
  readonly owner?: Address | undefined
}

/** What a node may say after a restart. */
export interface Recovery {
  /** Undefined: it may go on. Otherwise why it must keep silent until the chain has passed what it may have signed. */
  readonly silence: string | undefined
  /** Of the height above the head: the round and step to go on from. */
  readonly record: SafetyRecord | undefined
}

interface Finding {
  readonly log: FoundLog
  /** Number of the last block in the store. */
  readonly headNumber: number
  readonly decodeBlock: (bytes: Uint8Array) => Block
}

const silent = (silence: string): Recovery => ({ silence, record: undefined })

/**
 * Whether the log can be trusted to hold everything that this validator signed above its head. A node that follows the
 * chain marks every height, so a log that stops below its store is an old copy.
 */
export function recoverSafety({ log, headNumber, decodeBlock }: Finding): Recovery {
  if (log.status === 'fresh' && headNumber === 0) return { silence: undefined, record: undefined }
  if (log.status === 'foreign') return silent(`the consensus log is of another key, that of ${log.owner ?? 'nobody known'}`)
  if (log.status !== 'ok') return silent(`the consensus log is ${log.status}, the store is at block ${headNumber}`)
  try {
    return recoverContent(readSafetyLog(log.records, decodeBlock), headNumber)
  } catch (error) {
    return silent(`the consensus log is unreadable: ${messageOf(error)}`)
  }
}

function recoverContent({ mark, record }: LogContent, headNumber: number): Recovery {
  if (mark === undefined) return silent('the consensus log names no height')
  const places = `the consensus log is at height ${mark.height}, the store at block ${headNumber}`
  // A crash between a block's import and the next mark leaves the mark at the head itself.
  if (mark.height < headNumber) return silent(`${places}: the log is an old copy`)
  if (mark.height > headNumber + 1) return silent(`${places}: the store is an old copy`)
  if (mark.isSilent) return silent('the consensus log was lost before, and the chain has not passed that point yet')
  return { silence: undefined, record: record?.height === headNumber + 1 ? record : undefined }
}
