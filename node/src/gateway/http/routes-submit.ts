import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import type { Bilingual } from '@songhua/sdk/records/schema-types'
import { createShareBudget } from '../../base/share-budget.js'
import { whenAnswered } from '../../base/when-answered.js'
import type { GatewayLimits } from '../limits.js'
import type { Intake, Shelf } from '../model.js'
import { SHARED_ANSWER_TYPE } from './anchored-text.js'
import { languageOf } from './error-reply.js'
import type { Rates } from './rates.js'
import type { Call, Route, Schema } from './route.js'
import { readOrder, requestBytes, type Settlement, submit } from './submission.js'
import { idsOf, sendAccepted, sendAnchored } from './submit-answer.js'

export interface SubmitPorts {
  readonly intake: Intake
  readonly shelf: Shelf
  readonly registry: SchemaRegistry
  readonly rates: Rates
  readonly limits: GatewayLimits
  readonly clock: { now(): number }
}

const name: Schema = { type: 'string', minLength: 1, maxLength: 128 }

const submitted: Schema = {
  type: 'object',
  properties: {
    schema: name,
    version: { ...name, description: 'the newest when left out' },
    payload: { description: 'of that schema' },
    issuer: { ...name, maxLength: 512, description: "the key's when left out" },
    subject: { type: 'object', description: 'a public identifier or a commitment; may be left out where the payload names it' },
    supersedes: name,
    retention: name,
  },
  required: ['schema', 'payload'],
  additionalProperties: false,
}
const withheld: Schema = {
  type: 'object',
  properties: { envelope: { type: 'object', description: 'the payload stays with the issuer' } },
  required: ['envelope'],
  additionalProperties: false,
}
/** Told apart by what they have, so that what is missing is said of the one that was meant. */
const record: Schema = { if: { type: 'object', required: ['envelope'] }, then: withheld, else: submitted }

const bodySchema = (limits: GatewayLimits): Schema => ({
  type: 'object',
  if: { required: ['records'] },
  then: {
    properties: { records: { type: 'array', items: record, minItems: 1, maxItems: limits.recordsPerRequestMax } },
    additionalProperties: false,
  },
  else: record,
})

const ABOUT_SUBMITTING: Bilingual = {
  zh: [
    '“accepted” 表示已落盘；wait=final 等待上链并返回证据文件。',
    `多条记录且 Accept 为 ${SHARED_ANSWER_TYPE} 时，同一批次证据的共同部分只给一次。`,
    'CSV 首行为列名：字段名、字段的中文标题，或由 mapping 指定；错误按行和列给出。',
    '信封由四个特殊列填写（可作列名，也可作 mapping 的目标）：$subject（写法同查询：uscc:…、number:…、gs1:…、commitment:<keyId>:<hex>）、',
    '$supersedes、$retention、$issuer；自然人只能以 $subject 的承诺值（commitment）指明。空单元格表示不填。',
  ].join(''),
  en: [
    '"accepted" means on disk; wait=final waits for the chain and answers with the evidence.',
    `With Accept: ${SHARED_ANSWER_TYPE}, an answer about many records gives once what the bundles of a batch share.`,
    'The first line of a CSV names its columns: by field, by its title, or as mapping says;',
    'errors are told by row and column.',
    'Four columns, by name or by mapping, fill the envelope: $subject',
    '(written as in a search: uscc:…, number:…, gs1:…, commitment:<keyId>:<hex>), $supersedes, $retention, $issuer;',
    'a natural person is named by a commitment in $subject only. An empty cell leaves its part out.',
  ].join(' '),
}

export function submitRoutes(ports: SubmitPorts): Route[] {
  const { limits } = ports
  const text: Schema = { type: 'string', minLength: 1, maxLength: limits.csvMappingCharactersMax }
  const many: Schema = {
    type: 'object',
    properties: { records: { type: 'array', items: { $ref: 'AcceptedRecord#' } }, replayed: { type: 'boolean' } },
  }
  const schema: Schema = { anyOf: [{ $ref: 'AcceptedRecord#' }, many] }
  return [
    {
      method: 'POST',
      url: '/v1/records',
      operationId: 'submitRecords',
      tag: 'records',
      summary: { zh: '提交记录（如签发许可）', en: 'Anchor one record, or up to 10,000' },
      description: ABOUT_SUBMITTING,
      scopes: ['records:write'],
      headers: {
        'idempotency-key': { type: 'string', pattern: '^[\\x21-\\x7e]{1,128}$' },
        'x-songhua-mapping': { type: 'string', maxLength: limits.csvMappingCharactersMax },
      },
      query: {
        wait: { type: 'string', enum: ['final'] },
        waitMs: { type: 'integer', minimum: 1, maximum: limits.waitMsMax, description: `${limits.waitMsDefault} unless given` },
        partial: { type: 'boolean', description: 'take the good records when some are bad' },
        schema: { ...text, description: 'of a CSV' },
        version: { ...text, description: 'of a CSV' },
        mapping: { ...text, description: 'of a CSV: {"column": "field", "other": "$subject", "third": ""}' },
      },
      body: {
        limit: 'bodyBytesMax',
        records: record,
        content: { 'application/json': bodySchema(limits), 'text/csv': { description: 'utf-8 or gb18030' } },
      },
      answers: {
        201: { text: { zh: '已上链', en: 'anchored: with wait=final' }, schema, others: { [SHARED_ANSWER_TYPE]: { $ref: 'SharedAnswer#' } } },
        202: { text: { zh: '已接收', en: 'accepted' }, schema },
      },
      errors: [
        'TOO_MANY_RECORDS', 'CSV_INVALID', 'MAPPING_INVALID', 'RECORD_INVALID', 'RECORD_DUPLICATE', 'RECORD_EXISTS',
        'SCHEMA_UNKNOWN', 'ISSUER_NOT_ALLOWED', 'SUBMISSION_REFUSED', 'IDEMPOTENCY_CONFLICT', 'OUTBOX_FULL',
      ],
      handle: createSubmitHandler(ports),
    },
  ]
}

function createSubmitHandler(ports: SubmitPorts): Route['handle'] {
  const { intake, shelf, limits } = ports
  const waits = createWaits(intake, limits)
  return async (call) => {
    const settled = await settle(call, ports)
    call.releaseBody()
    call.holdForAnswer(settled.outcomes.length * OUTCOME_BYTES)
    const isWanted = call.query.wait === 'final'
    const isFinal = isWanted && (await waits.anchored(idsOf(settled), call))
    const mayBeFurther = settled.replayed || isWanted
    return (isFinal ? sendAnchored : sendAccepted)(call, { settled, shelf, mayBeFurther })
  }
}

/** What a record takes until it is answered. */
const OUTCOME_BYTES = 256

/** By itself, so that nothing of the body is held by what comes after. */
async function settle(call: Call, { intake, limits, rates, registry, clock }: SubmitPorts): Promise<Settlement> {
  const order = await readOrder(call, { registry, limits, nowMs: () => clock.now() })
  rates.records(call.caller.keyId, order.records.length)
  const key = call.request.headers['idempotency-key']
  const submission = {
    caller: call.caller,
    partial: call.query.partial === true,
    ...(typeof key === 'string' ? { idempotency: { key, request: requestBytes(call) } } : {}),
  }
  const language = languageOf(call.request.headers['accept-language'])
  return submit(order, submission, { accept: intake.accept.bind(intake), language })
}

// -------------------------------------------------------------------------------------------- waiting for the chain

/** Ends the wait of a caller who has gone, and bounds how many wait, and for how much. */
function createWaits(intake: Intake, limits: GatewayLimits) {
  const waits = createShareBudget({ totalMax: limits.waitsMax, shareMax: limits.waitsPerKeyMax })
  const records = createShareBudget({ totalMax: limits.waitRecordsMax, shareMax: limits.waitRecordsPerKeyMax })
  const enter = (keyId: string, count: number): (() => void) | undefined => {
    const wait = waits.take(keyId, 1)
    if (typeof wait === 'string') return undefined
    const room = records.take(keyId, count)
    if (typeof room === 'string') return void wait()
    return () => {
      wait()
      room()
    }
  }
  return {
    async anchored(ids: readonly string[], { caller, query, reply, request }: Call): Promise<boolean> {
      const leave = enter(caller.keyId, ids.length)
      // The records are accepted already: who cannot wait here is told so much, and asks again later.
      if (leave === undefined) return false
      const gone = new AbortController()
      whenAnswered(request.raw, reply.raw, () => gone.abort())
      try {
        return await intake.anchored(ids, Number(query.waitMs ?? limits.waitMsDefault), gone.signal)
      } finally {
        leave()
      }
    },
  }
}
