import { randomBytes } from 'node:crypto'
import { createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import type { Hex } from '@songhua/sdk/protocol/bytes'
import type { EvidenceBundle } from '@songhua/sdk/protocol/evidence-format'
import type { Header } from '@songhua/sdk/protocol/header'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type Clock, systemClock } from '@songhua/node/base/clock'
import type { Logger } from '@songhua/node/base/logger'
import type { RefusalCount } from '@songhua/node/base/refusals'
import {
  type ApiKeyFile, EMPTY_API_KEY_FILE, apiKeyFileToText, createApiKey, createApiKeys, revokeApiKey,
} from '@songhua/node/gateway/api-keys'
import { createGatewayServer, type GatewayServerOptions, type GatewayServerPorts } from '@songhua/node/gateway/http/server'
import { SCOPES, type Scope } from '@songhua/node/gateway/model'
import { createFakeEngine, createFakeTable, type FakeEngine } from './http-fake.js'

export const ISSUER = 'uscc:912301840000000010'
export const OTHER_ISSUER = 'uscc:91230184MA1B2C3D4E'

export interface LoggedLine {
  readonly message: string
  readonly fields: Record<string, unknown>
}

/** Keeps the lines of `error`. */
export function createTestLogger(lines: LoggedLine[]): Logger {
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields = {}) => void lines.push({ message, fields }),
    child: () => logger,
  }
  return logger
}

export interface Fixture {
  readonly url: string
  readonly port: number
  readonly engine: FakeEngine
  readonly errors: LoggedLine[]
  readonly ports: GatewayServerPorts
  key(scopes?: readonly Scope[], issuer?: string, account?: string): { token: string; id: string }
  /** For the next one, after a restart. */
  keyFile(): ApiKeyFile
  revoke(id: string): void
  breakKeys(): void
  /** Since the start. */
  refusals(): RefusalCount[]
  stop(): Promise<void>
}

export interface FixtureOptions extends Partial<GatewayServerOptions> {
  readonly clock?: Clock
  readonly header?: (number: number) => Promise<Header>
  readonly engine?: FakeEngine
  readonly keyFile?: ApiKeyFile
  readonly table?: GatewayServerPorts['table']
  /** In place of the fake's. */
  readonly parts?: Partial<GatewayServerPorts>
  readonly prng?: GatewayServerPorts['prng']
  readonly resolve?: GatewayServerPorts['resolve']
}

const noHeader = (number: number): Promise<Header> => Promise.reject(new CodedError('HEADER_UNKNOWN', `no block ${number}`))

export async function createFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const { clock = systemClock, header = noHeader, ...server } = options
  const registry = createSchemaRegistry(RECORD_SCHEMAS)
  const engine = options.engine ?? createFakeEngine(registry)
  const errors: LoggedLine[] = []
  let file: ApiKeyFile = options.keyFile ?? EMPTY_API_KEY_FILE
  let text = apiKeyFileToText(file)
  let version = 0
  const write = (next: ApiKeyFile): void => {
    file = next
    text = apiKeyFileToText(next)
    version++
  }
  // Tests look at the file on every request: that it is read again within a second is tested by itself.
  let tick = 0
  const keys = createApiKeys({ stamp: () => String(version), read: () => text }, { now: () => (tick += 1000) })
  const ports: GatewayServerPorts = {
    intake: engine.intake,
    shelf: engine.shelf,
    custody: engine.custody,
    feed: engine.feed,
    keys,
    registry,
    proofs: { head: () => Promise.resolve(9), header, historyPath: () => Promise.resolve([]) },
    policy: { standingOf: () => Promise.resolve(undefined) },
    table: options.table ?? createFakeTable(),
    pending: () => [...engine.records.values()].filter(({ status }) => status !== 'anchored').length,
    clock,
    logger: createTestLogger(errors),
    ...(options.prng ? { prng: options.prng } : {}),
    ...(options.resolve ? { resolve: options.resolve } : {}),
    ...options.parts,
  }
  const running = await createGatewayServer(
    {
      host: '127.0.0.1', port: 0, chainId: 7701, genesisHash: `0x${'ab'.repeat(32)}`, account: `0x${'cd'.repeat(20)}`,
      version: '0.1.0', secret: randomBytes(32), allowedHosts: [], corsOrigins: [], webhookHosts: [], ...server,
    },
    ports,
  )
  return {
    url: `http://127.0.0.1:${running.port}`,
    port: running.port,
    engine,
    errors,
    ports,
    key(scopes = SCOPES.filter((scope) => scope !== 'records:read-all'), issuer = ISSUER, account) {
      const made = createApiKey(file, { name: 'test', issuer, scopes, account }, { nowMs: () => Date.now(), randomBytes })
      write(made.file)
      return { token: made.token, id: made.key.id }
    },
    keyFile: () => file,
    revoke: (id) => write(revokeApiKey(file, id, Date.now())),
    breakKeys() {
      text = '{"version":1,"keys":[{}]}'
      version++
    },
    refusals: () => running.refusals(),
    stop: () => running.stop(),
  }
}

interface ToldViolation {
  readonly path: string
  readonly code: string
  readonly zh: string
  readonly en: string
  readonly column?: string
}

/** All that the bodies of answers may hold: a test knows for which it has asked. */
export interface Body {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly field: string
    readonly details: Record<string, unknown>
    readonly violations: readonly ToldViolation[]
    readonly rows: readonly { readonly row: number; readonly code: string; readonly violations: readonly ToldViolation[] }[]
    readonly existingId: string
  }
  readonly id: string
  readonly status: string
  readonly replayed: boolean
  readonly evidence: EvidenceBundle
  readonly salt: Hex
  readonly payload: string
  readonly acceptedAt: string
  readonly hold: { readonly reason: string }
  readonly records: readonly Body[]
  readonly next?: string
  readonly height: number
  readonly pending: number
  readonly valid: boolean
  readonly steps: readonly { readonly step: string; readonly code: string }[]
  readonly facts: { readonly payload: string } | null
  readonly schemas: readonly { readonly id: string }[]
  readonly openapi: string
  readonly secret: string
  readonly cursor: string | null
  readonly attempts: number
  readonly state: string
  readonly suspended: { readonly reason: string; readonly zh: string; readonly en: string }
  readonly nextAttemptAt: string
  readonly lastFailure: string
  readonly webhooks: readonly { readonly id: string }[]
  readonly deadLetters: readonly { readonly n: number }[]
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Body
}

export interface AskOptions {
  readonly method?: string
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** Text and bytes go as they are, everything else as JSON. */
export async function ask(url: string, { method, token, body, headers = {} }: AskOptions = {}): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: (isRaw ? body : JSON.stringify(body)) as string }),
    redirect: 'manual',
  })
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json')
  return { status: response.status, headers: response.headers, text, json: (isJson && text !== '' ? JSON.parse(text) : undefined) as Body }
}
