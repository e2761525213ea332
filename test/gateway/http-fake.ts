/* eslint-disable @typescript-eslint/require-await -- the ports are asynchronous, memory is not */
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { type RecordFamily, envelopeLeaf } from '@songhua/sdk/protocol/evidence-envelope'
import type { JsonObject } from '@songhua/sdk/protocol/json-fields'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { envelopeBytes } from '@songhua/sdk/records/envelope'
import { familyOf } from '@songhua/sdk/records/record-schema'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import type { Violation } from '@songhua/sdk/records/schema-types'
import { gatewayError } from '@songhua/node/gateway/errors'
import { cutEvidence } from '@songhua/node/gateway/evidence'
import type {
  AnchoredBatch, AnchoredRecord, Custody, Feed, GatewayEvent, Intake, Outcome, RecordEvent, Refusal, Shelf, StoredRecord, SubmittedPayload,
} from '@songhua/node/gateway/model'
import type { GatewayTable } from '@songhua/node/gateway/ports'

/** An engine in memory, for what the doors do: it keeps the contract of the interfaces, and anchors when told. */
export interface FakeEngine {
  readonly intake: Intake
  readonly shelf: Shelf
  readonly custody: Custody
  readonly feed: Feed
  /** Anchors all that wait, by itself when `isAutomatic`. */
  anchor(): void
  isAutomatic: boolean
  readonly waits: Set<AbortSignal | undefined>
  readonly records: Map<string, StoredRecord>
  emit(event: RecordEvent & { recordId: string; issuer: string }): GatewayEvent
  failWith?: Error
}

interface Kept {
  payload: Uint8Array
  salt: Uint8Array
}

export function createFakeEngine(registry: SchemaRegistry): FakeEngine {
  const builder = createRecordBuilder(registry)
  const records = new Map<string, StoredRecord>()
  const kept = new Map<string, Kept>()
  const requests = new Map<string, { bytes: string; outcomes: readonly Outcome[] }>()
  const events: GatewayEvent[] = []
  const listeners = new Set<() => void>()
  const waits = new Set<AbortSignal | undefined>()
  const settled = new Set<() => void>()
  const change = (id: string, changed: Partial<StoredRecord>): StoredRecord => {
    const next = { ...records.get(id)!, ...changed }
    records.set(id, next)
    return next
  }
  const engine: FakeEngine = {
    isAutomatic: true,
    waits,
    records,
    emit(event) {
      const stamped = { ...event, cursor: `${events.length + 1}.0`, atMs: Date.now() } as GatewayEvent
      events.push(stamped)
      for (const listener of listeners) listener()
      return stamped
    },
    anchor() {
      for (const record of records.values()) {
        if (record.status === 'anchored') continue
        const batch = {
          id: `0x${'11'.repeat(32)}`, root: `0x${'22'.repeat(32)}`, size: 1, leafIndex: 0,
          transactionHash: `0x${'33'.repeat(32)}`, blockNumber: 7,
        }
        change(record.id, { status: 'anchored', batch })
        const { issuer, schema } = record.envelope
        engine.emit({ type: 'record.anchored', blockNumber: 7, batchId: batch.id, schema: schema.id, recordId: record.id, issuer })
      }
      for (const wake of settled) wake()
    },
    intake: {
      async accept({ caller, records: submitted, idempotency, partial }) {
        if (engine.failWith) throw engine.failWith
        const key = idempotency && `${caller.keyId} ${idempotency.key}`
        const bytes = idempotency ? bytesToHex(idempotency.request) : ''
        const before = key === undefined ? undefined : requests.get(key)
        if (before && before.bytes !== bytes) throw gatewayError('IDEMPOTENCY_CONFLICT', { key: idempotency!.key })
        if (before) return { outcomes: before.outcomes, replayed: true }
        const built = submitted.map((one) => judge(one as SubmittedPayload, caller.issuer))
        const outcomes: Outcome[] = built.map((one) => ('refusal' in one ? one : { id: one.envelope.id }))
        if (!partial && built.some((one) => 'refusal' in one)) throw gatewayError('SUBMISSION_REFUSED', { outcomes })
        for (const one of built) {
          if ('refusal' in one) continue
          const { envelope, payload, salt } = one
          kept.set(envelope.id, { payload, salt })
          records.set(envelope.id, {
            id: envelope.id, envelope, status: 'accepted', payload: 'kept', acceptedAtMs: Date.now(), acceptedBy: caller.keyId,
          })
        }
        if (key !== undefined) requests.set(key, { bytes, outcomes })
        if (engine.isAutomatic) engine.anchor()
        return { outcomes, replayed: false }
      },
      async anchored(ids, timeoutMs, signal) {
        const isDone = (): boolean => ids.every((id) => records.get(id)?.status === 'anchored')
        if (isDone()) return true
        waits.add(signal)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs)
          const wake = (): void => {
            if (!isDone() && signal?.aborted !== true) return
            clearTimeout(timer)
            settled.delete(wake)
            resolve()
          }
          settled.add(wake)
          signal?.addEventListener('abort', wake)
        })
        waits.delete(signal)
        return isDone()
      },
    },
    shelf: {
      get: async (id) => records.get(id),
      find: async ({ issuer, families, subject, schema, limit, cursor, fromMs = 0, toMs = Infinity }) => {
        if (cursor !== undefined && !records.has(cursor)) throw gatewayError('CURSOR_INVALID', { cursor })
        const all = [...records.values()].filter(({ envelope }) => {
          const createdMs = Date.parse(envelope.createdAt)
          return (
            (issuer === undefined || envelope.issuer === issuer) &&
            (families?.includes(envelope.family) ?? true) &&
            (schema === undefined || envelope.schema.id === schema) &&
            (subject === undefined || JSON.stringify(envelope.subject) === JSON.stringify(subject)) &&
            createdMs >= fromMs && createdMs < toMs
          )
        })
        const start = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1
        const page = all.slice(start, start + limit)
        return { records: page, ...(all.length > start + limit ? { next: page.at(-1)!.id } : {}) }
      },
      async payload(id) {
        if (records.get(id)?.payload === 'erased') throw gatewayError('PAYLOAD_ERASED', { id })
        return kept.get(id)
      },
      async evidence(id, under) {
        const record = records.get(id)
        if (record === undefined) return undefined
        if (record.status !== 'anchored') throw gatewayError('RECORD_PENDING', { id })
        if (under !== undefined && under > 9) throw gatewayError('REFRESH_HEIGHT', { height: under })
        return cutEvidence(toAnchored(record))
      },
      async anchored(id) {
        const record = records.get(id)
        if (record !== undefined && record.status !== 'anchored') throw gatewayError('RECORD_PENDING', { id })
        return record && toAnchored(record)
      },
    },
    custody: {
      async erase(id, caller) {
        const record = records.get(id)
        if (record?.hold) throw gatewayError('LEGAL_HOLD', { id, reason: record.hold.reason })
        if (record && record.envelope.retention === 'permanent') {
          throw gatewayError('RETENTION_NOT_OVER', { id, retention: 'permanent', untilMs: null })
        }
        kept.delete(id)
        return record && change(id, { payload: 'erased', erased: { atMs: Date.now(), by: caller.keyId } })
      },
      async hold(id, reason, caller) {
        if (records.get(id)?.hold) throw gatewayError('LEGAL_HOLD', { id, reason: records.get(id)!.hold!.reason })
        return records.has(id) ? change(id, { hold: { reason, sinceMs: Date.now(), by: caller.keyId, issuer: caller.issuer } }) : undefined
      },
      async release(id) {
        const { hold: _hold, ...rest } = records.get(id)!
        records.set(id, rest)
        return rest
      },
    },
    feed: {
      async read(after, limit, { issuer, families } = {}) {
        if (Number(after) > events.length) throw gatewayError('CURSOR_AHEAD', { cursor: after, last: events.length })
        const at = after === undefined ? 0 : events.findIndex(({ cursor }) => cursor === after) + 1
        if (after !== undefined && at === 0) throw gatewayError('CURSOR_INVALID', { cursor: after })
        const isSeen = (one: GatewayEvent): boolean => {
          const isOfFamily = families === undefined || families.includes(familyOfEvent(one))
          return isOfFamily && (issuer === undefined || one.issuer === issuer)
        }
        return events.slice(at).filter(isSeen).slice(0, limit)
      },
      last: () => events.at(-1)?.cursor,
      onNews(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
  }

  /** Tests emit events of records that are nowhere. */
  function familyOfEvent(event: GatewayEvent): RecordFamily {
    return event.type === 'record.anchored' ? familyOf(event.schema) : (records.get(event.recordId)?.envelope.family ?? 'government')
  }

  /** Alone in its batch, of which nothing can be verified. */
  function toAnchored({ id, envelope }: StoredRecord): AnchoredRecord {
    const anchor = { blockNumber: 7, transactionIndex: 0, logIndex: 0, receiptProof: [] }
    const chain = { chainId: 7701, genesisHash: `0x${'ab'.repeat(32)}` } as const
    const batch: AnchoredBatch = {
      id: `0x${id.replaceAll('-', '').padStart(64, '0')}`,
      size: 1,
      shared: () => ({ chain, anchor, header: '0x', validatorHistory: [] }),
      leaves: () => envelopeLeaf(envelope as unknown as JsonObject),
      path: () => [],
    }
    return { id, batch, leafIndex: 0, content: () => ({ envelope: envelopeBytes(envelope), kept: kept.get(id) }) }
  }

  function judge(one: SubmittedPayload, issuer: string) {
    try {
      const { schema: id, version, ...input } = one
      return builder.build({ id, ...(version === undefined ? {} : { version }) }, { issuer, ...input })
    } catch (error) {
      if (!isCodedError(error)) throw error
      const { code, message, details } = error
      const violations = details.violations as Violation[] | undefined
      return { refusal: { code, message, ...(violations ? { violations } : {}) } as Refusal }
    }
  }

  return engine
}

/** In memory, sorted when it is read. */
export function createFakeTable(): GatewayTable & { readonly size: number } {
  const entries = new Map<string, Uint8Array>()
  const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex')
  return {
    get size() {
      return entries.size
    },
    get: (key) => entries.get(hex(key)),
    async *entries({ from, below }) {
      for (const key of [...entries.keys()].sort()) {
        if (key >= hex(from) && key < hex(below)) yield [Buffer.from(key, 'hex'), entries.get(key)!]
      }
    },
    async write(changes) {
      for (const [key, value] of changes) {
        if (value === undefined) entries.delete(hex(key))
        else entries.set(hex(key), Uint8Array.from(value))
      }
    },
  }
}
