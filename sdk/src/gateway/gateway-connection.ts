import { verifyEvidence } from '../protocol/evidence.js'
import type { EvidenceBundle } from '../protocol/evidence-format.js'
import type { EvidenceVerdict } from '../protocol/evidence-verdict.js'
import { type TrustAnchor, type TrustAnchorFile, trustAnchorToJson } from '../protocol/trust-anchor.js'
import type {
  AnchorManyOptions,
  AnchorOptions,
  AnchoredRecord,
  EnvelopeInput,
  RecordInput,
  RefusedRecord,
  TableOptions,
} from '../connection/record.js'
import { type ProvedUnder, proofTargetOf, readTrustAnchor, toProofTarget } from '../connection/proved-under.js'
import { DEFAULT_RETRY } from '../connection/retry.js'
import type { Source } from '../connection/stream.js'
import { type VerifyOptions, toEvidenceInput } from '../connection/verify-options.js'
import { watchEvents } from './event-stream.js'
import { createAnchoredCheck } from './evidence-check.js'
import {
  anchorOne,
  anchorStream,
  anchorTable,
  changeCustody,
  findRecords,
  getEvidence,
  getPayload,
  getRecord,
} from './gateway-records.js'
import { type TrustAnchorQuery, fetchTrustAnchor } from './gateway-trust.js'
import { type HttpClient, type HttpOptions, createHttpClient } from './http-client.js'
import type { GatewayEvent, GatewayRecord, RecordFilter, WatchOptions } from './model.js'

export interface GatewayOptions extends HttpOptions {
  /** `shk_…`. */
  readonly apiKey: string
  /**
   * Pins the chain: the JSON of a trust anchor that came by another way than from this gateway, or its text. With it,
   * records that are anchored, evidence and payloads are verified here before they are given out. What `get`, `find` and
   * `watch` tell is the gateway's word all the same: ask for the evidence of what you rely on.
   */
  readonly trustAnchor?: unknown
}

/** A gateway keeps payloads, finds records and anchors them; the evidence that it gives stands without it. */
export interface GatewayConnection {
  readonly records: GatewayRecords
  /**
   * What whoever verifies must be given, as this gateway tells it: compare it by another way before you rely on it. Of
   * a connection that pins one it is that, with its checkpoints; only the checkpoint asked for is the gateway's word.
   * @param options.checkpoint a height from 1 on, or `head`
   * @throws SonghuaError `GENESIS_MISMATCH`, `EVIDENCE_INVALID` when the gateway contradicts what is pinned;
   *   `HEIGHT_UNKNOWN`
   */
  trustAnchor(options?: TrustAnchorQuery): Promise<TrustAnchorFile>
}

interface Asking {
  readonly signal?: AbortSignal
}

export interface GatewayRecords {
  /**
   * Resolves when the record is anchored, and is the one that was sent: payload, digests, schema, subject, `supersedes`,
   * and version, issuer and retention where they were given. That it is on the chain is verified when one is pinned.
   * Retries with the same Idempotency-Key: it is anchored once.
   * @throws SonghuaError `RECORD_INVALID` with `violations`, `RECORD_DUPLICATE` with `details.existingId`,
   *   `ANCHOR_TIMEOUT` when it is accepted and not yet anchored, `EVIDENCE_INVALID`, `GATEWAY_UNREACHABLE`;
   *   `REPLAY_WITHOUT_PAYLOAD` when it was taken, and erased before the answer to it came
   */
  anchor<S extends string>(record: RecordInput<S> | EnvelopeInput, options?: AnchorOptions): Promise<AnchoredRecord>
  /**
   * Anchors a stream of records, in its order; the source is read only as fast as its records are anchored and taken.
   * @throws SonghuaError as `anchor`; `SUBMISSION_REFUSED` with `rows` for bad records, unless `partial` is set
   */
  anchorMany<S extends string>(
    source: Source<RecordInput<S> | EnvelopeInput>,
    options: AnchorManyOptions & { readonly partial: true },
  ): AsyncGenerator<AnchoredRecord | RefusedRecord, void>
  anchorMany<S extends string>(
    source: Source<RecordInput<S> | EnvelopeInput>,
    options?: AnchorManyOptions & { readonly partial?: false },
  ): AsyncGenerator<AnchoredRecord, void>
  /**
   * Anchors the rows of a CSV, up to 10,000 and 32 MiB in one request: the export of a system as it is. The gateway reads
   * it, so under a pinned trust anchor it is verified that each row is proved, not what was read from it.
   * @throws SonghuaError as `anchorMany`; its `violations` and those of refusals name the column; `CSV_INVALID`,
   *   `MAPPING_INVALID`, `CHARSET_INVALID`, `SCHEMA_UNKNOWN`, `TOO_MANY_RECORDS`, `IDEMPOTENCY_CONFLICT`
   */
  anchorTable(
    table: Uint8Array | string,
    options: TableOptions & { readonly partial: true },
  ): Promise<(AnchoredRecord | RefusedRecord)[]>
  anchorTable(
    table: Uint8Array | string,
    options: TableOptions & { readonly partial?: false },
  ): Promise<AnchoredRecord[]>
  /** As the gateway tells it: nothing of it is verified. @throws SonghuaError `RECORD_UNKNOWN` */
  get(id: string, options?: Asking): Promise<GatewayRecord>
  /**
   * Canonical bytes and salt; `payloadJson(payload)` is the value. With a pinned trust anchor they are held against the
   * digests of the record's evidence, which is fetched for that and verified; else they are the gateway's word.
   * @throws SonghuaError `RECORD_UNKNOWN`, `PAYLOAD_ERASED`, `PAYLOAD_WITHHELD`; with a pinned trust anchor also what
   *   `evidence` throws
   */
  payload(id: string, options?: Asking): Promise<{ payload: Uint8Array; salt: Uint8Array }>
  /**
   * The file that proves the record; always of the record that was asked for.
   * @param options.under the trust anchor under which it shall hold, or a checkpoint's height; the one that the
   *   connection pins when left out. With a trust anchor it is verified before it is given out, with a height alone not.
   * @throws SonghuaError `RECORD_UNKNOWN`, `RECORD_PENDING`; `REFRESH_HEIGHT` when the chain has not come so far;
   *   `EVIDENCE_INVALID`
   */
  evidence(id: string, options?: Asking & { readonly under?: ProvedUnder }): Promise<EvidenceBundle>
  /**
   * Oldest first, page by page as they are taken. As the gateway tells it: that none is left out or made up cannot be
   * verified, only each one by its evidence.
   * @throws SonghuaError `SUBJECT_INVALID`
   */
  find(filter?: RecordFilter): AsyncGenerator<GatewayRecord, void>
  /**
   * Locally; a bad bundle gives a verdict, no error. Under the given trust anchor, else under the one that the
   * connection pins, else under the gateway's own: then the verdict is only as good as your trust in the gateway.
   */
  verify(evidence: unknown, options?: VerifyOptions & Asking): Promise<EvidenceVerdict>
  /** Destroys payload and key; the evidence stands. @throws SonghuaError `LEGAL_HOLD`, `RETENTION_NOT_OVER` */
  erase(id: string, options?: Asking): Promise<GatewayRecord>
  /** Puts the payload under legal hold. @throws SonghuaError `LEGAL_HOLD` when one stands for another reason */
  hold(id: string, reason: string, options?: Asking): Promise<GatewayRecord>
  release(id: string, options?: Asking): Promise<GatewayRecord>
  /**
   * What happens to records, as the gateway tells it; for ever or until the signal aborts. Reconnects and resumes by
   * itself.
   * @throws SonghuaError what no reconnection mends: `CURSOR_AHEAD`, `CURSOR_INVALID`, a wrong key, a missing scope
   */
  watch(options?: WatchOptions): AsyncGenerator<GatewayEvent, never>
}

/** No request is made yet. @throws SonghuaError `OPTION_INVALID`, a `TRUST_ANCHOR_` code */
export function connectGateway(options: GatewayOptions): GatewayConnection {
  const http = createHttpClient(options)
  const pinned = options.trustAnchor === undefined ? undefined : readTrustAnchor(options.trustAnchor)
  const pinnedTarget = pinned && proofTargetOf(pinned)
  const parts = { http, check: createAnchoredCheck(pinned) }
  const anchorMany = (source: Source<RecordInput | EnvelopeInput>, many: AnchorManyOptions = {}) =>
    anchorStream(parts, source, many)
  return {
    trustAnchor: (wanted) => fetchTrustAnchor(http, pinned, wanted),
    records: {
      anchor: (record, one = {}) => anchorOne(parts, record, one),
      anchorMany: anchorMany as GatewayRecords['anchorMany'],
      anchorTable: ((table, one) => anchorTable(parts, table, one)) as GatewayRecords['anchorTable'],
      get: (id, asking = {}) => getRecord(http, id, asking),
      payload: (id, { signal } = {}) => getPayload(http, id, { target: pinnedTarget, signal }),
      evidence: async (id, { under, signal } = {}) => {
        const target = under === undefined ? pinnedTarget : toProofTarget(under)
        return getEvidence(http, id, { target, signal })
      },
      find: (filter = {}) => findRecords(http, filter),
      verify: createVerify(http, pinned),
      erase: (id, asking = {}) => changeCustody(http, id, { kind: 'erase', ...asking }),
      hold: (id, reason, asking = {}) => changeCustody(http, id, { kind: 'hold', reason, ...asking }),
      release: (id, asking = {}) => changeCustody(http, id, { kind: 'release', ...asking }),
      watch: (watch = {}) => watchEvents(http, watch, { ...DEFAULT_RETRY, ...options.retry }),
    },
  }
}

/** The gateway's trust anchor is fetched once. */
function createVerify(http: HttpClient, pinned: TrustAnchor | undefined): GatewayRecords['verify'] {
  let own = pinned && Promise.resolve(trustAnchorToJson(pinned))
  return async (evidence, { signal, ...options } = {}) => {
    const input = toEvidenceInput(options)
    if (input.trustAnchor !== undefined) return verifyEvidence(evidence, { ...input, trustAnchor: input.trustAnchor })
    own ??= fetchTrustAnchor(http, undefined, signal === undefined ? {} : { signal })
    const trustAnchor = await own.catch((error: unknown) => {
      own = undefined
      throw error
    })
    return verifyEvidence(evidence, { ...input, trustAnchor })
  }
}
