import type { Address, Hash } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { Header } from '@songhua/sdk/protocol/header'
import { type Checkpoint, checkpointOf, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import type { RecordSchema } from '@songhua/sdk/records/record-schema'
import type { SchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { gatewayError } from '../errors.js'
import type { ChainProofs } from '../ports.js'
import type { Route, Schema } from './route.js'
import { schemaOf } from './submission.js'

export interface ChainFacts {
  readonly chainId: number
  readonly genesisHash: Hash
  /** That anchors the gateway's batches. */
  readonly account: Address
  /** Of the program. */
  readonly version: string
}

export interface ChainRoutePorts {
  readonly facts: ChainFacts
  readonly proofs: ChainProofs
  readonly registry: SchemaRegistry
  /** Records that are accepted and not anchored yet. */
  readonly pending: () => number
}

const name: Schema = { type: 'string', minLength: 1, maxLength: 160 }

/** What anybody may know. */
export function chainRoutes(ports: ChainRoutePorts): Route[] {
  return [statusRoute(ports), trustAnchorRoute(ports), ...schemaRoutes(ports)]
}

function statusRoute({ facts, proofs, pending }: ChainRoutePorts): Route {
  const whole: Schema = { type: 'integer' }
  const text: Schema = { type: 'string' }
  return {
    method: 'GET', url: '/v1/status', operationId: 'getStatus', tag: 'gateway',
    summary: { zh: '网关状态', en: 'How the gateway is doing' },
    answers: {
      200: {
        text: { zh: '状态', en: 'the status' },
        schema: {
          type: 'object',
          properties: { chainId: whole, genesisHash: text, height: whole, account: text, software: text, pending: whole },
          required: ['chainId', 'genesisHash', 'height', 'account', 'software', 'pending'],
        },
      },
    },
    errors: [],
    handle: async () => {
      const { chainId, genesisHash, account, version } = facts
      return { chainId, genesisHash, height: await proofs.head(), account, software: `songhua/${version}`, pending: pending() }
    },
  }
}

function trustAnchorRoute({ facts, proofs }: ChainRoutePorts): Route {
  return {
    method: 'GET', url: '/v1/trust-anchor', operationId: 'getTrustAnchor', tag: 'verification',
    summary: { zh: '导出信任锚', en: 'The trust anchor of this chain' },
    description: {
      zh: '请由其他渠道核对：信任锚来自被核验的一方时，不能证明什么。',
      en: 'Compare it over another channel: an anchor from the one who is verified proves nothing by itself.',
    },
    query: { checkpoint: { type: 'string', pattern: '^(head|[1-9][0-9]{0,14})$', description: 'head, or a height' } },
    answers: { 200: { text: { zh: '信任锚', en: 'the trust anchor' }, schema: { $ref: 'TrustAnchor#' } } },
    errors: ['HEIGHT_UNKNOWN'],
    handle: async ({ query }) => {
      const given = query.checkpoint as string | undefined
      const height = given === 'head' ? await proofs.head() : Number(given ?? 0)
      const checkpoints: Checkpoint[] = height === 0 ? [] : [checkpointOf(await headerAt(proofs, height))]
      return trustAnchorToJson({ chainId: facts.chainId, genesisHeader: await proofs.header(0), checkpoints })
    },
  }
}

async function headerAt(proofs: ChainProofs, height: number): Promise<Header> {
  try {
    return await proofs.header(height)
  } catch (error) {
    if (isCodedError(error, 'HEADER_UNKNOWN')) throw gatewayError('HEIGHT_UNKNOWN', { height }, error)
    throw error
  }
}

function schemaRoutes({ registry }: ChainRoutePorts): Route[] {
  const schema: Schema = { $ref: 'RecordSchema#' }
  return [
    {
      method: 'GET', url: '/v1/schemas', operationId: 'listSchemas', tag: 'gateway',
      summary: { zh: '模式目录', en: 'The schemas of records' },
      answers: {
        200: {
          text: { zh: '各模式，不含字段', en: 'all of them, without their fields' },
          schema: { type: 'object', properties: { schemas: { type: 'array', items: schema } }, required: ['schemas'] },
        },
      },
      errors: [],
      handle: () => ({ schemas: registry.list().map(withoutFields) }),
    },
    {
      method: 'GET', url: '/v1/schemas/:id', operationId: 'getSchema', tag: 'gateway', params: { id: name },
      summary: { zh: '查看模式', en: 'A schema: JSON Schema with titles' },
      query: { version: { ...name, description: 'the newest when left out' } },
      answers: { 200: { text: { zh: '模式', en: 'the schema' }, schema } },
      errors: ['SCHEMA_NOT_FOUND'],
      handle: ({ params, query }) => {
        try {
          return schemaOf(registry, params.id!, query.version as string | undefined)
        } catch (error) {
          if (!isCodedError(error, 'SCHEMA_UNKNOWN')) throw error
          throw gatewayError('SCHEMA_NOT_FOUND', { schema: error.details.schema }, error)
        }
      },
    },
  ]
}

const withoutFields = ({ schema: _fields, ...head }: RecordSchema): Omit<RecordSchema, 'schema'> => head
