import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bilingual } from '@songhua/sdk/records/schema-types'
import type { GatewayErrorCode } from '../errors.js'
import type { Caller, Scope } from '../model.js'

/** JSON Schema, as far as the doors use it. */
export type Schema = Readonly<Record<string, unknown>>

/** One door: what may come in, what goes out, and who may. The server and its documentation are made of these. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `:name` for parameters. */
  readonly url: string
  readonly operationId: string
  readonly tag: string
  readonly summary: Bilingual
  readonly description?: Bilingual
  /** One of these is needed; undefined: no key is. */
  readonly scopes?: readonly [Scope, ...Scope[]]
  /** Gives out what it reads of records or events: besides the scope, the policy must open the family to the key. */
  readonly isReading?: true
  readonly params?: Readonly<Record<string, Schema>>
  readonly query?: Readonly<Record<string, Schema>>
  readonly headers?: Readonly<Record<string, Schema>>
  readonly body?: RouteBody
  readonly answers: Readonly<Record<number, RouteAnswer>>
  /** Besides those that any door may give. */
  readonly errors: readonly GatewayErrorCode[]
  /** A rate of its own for those without a key. */
  readonly rate?: 'verify'
  /** Answers HEAD as it does GET; true unless said. */
  readonly head?: boolean
  /** What it gives is sent as JSON, unless it has sent an answer itself. */
  handle(call: Call): unknown
}

export interface RouteBody {
  /** Of its bytes. */
  readonly limit: 'bodyBytesMax' | 'verifyBodyBytesMax' | 'smallBodyBytesMax'
  readonly content: Readonly<Record<string, Schema>>
  /** Of the values of its JSON, where they are fewer than any body may have. */
  readonly valuesLimit?: 'verifyValuesMax'
  /** What each entry of `records` must be. */
  readonly records?: Schema
}

export interface RouteAnswer {
  readonly text: Bilingual
  readonly schema?: Schema
  /** `application/json` unless given. */
  readonly type?: string
  /** Forms of the same for callers whose Accept names them: media types with their schemas. */
  readonly others?: Readonly<Record<string, Schema>>
}

/** A request that has come through its door. */
export interface Call {
  /** @throws Error at a door that needs no key */
  readonly caller: Caller
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  /** The body as it came. */
  readonly bodyBytes: Uint8Array
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Forgets the body and gives back the room that it took, once it is no longer needed. */
  releaseBody(): void
  /** @param bytes in memory beside the pieces of a streamed answer, until it has left */
  holdForAnswer(bytes: number): void
}

/** Whose records, evidence and events the caller sees: its own issuer's, or, undefined, everybody's. */
export const issuerSeenBy = (caller: Caller): string | undefined =>
  caller.scopes.has('records:read-all') ? undefined : caller.issuer
