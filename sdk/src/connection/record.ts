import type { EvidenceBundle } from '../protocol/evidence-format.js'
import type { PayloadOf } from '../records/builder.js'
import type { RecordEnvelope } from '../records/envelope.js'
import type { RetentionClass } from '../records/record-schema.js'
import type { Violation } from '../records/schema-types.js'
import type { SCHEMAS } from '../records/schemas/catalogue.js'
import type { Subject } from '../records/subject.js'

type Catalogue = typeof SCHEMAS

/** The payloads of the schemas that come with the SDK, by schema id. */
export type PayloadBySchema = { readonly [K in keyof Catalogue as Catalogue[K]['id']]: PayloadOf<K> }

/** `government.licence`, `trace.object-event` … */
export type SchemaId = keyof PayloadBySchema

/** Checked by the compiler for the schemas that come with the SDK; anything for the registry's others. */
export type PayloadFor<S extends string> = S extends SchemaId ? PayloadBySchema[S] : unknown

/**
 * A record to be anchored, with its payload. `S` is the schema's id: written in code it is found by itself, and the
 * compiler checks the payload's fields. A record that comes out of a file, a queue or another system, whose schema is
 * known at run time only, is a `RecordInput<string>` (or `RecordInput` for short): its payload is `unknown` to the
 * compiler, and `RECORD_INVALID` names every failing field when it is anchored.
 */
export interface RecordInput<S extends string = string> {
  readonly schema: S
  /** The newest when left out. */
  readonly version?: string
  readonly payload: PayloadFor<S>
  /** A URI of who vouches for it; the connection's (chain) or the API key's (gateway) when left out. */
  readonly issuer?: string
  /** May be left out where the schema finds a public identifier in the payload. */
  readonly subject?: Subject
  /** The id of the record that this one corrects or ends. */
  readonly supersedes?: string
  /** The schema's when left out. */
  readonly retention?: RetentionClass
}

/** A record whose payload and salt stay with the issuer: its envelope alone, as the records' builder makes it. */
export interface EnvelopeInput {
  readonly envelope: RecordEnvelope
}

export type AnyRecordInput = RecordInput | EnvelopeInput

/** A record in a sealed block, with the one file that proves it. */
export interface AnchoredRecord {
  readonly id: string
  readonly envelope: RecordEnvelope
  readonly evidence: EvidenceBundle
  /** The canonical bytes that the digests were made of; undefined when the payload stayed with the issuer. */
  readonly payload: Uint8Array | undefined
  /** 32 bytes. Keep it with the payload: without it the payload proves nothing. */
  readonly salt: Uint8Array | undefined
}

/** A failing field, and in a table its column. */
export interface FieldViolation extends Violation {
  readonly column?: string
}

/** Why one record of many was not taken. */
export interface Refusal {
  readonly code: string
  readonly message: string
  /** Every failing field, when the record is invalid. */
  readonly violations: readonly FieldViolation[]
  /** The record that is there already, when it is a duplicate. */
  readonly existingId?: string
}

/** In place of an `AnchoredRecord`, with `partial`. */
export interface RefusedRecord {
  /** Counted from 1 over the whole source; in a table the first row after the heading. */
  readonly row: number
  readonly refusal: Refusal
}

/** How many so far; each record is counted once as accepted and then as anchored, or as refused. */
export interface AnchorProgress {
  /** Durable with the gateway, or in the pool of the chain's node. */
  readonly accepted: number
  readonly anchored: number
  readonly refused: number
}

export interface AnchorOptions {
  readonly signal?: AbortSignal
  /** How long to wait for finality, ms; `ANCHOR_TIMEOUT` after that. */
  readonly timeoutMs?: number
}

export interface AnchorManyOptions extends AnchorOptions {
  /** Records in one request or transaction. */
  readonly batchSize?: number
  /** Requests or batches under way at one time; with `batchSize` the bound of what is read ahead from the source. */
  readonly concurrency?: number
  /** How long a batch waits for more records from a slow source, ms. */
  readonly batchDelayMs?: number
  readonly onProgress?: (progress: AnchorProgress) => void
  /** Yield a `RefusedRecord` in the place of a bad record; otherwise the first bad record throws. */
  readonly partial?: boolean
}

export interface TableOptions extends AnchorOptions {
  /** The schema's id; all rows are of it. */
  readonly schema: string
  /** The newest when left out. */
  readonly version?: string
  /**
   * Column → field of the payload (dots for fields within fields), `$subject`, `$supersedes`, `$retention` or `$issuer`;
   * '' leaves the column out. Columns named as the schema's fields, or as their Chinese titles, need none.
   */
  readonly mapping?: Readonly<Record<string, string>>
  /** Of bytes; `utf-8` when left out. */
  readonly charset?: 'utf-8' | 'gb18030'
  /**
   * Whatever is sent with a key once, such as the file's digest, is sent again without effect for some days; another
   * table under the same key is refused. Made by chance when left out.
   */
  readonly idempotencyKey?: string
  readonly onProgress?: (progress: AnchorProgress) => void
  /** Give a `RefusedRecord` in the place of a bad row; otherwise one bad row refuses the whole table. */
  readonly partial?: boolean
}

export function isRefused(record: AnchoredRecord | RefusedRecord): record is RefusedRecord {
  return 'refusal' in record
}

export function isAnchored(record: AnchoredRecord | RefusedRecord): record is AnchoredRecord {
  return !isRefused(record)
}
