import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { concatBytes, utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import type { GatewayTable } from '../ports.js'
import type { DeadLetter, WebhookState } from './webhook-state.js'

/** What was asked for when it was made. */
export interface Webhook {
  /** `wh_` and 24 hexadecimal digits. */
  readonly id: string
  readonly url: string
  /** Types of events; none: all. */
  readonly events: readonly string[]
  /** Who manages it. */
  readonly issuer: string
  /** Gets the events of every issuer. */
  readonly isAllIssuers: boolean
  readonly createdAtMs: number
  /** Of the API key that answers for it: the one that made it, or that enabled it again. */
  readonly keyId: string
}

export interface StoredWebhook extends Webhook {
  /** base64 of nonce, ciphertext and tag. */
  readonly sealedSecret: string
  readonly state: WebhookState
}

/** Webhooks, and where each stands, on disk. */
export interface WebhookStore {
  list(): Promise<StoredWebhook[]>
  /** With a letter when a delivery was given up: both at once, and the oldest beyond the limit go. */
  save(webhook: StoredWebhook, letter?: DeadLetter): Promise<void>
  remove(id: string): Promise<void>
  letters(id: string): Promise<DeadLetter[]>
  removeLetter(id: string, n: number): Promise<void>
}

/**
 * The table's part that is ours:
 * 0x80 ‖ id (12)             → StoredWebhook, JSON
 * 0x81 ‖ id (12) ‖ n (8, BE) → DeadLetter, JSON
 */
const WEBHOOK = 0x80
const LETTER = 0x81
const ID_BYTES = 12

export const newWebhookId = (): string => `wh_${randomBytes(ID_BYTES).toString('hex')}`

const idBytes = (id: string): Uint8Array => Buffer.from(id.slice(3), 'hex')
const webhookKey = (id: string): Uint8Array => concatBytes(Uint8Array.of(WEBHOOK), idBytes(id))

function letterKey(id: string, n: number): Uint8Array {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(n))
  return concatBytes(Uint8Array.of(LETTER), idBytes(id), number)
}

const toBytes = (value: unknown): Uint8Array => utf8ToBytes(JSON.stringify(value))
const fromBytes = <T>(bytes: Uint8Array): T => JSON.parse(Buffer.from(bytes).toString('utf8')) as T

export function createWebhookStore(table: GatewayTable, limits: { readonly deadLettersMax: number }): WebhookStore {
  const letterEntries = async (id: string): Promise<[Uint8Array, DeadLetter][]> => {
    const entries: [Uint8Array, DeadLetter][] = []
    const range = { from: letterKey(id, 0), below: letterKey(id, Number.MAX_SAFE_INTEGER) }
    for await (const [key, value] of table.entries(range)) entries.push([key, fromBytes(value)])
    return entries
  }
  return {
    async list() {
      const webhooks: StoredWebhook[] = []
      const range = { from: Uint8Array.of(WEBHOOK), below: Uint8Array.of(LETTER) }
      for await (const [, value] of table.entries(range)) webhooks.push(fromBytes(value))
      return webhooks
    },
    async save(webhook, letter) {
      const saved: [Uint8Array, Uint8Array] = [webhookKey(webhook.id), toBytes(webhook)]
      if (letter === undefined) return table.write([saved])
      const there = await letterEntries(webhook.id)
      const surplus = there.slice(0, Math.max(0, there.length + 1 - limits.deadLettersMax))
      const gone = surplus.map(([key]): [Uint8Array, undefined] => [key, undefined])
      return table.write([saved, [letterKey(webhook.id, letter.n), toBytes(letter)], ...gone])
    },
    async remove(id) {
      const letters = (await letterEntries(id)).map(([key]): [Uint8Array, undefined] => [key, undefined])
      await table.write([[webhookKey(id), undefined], ...letters])
    },
    letters: async (id) => (await letterEntries(id)).map(([, letter]) => letter),
    removeLetter: (id, n) => table.write([[letterKey(id, n), undefined]]),
  }
}

// ------------------------------------------------------------------------------------------------------ secrets

const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

export interface SecretSeal {
  seal(id: string, secret: Uint8Array): string
  /** @throws Error when it was sealed under another key, or for another webhook */
  open(id: string, sealed: string): Uint8Array
}

/** @param master 32 bytes; the key is derived, so that one use tells nothing of another */
export function createSecretSeal(master: Uint8Array): SecretSeal {
  const key = createHmac('sha256', master).update('songhua.webhook-secret/1').digest()
  return {
    seal(id, secret) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(id))
      return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('base64')
    },
    open(id, sealed) {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
    },
  }
}
