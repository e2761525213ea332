import { utf8ToBytes } from '../protocol/bytes.js'
import { canonicalJson } from '../protocol/canonical-json.js'
import { CodedError } from '../protocol/errors.js'
import { leafHash } from '../protocol/merkle-tree.js'
import { type ChosenParts, ENVELOPE_TYPE, type RecordEnvelope, chosenViolations, envelopeBytes } from './envelope.js'
import { epcisEventHash } from './epcis-hash.js'
import { isJsonObject, pointerStep } from './json-value.js'
import { SALT_BYTES, payloadDigests } from './payload-digest.js'
import { createRandomPool } from './random-pool.js'
import { RECORD_ID_RANDOM_BYTES, uuidV7 } from './record-id.js'
import { RETENTION_CLASSES, type RecordSchema, type RetentionClass, familyOf } from './record-schema.js'
import type { FromSchema } from './schema-infer.js'
import type { SchemaRegistry } from './schema-registry.js'
import type { Violation } from './schema-types.js'
import { SCHEMAS } from './schemas/catalogue.js'
import { PUBLIC_SCHEMES, type PublicSubject, type Subject } from './subject.js'
import { MORE, cappedViolations, violationsText } from './violations.js'

export interface RecordInput<P = unknown> {
  readonly payload: P
  readonly issuer: string
  /** May be left out where the schema finds a public identifier in the payload. */
  readonly subject?: Subject
  readonly supersedes?: string
  /** The schema's when left out. */
  readonly retention?: RetentionClass
}

export interface BuiltRecord {
  readonly envelope: RecordEnvelope
  /** Canonical: RFC 8785, UTF-8. */
  readonly envelopeBytes: Uint8Array
  /** The record's place in a batch: RFC 9162 leaf hash of `envelopeBytes`, 32 bytes. */
  readonly leaf: Uint8Array
  /** Canonical JSON; it and the salt stay off the chain. */
  readonly payload: Uint8Array
  readonly salt: Uint8Array
  /** Two records with the same are one event; it stays off the chain too, since it could be guessed from the event. */
  readonly naturalKey?: string
}

/** Where time and chance come from. */
export interface RecordSources {
  nowMs(): number
  randomBytes(length: number): Uint8Array
}

export type BuilderErrorCode = 'RECORD_INVALID'

const systemSources: RecordSources = { nowMs: () => Date.now(), randomBytes: createRandomPool() }

/** The payloads of the schemas in this package, by builder. */
export type PayloadOf<K extends keyof typeof SCHEMAS> = FromSchema<(typeof SCHEMAS)[K]['schema']>

/** A typed function for each schema in this package, and `build` for any schema of the registry. */
export type RecordBuilder = {
  readonly [K in keyof typeof SCHEMAS]: (input: RecordInput<PayloadOf<K>>) => BuiltRecord
} & {
  /** @throws RECORD_INVALID with `details.violations`, one for each failing field; SCHEMA_UNKNOWN */
  build(schema: { readonly id: string; readonly version?: string }, input: RecordInput): BuiltRecord
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Stands in where there is no subject, so that the other fields are judged too. */
const NOBODY: PublicSubject = { kind: 'public', scheme: 'number', id: '-' }

/** The public identifier that the payload holds, where the schema says so. */
function subjectInPayload(schema: RecordSchema, payload: unknown): PublicSubject | undefined {
  if (!schema.subjectField || !isJsonObject(payload)) return undefined
  const id = payload[schema.subjectField.field]
  const scheme = PUBLIC_SCHEMES.find((known) => known === schema.subjectField!.scheme)
  return typeof id === 'string' && scheme !== undefined ? { kind: 'public', scheme, id } : undefined
}

function subjectViolations(
  schema: RecordSchema,
  subject: Subject | undefined,
  inPayload: PublicSubject | undefined,
): Violation[] {
  const fail = (zh: string, en: string): Violation[] => [{ path: '/subject', code: 'SUBJECT', zh, en }]
  if (!subject) return fail('缺少记录主体 subject', 'subject is required: a public identifier or a commitment')
  if (!schema.subjects.includes(subject.kind)) {
    const kinds = schema.subjects.join(' | ')
    return fail(`该模式的主体只能为 ${kinds}`, `subject must be of kind ${kinds}`)
  }
  const differs = subject.kind === 'public' && inPayload?.scheme === subject.scheme && inPayload.id !== subject.id
  if (!differs) return []
  const path = pointerStep(schema.subjectField!.field)
  return fail(`主体与载荷字段 ${path} 不一致`, `subject differs from the payload's ${path}`)
}

function invalid(schema: RecordSchema, violations: readonly Violation[]): CodedError<BuilderErrorCode> {
  const message = `${schema.id}: ${violationsText(violations)}`
  return new CodedError<BuilderErrorCode>('RECORD_INVALID', message, { details: { violations } })
}

interface InputContext {
  registry: SchemaRegistry
  nowMs: number
}

interface BuildRun {
  registry: SchemaRegistry
  sources: RecordSources
}

/** What is wrong with the fields of the envelope that the input gives; a subject that is wanting or wrong is told elsewhere. */
function inputViolations(schema: RecordSchema, input: RecordInput, subject: Subject | undefined): Violation[] {
  const chosen: Mutable<ChosenParts> = {
    schema: { id: schema.id, version: schema.version },
    issuer: input.issuer,
    subject: subject ?? NOBODY,
    retention: input.retention ?? schema.retention,
  }
  if (input.supersedes !== undefined) chosen.supersedes = input.supersedes
  return chosenViolations(chosen)
}

/**
 * A submitter may have the payload kept for longer, but not for shorter than its schema says; and what rests on consent
 * not beyond that.
 */
function retentionViolations(schema: RecordSchema, retention: RetentionClass | undefined): Violation[] {
  const place = retention === undefined ? -1 : RETENTION_CLASSES.indexOf(retention)
  // A class that there is not is the envelope's to refuse.
  if (place === -1 || retention === schema.retention) return []
  const isLonger = schema.retention !== 'consent' && place < RETENTION_CLASSES.indexOf(schema.retention)
  if (isLonger) return []
  const zh = `该模式规定保存期限为 ${schema.retention}，不允许 ${retention}`
  const en = `retention ${retention} is not allowed where the schema says ${schema.retention}`
  return [{ path: '/retention', code: 'RETENTION', zh, en }]
}

/**
 * Violations of the payload have paths under `/payload`, those of the envelope under its own fields: all there are, up
 * to `VIOLATIONS_MAX` and then `MORE`.
 * @returns whom the record is about
 */
function checkInput(schema: RecordSchema, input: RecordInput, { registry, nowMs }: InputContext): Subject {
  const inPayload = subjectInPayload(schema, input.payload)
  const subject = input.subject ?? inPayload
  const named = { schema: schema.id, version: schema.version, payload: input.payload }
  const ofPayload = registry.validate(named, { nowMs }).map((one) => ({ ...one, path: `/payload${one.path}` }))
  const ofSubject = subjectViolations(schema, subject, inPayload)
  // A subject that was read out of a bad payload is told where it stands: in the payload.
  const isTold = ofSubject.length > 0 || (input.subject === undefined && ofPayload.length > 0)
  const violations = [
    ...ofPayload,
    ...ofSubject,
    ...retentionViolations(schema, input.retention),
    ...inputViolations(schema, input, isTold ? undefined : subject),
  ]
  if (subject === undefined || violations.length > 0) throw invalid(schema, cappedViolations(violations, MORE))
  return { ...subject }
}

function buildRecord(schema: RecordSchema, input: RecordInput, { registry, sources }: BuildRun): BuiltRecord {
  const nowMs = sources.nowMs()
  const subject = checkInput(schema, input, { registry, nowMs })
  const text = canonicalJson(input.payload)
  const payload = utf8ToBytes(text)
  const salt = sources.randomBytes(SALT_BYTES)
  // In canonical order, which then need not be made.
  const envelope: Mutable<RecordEnvelope> = {
    createdAt: new Date(nowMs).toISOString(),
    family: familyOf(schema.id),
    id: uuidV7(nowMs, sources.randomBytes(RECORD_ID_RANDOM_BYTES)),
    issuer: input.issuer,
    payloadDigests: payloadDigests(salt, payload),
    proof: [],
    retention: input.retention ?? schema.retention,
    schema: { id: schema.id, version: schema.version },
    subject,
    type: ENVELOPE_TYPE,
  }
  if (input.supersedes !== undefined) envelope.supersedes = input.supersedes
  const bytes = envelopeBytes(envelope)
  const record: Mutable<BuiltRecord> = { envelope, envelopeBytes: bytes, leaf: leafHash(bytes), payload, salt }
  if (schema.naturalKey !== undefined) record.naturalKey = naturalKeyOf(text)
  return record
}

/** @param text canonical: the payload as it was recorded, whatever object it came from */
function naturalKeyOf(text: string): string {
  const event = JSON.parse(text) as Record<string, unknown>
  const hash = epcisEventHash(event)
  // An error declaration repeats the event that it declares wrong, hash and all; it is no duplicate of that.
  return event.errorDeclaration === undefined ? hash : `${hash}#error-declaration`
}

/** Builders over a registry: the package's schemas by name, all of the registry by id. */
export function createRecordBuilder(registry: SchemaRegistry, sources: RecordSources = systemSources): RecordBuilder {
  const build: RecordBuilder['build'] = ({ id, version }, input) =>
    buildRecord(registry.get(id, version), input, { registry, sources })
  const typed = Object.entries(SCHEMAS).map(([name, schema]) => [
    name,
    (input: RecordInput) => build({ id: schema.id, version: schema.version }, input),
  ])
  return { ...(Object.fromEntries(typed) as Omit<RecordBuilder, 'build'>), build }
}
