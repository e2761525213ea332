import { canonicalBytes } from '../protocol/canonical-json.js'
import { CodedError } from '../protocol/errors.js'
import { ENVELOPE_BYTES_MAX, RECORD_FAMILY_NAMES, type RecordFamily } from '../protocol/evidence-envelope.js'
import { MAX_ISSUER_PROOFS } from '../protocol/evidence-issuer.js'
import { leafHash } from '../protocol/merkle-tree.js'
import { isOversized, validateJson } from './json-schema.js'
import { isJsonObject, shorten } from './json-value.js'
import type { PayloadDigests } from './payload-digest.js'
import { type PersonalKind, findPersonalNumbers } from './personal-data.js'
import { RETENTION_CLASSES, type RetentionClass, SCHEMA_ID_CHARACTERS_MAX, familyOf } from './record-schema.js'
import { messages } from './schema-messages.js'
import type { Bilingual, JsonSchema, Violation } from './schema-types.js'
import { PUBLIC_SCHEMES, type Subject } from './subject.js'
import { MORE, VIOLATIONS_MAX, cappedViolations, violationsText } from './violations.js'

/** What goes on the chain of a record, as a leaf: all public, nothing personal. Payload and salt stay outside. */
export interface RecordEnvelope {
  readonly type: typeof ENVELOPE_TYPE
  /** UUID version 7. */
  readonly id: string
  readonly family: RecordFamily
  readonly schema: { readonly id: string; readonly version: string }
  readonly subject: Subject
  /** A URI of who vouches for it: `did:…`, `uscc:…`. */
  readonly issuer: string
  readonly payloadDigests: PayloadDigests
  /** RFC 3339, UTC, ms. */
  readonly createdAt: string
  /** The id of the record that this one corrects or ends. */
  readonly supersedes?: string
  readonly retention: RetentionClass
  /** Issuer signatures. */
  readonly proof: readonly IssuerProof[]
}

export interface IssuerProof {
  readonly algorithm: string
  readonly keyId: string
  /** Hexadecimal or base64url, 64 to 1,024 characters. */
  readonly value: string
}

export type EnvelopeErrorCode = 'ENVELOPE_INVALID' | 'ENVELOPE_TOO_LARGE'

export const ENVELOPE_TYPE = 'songhua.record/1'

const recordId: JsonSchema = {
  type: 'string',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  'x-message': { zh: '记录编号应为小写 UUID 第 7 版', en: 'a record id is a UUID of version 7 in lower case' },
}
const hex64: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{64}$' }
const short: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]*$',
  'x-message': {
    zh: '标识不得含有控制字符、零宽字符或换行符',
    en: 'an identifier has no control characters, unseen characters or line breaks',
  },
}
const closed = (properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
})

const SUBJECT: JsonSchema = {
  type: 'object',
  properties: { kind: { enum: ['public', 'commitment'] } },
  required: ['kind'],
  if: { properties: { kind: { const: 'public' } } },
  then: {
    ...closed({ kind: {}, scheme: { enum: PUBLIC_SCHEMES }, id: { ...short, maxLength: 512 } }),
    allOf: [
      { if: { properties: { scheme: { const: 'uscc' } } }, then: { properties: { id: { format: 'uscc' } } } },
      {
        if: { properties: { scheme: { enum: ['did', 'gs1', 'uri'] } } },
        then: { properties: { id: { format: 'uri' } } },
      },
    ],
  },
  else: closed({ kind: {}, algorithm: { const: 'HMAC-SHA-256' }, keyId: short, value: hex64 }),
}

/** Of an envelope, what whoever builds a record chooses; the rest is the builder's own work. */
const CHOSEN_PARTS = {
  schema: closed({ id: { ...short, maxLength: SCHEMA_ID_CHARACTERS_MAX }, version: { type: 'string', pattern: '^[1-9][0-9]{0,5}$' } }),
  subject: SUBJECT,
  issuer: { ...short, maxLength: 512, format: 'uri' },
  supersedes: recordId,
  retention: { enum: RETENTION_CLASSES },
} as const satisfies Record<string, JsonSchema>

const named = { title: '信封', 'x-en': 'the envelope' } as const
export type ChosenParts = Pick<RecordEnvelope, keyof typeof CHOSEN_PARTS>

const CHOSEN: JsonSchema = {
  ...named, type: 'object', properties: CHOSEN_PARTS, required: ['schema', 'subject', 'issuer', 'retention'],
}

const ENVELOPE: JsonSchema = {
  ...named,
  ...closed(
    {
      type: { const: ENVELOPE_TYPE },
      id: recordId,
      family: { enum: RECORD_FAMILY_NAMES },
      schema: CHOSEN_PARTS.schema,
      subject: SUBJECT,
      issuer: CHOSEN_PARTS.issuer,
      payloadDigests: closed({ sha256: hex64, sm3: hex64 }),
      createdAt: { type: 'string', pattern: '^[0-9T:-]{19}\\.[0-9]{3}Z$', format: 'date-time' },
      supersedes: CHOSEN_PARTS.supersedes,
      retention: CHOSEN_PARTS.retention,
      proof: {
        type: 'array',
        maxItems: MAX_ISSUER_PROOFS,
        items: closed({
          algorithm: short,
          keyId: short,
          // No shorter than a signature, so that it hides no number of a person.
          value: { type: 'string', minLength: 64, maxLength: 1024, pattern: '^[0-9A-Za-z_-]+$' },
        }),
      },
    },
    ['supersedes'],
  ),
}

const PERSONAL_NAMES: Record<PersonalKind, Bilingual> = {
  'citizen-id': { zh: '公民身份号码', en: 'a citizen number' },
  mobile: { zh: '手机号码', en: 'a mobile number' },
  'bank-card': { zh: '银行卡号', en: 'a bank card number' },
}

/** All but what is of a machine's making and has a form of its own: ids, digests, times. */
function readableParts(envelope: Record<string, unknown>): Record<string, unknown> {
  const { subject, issuer, schema, retention, proof } = envelope
  return { subject, issuer, schema, retention, proof }
}

/** Fields that hold a number of a natural person. */
function personalViolations(value: unknown): Violation[] {
  return findPersonalNumbers(value, VIOLATIONS_MAX + 1).map(({ path, kind }) => {
    const field = shorten(path.slice(1).replaceAll('/', '.'))
    return { path, code: 'PERSONAL_DATA', ...messages.personal({ zh: field, en: field }, PERSONAL_NAMES[kind]) }
  })
}

/** Every failing field among those that a record's builder does not make itself; as `envelopeViolations` would say. */
export function chosenViolations(envelope: ChosenParts): Violation[] {
  const violations = validateJson(CHOSEN, envelope, { nowMs: 0 })
  if (isOversized(violations)) return violations
  const { issuer, subject } = envelope
  const readable = { subject: subject.kind === 'commitment' ? { keyId: subject.keyId } : subject, issuer }
  return [...violations, ...personalViolations(readable)]
}

/** Every failing field of an envelope, up to `VIOLATIONS_MAX` and then `MORE`; none when it is valid. Never throws. */
export function envelopeViolations(envelope: unknown): Violation[] {
  const violations = validateJson(ENVELOPE, envelope, { nowMs: 0 })
  if (!isJsonObject(envelope) || isOversized(violations)) return violations
  const { schema, family } = envelope
  if (isJsonObject(schema) && typeof schema.id === 'string' && family !== familyOf(schema.id)) {
    violations.push({ path: '/family', code: 'VALUE', zh: 'family 与模式不符', en: 'family is not that of the schema' })
  }
  return cappedViolations([...violations, ...personalViolations(readableParts(envelope))], MORE)
}

/** @throws ENVELOPE_INVALID with `details.violations`; ENVELOPE_TOO_LARGE */
export function parseEnvelope(value: unknown): RecordEnvelope {
  const violations = envelopeViolations(value)
  if (violations.length > 0) {
    const message = violationsText(violations)
    throw new CodedError<EnvelopeErrorCode>('ENVELOPE_INVALID', message, { details: { violations } })
  }
  const envelope = value as RecordEnvelope
  envelopeBytes(envelope)
  return envelope
}

/** RFC 8785, UTF-8: what the leaf is made of. @throws ENVELOPE_TOO_LARGE */
export function envelopeBytes(envelope: RecordEnvelope): Uint8Array {
  const bytes = canonicalBytes(envelope)
  if (bytes.length <= ENVELOPE_BYTES_MAX) return bytes
  const message = `The envelope has ${bytes.length} bytes; at most ${ENVELOPE_BYTES_MAX}`
  throw new CodedError<EnvelopeErrorCode>('ENVELOPE_TOO_LARGE', message, { details: { bytes: bytes.length } })
}

/** The record's place in a batch: RFC 9162 leaf hash of the canonical envelope, 32 bytes. */
export function envelopeLeaf(envelope: RecordEnvelope): Uint8Array {
  return leafHash(envelopeBytes(envelope))
}
