import { hexToBytes, isHex } from '../protocol/bytes.js'
import { messageOf } from '../protocol/errors.js'
import { type CutBundle, createEvidenceCutter } from '../protocol/evidence-assembly.js'
import { EVIDENCE_VERSION, type EvidenceBundle, parseEvidence } from '../protocol/evidence-format.js'
import type { RecordEnvelope } from '../records/envelope.js'
import type { AnchoredRecord, FieldViolation, Refusal } from '../connection/record.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { base64ToBytes } from './base64.js'

/**
 * Answers to submissions, in their two forms. The plain one has whole evidence in each record. The shared one, for many
 * records, has what the bundles of a batch have in common, and its leaves, once: a fifth of the bytes, and the bundles
 * are cut here, each from a leaf that is made anew of its envelope under a root that the batch's receipt names.
 */

/** What this SDK takes for an answer about many records; a gateway that knows only the plain form gives that. */
export const SHARED_ANSWER_TYPE = 'application/vnd.songhua.shared+json'

export interface AnchoredOutcome {
  readonly anchored: AnchoredRecord
  /** The same object in all outcomes that were cut of one batch; undefined for evidence that came whole. */
  readonly batch?: object
  /** The gateway says that it had taken the submission before, under the same Idempotency-Key. */
  readonly isReplayed: boolean
}

/** One of the answers to a submission. */
export type SubmitOutcome = AnchoredOutcome | { readonly refusal: Refusal }

interface RecordJson {
  readonly id?: unknown
  readonly evidence?: unknown
  readonly batch?: unknown
  readonly leafIndex?: unknown
  readonly envelope?: unknown
  readonly payload?: unknown
  readonly salt?: unknown
  readonly error?: {
    readonly code?: unknown
    readonly message?: unknown
    readonly violations?: readonly FieldViolation[]
    readonly existingId?: string
  }
}

interface AnswerJson {
  readonly records?: unknown
  readonly batches?: unknown
  readonly replayed?: unknown
}

/** The answer to a submission of one is its record. @throws SonghuaError `GATEWAY_ANSWER` */
export function recordsOf(json: unknown): readonly unknown[] {
  const { records = [json] } = (json ?? {}) as AnswerJson
  if (!Array.isArray(records)) return badAnswer('records is no list')
  const isNone = (one: unknown): boolean => !isRefusedJson(one) && typeof (one as RecordJson | null)?.id !== 'string'
  return records.some(isNone) ? badAnswer('a record has no id') : records
}

export function isRefusedJson(one: unknown): boolean {
  return typeof one === 'object' && one !== null && 'error' in one
}

/** Has its evidence, whole or as its place in a batch. */
export function isAnchoredJson(one: unknown): boolean {
  return typeof one === 'object' && one !== null && ('evidence' in one || 'leafIndex' in one)
}

export const idOf = (one: unknown): string => String((one as RecordJson).id)

/** @throws SonghuaError `GATEWAY_ANSWER` for what is not as the interface has it, or does not belong together */
export function readOutcomes(json: unknown): SubmitOutcome[] {
  const { batches, replayed } = (json ?? {}) as AnswerJson
  const batchAt = createBatches(batches)
  return recordsOf(json).map((record) => {
    try {
      return readOutcome(record as RecordJson, { batchAt, isReplayed: replayed === true })
    } catch (error) {
      if (error instanceof SonghuaError) throw error
      return badAnswer(`a record came with evidence that cannot be read: ${messageOf(error)}`, error)
    }
  })
}

interface AnswerContext {
  readonly batchAt: (index: unknown) => Batch
  readonly isReplayed: boolean
}

function readOutcome(record: RecordJson, { batchAt, isReplayed }: AnswerContext): SubmitOutcome {
  const { id, payload, salt, error } = record
  if (error !== undefined) return { refusal: readRefusal(error) }
  if (typeof id !== 'string') return badAnswer('a record has no id')
  const batch = 'leafIndex' in record ? batchAt(record.batch) : undefined
  const evidence = batch?.cut(record) ?? parseEvidence(record.evidence)
  const anchored = {
    id,
    evidence,
    envelope: evidence.envelope as unknown as RecordEnvelope,
    payload: typeof payload === 'string' ? base64ToBytes(payload, 'payload') : undefined,
    salt: isHex(salt) ? hexToBytes(salt, 'salt') : undefined,
  }
  return batch === undefined ? { anchored, isReplayed } : { anchored, isReplayed, batch }
}

function readRefusal({ code, message, violations = [], existingId }: NonNullable<RecordJson['error']>): Refusal {
  const refusal = { code: String(code), message: String(message), violations }
  return existingId === undefined ? refusal : { ...refusal, existingId }
}

// ------------------------------------------------------------------------------------------------------ batches

interface Batch {
  cut(record: RecordJson): EvidenceBundle
}

interface BatchJson {
  readonly chain?: unknown
  readonly anchor?: unknown
  readonly header?: unknown
  readonly validatorHistory?: unknown
  readonly leaves?: unknown
}

const LEAF_BYTES = 32

/** Tree and receipt of a batch are read once, when its first record is. */
function createBatches(batches: unknown): (index: unknown) => Batch {
  const list: readonly unknown[] = Array.isArray(batches) ? batches : []
  const read = new Map<unknown, Batch>()
  return (index) => {
    const known = read.get(index)
    if (known !== undefined) return known
    const json = list[index as number] as BatchJson | null | undefined
    if (typeof json !== 'object' || json === null) return badAnswer('a record names a batch that is not there')
    const batch = openBatch(json)
    read.set(index, batch)
    return batch
  }
}

function openBatch({ chain, anchor, header, validatorHistory, leaves: base64 }: BatchJson): Batch {
  if (typeof base64 !== 'string') return badAnswer('a batch has no leaves')
  const leaves = leavesOf(base64ToBytes(base64, 'leaves'))
  const inclusion = { treeSize: leaves.length, leafIndex: 0, path: [] }
  // Held to the form of a bundle, though it is of no record yet.
  const shared = parseEvidence({ version: EVIDENCE_VERSION, chain, envelope: {}, inclusion, anchor, header, validatorHistory })
  const cut: CutBundle = createEvidenceCutter({ ...shared, leaves })
  return {
    cut: ({ envelope, leafIndex }) => {
      if (typeof envelope !== 'object' || envelope === null) return badAnswer('a record has no envelope')
      return cut(envelope, leafIndex as number)
    },
  }
}

function leavesOf(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0 || bytes.length % LEAF_BYTES !== 0) return badAnswer('the leaves of a batch are no whole hashes')
  return Array.from({ length: bytes.length / LEAF_BYTES }, (_, at) => bytes.subarray(at * LEAF_BYTES, (at + 1) * LEAF_BYTES))
}

export function badAnswer(what: string, cause?: unknown): never {
  throw new SonghuaError('GATEWAY_ANSWER', `The gateway's answer is not as its interface has it: ${what}`, { cause })
}
