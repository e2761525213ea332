import { CodedError, isCodedError } from '@songhua/sdk/protocol/errors'
import type { RecordFamily } from '@songhua/sdk/protocol/evidence-envelope'
import { type RecordBuilder, type RecordSources, createRecordBuilder } from '@songhua/sdk/records/builder'
import { type RecordEnvelope, envelopeBytes, envelopeLeaf, parseEnvelope } from '@songhua/sdk/records/envelope'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import type { Violation } from '@songhua/sdk/records/schema-types'
import { CREATED_AHEAD_MS_MAX, CREATED_BACK_MS_MAX } from './engine-limits.js'
import type { Caller, Refusal, SubmittedPayload, SubmittedRecord } from './model.js'
import type { OpenedPayload } from './seal.js'

/** A good record, not yet in the table. */
export interface Draft {
  readonly envelope: RecordEnvelope
  readonly family: RecordFamily
  readonly createdMs: number
  /** Canonical. */
  readonly envelopeBytes: Uint8Array
  readonly leaf: Uint8Array
  readonly naturalKey: string | undefined
  /** Undefined when the payload was withheld. */
  readonly content: OpenedPayload | undefined
}

export type Judgement = { readonly draft: Draft } | { readonly refusal: Refusal }

export type Judge = (record: SubmittedRecord, caller: Pick<Caller, 'issuer'>) => Judgement

/** Whether a record can be taken, as far as it and its caller say: what stands in the table is another question. */
export function createJudge(registry: SchemaRegistry, sources: RecordSources): Judge {
  const builder = createRecordBuilder(registry, sources)
  return (record, caller) => {
    try {
      const draft =
        'envelope' in record
          ? takeEnvelope(record.envelope, { registry, nowMs: sources.nowMs() })
          : buildRecord(record, { builder, issuer: caller.issuer })
      const { issuer } = draft.envelope
      if (issuer === caller.issuer) return { draft }
      const message = `this API key writes for ${caller.issuer}, not for ${issuer}`
      return { refusal: { code: 'ISSUER_NOT_ALLOWED', message } }
    } catch (error) {
      if (!isCodedError(error)) throw error
      return { refusal: refusalOf(error) }
    }
  }
}

function buildRecord(record: SubmittedPayload, { builder, issuer }: { builder: RecordBuilder; issuer: string }): Draft {
  const { schema, version, ...input } = record
  const wanted = { id: schema, ...(version === undefined ? {} : { version }) }
  const {
    envelope,
    envelopeBytes: bytes,
    leaf,
    payload,
    salt,
    naturalKey,
  } = builder.build(wanted, { ...input, issuer: record.issuer ?? issuer })
  return { ...draftOf(envelope), envelopeBytes: bytes, leaf, naturalKey, content: { salt, payload } }
}

function takeEnvelope(given: unknown, { registry, nowMs }: { registry: SchemaRegistry; nowMs: number }): Draft {
  const envelope = parseEnvelope(given)
  const schema = registry.get(envelope.schema.id, envelope.schema.version)
  if (!schema.subjects.includes(envelope.subject.kind)) {
    const allowed = schema.subjects.join(' | ')
    throw invalid({
      path: '/subject',
      code: 'SUBJECT',
      zh: `该模式的主体只能为 ${allowed}`,
      en: `subject must be of kind ${allowed}`,
    })
  }
  const draft = draftOf(envelope)
  if (draft.createdMs > nowMs + CREATED_AHEAD_MS_MAX || draft.createdMs < nowMs - CREATED_BACK_MS_MAX) {
    throw invalid({
      path: '/createdAt',
      code: 'RANGE',
      zh: 'createdAt 须在过去 366 天至未来 5 分钟之间',
      en: 'createdAt must lie between 366 days ago and 5 minutes ahead',
    })
  }
  return {
    ...draft,
    envelopeBytes: envelopeBytes(envelope),
    leaf: envelopeLeaf(envelope),
    naturalKey: undefined,
    content: undefined,
  }
}

function draftOf(envelope: RecordEnvelope): Pick<Draft, 'envelope' | 'family' | 'createdMs'> {
  return { envelope, family: envelope.family, createdMs: Date.parse(envelope.createdAt) }
}

function invalid(violation: Violation): CodedError {
  return new CodedError('RECORD_INVALID', violation.en, { details: { violations: [violation] } })
}

/** What a record breaks as a whole, and no single field of it. */
function refusalOf({ code, message, details }: CodedError): Refusal {
  if (code === 'SCHEMA_UNKNOWN') return { code, message, schema: details.id as string }
  const whole: Violation = { path: '', code: 'VALUE', zh: message, en: message }
  const violations = (details.violations as readonly Violation[] | undefined) ?? [whole]
  return { code: 'RECORD_INVALID', message, violations }
}
