import { hash, timingSafeEqual } from 'node:crypto'
import type { Address } from '@songhua/sdk/protocol/bytes'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { readInteger, readShape } from '@songhua/sdk/protocol/json-fields'
import { gatewayError } from './errors.js'
import { type Caller, SCOPES, type Scope } from './model.js'

/** The file that lists who may call. Of a secret it holds the hash alone: 256 random bits need no slow one. */
export interface ApiKeyFile {
  readonly version: 1
  readonly keys: readonly ApiKey[]
}

export interface ApiKey {
  /** 16 characters of base32. */
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly scopes: readonly Scope[]
  /** The account on the chain that it stands for, where reading asks for one; lower-case. */
  readonly account?: Address
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly secretHash: string
  /** Milliseconds. */
  readonly createdAt: number
  readonly revokedAt?: number
}

export interface NewApiKey {
  readonly name: string
  /** URI of the organisation for which the key writes. */
  readonly issuer: string
  readonly scopes: readonly string[]
  /** An address of any case. */
  readonly account?: string | undefined
}

export interface ApiKeySources {
  nowMs(): number
  randomBytes(length: number): Uint8Array
}

export type ApiKeyErrorCode =
  | 'API_KEY_NAME'
  | 'API_KEY_ISSUER'
  | 'API_KEY_SCOPE'
  | 'API_KEY_ACCOUNT'
  | 'API_KEY_UNKNOWN'
  | 'API_KEYS_TOO_MANY'
  | 'API_KEYS_FORMAT'

export const EMPTY_API_KEY_FILE: ApiKeyFile = { version: 1, keys: [] }
export const API_KEYS_MAX = 10_000
/** Characters. */
const NAME_MAX = 64
const ISSUER_MAX = 512
const ID_BYTES = 10
const SECRET_BYTES = 32
const TOKEN = /^shk_([a-z2-7]{16})_([A-Za-z0-9_-]{43})$/
const BEARER = /^Bearer +([\x21-\x7e]{1,256})$/i
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const ACCOUNT = /^0x[0-9a-f]{40}$/
const ISSUER = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/

function fail(code: ApiKeyErrorCode, message: string, cause?: unknown): never {
  throw new CodedError(code, message, { cause })
}

/** RFC 4648, lower case; for lengths that are whole groups of 5 bytes. */
function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31]
  }
  return text
}

const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')

/**
 * @returns the file with the new key, and the token, which is nowhere kept
 * @throws CodedError `API_KEY_NAME`, `API_KEY_ISSUER`, `API_KEY_SCOPE`, `API_KEY_ACCOUNT`, `API_KEYS_TOO_MANY`
 */
export function createApiKey(
  file: ApiKeyFile,
  { name, issuer, scopes, account }: NewApiKey,
  sources: ApiKeySources,
): { file: ApiKeyFile; key: ApiKey; token: string } {
  if (name.trim() === '' || name.length > NAME_MAX) fail('API_KEY_NAME', `name: must have 1 to ${NAME_MAX} characters`)
  if (!ISSUER.test(issuer) || issuer.length > ISSUER_MAX) {
    fail('API_KEY_ISSUER', `issuer ${JSON.stringify(issuer.slice(0, 80))}: must be a URI, such as uscc:91230184MA1B2C3D4E`)
  }
  if (file.keys.length >= API_KEYS_MAX) fail('API_KEYS_TOO_MANY', `there are ${API_KEYS_MAX} keys already`)
  const secret = Buffer.from(sources.randomBytes(SECRET_BYTES)).toString('base64url')
  const id = base32(sources.randomBytes(ID_BYTES))
  const key: ApiKey = {
    id,
    name,
    issuer,
    scopes: readScopes(scopes, 'scopes'),
    ...(account === undefined ? {} : { account: readAccount(account) }),
    secretHash: hashOf(secret).toString('hex'),
    createdAt: sources.nowMs(),
  }
  return { file: { version: 1, keys: [...file.keys, key] }, key, token: `shk_${id}_${secret}` }
}

function readScopes(scopes: readonly unknown[], path: string): Scope[] {
  if (scopes.length === 0) fail('API_KEY_SCOPE', `${path}: at least one of ${SCOPES.join(', ')}`)
  return [...new Set(scopes)].map((scope) => {
    const known = SCOPES.find((one) => one === scope)
    return known ?? fail('API_KEY_SCOPE', `${path}: ${String(scope)} is no scope; there are ${SCOPES.join(', ')}`)
  })
}

function readAccount(given: string): Address {
  const account = given.toLowerCase()
  if (!ACCOUNT.test(account)) fail('API_KEY_ACCOUNT', `account ${JSON.stringify(given.slice(0, 80))}: must be an address, 0x and 40 hexadecimal digits`)
  return account as Address
}

/** Revoking twice keeps the first time. @throws CodedError `API_KEY_UNKNOWN` */
export function revokeApiKey(file: ApiKeyFile, id: string, nowMs: number): ApiKeyFile {
  if (!file.keys.some((key) => key.id === id)) fail('API_KEY_UNKNOWN', `there is no API key ${id}`)
  const keys = file.keys.map((key) => (key.id === id ? { ...key, revokedAt: key.revokedAt ?? nowMs } : key))
  return { version: 1, keys }
}

// -------------------------------------------------------------------------------------------------- the file

export function apiKeyFileToText(file: ApiKeyFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

/** @throws CodedError `API_KEYS_FORMAT` naming the field */
export function parseApiKeyFile(text: string): ApiKeyFile {
  try {
    const file = readShape(JSON.parse(text), 'api-keys', { required: ['version', 'keys'] })
    readInteger(file.version, 'version', { min: 1, max: 1 })
    if (!Array.isArray(file.keys) || file.keys.length > API_KEYS_MAX) {
      return fail('API_KEYS_FORMAT', `keys: must be a list of at most ${API_KEYS_MAX}`)
    }
    const keys = file.keys.map((key, at) => readKey(key, `keys[${at}]`))
    if (new Set(keys.map(({ id }) => id)).size < keys.length) fail('API_KEYS_FORMAT', 'keys: an id is there twice')
    return { version: 1, keys }
  } catch (cause) {
    return fail('API_KEYS_FORMAT', `the file of API keys is damaged: ${cause instanceof Error ? cause.message : ''}`, cause)
  }
}

function readKey(value: unknown, path: string): ApiKey {
  const required = ['id', 'name', 'issuer', 'scopes', 'secretHash', 'createdAt']
  const key = readShape(value, path, { required, optional: ['account', 'revokedAt'] })
  const text = (field: string, pattern: RegExp): string => {
    const given = key[field]
    const holds = typeof given === 'string' && pattern.test(given)
    return holds ? given : fail('API_KEYS_FORMAT', `${path}.${field}: is not of the form ${pattern.source}`)
  }
  const time = (field: string): number => readInteger(key[field], `${path}.${field}`, { min: 0, max: 8.64e15 })
  if (!Array.isArray(key.scopes)) fail('API_KEYS_FORMAT', `${path}.scopes: must be a list`)
  return {
    id: text('id', /^[a-z2-7]{16}$/),
    name: text('name', /\S/),
    issuer: text('issuer', ISSUER),
    scopes: readScopes(key.scopes as unknown[], `${path}.scopes`),
    ...(key.account === undefined ? {} : { account: text('account', ACCOUNT) as Address }),
    secretHash: text('secretHash', /^[0-9a-f]{64}$/),
    createdAt: time('createdAt'),
    ...(key.revokedAt === undefined ? {} : { revokedAt: time('revokedAt') }),
  }
}

// ----------------------------------------------------------------------------------------------- who is calling

/** The token of an Authorization header; empty, which is none, when the header is of another form. */
export const bearerToken = (header: string | undefined): string => BEARER.exec(header ?? '')?.[1] ?? ''

export interface ApiKeys {
  /**
   * @returns undefined for a token that is malformed, unknown, wrong or revoked: which of them is not told, nor timed
   * @throws GatewayError `GATEWAY_KEYS_UNREADABLE`
   */
  callerOf(token: string): Caller | undefined
  /** Of the key with this id; undefined when it is unknown or revoked. @throws GatewayError `GATEWAY_KEYS_UNREADABLE` */
  callerWith(keyId: string): Caller | undefined
}

/** The file as it is now. */
export interface ApiKeyFileReader {
  /** Another one whenever the file has changed; undefined while there is no file. */
  stamp(): string | undefined
  read(): string
}

/** How often the file is looked at, ms: a revocation holds within a second. */
const CHECK_MS = 500

interface Known {
  readonly caller: Caller
  readonly secretHash: Buffer
  readonly isRevoked: boolean
}

const NOBODY = hashOf('nobody')
/** Stands for a file that could not be read; no file has this stamp. */
const UNREADABLE = 'unreadable'

/**
 * Judges tokens by a file that is read again when it has changed. A damaged file refuses all, and opens to none.
 * @param onProblem told when it becomes unreadable
 */
export function createApiKeys(
  reader: ApiKeyFileReader,
  clock: { now(): number },
  onProblem: (error: unknown) => void = () => undefined,
): ApiKeys {
  let known: ReadonlyMap<string, Known> | undefined
  let stamp: string | undefined
  let failure: unknown
  let checkedMs: number | undefined

  function reread(): void {
    const now = reader.stamp()
    if (known !== undefined && now === stamp) return
    known = undefined
    known = now === undefined ? new Map() : callersIn(parseApiKeyFile(reader.read()))
    stamp = now
  }

  function keys(): ReadonlyMap<string, Known> {
    const nowMs = clock.now()
    const isDue = checkedMs === undefined || nowMs - checkedMs >= CHECK_MS || nowMs < checkedMs
    if (isDue) {
      checkedMs = nowMs
      failure = undefined
      try {
        reread()
      } catch (error) {
        // Told once: it stays until the file is mended.
        if (stamp !== UNREADABLE) onProblem(error)
        known = undefined
        stamp = UNREADABLE
        failure = error
      }
    }
    if (known === undefined) throw gatewayError('GATEWAY_KEYS_UNREADABLE', {}, failure)
    return known
  }

  return {
    callerOf(token) {
      const all = keys()
      const [, id = '', secret = ''] = TOKEN.exec(token) ?? []
      const key = all.get(id)
      // The same work whether or not the key is known.
      const matches = timingSafeEqual(hashOf(secret), key?.secretHash ?? NOBODY)
      return key !== undefined && matches && !key.isRevoked ? key.caller : undefined
    },
    callerWith(keyId) {
      const key = keys().get(keyId)
      return key?.isRevoked === false ? key.caller : undefined
    },
  }
}

function callersIn(file: ApiKeyFile): ReadonlyMap<string, Known> {
  return new Map(
    file.keys.map(({ id, issuer, scopes, account, secretHash, revokedAt }) => [
      id,
      {
        caller: { keyId: id, issuer, scopes: new Set(scopes), ...(account === undefined ? {} : { account }) },
        secretHash: Buffer.from(secretHash, 'hex'),
        isRevoked: revokedAt !== undefined,
      },
    ]),
  )
}
