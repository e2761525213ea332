import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import type { RecordEnvelope } from '@songhua/sdk/records/envelope'
import type { RetentionClass } from '@songhua/sdk/records/record-schema'
import type { Violation } from '@songhua/sdk/records/schema-types'
import type { Subject } from '@songhua/sdk/records/subject'

/**
 * The words of the gateway, one for one idea: a record is *accepted* when it is on the gateway's disk, *proposed* when
 * the transaction of its batch is in the pool, *anchored* when a sealed block holds it and its evidence is there. Its
 * payload is *kept*, *erased*, or *withheld* (the gateway never had it).
 */
export type RecordStatus = 'accepted' | 'proposed' | 'anchored'
export type PayloadStatus = 'kept' | 'erased' | 'withheld'

/** Who asks: an API key. Everything written is attributed to one. */
export interface Caller {
  readonly keyId: string
  /** The organisation for which it may write; `issuer` of its records. */
  readonly issuer: string
  readonly scopes: ReadonlySet<Scope>
  /** The account on the chain that the key stands for, where it names one. */
  readonly account?: Address
}

export const SCOPES = [
  'records:write',
  'records:read', //      records, evidence and events of the caller's own issuer
  'records:read-all', //  those of every issuer
  'payload:read', //      of the caller's own issuer
  'payload:read-all', //  with that, of every issuer whose records it may read
  'payload:erase',
  'records:hold', //      legal hold
  'webhooks:manage',
] as const
export type Scope = (typeof SCOPES)[number]

/** One record to be anchored: with its payload, or, when the payload stays with the issuer, its envelope alone. */
export type SubmittedRecord = SubmittedPayload | { readonly envelope: unknown }

export interface SubmittedPayload {
  readonly schema: string
  /** The newest when left out. */
  readonly version?: string
  readonly payload: unknown
  /** The caller's when left out. */
  readonly issuer?: string
  readonly subject?: Subject
  readonly supersedes?: string
  readonly retention?: RetentionClass
}

export interface Submission {
  readonly caller: Caller
  readonly records: readonly SubmittedRecord[]
  /** With the bytes of the request that it stands for. */
  readonly idempotency?: { readonly key: string; readonly request: Uint8Array }
  /** Take the good ones when some are bad; otherwise one bad record refuses all. */
  readonly partial: boolean
}

/** For each record of a submission, in order. */
export type Outcome = { readonly id: string } | { readonly refusal: Refusal }

export interface Refusal {
  readonly code: 'RECORD_INVALID' | 'RECORD_DUPLICATE' | 'RECORD_EXISTS' | 'SCHEMA_UNKNOWN' | 'ISSUER_NOT_ALLOWED'
  readonly message: string
  /** Each failing field, when it is invalid. */
  readonly violations?: readonly Violation[]
  /** The record that is there already. */
  readonly existingId?: string
  /** The one that there is not. */
  readonly schema?: string
}

export interface Acceptance {
  readonly outcomes: readonly Outcome[]
  /** The same request had been accepted before: nothing is written. */
  readonly replayed: boolean
}

/** Takes records in. */
export interface Intake {
  /**
   * On disk when it resolves.
   * @throws GatewayError `SUBMISSION_REFUSED` (details.outcomes: all of them) when a record is bad and `partial` is not
   *   set; `IDEMPOTENCY_CONFLICT`; `OUTBOX_FULL`
   */
  accept(submission: Submission): Promise<Acceptance>
  /** True when all are anchored; false when the time is over, the signal has come, or an id is unknown. */
  anchored(ids: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<boolean>
}

export interface StoredRecord {
  readonly id: string
  readonly envelope: RecordEnvelope
  readonly status: RecordStatus
  readonly payload: PayloadStatus
  /** Milliseconds. */
  readonly acceptedAtMs: number
  readonly acceptedBy: string
  readonly batch?: {
    readonly id: string
    readonly root: string
    readonly size: number
    readonly leafIndex: number
    readonly transactionHash: string
    readonly blockNumber?: number
  }
  readonly hold?: Hold
  readonly erased?: { readonly atMs: number; readonly by: string }
}

/** A legal hold: the payload may not be erased while it stands. */
export interface Hold {
  readonly reason: string
  readonly sinceMs: number
  readonly by: string
  /** Who placed it: nobody else may lift it. */
  readonly issuer: string
}

export interface RecordQuery {
  /** Only of this issuer; undefined: of any. */
  readonly issuer?: string
  /** Only of these; undefined: of any. */
  readonly families?: readonly RecordFamily[] | undefined
  readonly subject?: Subject
  readonly schema?: string
  /** Of `createdAt`, ms: from ≤ created < to. */
  readonly fromMs?: number
  readonly toMs?: number
  readonly limit: number
  /** Of the page before. */
  readonly cursor?: string
}

export interface RecordPage {
  /** Newest last. */
  readonly records: readonly StoredRecord[]
  /** Where the next page begins; undefined: this was the last. */
  readonly next?: string
}

/** Gives records out. Ids that are unknown give undefined. */
export interface Shelf {
  get(id: string): Promise<StoredRecord | undefined>
  /** @throws GatewayError `CURSOR_INVALID` */
  find(query: RecordQuery): Promise<RecordPage>
  /** @throws GatewayError `PAYLOAD_ERASED`, `PAYLOAD_WITHHELD` */
  payload(id: string): Promise<KeptPayload | undefined>
  /**
   * @param underHeight re-proves the record under this later block; at or below its own block it needs no other proof
   * @throws GatewayError `RECORD_PENDING` when it is not anchored yet; `REFRESH_HEIGHT` above the head
   */
  evidence(id: string, underHeight?: number): Promise<EvidenceBundle | undefined>
  /** What a bundle is made of, for whoever writes many. @throws GatewayError `RECORD_PENDING` */
  anchored(id: string): Promise<AnchoredRecord | undefined>
}

export interface KeptPayload {
  /** Canonical. */
  readonly payload: Uint8Array
  /** 32 bytes. */
  readonly salt: Uint8Array
}

/** A record by its place; what it holds is read when it is asked for. */
export interface AnchoredRecord {
  readonly id: string
  readonly batch: AnchoredBatch
  readonly leafIndex: number
  /** @throws CodedError `GATEWAY_STORE_DAMAGED` when the envelope does not give its leaf */
  readonly content: () => {
    /** Canonical JSON, UTF-8. */
    readonly envelope: Uint8Array
    /** Undefined when it is erased or was never here. */
    readonly kept: KeptPayload | undefined
  }
}

/** What the bundles of one batch have in common. */
export interface AnchoredBatch {
  readonly id: Hash
  /** Leaves. */
  readonly size: number
  shared(): Pick<EvidenceBundle, 'chain' | 'anchor' | 'header' | 'validatorHistory'>
  /** Hashes of all leaves in order, 32 bytes each. */
  leaves(): Uint8Array
  /** RFC 9162 inclusion path, from the leaf up. */
  path(leafIndex: number): Hash[]
}

/** What happens to payloads. Ids that are unknown give undefined. */
export interface Custody {
  /** @throws GatewayError `LEGAL_HOLD`, `RETENTION_NOT_OVER` (details.untilMs; null: permanent), `PAYLOAD_WITHHELD` */
  erase(id: string, caller: Caller): Promise<StoredRecord | undefined>
  /** @throws GatewayError `LEGAL_HOLD` when one stands already, `HOLD_PERSONAL` when the reason names a person's number */
  hold(id: string, reason: string, caller: Caller): Promise<StoredRecord | undefined>
  /** @throws GatewayError `HOLD_OF_ANOTHER` when another issuer placed it */
  release(id: string, caller: Caller): Promise<StoredRecord | undefined>
}

export type GatewayEvent = RecordEvent & {
  /** Ascending; decimal digits and a point: resume after it. */
  readonly cursor: string
  readonly atMs: number
  readonly recordId: string
  readonly issuer: string
}

export type RecordEvent =
  | { readonly type: 'record.anchored'; readonly blockNumber: number; readonly batchId: string; readonly schema: string }
  | { readonly type: 'record.erased'; readonly by: string }
  | { readonly type: 'record.held' | 'record.released'; readonly by: string }

/** Of whose records a reader learns; what is undefined bounds nothing. */
export interface Sight {
  readonly issuer?: string | undefined
  readonly families?: readonly RecordFamily[] | undefined
}

/** What has happened, in order, for ever. */
export interface Feed {
  /** @param after undefined: from the beginning. @throws GatewayError `CURSOR_INVALID`, `CURSOR_AHEAD` */
  read(after: string | undefined, limit: number, sight?: Sight): Promise<readonly GatewayEvent[]>
  /** The cursor of the last event; undefined when nothing has happened. */
  last(): string | undefined
  /** Called when there is something new to read. The answer ends the subscription. */
  onNews(listener: () => void): () => void
}
