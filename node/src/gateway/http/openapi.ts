import swagger from '@fastify/swagger'
import swaggerUi, { type FastifySwaggerUiOptions } from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import type { Bilingual } from '@songhua/sdk/records/schema-types'
import { GATEWAY_ERRORS, type GatewayErrorCode } from '../errors.js'
import { SCOPES } from '../model.js'
import { COMPONENTS } from './components.js'
import type { Route, RouteAnswer, Schema } from './route.js'

/** What any door may answer; and any that needs a key; and any that takes a body. */
const ALWAYS: readonly GatewayErrorCode[] = ['REQUEST_INVALID', 'RATE_LIMITED', 'HOST_NOT_ALLOWED', 'GATEWAY_INTERNAL', 'GATEWAY_STORAGE']
const WITH_KEY: readonly GatewayErrorCode[] = [
  'API_KEY_MISSING',
  'API_KEY_INVALID',
  'SCOPE_MISSING',
  'GATEWAY_KEYS_UNREADABLE',
]
const READING: readonly GatewayErrorCode[] = ['PERMISSION_READ']
const WITH_BODY: readonly GatewayErrorCode[] = [
  'JSON_INVALID',
  'JSON_TOO_DEEP',
  'JSON_TOO_MANY_VALUES',
  'JSON_DUPLICATE_KEY',
  'JSON_FORBIDDEN_KEY',
  'CHARSET_INVALID',
  'CONTENT_TYPE',
  'CONTENT_ENCODING',
  'BODY_TOO_LARGE',
  'REQUEST_SLOW',
  'RECORD_TOO_LARGE',
  'GATEWAY_BUSY',
]

export const bilingual = ({ zh, en }: Bilingual, joint = ' · '): string => `${en}${joint}${zh}`

export function errorsOf(route: Route): GatewayErrorCode[] {
  const { scopes, isReading, body, errors } = route
  return [...new Set([...errors, ...ALWAYS, ...(scopes ? WITH_KEY : []), ...(isReading ? READING : []), ...(body ? WITH_BODY : [])])]
}

const closed = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
})

/** The route as Fastify enforces it and the document shows it. */
export function routeToSchema(route: Route): FastifySchema {
  const { params, query, headers, body, scopes } = route
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: bilingual(route.summary),
    description: descriptionOf(route),
    security: scopes ? [{ apiKey: [] }] : [],
    ...(params ? { params: { ...closed(params), required: Object.keys(params) } } : {}),
    querystring: closed(query ?? {}),
    ...(headers ? { headers: { type: 'object', properties: headers } } : {}),
    ...(body ? { body: { content: mapValues(body.content, (schema) => ({ schema })) } } : {}),
    response: { ...mapValues(route.answers, answerOf), ...refusalsOf(errorsOf(route)) },
  }
}

/** Of doors that give out what they read. */
const DOORS_TEXT: Bilingual = {
  zh: [
    '链上策略（PolicyRegister 的 readLevels）另按家族 government、trace、credit 规定可读者：public 为任何密钥；members 为其签发者 uscc:…',
    '或所指账户属于有效且有 READ 角色的机构；listed 为其所指账户（songhua apikey create --account）由理事会列入名单。每个区块重新读取。',
  ].join(''),
  en: [
    "Besides, the chain's policy (readLevels of PolicyRegister) says who may read each family, government, trace and credit: public, any key; members, one",
    'whose issuer uscc:… or account is, or is bound to, an active organisation with the role READ; listed, one whose account',
    '(songhua apikey create --account) the council has listed. It is read anew with each block.',
  ].join(' '),
}

function descriptionOf({ description, scopes, isReading }: Route): string {
  const scope = scopes ? [`Scope: \`${scopes.join('` or `')}\``] : []
  const texts = [...(description ? [description] : []), ...(isReading ? [DOORS_TEXT] : [])]
  return [...texts.map((text) => bilingual(text, '\n\n')), ...scope].join('\n\n')
}

const answerOf = ({ text, schema, type = 'application/json', others = {} }: RouteAnswer): Schema => ({
  description: bilingual(text),
  ...(schema ? { content: mapValues({ [type]: schema, ...others }, (one) => ({ schema: one })) } : {}),
})

/** By status: the codes that it stands for, with their meanings. */
function refusalsOf(codes: readonly GatewayErrorCode[]): Record<number, Schema> {
  const statuses = [...new Set(codes.map((code) => GATEWAY_ERRORS[code].status as number))].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => GATEWAY_ERRORS[code].status === status)
      const description = own.map((code) => `\`${code}\`: ${bilingual(GATEWAY_ERRORS[code])}`).join('\n\n')
      return [status, { description, content: { 'application/json': { schema: { $ref: 'Error#' } } } }]
    }),
  )
}

function mapValues<A, B>(object: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}

const TAGS: Record<string, Bilingual> = {
  records: { zh: '存证记录', en: 'Records' },
  custody: { zh: '载荷保管：删除与司法保全', en: 'What happens to payloads' },
  events: { zh: '事件流与网络回调', en: 'Streams and webhooks' },
  verification: { zh: '核验', en: 'Verification' },
  gateway: { zh: '网关与模式', en: 'The gateway and its schemas' },
}

const ABOUT: Bilingual = {
  zh: '存证网关：提交记录，取回一份证据文件，任何人均可离线核验。',
  en: 'Anchor records on the Songhua chain, get one evidence file back, let anybody verify it offline.',
}

const PAGE: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  staticCSP: {
    'default-src': ["'self'"],
    'script-src': ["'self'"],
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:'],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  },
  uiConfig: { docExpansion: 'list', deepLinking: true, tryItOutEnabled: false, persistAuthorization: false },
  validatorUrl: false,
  theme: { title: 'Songhua 松花 gateway' },
}

export interface DocumentOptions {
  readonly version: string
  /** Before a word of the page is said, or of what it is made of. */
  readonly onRequest: (request: FastifyRequest) => void
}

/** Collects the routes that are opened after it, and shows them at `/docs` with assets of its own. */
export async function documentRoutes(server: FastifyInstance, options: DocumentOptions): Promise<void> {
  for (const [$id, schema] of Object.entries(COMPONENTS)) server.addSchema({ ...schema, $id })
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Songhua 松花 gateway',
        version: options.version,
        description: `${bilingual(ABOUT, '\n\n')}\n\nScopes: ${SCOPES.map((scope) => `\`${scope}\``).join(', ')}`,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: Object.entries(TAGS).map(([name, text]) => ({ name, description: bilingual(text) })),
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'shk_<id>_<secret>', description: 'songhua apikey create' },
        },
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `schema-${i}`) },
  })
  // In a scope of its own, whose hook all of its files go through.
  await server.register(async (page) => {
    page.addHook('onRequest', (request, _reply, done) => {
      options.onRequest(request)
      done()
    })
    await page.register(swaggerUi, PAGE)
  })
}
