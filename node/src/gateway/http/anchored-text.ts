import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { EVIDENCE_VERSION } from '@songhua/sdk/protocol/evidence-format'
import type { AnchoredBatch, AnchoredRecord } from '../model.js'

/**
 * Anchored records as JSON text. What the bundles of a batch share is written once for all of them, and envelopes are
 * copied as they are stored: no bundle is made as an object on the way.
 */

/** What a caller's Accept names to get the shared form; the SDK knows it by the same name. */
export const SHARED_ANSWER_TYPE = 'application/vnd.songhua.shared+json'

/** Writes one record with its evidence, as an object. */
export type WriteRecord = (record: AnchoredRecord) => string

/** The bundle is whole in each record. */
export function createWholeWriter(): WriteRecord {
  const textOf = createBatchTexts()
  return (record) => {
    const { envelope, rest } = readTexts(record)
    return `${headOf(record)},"evidence":${bundleText(record, envelope, textOf(record.batch))}${rest}}`
  }
}

/** The parts of a batch stand but once: the records first, what they have in common after them. */
export interface SharedWriter {
  readonly record: WriteRecord
  /** Of all that `record` was given, as a list. */
  batches(): string
}

/**
 * A batch of which the answer has but a few records is not shared: all of its leaves would weigh more than their
 * bundles.
 */
const SHARED_PART_MIN = 1 / 8

/** @param records all that will be written */
export function createSharedWriter(records: Iterable<AnchoredRecord>): SharedWriter {
  const shared = sharedBatches(records)
  const indices = new Map(shared.map(({ id }, index) => [id, index]))
  const whole = createWholeWriter()
  return {
    record: (record) => {
      const index = indices.get(record.batch.id)
      if (index === undefined) return whole(record)
      const { envelope, rest } = readTexts(record)
      return `${headOf(record)},"batch":${index},"leafIndex":${record.leafIndex},"envelope":${envelope}${rest}}`
    },
    batches: () => `[${shared.map(batchText).join(',')}]`,
  }
}

function sharedBatches(records: Iterable<AnchoredRecord>): AnchoredBatch[] {
  const counts = new Map<string, { batch: AnchoredBatch; records: number }>()
  for (const { batch } of records) {
    const known = counts.get(batch.id)
    if (known === undefined) counts.set(batch.id, { batch, records: 1 })
    else known.records += 1
  }
  const isShared = (one: { batch: AnchoredBatch; records: number }): boolean =>
    one.records >= one.batch.size * SHARED_PART_MIN
  return [...counts.values()].filter(isShared).map(({ batch }) => batch)
}

function batchText(batch: AnchoredBatch): string {
  const leaves = base64Of(batch.leaves())
  return JSON.stringify({ ...batch.shared(), leaves })
}

interface BatchText {
  readonly chain: string
  /** From the anchor on. */
  readonly tail: string
}

function createBatchTexts(): (batch: AnchoredBatch) => BatchText {
  const texts = new Map<string, BatchText>()
  return (batch) => {
    const known = texts.get(batch.id)
    if (known !== undefined) return known
    const { chain, anchor, header, validatorHistory } = batch.shared()
    const tail = `,${JSON.stringify({ anchor, header, validatorHistory }).slice(1)}`
    const text = { chain: JSON.stringify(chain), tail }
    texts.set(batch.id, text)
    return text
  }
}

function bundleText({ batch, leafIndex }: AnchoredRecord, envelope: string, { chain, tail }: BatchText): string {
  const path = batch.path(leafIndex)
  const nodes = path.length === 0 ? '' : `"${path.join('","')}"`
  const inclusion = `{"treeSize":${batch.size},"leafIndex":${leafIndex},"path":[${nodes}]}`
  return `{"version":"${EVIDENCE_VERSION}","chain":${chain},"envelope":${envelope},"inclusion":${inclusion}${tail}`
}

const headOf = ({ id }: AnchoredRecord): string => `{"id":"${id}","status":"anchored"`

function readTexts(record: AnchoredRecord): { envelope: string; rest: string } {
  const { envelope, kept } = record.content()
  const salt = kept ? `"${bytesToHex(kept.salt)}"` : 'null'
  const payload = kept ? `"${base64Of(kept.payload)}"` : 'null'
  return { envelope: viewOf(envelope).toString('utf8'), rest: `,"salt":${salt},"payload":${payload}` }
}

const base64Of = (bytes: Uint8Array): string => viewOf(bytes).toString('base64')

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)
