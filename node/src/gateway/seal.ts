import { createCipheriv, createDecipheriv } from 'node:crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { SALT_BYTES } from '@songhua/sdk/records/payload-digest'
import { takeRandom } from './random.js'

/** What is kept of a payload: unreadable without its key, which lies in the key ring alone. */
export interface SealedPayload {
  /** 32 random bytes, for this payload only. */
  readonly key: Uint8Array
  /** nonce (12) ‖ AES-256-GCM of salt (32) ‖ payload ‖ tag (16). */
  readonly sealed: Uint8Array
}

export interface OpenedPayload {
  readonly salt: Uint8Array
  readonly payload: Uint8Array
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** @param id of the record: sealed for one record, it opens for no other */
export function sealPayload(id: string, { salt, payload }: OpenedPayload): SealedPayload {
  const key = takeRandom(KEY_BYTES)
  const nonce = takeRandom(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(id))
  const parts = [nonce, cipher.update(salt), cipher.update(payload), cipher.final(), cipher.getAuthTag()]
  return { key, sealed: new Uint8Array(Buffer.concat(parts)) }
}

/** @throws CodedError `PAYLOAD_UNREADABLE` when key, bytes or record are not those of the sealing */
export function openPayload(id: string, { key, sealed }: SealedPayload): OpenedPayload {
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(id))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES)
    const opened = new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]))
    return { salt: opened.slice(0, SALT_BYTES), payload: opened.slice(SALT_BYTES) }
  } catch (cause) {
    const message = `the payload of ${id} cannot be opened: store or key ring are damaged; restore them from a backup`
    throw new CodedError('PAYLOAD_UNREADABLE', message, { details: { id }, cause })
  }
}
