import { createHash, randomBytes } from 'node:crypto'
import canonicalize from 'canonicalize'
import { type Hash, bytesToHex, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { keccak256Hex } from '@songhua/sdk/protocol/crypto'
import { leafHash } from '@songhua/sdk/protocol/merkle-tree'
import type { DemoRecord, Family } from './demo-records.js'

/** What goes on the chain of a record, as a digest; the payload and its salt stay off it. */
export interface Envelope {
  id: string
  family: Family
  schema: { id: string; version: string }
  subject: string
  issuer: string
  /** Each over salt (32 bytes) ‖ payload in RFC 8785 form, lower-case hexadecimal. */
  payloadDigests: { sha256: string; sm3: string }
  created: string
  retention: string
  /** Issuer signatures. */
  proof: []
}

export interface SealedRecord {
  title: string
  envelope: Envelope
  payload: unknown
  /** 32 bytes, hexadecimal. */
  salt: string
  /** RFC 9162 leaf hash of the envelope in RFC 8785 form; the root of a tree that has no other leaf. */
  root: Hash
  /** The record's own id, hashed: anchoring the same record twice is refused by the contract. */
  batchId: Hash
}

/** Puts a record into an envelope with a fresh id and salt. */
export function sealRecord(record: DemoRecord, now: Date): SealedRecord {
  const salt = randomBytes(32)
  const salted = Buffer.concat([salt, utf8ToBytes(canonicalText(record.payload))])
  const { title, family, schema, subject, issuer, retention, payload } = record
  const envelope: Envelope = {
    id: uuidV7(now.getTime()),
    family,
    schema,
    subject,
    issuer,
    retention,
    payloadDigests: {
      sha256: createHash('sha256').update(salted).digest('hex'),
      sm3: createHash('sm3').update(salted).digest('hex'),
    },
    created: now.toISOString(),
    proof: [],
  }
  return {
    title,
    envelope,
    payload,
    salt: salt.toString('hex'),
    root: bytesToHex(leafHash(utf8ToBytes(canonicalText(envelope)))),
    batchId: keccak256Hex(utf8ToBytes(envelope.id)),
  }
}

function canonicalText(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('a record has a JSON payload')
  return text
}

/** RFC 9562 §5.7: 48 bits of ms, then random bits. */
export function uuidV7(timeMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(timeMs, 0, 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
