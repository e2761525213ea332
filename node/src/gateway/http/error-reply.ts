import { randomUUID } from 'node:crypto'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { Logger } from '../../base/logger.js'
import { limitNamed, type Refusals } from '../../base/refusals.js'
import { fillIn, GATEWAY_ERRORS, type GatewayError, gatewayError, type GatewayErrorCode } from '../errors.js'
import { addVary } from './accept.js'
import { contextOf } from './context.js'
import { requestInvalid } from './request-violations.js'

export type Language = 'zh' | 'en'

/** The `error` of a body. */
export interface ErrorBody {
  readonly code: string
  readonly message: string
  readonly [part: string]: unknown
}

/** Chinese when the caller prefers it to English, by the weights of Accept-Language. */
export function languageOf(header: string | undefined): Language {
  if (header === undefined) return 'en'
  const weights = { zh: 0, en: 0 }
  for (const range of header.slice(0, 512).split(',')) {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(';')
    const language = tag.split('-')[0]
    const q = parameters.map((one) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(one)?.[1]).find((one) => one !== undefined)
    if (language === 'zh' || language === 'en') weights[language] = Math.max(weights[language], Number(q ?? 1))
  }
  return weights.zh > weights.en ? 'zh' : 'en'
}

/** Details that stand beside code and message, not among `details`. */
const OWN_PARTS = ['field', 'violations', 'rows', 'existingId', 'moreViolations'] as const
/** What only the message needs, or only the server. */
const HIDDEN = new Set<string>([...OWN_PARTS, 'problems', 'problemsZh', 'outcomes', 'allowHeader'])

export function errorToBody(error: GatewayError, language: Language): ErrorBody {
  const { code, details } = error
  const named = language === 'zh' ? { ...details, problems: details.problemsZh ?? details.problems } : details
  const parts = OWN_PARTS.flatMap((part) => (details[part] === undefined ? [] : [[part, details[part]] as const]))
  const others = Object.entries(details).filter(([name, value]) => !HIDDEN.has(name) && isPlain(value))
  return {
    code,
    message: fillIn(GATEWAY_ERRORS[code][language], named),
    ...Object.fromEntries(parts),
    ...(others.length === 0 ? {} : { details: Object.fromEntries(others) }),
  }
}

const isPlain = (value: unknown): boolean => value === null || ['string', 'number', 'boolean'].includes(typeof value)

/** Seconds to wait, unless the error says so. */
const RETRY_AFTER_S: Partial<Record<GatewayErrorCode, number>> = {
  OUTBOX_FULL: 5,
  GATEWAY_STORAGE: 5,
  RECORD_PENDING: 1,
  GATEWAY_BUSY: 1,
  GATEWAY_KEYS_UNREADABLE: 30,
  STREAMS_TOO_MANY: 15,
}

export interface ErrorPorts {
  readonly logger: Logger
  readonly refusals: Refusals
}

/** Answers with the error: coded, in the caller's language, and without a word of what only the log may know. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, ports: ErrorPorts): FastifyReply {
  const known = abortion(error, request, ports.logger) ?? toGatewayError(error, request) ?? internal(error, request, ports.logger)
  return reply.send(putError(known, request, reply, ports))
}

/** Counts the error and makes the answer one about it. @returns the body, which is not sent yet */
export function putError(error: GatewayError, request: FastifyRequest, reply: FastifyReply, { refusals }: Pick<ErrorPorts, 'refusals'>): string {
  const { code, details } = error
  refusals.count(code, limitNamed(details))
  const retryAfterS = details.retryAfterS ?? RETRY_AFTER_S[code]
  if (typeof retryAfterS === 'number') void reply.header('retry-after', String(retryAfterS))
  if (GATEWAY_ERRORS[code].status === 401) void reply.header('www-authenticate', 'Bearer')
  if (typeof details.allowHeader === 'string') void reply.header('allow', details.allowHeader)
  const language = languageOf(request.headers['accept-language'])
  addVary(reply, 'accept-language')
  void reply
    .code(GATEWAY_ERRORS[code].status)
    .header('content-language', language)
    .header('cache-control', 'no-store')
    .removeHeader('etag')
    .removeHeader('content-disposition')
    .removeHeader('content-length')
    .type('application/json; charset=utf-8')
  return JSON.stringify({ error: errorToBody(error, language) })
}

/** A client that goes away in the middle of its body is no failure of the gateway. */
function abortion(error: unknown, { raw }: FastifyRequest, logger: Logger): GatewayError | undefined {
  const isAbortion = raw.destroyed && !raw.complete && error instanceof Error && (error as FastifyError).code === 'ECONNRESET'
  if (!isAbortion) return undefined
  logger.debug('a client went away in the middle of its body', { reason: error.message })
  return gatewayError('REQUEST_ABORTED')
}

function internal(error: unknown, request: FastifyRequest, logger: Logger): GatewayError {
  const incident = randomUUID()
  logger.error('a request failed inside the gateway', { incident, method: request.method, url: pathOf(request), error })
  return gatewayError('GATEWAY_INTERNAL', { incident })
}

/** Without the query: it may name persons. */
export const pathOf = (request: FastifyRequest): string => request.url.split('?')[0]!.slice(0, 200)

/** The gateway then ends by itself, which logs the cause, and is started again. */
const STORAGE_FAILED = new Set(['STORE_WRITE_FAILED', 'STORE_DAMAGED', 'KEY_RING_IO'])

/** Undefined for what nobody foresaw. */
function toGatewayError(error: unknown, request: FastifyRequest): GatewayError | undefined {
  if (isCodedError(error)) {
    if (STORAGE_FAILED.has(error.code)) return gatewayError('GATEWAY_STORAGE', {}, error)
    return isKnownCode(error.code) ? (error as GatewayError) : undefined
  }
  return error instanceof Error ? frameworkError(error as FastifyError, request) : undefined
}

const isKnownCode = (code: string): code is GatewayErrorCode => Object.hasOwn(GATEWAY_ERRORS, code)

/** Fastify's own refusals in our words. */
function frameworkError(error: FastifyError, request: FastifyRequest): GatewayError | undefined {
  if (error.validation) return requestInvalid(error.validation, error.validationContext ?? 'body')
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return gatewayError('BODY_TOO_LARGE', { ...contextOf(request).bodyLimit })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return gatewayError('CONTENT_TYPE', {
        type: (request.headers['content-type'] ?? '').slice(0, 100),
        expected: 'application/json',
      })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return gatewayError('JSON_INVALID', { reason: 'content-length is not the length of the body' })
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return gatewayError('ROUTE_UNKNOWN', { method: request.method, path: pathOf(request) })
    case undefined:
      return fileError(error.statusCode, request)
    default:
      return undefined
  }
}

/** Of the page's files: errors without a code. */
function fileError(status: number | undefined, request: FastifyRequest): GatewayError | undefined {
  if (status === 416) return gatewayError('RANGE_INVALID', { range: (request.headers.range ?? '').slice(0, 100) })
  const isUnknown = status === 400 || status === 403 || status === 404
  return isUnknown ? gatewayError('ROUTE_UNKNOWN', { method: request.method, path: pathOf(request) }) : undefined
}
