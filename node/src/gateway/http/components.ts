import { EVIDENCE_STEPS } from '@songhua/sdk/protocol/evidence-codes'
import { RECORD_FAMILY_NAMES } from '@songhua/sdk/protocol/evidence-envelope'
import { RETENTION_CLASSES } from '@songhua/sdk/records/record-schema'
import { PUBLIC_SCHEMES } from '@songhua/sdk/records/subject'
import { GATEWAY_ERRORS } from '../errors.js'
import type { Schema } from './route.js'
import { SUSPENSION_TEXTS } from './webhook-state.js'

/** What the doors' schemas name by `$ref`, as `Name#`. */

const text = (description?: string): Schema => ({ type: 'string', ...(description ? { description } : {}) })
const whole: Schema = { type: 'integer', minimum: 0 }
const time: Schema = { type: 'string', format: 'date-time' }
const hash: Schema = { type: 'string', pattern: '^0x[0-9a-f]{64}$' }
const hex: Schema = { type: 'string', pattern: '^0x([0-9a-f]{2})*$' }
const hex32: Schema = { type: 'string', pattern: '^0x[0-9a-f]{64}$' }
const hex64: Schema = { type: 'string', pattern: '^[0-9a-f]{64}$' }
const ref = (name: string): Schema => ({ $ref: `${name}#` })
const list = (items: Schema): Schema => ({ type: 'array', items })
const oneOf = (values: readonly string[]): Schema => ({ type: 'string', enum: values })
const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
})

export const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })

const bilingual: Schema = object({ zh: text(), en: text() })

const violation: Schema = {
  ...object({ path: text('JSON pointer'), code: text(), zh: text(), en: text(), column: text('of the CSV') }, ['column']),
}

const error: Schema = object({
  error: object(
    {
      code: oneOf(Object.keys(GATEWAY_ERRORS)),
      message: text('In the language of Accept-Language: Chinese or English'),
      field: text('The first field at fault'),
      details: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
      violations: list(ref('Violation')),
      rows: list(ref('RefusedRow')),
      existingId: text('The record that is there already'),
      moreViolations: { ...whole, description: 'At least so many are not told' },
    },
    ['field', 'details', 'violations', 'rows', 'existingId', 'moreViolations'],
  ),
})

const envelope: Schema = object(
  {
    type: { const: 'songhua.record/1' },
    id: text('UUID version 7'),
    family: oneOf(RECORD_FAMILY_NAMES),
    schema: object({ id: text(), version: text() }),
    subject: ref('Subject'),
    issuer: text('URI'),
    payloadDigests: object({ sha256: hex64, sm3: hex64 }),
    createdAt: time,
    supersedes: text('id of the record that this one corrects or ends'),
    retention: oneOf(RETENTION_CLASSES),
    proof: list(object({ algorithm: text(), keyId: text(), value: text() })),
  },
  ['supersedes'],
)

const subject: Schema = {
  type: 'object',
  oneOf: [
    object({ kind: { const: 'public' }, scheme: oneOf(PUBLIC_SCHEMES), id: text() }),
    object({ kind: { const: 'commitment' }, algorithm: { const: 'HMAC-SHA-256' }, keyId: text(), value: hex64 }),
  ],
}

const evidenceFields = {
  version: { const: 'songhua.evidence/1' },
  chain: object({ chainId: whole, genesisHash: hash }),
  envelope: ref('Envelope'),
  inclusion: object({ treeSize: whole, leafIndex: whole, path: list(hash) }),
  anchor: object({ blockNumber: whole, transactionIndex: whole, logIndex: whole, receiptProof: list(hex) }),
  header: hex,
  validatorHistory: list(hex),
  checkpointPath: object({ header: hex, path: list(hash) }),
  timestampTokens: list(text()),
  status: {},
} satisfies Record<string, Schema>

const evidence: Schema = {
  description: 'songhua.evidence/1',
  ...object(evidenceFields, ['checkpointPath', 'timestampTokens', 'status']),
}

const record: Schema = object(
  {
    id: text(),
    status: oneOf(['accepted', 'proposed', 'anchored']),
    payload: oneOf(['kept', 'erased', 'withheld']),
    acceptedAt: time,
    acceptedBy: text('id of the API key'),
    retainUntil: { ...nullable(time), description: 'null: permanent' },
    envelope: ref('Envelope'),
    batch: object(
      { id: hash, root: hash, size: whole, leafIndex: whole, transactionHash: hash, blockNumber: whole },
      ['blockNumber'],
    ),
    hold: object({ reason: text(), since: time, by: text(), issuer: text() }),
    erased: object({ at: time, by: text() }),
  },
  ['batch', 'hold', 'erased'],
)

const event: Schema = object(
  {
    type: oneOf(['record.anchored', 'record.erased', 'record.held', 'record.released']),
    cursor: text('resume after it'),
    atMs: whole,
    recordId: text(),
    issuer: text(),
    blockNumber: whole,
    batchId: hash,
    schema: text(),
    by: text('id of the API key'),
  },
  ['blockNumber', 'batchId', 'schema', 'by'],
)

const webhook: Schema = object(
  {
    id: text(),
    url: { type: 'string', format: 'uri' },
    events: list(text()),
    createdAt: time,
    state: oneOf(['active', 'suspended']),
    suspended: object({ reason: oneOf(Object.keys(SUSPENSION_TEXTS)), zh: text(), en: text(), at: time }),
    cursor: nullable(text('of the last event delivered')),
    attempts: { ...whole, description: 'failed, of the delivery under way' },
    nextAttemptAt: time,
    lastFailure: text(),
  },
  ['suspended', 'nextAttemptAt', 'lastFailure'],
)

const deadLetter: Schema = object({
  n: whole,
  after: nullable(text('the events after this cursor')),
  through: text('up to this one'),
  events: whole,
  attempts: whole,
  lastFailure: text(),
  at: time,
})

const verdict: Schema = object({
  valid: { type: 'boolean' },
  steps: list(
    object(
      { step: oneOf(EVIDENCE_STEPS), ok: { type: 'boolean' }, code: text(), message: text(), zh: text(), en: text() },
      ['message'],
    ),
  ),
  facts: { ...nullable({ type: 'object' }), description: 'what is proved; null when the bundle is not valid' },
})

const trustAnchor: Schema = object({
  version: text(),
  chainId: whole,
  genesisHeader: hex,
  checkpoints: list(object({ height: whole, hash, validators: list(text()) })),
})

const recordSchema: Schema = object(
  {
    id: text(),
    version: text(),
    title: bilingual,
    retention: oneOf(RETENTION_CLASSES),
    subjects: list(text()),
    subjectField: object({ field: text(), scheme: text() }),
    naturalKey: text(),
    schema: { type: 'object', description: 'JSON Schema 2020-12 of the payload; title: Chinese, x-en: English' },
  },
  ['subjectField', 'naturalKey', 'schema'],
)

const anchored: Schema = object(
  {
    id: text(),
    status: oneOf(['accepted', 'proposed', 'anchored']),
    evidence: ref('Evidence'),
    salt: nullable(hex32),
    payload: nullable({ type: 'string', description: 'base64 of the canonical payload' }),
  },
  ['evidence', 'salt', 'payload'],
)

const shared: Schema = object({
  records: list({
    anyOf: [
      object({
        id: text(),
        status: { const: 'anchored' },
        batch: { ...whole, description: 'index into batches' },
        leafIndex: whole,
        envelope: ref('Envelope'),
        salt: nullable(hex32),
        payload: nullable({ type: 'string', description: 'base64 of the canonical payload' }),
      }),
      ref('AcceptedRecord'),
      object({ error: { type: 'object' }, row: whole }),
    ],
  }),
  batches: list({
    ...object({
      chain: evidenceFields.chain,
      anchor: evidenceFields.anchor,
      header: evidenceFields.header,
      validatorHistory: evidenceFields.validatorHistory,
      leaves: text('base64 of all leaf hashes of the batch in order, 32 bytes each'),
    }),
    description: 'of its bundles: what they have in common, and the leaves from which their inclusion paths follow',
  }),
  replayed: { type: 'boolean' },
})

export const COMPONENTS: Readonly<Record<string, Schema>> = {
  Violation: violation,
  RefusedRow: object(
    {
      row: whole, code: text(), message: text(), violations: list(ref('Violation')), moreViolations: whole,
      existingId: text(),
    },
    ['violations', 'moreViolations', 'existingId'],
  ),
  Error: error,
  Subject: subject,
  Envelope: envelope,
  Evidence: evidence,
  Record: record,
  AcceptedRecord: anchored,
  SharedAnswer: shared,
  Event: event,
  Webhook: webhook,
  DeadLetter: deadLetter,
  Verdict: verdict,
  TrustAnchor: trustAnchor,
  RecordSchema: recordSchema,
}
