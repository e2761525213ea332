import { createHash } from 'node:crypto'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { RECORD_FAMILY_NAMES } from '@songhua/sdk/protocol/evidence-envelope'
import { familyOf } from '@songhua/sdk/records/record-schema'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { FamilyReads } from '../reads.js'
import type { Caller, Custody, RecordQuery, Shelf, StoredRecord } from '../model.js'
import { invalidFields } from './request-violations.js'
import { parseSubject, parseTime, recordToJson } from './record-view.js'
import { type Call, issuerSeenBy, type Route, type Schema } from './route.js'

export interface RecordPorts {
  readonly shelf: Shelf
  readonly custody: Custody
  readonly reads: FamilyReads
  readonly limits: GatewayLimits
}

const id: Record<string, Schema> = { id: { type: 'string', minLength: 1, maxLength: 64 } }
const text: Schema = { type: 'string', minLength: 1, maxLength: 1024 }
const record: Schema = { $ref: 'Record#' }

export function recordRoutes(ports: RecordPorts): Route[] {
  return [findRoute(ports), getRoute(ports), evidenceRoute(ports), payloadRoute(ports), ...custodyRoutes(ports)]
}

const READ = ['records:read', 'records:read-all'] as const

function findRoute({ shelf, reads, limits }: RecordPorts): Route {
  return {
    method: 'GET', url: '/v1/records', operationId: 'findRecords', tag: 'records', scopes: READ, isReading: true,
    summary: { zh: '查询记录', en: 'Find records' },
    description: {
      zh: 'subject 写作 uscc:…、did:…、gs1:…、uri:…、number:… 或 commitment:<keyId>:<hex>；时间为 RFC 3339，仅日期者为 UTC 零时。',
      en: 'subject: uscc:…, did:…, gs1:…, uri:…, number:… or commitment:<keyId>:<hex>. Times: RFC 3339; a date is its midnight, UTC. from ≤ createdAt < to.',
    },
    query: {
      subject: text, schema: text, from: text, to: text, cursor: text,
      limit: { type: 'integer', minimum: 1, maximum: limits.pageRecordsMax, description: `${limits.pageRecordsDefault} unless given` },
    },
    answers: {
      200: {
        text: { zh: '一页记录，由旧到新', en: 'a page, newest last; next: the cursor of the page after it' },
        schema: { type: 'object', properties: { records: { type: 'array', items: record }, next: text }, required: ['records'] },
      },
    },
    errors: ['SUBJECT_INVALID', 'CURSOR_INVALID'],
    handle: async (call) => {
      const { records, next } = await shelf.find({ ...toQuery(call, limits), families: await familiesFor(call, reads) })
      return { records: records.map(recordToJson), ...(next === undefined ? {} : { next }) }
    },
  }
}

function getRoute(ports: RecordPorts): Route {
  return {
    method: 'GET', url: '/v1/records/:id', operationId: 'getRecord', tag: 'records', scopes: READ, isReading: true, params: id,
    summary: { zh: '查看记录', en: 'A record and where it stands' },
    answers: { 200: { text: { zh: '记录', en: 'the record' }, schema: record } },
    errors: ['RECORD_UNKNOWN'],
    handle: async (call) => recordToJson(await readableFor(call, ports)),
  }
}

function evidenceRoute({ shelf, reads }: RecordPorts): Route {
  return {
    method: 'GET', url: '/v1/records/:id/evidence', operationId: 'getEvidence', tag: 'records', scopes: READ, isReading: true, params: id,
    summary: { zh: '下载证据文件', en: 'The evidence file' },
    description: {
      zh: 'under：以该更新的区块重新证明；不高于记录所在区块时，证据本身已足够，原样返回。',
      en: 'under: proved again under this later block; at or below the block of the record the plain bundle, which needs no more.',
    },
    query: { under: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
    answers: {
      200: { text: { zh: '证据文件', en: 'the bundle' }, schema: { $ref: 'Evidence#' } },
      304: { text: { zh: '未变', en: 'as the ETag says' } },
    },
    errors: ['RECORD_UNKNOWN', 'RECORD_PENDING', 'REFRESH_HEIGHT'],
    handle: async (call) => {
      const { id: recordId } = await readableFor(call, { shelf, reads })
      const evidence = await shelf.evidence(recordId, call.query.under as number | undefined)
      if (evidence === undefined) throw gatewayError('RECORD_UNKNOWN', { id: recordId })
      return sendEvidence(call, recordId, JSON.stringify(evidence))
    },
  }
}

function payloadRoute({ shelf, reads }: RecordPorts): Route {
  return {
    method: 'GET', url: '/v1/records/:id/payload', operationId: 'getPayload', tag: 'records', params: id,
    scopes: ['payload:read'], isReading: true,
    summary: { zh: '取回载荷', en: 'The payload and its salt' },
    answers: {
      200: {
        text: { zh: '规范化载荷与盐值', en: 'the canonical bytes as base64, and the salt' },
        schema: { type: 'object', properties: { payload: { type: 'string' }, salt: { type: 'string' } }, required: ['payload', 'salt'] },
      },
    },
    errors: ['RECORD_UNKNOWN', 'PAYLOAD_ERASED', 'PAYLOAD_WITHHELD'],
    handle: async (call) => {
      const { id: recordId, envelope } = await readableFor(call, { shelf, reads })
      const mayRead = envelope.issuer === call.caller.issuer || call.caller.scopes.has('payload:read-all')
      if (!mayRead) throw gatewayError('SCOPE_MISSING', { scope: 'payload:read-all' })
      const kept = await shelf.payload(recordId)
      if (kept === undefined) throw gatewayError('RECORD_UNKNOWN', { id: recordId })
      void call.reply.header('cache-control', 'no-store')
      return { payload: Buffer.from(kept.payload).toString('base64'), salt: bytesToHex(kept.salt) }
    },
  }
}

function custodyRoutes({ shelf, reads, custody }: RecordPorts): Route[] {
  const answers: Route['answers'] = { 200: { text: { zh: '记录', en: 'the record' }, schema: record } }
  const changed = async (call: Call, find: typeof readableFor, change: (id: string, caller: Caller) => Promise<StoredRecord | undefined>) => {
    const { id: recordId } = await find(call, { shelf, reads })
    const after = await change(recordId, call.caller)
    if (after === undefined) throw gatewayError('RECORD_UNKNOWN', { id: recordId })
    return recordToJson(after)
  }
  return [
    {
      method: 'DELETE', url: '/v1/records/:id/payload', operationId: 'erasePayload', tag: 'custody', params: id,
      scopes: ['payload:erase'], answers,
      summary: { zh: '删除载荷', en: 'Erase the payload; the evidence stands' },
      errors: ['RECORD_UNKNOWN', 'LEGAL_HOLD', 'RETENTION_NOT_OVER', 'PAYLOAD_WITHHELD', 'ISSUER_NOT_ALLOWED'],
      // A duty of the issuer's, and of its own records only: who may read no more must still be able to.
      handle: (call) => changed(call, recordFor, (recordId, caller) => custody.erase(recordId, caller)),
    },
    {
      method: 'PUT', url: '/v1/records/:id/hold', operationId: 'holdRecord', tag: 'custody', params: id,
      scopes: ['records:hold'], isReading: true, answers,
      summary: { zh: '司法保全', en: 'Put under legal hold' },
      body: {
        limit: 'smallBodyBytesMax',
        content: {
          'application/json': {
            type: 'object',
            properties: { reason: { ...text, maxLength: 500 } },
            required: ['reason'],
            additionalProperties: false,
          },
        },
      },
      errors: ['RECORD_UNKNOWN', 'LEGAL_HOLD', 'HOLD_PERSONAL'],
      handle: (call) =>
        changed(call, readableFor, (recordId, caller) => custody.hold(recordId, (call.body as { reason: string }).reason, caller)),
    },
    {
      method: 'DELETE', url: '/v1/records/:id/hold', operationId: 'releaseRecord', tag: 'custody', params: id,
      scopes: ['records:hold'], isReading: true, answers,
      summary: { zh: '解除保全', en: 'Release from legal hold' },
      errors: ['RECORD_UNKNOWN', 'HOLD_OF_ANOTHER'],
      handle: (call) => changed(call, readableFor, (recordId, caller) => custody.release(recordId, caller)),
    },
  ]
}

/** A record of another issuer is as unknown as one that does not exist. @throws GatewayError `RECORD_UNKNOWN` */
async function recordFor({ params, caller }: Call, { shelf }: Pick<RecordPorts, 'shelf'>): Promise<StoredRecord> {
  const found = await shelf.get(params.id!)
  const issuer = issuerSeenBy(caller)
  const isSeen = found !== undefined && (issuer === undefined || found.envelope.issuer === issuer)
  if (!isSeen) throw gatewayError('RECORD_UNKNOWN', { id: params.id })
  return found
}

/** @throws GatewayError `RECORD_UNKNOWN`; `PERMISSION_READ` when its family is closed to the caller */
async function readableFor(call: Call, { shelf, reads }: Pick<RecordPorts, 'shelf' | 'reads'>): Promise<StoredRecord> {
  const found = await recordFor(call, { shelf })
  await reads.require(call.caller, found.envelope.family)
  return found
}

/** Who asks for one family is told that it is closed; who asks for all is given those that are open. */
async function familiesFor({ query, caller }: Call, reads: FamilyReads): Promise<RecordQuery['families']> {
  const wanted = familyOf((query.schema as string | undefined) ?? '')
  if (RECORD_FAMILY_NAMES.includes(wanted)) await reads.require(caller, wanted)
  const families = await reads.some(caller)
  return families.length === RECORD_FAMILY_NAMES.length ? undefined : families
}

function toQuery({ query, caller }: Call, limits: GatewayLimits): RecordQuery {
  const { subject, schema, from, to, cursor, limit } = query as Record<string, string | undefined>
  const issuer = issuerSeenBy(caller)
  return {
    limit: Number(limit ?? limits.pageRecordsDefault),
    ...(issuer === undefined ? {} : { issuer }),
    ...(subject === undefined ? {} : { subject: parseSubject(subject) }),
    ...(schema === undefined ? {} : { schema }),
    ...(from === undefined ? {} : { fromMs: timeIn('from', from) }),
    ...(to === undefined ? {} : { toMs: timeIn('to', to) }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

function timeIn(field: string, given: string): number {
  const ms = parseTime(given)
  if (ms !== undefined) return ms
  const zh = `${field} 应为 RFC 3339 日期或时间`
  const en = `${field} must be an RFC 3339 date or date-time`
  throw invalidFields('querystring', [{ path: `/${field}`, code: 'FORMAT', zh, en }])
}

function sendEvidence({ request, reply }: Call, recordId: string, json: string): undefined {
  const etag = `"${createHash('sha256').update(json).digest('base64url')}"`
  void reply.header('etag', etag).header('cache-control', 'private, no-cache')
  const known = (request.headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
  if (known.includes(etag) || known.includes('*')) {
    void reply.code(304).send()
    return undefined
  }
  void reply
    .header('content-disposition', `attachment; filename="${recordId}.evidence.json"`)
    .type('application/json; charset=utf-8')
    .send(json)
  return undefined
}
