import type { FastifySchemaValidationError } from 'fastify'
import type { Bilingual } from '@songhua/sdk/records/schema-types'
import { gatewayError, type GatewayError } from '../errors.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** A field of the request that breaks the door's schema. */
export interface RequestViolation extends Bilingual {
  /** JSON pointer into `body`, `querystring`, `headers` or `params`. */
  readonly path: string
  readonly code: string
}

type Say = (params: Record<string, unknown>) => Bilingual & { code: string }

const list = (values: unknown): string => (Array.isArray(values) ? values.map(String).join(' | ') : String(values))
const TYPES: Record<string, string> = {
  string: '文本', number: '数字', integer: '整数', boolean: 'true 或 false', object: '对象', array: '列表', null: '空值',
}
const typesZh = (type: unknown): string =>
  (Array.isArray(type) ? type : [type]).map((one) => TYPES[String(one)] ?? String(one)).join('或')

/** What a keyword's failure is called, and said to be. */
const KEYWORDS: Record<string, Say> = {
  required: () => ({ code: 'REQUIRED', zh: '必填', en: 'is required' }),
  additionalProperties: () => ({ code: 'UNKNOWN_FIELD', zh: '未知', en: 'is not known here' }),
  'false schema': () => ({ code: 'UNKNOWN_FIELD', zh: '在此不允许', en: 'is not allowed here' }),
  type: ({ type }) => ({ code: 'TYPE', zh: `应为${typesZh(type)}`, en: `must be ${list(type)}` }),
  enum: ({ allowedValues }) => ({ code: 'VALUE', zh: `应为 ${list(allowedValues)}`, en: `must be ${list(allowedValues)}` }),
  const: ({ allowedValue }) => ({ code: 'VALUE', zh: `应为 ${list(allowedValue)}`, en: `must be ${list(allowedValue)}` }),
  pattern: ({ pattern }) => ({ code: 'PATTERN', zh: `应符合 ${String(pattern)}`, en: `must match ${String(pattern)}` }),
  format: ({ format }) => ({ code: 'FORMAT', zh: `应为 ${String(format)}`, en: `must be a ${String(format)}` }),
  minLength: ({ limit }) => ({ code: 'LENGTH', zh: `至少 ${String(limit)} 个字符`, en: `must have at least ${String(limit)} characters` }),
  maxLength: ({ limit }) => ({ code: 'LENGTH', zh: `至多 ${String(limit)} 个字符`, en: `must have at most ${String(limit)} characters` }),
  minItems: ({ limit }) => ({ code: 'ITEMS', zh: `至少 ${String(limit)} 项`, en: `must have at least ${String(limit)} entries` }),
  maxItems: ({ limit }) => ({ code: 'ITEMS', zh: `至多 ${String(limit)} 项`, en: `must have at most ${String(limit)} entries` }),
  minimum: ({ limit }) => ({ code: 'RANGE', zh: `应 ≥ ${String(limit)}`, en: `must be at least ${String(limit)}` }),
  maximum: ({ limit }) => ({ code: 'RANGE', zh: `应 ≤ ${String(limit)}`, en: `must be at most ${String(limit)}` }),
}
const OTHER: Say = () => ({ code: 'VALUE', zh: '有误', en: 'is not valid' })
/** They only say that a branch failed; what failed in it is told by itself. */
const WRAPPERS = new Set(['if', 'oneOf', 'anyOf', 'allOf'])

function toViolation({ keyword, instancePath, params }: FastifySchemaValidationError): RequestViolation {
  const key = params.missingProperty ?? params.additionalProperty
  const path = typeof key === 'string' ? `${instancePath}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` : instancePath
  const { code, zh, en } = (KEYWORDS[keyword] ?? OTHER)(params)
  const field = path.slice(1).replaceAll('/', '.').slice(0, 200)
  return { path, code, zh: `${field || '请求体'}${zh}`, en: `${field || 'the body'} ${en}` }
}

/** Ajv's findings in our words: all of them, in both languages. */
export function requestInvalid(findings: readonly FastifySchemaValidationError[], part: string): GatewayError {
  // A body of which not even the kind is right is better told so than by what it lacks.
  if (part === 'body' && findings.length === 0) return gatewayError('REQUEST_INVALID', { problems: 'the body' })
  const all = findings.filter(({ keyword }) => !WRAPPERS.has(keyword)).map(toViolation)
  return invalidFields(part, all)
}

/** @param part where the fields stand: `body`, `querystring`, `headers`, `params` */
export function invalidFields(part: string, all: readonly RequestViolation[]): GatewayError {
  const violations = all.slice(0, GATEWAY_LIMITS.violationsMax)
  const shown = violations.slice(0, 5)
  return gatewayError('REQUEST_INVALID', {
    part,
    ...(violations[0] === undefined ? {} : { field: violations[0].path.slice(1).replaceAll('/', '.') }),
    violations,
    // At least: where there are so many, nobody looked for the last one.
    ...(all.length > violations.length ? { moreViolations: all.length - violations.length } : {}),
    problems: shown.map(({ en }) => en).join('; '),
    problemsZh: shown.map(({ zh }) => zh).join('；'),
  })
}
