import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { mapInSlices } from '../../base/slices.js'
import { type ApiKeys, bearerToken } from '../api-keys.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { Caller } from '../model.js'
import { contextOf, type RequestContext } from './context.js'
import { checkContentType } from './door.js'
import type { InboundBudget } from './inbound.js'
import { routeToSchema } from './openapi.js'
import type { Rates } from './rates.js'
import { invalidFields, requestInvalid } from './request-violations.js'
import type { Call, Route, Schema } from './route.js'

export interface Guards {
  readonly keys: ApiKeys
  readonly rates: Rates
  readonly inbound: InboundBudget
  readonly limits: GatewayLimits
}

/** Keys of one object outside the payload: each unknown one costs a violation, and objects of many are slow. */
const KEYS_MAX = 64

/** Opens a route: key, scope and rates are judged before the body is received. */
export function openDoor(server: FastifyInstance, route: Route, guards: Guards): void {
  server.route({
    method: route.method,
    url: route.url,
    exposeHeadRoute: route.method === 'GET' && route.head !== false,
    bodyLimit: route.body === undefined ? 1 : guards.limits[route.body.limit],
    schema: routeToSchema(route),
    onRequest: (request, reply, done) => {
      admit(request, reply, { route, guards })
      done()
    },
    ...(route.body && {
      preParsing: (request, _reply, payload, done) => {
        done(null, guards.inbound.receive(request, payload as Readable))
      },
    }),
    preValidation: async (request) => {
      request.query = readQuery(request.query as Record<string, unknown>, route.query ?? {})
      checkKeys(request.body, '')
      if (route.body?.records === undefined) return
      await checkRecords(request, route.body.records, guards.limits)
    },
    handler: async (request, reply) => {
      const answer = await route.handle(new RequestCall(request, reply))
      return reply.sent || answer === undefined ? reply : reply.send(answer)
    },
  })
}

function admit(request: FastifyRequest, reply: FastifyReply, door: { route: Route; guards: Guards }): void {
  const { route, guards } = door
  if (route.scopes === undefined) guards.rates[route.rate ?? 'anonymous'](request.ip)
  else contextOf(request).caller = callerOf(request, route.scopes, guards)
  if (route.body === undefined) return
  checkContentType(request, route)
  const { valuesLimit } = route.body
  if (valuesLimit !== undefined) contextOf(request).valuesLimit = { limit: valuesLimit, max: guards.limits[valuesLimit] }
  guards.inbound.reserve(request, reply, route.body.limit)
}

function callerOf(request: FastifyRequest, scopes: NonNullable<Route['scopes']>, { keys, rates }: Guards): Caller {
  const header = request.headers.authorization
  const caller = header === undefined ? undefined : keys.callerOf(bearerToken(header))
  if (caller === undefined) {
    rates.anonymous(request.ip)
    throw gatewayError(header === undefined ? 'API_KEY_MISSING' : 'API_KEY_INVALID')
  }
  rates.request(caller.keyId)
  if (!scopes.some((scope) => caller.scopes.has(scope))) throw gatewayError('SCOPE_MISSING', { scope: scopes[0] })
  return caller
}

/** Text as the numbers and truth values that the schema wants; what is none stays text, for the schema to refuse. */
function readQuery(query: Record<string, unknown>, properties: Readonly<Record<string, Schema>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const type = Object.hasOwn(properties, name) ? properties[name]!.type : undefined
      if (type === 'integer' && typeof value === 'string' && /^\d{1,15}$/.test(value)) return [name, Number(value)]
      if (type === 'boolean' && (value === 'true' || value === 'false')) return [name, value === 'true']
      return [name, value]
    }),
  )
}

/**
 * All violations are told, so their number is bounded before the schema is asked about the whole; record by record, with
 * turns for others. What breaks fewer is told by the schema, in its order.
 * @throws GatewayError
 */
async function checkRecords(request: FastifyRequest, schema: Schema, { violationsMax }: GatewayLimits): Promise<void> {
  const body = request.body as { records?: unknown; subject?: unknown } | undefined | null
  const records = body?.records
  if (!Array.isArray(records)) return checkKeys(body?.subject, '/subject')
  const isValid = request.compileValidationSchema(schema, 'body')
  const findings: FastifySchemaValidationError[] = []
  await mapInSlices(records as readonly unknown[], (record, at) => {
    const path = `/records/${at}`
    checkKeys(record, path)
    checkKeys((record as { subject?: unknown } | null)?.subject, `${path}/subject`)
    if (isValid(record)) return
    for (const one of isValid.errors ?? []) findings.push({ ...one, instancePath: `${path}${one.instancePath}` })
    if (findings.length > violationsMax) throw requestInvalid(findings, 'body')
  })
}

function checkKeys(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Buffer.isBuffer(value)) return
  if (Object.keys(value).length <= KEYS_MAX) return
  const field = path.slice(1).replaceAll('/', '.')
  const zh = `${field || '请求体'}至多 ${KEYS_MAX} 个字段`
  const en = `${field || 'the body'} must have at most ${KEYS_MAX} fields`
  throw invalidFields('body', [{ path, code: 'ITEMS', zh, en }])
}

class RequestCall implements Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly #context: RequestContext

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.request = request
    this.reply = reply
    this.#context = contextOf(request)
  }

  get caller(): Caller {
    const { caller } = this.#context
    if (caller === undefined) throw new Error('this door has no caller')
    return caller
  }

  get params(): Readonly<Record<string, string>> {
    return this.request.params as Record<string, string>
  }

  get query(): Readonly<Record<string, unknown>> {
    return this.request.query as Record<string, unknown>
  }

  get body(): unknown {
    return this.request.body
  }

  get bodyBytes(): Uint8Array {
    return this.#context.bodyBytes
  }

  releaseBody(): void {
    this.request.body = undefined
    this.#context.releaseBody()
  }

  holdForAnswer(bytes: number): void {
    this.#context.answerBytes = bytes
  }
}

