import { canonicalBytes } from './canonical-json.js'
import { failEvidence, orFailEvidence } from './evidence-codes.js'
import { type JsonObject, failField, joinPath, readObject } from './json-fields.js'
import { leafHash } from './merkle-tree.js'

/**
 * Of a record's envelope the verifier reads only what it must; the rest is the records' own affair and is covered by
 * the leaf's hash as it stands.
 */
export interface EvidenceEnvelope {
  readonly id: string
  readonly family: RecordFamily
  readonly schema: { readonly id: string; readonly version: string }
  readonly issuer: string
  /** Each over salt (32 bytes) ‖ payload; 64 lower-case hexadecimal digits. */
  readonly payloadDigests: { readonly sha256: string; readonly sm3: string }
  /** Issuer signatures: see `evidence-issuer`. */
  readonly proof: readonly unknown[]
}

/** As `RecordAnchor` numbers them. */
export const RECORD_FAMILIES = { government: 1, trace: 2, credit: 3 } as const
export type RecordFamily = keyof typeof RECORD_FAMILIES
export const RECORD_FAMILY_NAMES = Object.freeze(Object.keys(RECORD_FAMILIES)) as readonly RecordFamily[]

/** Of an envelope in RFC 8785 form; a bundle of a batch of 1,000 stays below 4 kB of gzip with it. */
export const ENVELOPE_BYTES_MAX = 4096
/** Before the payload, in both digests: with it gone, they tell nothing. */
export const SALT_BYTES = 32
const MAX_NAME_CHARACTERS = 512
const DIGEST = /^[0-9a-f]{64}$/

/** The bytes whose RFC 9162 leaf hash is the record's leaf: RFC 8785, UTF-8. */
export function canonicalEnvelope(envelope: JsonObject): Uint8Array {
  const bytes = orFailEvidence('LEAF_ENVELOPE', () => canonicalBytes(envelope))
  if (bytes.length <= ENVELOPE_BYTES_MAX) return bytes
  return failEvidence('LEAF_TOO_LARGE', `The envelope has ${bytes.length} bytes; at most ${ENVELOPE_BYTES_MAX}`)
}

/** The record's place in a batch: RFC 9162 leaf hash of the canonical envelope, 32 bytes. @throws CodedError as above */
export function envelopeLeaf(envelope: JsonObject): Uint8Array {
  return leafHash(canonicalEnvelope(envelope))
}

/** @throws CodedError `LEAF_ENVELOPE`, naming the field */
export function readEnvelope(envelope: JsonObject): EvidenceEnvelope {
  return orFailEvidence('LEAF_ENVELOPE', () => {
    refuseNumbers(envelope, 'envelope')
    const schema = readObject(envelope.schema, 'envelope.schema')
    const digests = readObject(envelope.payloadDigests, 'envelope.payloadDigests')
    return {
      id: readName(envelope.id, 'envelope.id'),
      family: readFamily(envelope.family),
      schema: {
        id: readName(schema.id, 'envelope.schema.id'),
        version: readName(schema.version, 'envelope.schema.version'),
      },
      issuer: readName(envelope.issuer, 'envelope.issuer'),
      payloadDigests: {
        sha256: readDigest(digests.sha256, 'envelope.payloadDigests.sha256'),
        sm3: readDigest(digests.sm3, 'envelope.payloadDigests.sm3'),
      },
      proof: readProofs(envelope.proof),
    }
  })
}

/** An envelope has none: libraries of RFC 8785 differ on odd ones, and a leaf must be the same to all. */
function refuseNumbers(value: unknown, path: string): void {
  if (typeof value === 'number') failField('JSON_TYPE', path, 'must not be a number: envelopes hold texts')
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) refuseNumbers(inner, joinPath(path, key))
}

function readName(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') return failField('JSON_TYPE', path, 'must be a text')
  if (value.length <= MAX_NAME_CHARACTERS) return value
  return failField('JSON_RANGE', path, `has more than ${MAX_NAME_CHARACTERS} characters`)
}

function readFamily(value: unknown): RecordFamily {
  if (typeof value === 'string' && Object.hasOwn(RECORD_FAMILIES, value)) return value as RecordFamily
  return failField('JSON_RANGE', 'envelope.family', `must be one of ${RECORD_FAMILY_NAMES.join(', ')}`)
}

function readDigest(value: unknown, path: string): string {
  if (typeof value === 'string' && DIGEST.test(value)) return value
  return failField('JSON_TYPE', path, 'must be 64 lower-case hexadecimal digits')
}

function readProofs(value: unknown): unknown[] {
  return Array.isArray(value) ? value : failField('JSON_TYPE', 'envelope.proof', 'must be a list')
}
