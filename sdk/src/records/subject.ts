import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '../protocol/bytes.js'
import { CodedError } from '../protocol/errors.js'
import { toCanonicalDigitalLink } from './gs1-link.js'

/** Whom or what a record is about: an identifier that is public anyway, or a commitment only the key's holder links. */
export type Subject = PublicSubject | SubjectCommitment

export const PUBLIC_SCHEMES = ['uscc', 'did', 'gs1', 'uri', 'number'] as const

export interface PublicSubject {
  readonly kind: 'public'
  /** `number`: of a document or case; `gs1`: a canonical Digital Link. */
  readonly scheme: (typeof PUBLIC_SCHEMES)[number]
  readonly id: string
}

export interface SubjectCommitment {
  readonly kind: 'commitment'
  readonly algorithm: 'HMAC-SHA-256'
  /** Which of the holder's keys; not the key. */
  readonly keyId: string
  /** 64 lower-case hexadecimal digits. */
  readonly value: string
}

const COMMITMENT_KEY_BYTES_MIN = 32
const DOMAIN = 'songhua.subject/1'

/** A trade item, lot, parcel or place, whichever way it was written. @throws SUBJECT_GS1 */
export function gs1Subject(uri: string): PublicSubject {
  const id = toCanonicalDigitalLink(uri)
  if (id === undefined) {
    throw new CodedError('SUBJECT_GS1', `${uri.slice(0, 80)} is neither an EPC URN nor a GS1 Digital Link`)
  }
  return { kind: 'public', scheme: 'gs1', id }
}

/**
 * The same person under the same key gives the same commitment, so records can be found; without the key it tells
 * nothing. `scheme` says what kind of number `id` is (`citizen-id`, `passport`); spaces and case do not count.
 * @throws SUBJECT_KEY when the key is shorter than 32 bytes
 */
export function commitSubject(
  key: { readonly id: string; readonly secret: Uint8Array },
  person: { readonly scheme: string; readonly id: string },
): SubjectCommitment {
  if (key.secret.length < COMMITMENT_KEY_BYTES_MIN) {
    const message = `A commitment key has at least ${COMMITMENT_KEY_BYTES_MIN} bytes; this one has ${key.secret.length}`
    throw new CodedError('SUBJECT_KEY', message)
  }
  const number = person.id.normalize('NFKC').replace(/\s/g, '').toUpperCase()
  const mac = hmac(sha256, key.secret, utf8ToBytes([DOMAIN, person.scheme, number].join('\n')))
  return { kind: 'commitment', algorithm: 'HMAC-SHA-256', keyId: key.id, value: bytesToHex(mac).slice(2) }
}
