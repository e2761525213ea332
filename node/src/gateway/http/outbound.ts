import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressKey } from '../../base/address-key.js'
import { createShareBudget } from '../../base/share-budget.js'
import { whenAnswered } from '../../base/when-answered.js'
import { gatewayError, type GatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'

/** Answers that their clients have not read yet, over all connections. */
export interface OutboundBudget {
  /**
   * Counts an answer until it has left, under the key that asked for it, or else under its address.
   * @returns the refusal to be sent in its place
   */
  take(answer: OutboundAnswer): GatewayError | undefined
}

export interface OutboundAnswer {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly keyId: string | undefined
  readonly payload: unknown
  /** In memory beside what can be seen of a stream. */
  readonly heldBytes: number
}

/** Head of an answer, and the objects of its request. */
const HEAD_BYTES = 4 * 1024
/** What is in memory of a stream: pieces of 64 KiB, one waiting here and one in the connection. */
const STREAM_BYTES = 128 * 1024

export function createOutboundBudget(limits: GatewayLimits): OutboundBudget {
  const keyed = createShareBudget({ totalMax: limits.outboundBytesMax, shareMax: limits.outboundBytesPerKeyMax })
  const anonymous = createShareBudget({ totalMax: limits.outboundBytesAnonymousMax, shareMax: limits.outboundBytesPerAddressMax })
  return {
    take({ request, reply, keyId, payload, heldBytes }) {
      const bytes = HEAD_BYTES + (payload instanceof Readable ? STREAM_BYTES + heldBytes : bytesOf(payload))
      const isKeyed = keyId !== undefined
      const taken = isKeyed ? keyed.take(keyId, bytes) : anonymous.take(addressKey(request.ip), bytes)
      if (taken === 'total') return gatewayError('GATEWAY_BUSY', { limit: isKeyed ? 'outboundBytesMax' : 'outboundBytesAnonymousMax' })
      if (taken === 'share') {
        return gatewayError('RATE_LIMITED', { limit: isKeyed ? 'outboundBytesPerKeyMax' : 'outboundBytesPerAddressMax', retryAfterS: 1 })
      }
      whenAnswered(request.raw, reply.raw, taken)
      return undefined
    },
  }
}

function bytesOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload)
  return payload instanceof Uint8Array ? payload.length : 0
}
