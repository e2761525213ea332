import { type RecordBuilder, createRecordBuilder } from '../records/builder.js'
import { type RecordEnvelope, envelopeLeaf, parseEnvelope } from '../records/envelope.js'
import type { SchemaRegistry } from '../records/schema-registry.js'
import type { AnyRecordInput } from '../connection/record.js'
import { SonghuaError, toSonghuaError } from '../connection/songhua-error.js'

/** A record that waits for its place in a batch. */
export interface MadeRecord {
  readonly envelope: RecordEnvelope
  /** RFC 9162 leaf hash of the canonical envelope. */
  readonly leaf: Uint8Array
  /** Undefined when only the envelope was given. */
  readonly payload: Uint8Array | undefined
  readonly salt: Uint8Array | undefined
}

/** @throws SonghuaError with the code of the records' builder, and every violation */
export type MakeRecord = (input: AnyRecordInput) => MadeRecord

/** @param issuer of records that name none */
export function createRecordMaker(registry: SchemaRegistry, issuer: string | undefined): MakeRecord {
  const builder = createRecordBuilder(registry)
  return (input) => {
    try {
      return 'envelope' in input ? takeEnvelope(input.envelope) : build(builder, input, issuer)
    } catch (error) {
      throw toSonghuaError(error, 'SUBMISSION_REFUSED')
    }
  }
}

function takeEnvelope(given: unknown): MadeRecord {
  const envelope = parseEnvelope(given)
  return { envelope, leaf: envelopeLeaf(envelope), payload: undefined, salt: undefined }
}

type WithPayload = Exclude<AnyRecordInput, { envelope: unknown }>

function build(builder: RecordBuilder, input: WithPayload, defaultIssuer: string | undefined): MadeRecord {
  const { schema, version, ...rest } = input
  const issuer = input.issuer ?? defaultIssuer
  if (issuer === undefined) {
    const message = 'The record names no issuer, and the connection has none: give connect() or the record an issuer'
    throw new SonghuaError('OPTION_INVALID', message, { field: 'issuer' })
  }
  const kind = version === undefined ? { id: schema } : { id: schema, version }
  const { envelope, leaf, payload, salt } = builder.build(kind, { ...rest, issuer })
  return { envelope, leaf, payload, salt }
}
