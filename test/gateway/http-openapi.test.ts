import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SHARED_ANSWER_TYPE } from '@songhua/sdk/gateway/answer'
import { GATEWAY_ERRORS } from '@songhua/node/gateway/errors'
import { ask, createFixture, type Fixture } from './http-fixture.js'

type Json = { [key: string]: Json } & Json[] & string

let fixture: Fixture
let document: Json

beforeAll(async () => {
  fixture = await createFixture()
  document = (await ask(`${fixture.url}/v1/openapi.json`)).json as unknown as Json
})
afterAll(() => fixture.stop())

/** Every value under `value`, with where it stands. */
function* walk(value: Json, path = '#'): Generator<[path: string, value: Json]> {
  yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* walk(inner as Json, `${path}/${key}`)
}

const operations = (): [string, Json][] =>
  Object.entries(document.paths!).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Json] => [`${method.toUpperCase()} ${path}`, operation]),
  )

describe('the OpenAPI document', () => {
  it('is of version 3.1, and every reference in it leads somewhere', () => {
    expect(document.openapi).toBe('3.1.0')
    const references = [...walk(document)].filter(([path]) => path.endsWith('/$ref')).map(([, value]) => value as unknown as string)
    expect(references.length).toBeGreaterThan(50)
    const known = new Set([...walk(document)].map(([path]) => path))
    expect([...new Set(references)].filter((reference) => !known.has(reference))).toEqual([])
  })

  it('holds every route, each with a name of its own, words in both languages, and what it needs', () => {
    const all = operations()
    expect(all.map(([name]) => name).sort()).toEqual([
      'DELETE /v1/records/{id}/hold', 'DELETE /v1/records/{id}/payload', 'DELETE /v1/webhooks/{id}', 'GET /v1/openapi.json',
      'GET /v1/records', 'GET /v1/records/{id}', 'GET /v1/records/{id}/evidence', 'GET /v1/records/{id}/payload', 'GET /v1/schemas',
      'GET /v1/schemas/{id}', 'GET /v1/status', 'GET /v1/stream', 'GET /v1/trust-anchor', 'GET /v1/webhooks', 'GET /v1/webhooks/{id}',
      'GET /v1/webhooks/{id}/dead-letters', 'POST /v1/records', 'POST /v1/verify', 'POST /v1/webhooks',
      'POST /v1/webhooks/{id}/dead-letters/{n}/retry', 'POST /v1/webhooks/{id}/replay', 'PUT /v1/records/{id}/hold',
    ])
    expect(new Set(all.map(([, { operationId }]) => operationId)).size).toBe(all.length)
    for (const [name, { summary, responses, security, parameters = [] as unknown as Json }] of all) {
      expect(summary, name).toMatch(/[a-zA-Z].* · .*[一-鿿]/)
      expect(Object.keys(responses!).some((status) => status.startsWith('2')), name).toBe(true)
      const named = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      const declared = (parameters as unknown as { in: string; name: string; required: boolean }[]).filter((one) => one.in === 'path')
      expect(declared.map((one) => one.name), name).toEqual(named)
      expect(declared.every(({ required }) => required)).toBe(true)
      const scheme = (security as unknown as Record<string, unknown>[])[0]
      if (scheme) expect(Object.keys(document.components!.securitySchemes!)).toContain(Object.keys(scheme)[0])
    }
  })

  it('lists every error code, and where it may come from', () => {
    const codes = Object.keys(GATEWAY_ERRORS)
    const schema = document.components!.schemas!.Error!
    expect(schema.properties!.error!.properties!.code!.enum).toEqual(codes)
    const told = new Set(operations().flatMap(([, { responses }]) =>
      Object.entries(responses!).flatMap(([status, response]) => {
        const named = [...((response).description! as string).matchAll(/`([A-Z_]{6,})`/g)].map((match) => match[1]!)
        for (const code of named) expect(GATEWAY_ERRORS[code as keyof typeof GATEWAY_ERRORS].status).toBe(Number(status))
        return named
      }),
    ))
    // Of no route: paths and methods that are none, files of the page, what is no request, and a port that is taken.
    const nowhere = [
      'ROUTE_UNKNOWN', 'METHOD_NOT_ALLOWED', 'RANGE_INVALID', 'REQUEST_ABORTED', 'HTTP_BROKEN', 'HEADERS_TOO_LARGE', 'GATEWAY_LISTEN_FAILED',
    ]
    expect(codes.filter((code) => !told.has(code))).toEqual(nowhere)
  })

  it('shows the compact answer under the name by which the SDK asks for it', () => {
    const content = document.paths!['/v1/records']!.post!.responses!['201']!.content! as unknown as Record<string, Json>
    expect(Object.keys(content)).toEqual(['application/json', SHARED_ANSWER_TYPE])
    const shared = content[SHARED_ANSWER_TYPE]!.schema as unknown as Record<string, string>
    expect(shared.$ref).toBe('#/components/schemas/SharedAnswer')
  })

  it('is JSON Schema throughout: types that there are, required fields that are described', () => {
    const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
    for (const [path, value] of walk(document)) {
      if (!/schemas?\//.test(path) || /\/properties(\/|$)/.test(path) || typeof value !== 'object' || value === null) continue
      const { type, required, properties } = value as { type?: unknown; required?: unknown; properties?: Record<string, unknown> }
      for (const one of [type].flat()) if (one !== undefined) expect(types, path).toContain(one)
      if (Array.isArray(required) && properties) expect(Object.keys(properties), path).toEqual(expect.arrayContaining(required as string[]))
    }
  })
})

describe('the page at /docs', () => {
  it('loads with everything that it names, from here alone', async () => {
    const page = await ask(`${fixture.url}/docs/`)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
    expect(assets.length).toBeGreaterThan(4)
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//)
      const got = await ask(new URL(asset, `${fixture.url}/docs/`).href)
      expect([asset, got.status]).toEqual([asset, 200])
    }
    expect(page.text).not.toMatch(/<script>|onload=/)
    expect((await ask(`${fixture.url}/docs/json`)).json.openapi).toBe('3.1.0')
  })
})
