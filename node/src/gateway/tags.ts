import { createHmac, timingSafeEqual } from 'node:crypto'
import { concatBytes } from '@songhua/sdk/protocol/bytes'
import type { Subject } from '@songhua/sdk/records/subject'
import { TAGS_CACHED_MAX } from './engine-limits.js'
import { TAG_BYTES } from './keys.js'

/**
 * What is looked up without standing in the table: subjects, natural keys and requests can be guessed, so that a bare
 * hash would tell them. All of it is under keys derived from the secret that lies with the key ring.
 */
export interface Tags {
  readonly subject: (subject: Subject) => Uint8Array
  /** Records of an issuer, of a schema, of both, or all. */
  readonly selection: (selection: { issuer?: string | undefined; schema?: string | undefined }) => Uint8Array
  /** All of these under which a record is found. */
  readonly selectionsOf: (record: { issuer: string; schema: string }) => RecordTags
  readonly natural: (issuer: string, naturalKey: string) => Uint8Array
  readonly idempotency: (keyId: string, key: string) => Uint8Array
  /** 32 bytes. */
  readonly fingerprint: (request: Uint8Array) => Uint8Array
  readonly cursor: (query: string, position: Uint8Array) => Uint8Array
  /** Of the secret itself, so that a table is not opened with another one. */
  readonly mark: Uint8Array
}

const CURSOR_TAG_BYTES = 8

export interface RecordTags {
  readonly issuer: Uint8Array
  /** Of nothing, issuer, schema, and both. */
  readonly all: readonly Uint8Array[]
  /** issuer ‖ schema: by which a subject's records are sifted. */
  readonly sieve: Uint8Array
}

/** @param secret 32 bytes */
export function createTags(secret: Uint8Array): Tags {
  const keyed = (purpose: string) => {
    const key = mac(secret, [`songhua.gateway.${purpose}/1`])
    return (parts: readonly (string | Uint8Array)[]) => mac(key, parts)
  }
  const [subject, selection, natural, idempotency] = ['subject', 'selection', 'natural-key', 'idempotency'].map(
    keyed,
  ) as Keyed4
  const [fingerprint, cursor, mark] = ['request', 'cursor', 'mark'].map(keyed) as Keyed3
  // An empty name is not the absence of one: whoever asks for the records of '' must not get everybody's.
  const select: Tags['selection'] = ({ issuer, schema }) =>
    selection([JSON.stringify([schema ?? null, issuer ?? null])]).subarray(0, TAG_BYTES)
  const cached = new Map<string, RecordTags>()
  return {
    subject: (one) => subject([subjectText(one)]).subarray(0, TAG_BYTES),
    selection: select,
    selectionsOf: ({ issuer, schema }) => {
      const name = `${schema}\n${issuer}`
      const known = cached.get(name)
      if (known !== undefined) return known
      if (cached.size >= TAGS_CACHED_MAX) cached.clear()
      const [both, ofIssuer, ofSchema] = [{ issuer, schema }, { issuer }, { schema }].map(select) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      const tags = {
        issuer: ofIssuer,
        all: [select({}), ofIssuer, ofSchema, both],
        sieve: concatBytes(ofIssuer, ofSchema),
      }
      cached.set(name, tags)
      return tags
    },
    natural: (issuer, naturalKey) => natural([`${naturalKey}\n${issuer}`]),
    idempotency: (keyId, key) => idempotency([`${keyId}\n${key}`]),
    fingerprint: (request) => fingerprint([request]),
    cursor: (query, position) => cursor([position, query]).subarray(0, CURSOR_TAG_BYTES),
    mark: mark([]).subarray(0, TAG_BYTES),
  }
}

type Keyed = (parts: readonly (string | Uint8Array)[]) => Uint8Array
type Keyed3 = [Keyed, Keyed, Keyed]
type Keyed4 = [Keyed, Keyed, Keyed, Keyed]

function mac(key: Uint8Array, parts: readonly (string | Uint8Array)[]): Uint8Array {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return new Uint8Array(hmac.digest())
}

function subjectText(subject: Subject): string {
  if (subject.kind === 'public') return `public\n${subject.scheme}\n${subject.id}`
  return `commitment\n${subject.keyId}\n${subject.value}`
}

/** In a time that does not tell where they differ. */
export function isSameTag(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
