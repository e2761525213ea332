import type { RecordEnvelope } from '../records/envelope.js'
import type { Subject } from '../records/subject.js'

/** A record as the gateway keeps it. Times are RFC 3339, UTC. */
export interface GatewayRecord {
  readonly id: string
  /** On the gateway's disk; its transaction in the pool; in a sealed block, with evidence. */
  readonly status: 'accepted' | 'proposed' | 'anchored'
  /** `withheld`: the gateway never had it. */
  readonly payload: 'kept' | 'erased' | 'withheld'
  readonly acceptedAt: string
  /** The id of the API key that wrote it. */
  readonly acceptedBy: string
  /** Until when the payload is kept at least; null: for ever. */
  readonly retainUntil: string | null
  readonly envelope: RecordEnvelope
  readonly batch?: {
    readonly id: string
    readonly root: string
    readonly size: number
    readonly leafIndex: number
    readonly transactionHash: string
    readonly blockNumber?: number
  }
  /** A legal hold: the payload may not be erased while it stands. */
  readonly hold?: { readonly reason: string; readonly since: string; readonly by: string; readonly issuer: string }
  readonly erased?: { readonly at: string; readonly by: string }
}

/** What `find` looks for; all of it together. */
export interface RecordFilter {
  readonly subject?: Subject
  /** A schema id. */
  readonly schema?: string
  /** Of the envelope's `createdAt`, RFC 3339 (a date is its midnight, UTC): from ≤ created < to. */
  readonly from?: string | Date
  readonly to?: string | Date
  /** Records fetched at one time, 1 to 500. */
  readonly pageSize?: number
  readonly signal?: AbortSignal
}

/** What has happened to a record. */
export type GatewayEvent = {
  /** Resume after it. */
  readonly cursor: string
  readonly atMs: number
  readonly recordId: string
  readonly issuer: string
} & (
  | { readonly type: 'record.anchored'; readonly blockNumber: number; readonly batchId: string; readonly schema: string }
  | { readonly type: 'record.erased' | 'record.held' | 'record.released'; readonly by: string }
)

export interface WatchOptions {
  /** Events after this one; `0`: from the first on; from now on when left out. */
  readonly cursor?: string
  readonly signal?: AbortSignal
  /** A stream that is silent for so long, heartbeats included, is taken for broken, ms. */
  readonly silenceMs?: number
}

/** As the REST interface writes a subject. */
export function subjectToText(subject: Subject): string {
  if (subject.kind === 'commitment') return `commitment:${subject.keyId}:${subject.value}`
  // A DID is its own scheme: the whole of it is the identifier.
  return subject.scheme === 'did' ? subject.id : `${subject.scheme}:${subject.id}`
}
