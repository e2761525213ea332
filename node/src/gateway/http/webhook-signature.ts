import { createHmac } from 'node:crypto'

/** Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */

const PREFIX = 'whsec_'
export const WEBHOOK_SECRET_BYTES = 32

export const secretToText = (secret: Uint8Array): string => `${PREFIX}${Buffer.from(secret).toString('base64')}`

export interface SignedMessage {
  readonly id: string
  readonly timestampS: number
  readonly body: string
}

/** The three headers of a message. */
export function signatureHeaders(secret: Uint8Array, { id, timestampS, body }: SignedMessage): Record<string, string> {
  const mac = createHmac('sha256', secret).update(`${id}.${timestampS}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': `v1,${mac}` }
}
