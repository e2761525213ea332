import { type Readable, Transform } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressKey } from '../../base/address-key.js'
import { createShareBudget, type ShareBudget } from '../../base/share-budget.js'
import { whenAnswered } from '../../base/when-answered.js'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import { contextOf } from './context.js'
import type { RouteBody } from './route.js'

/** Bodies in hand, over all connections. */
export interface InboundBudget {
  /**
   * Before a body is received. Of a caller with a key, its announced length counts, or the most allowed when it is chunked,
   * until it is released.
   * @throws GatewayError `BODY_TOO_LARGE`, `GATEWAY_BUSY`, `RATE_LIMITED`
   */
  reserve(request: FastifyRequest, reply: FastifyReply, limit: RouteBody['limit']): void
  /** The body on its way to the parser. Of a caller without a key it counts as it comes: to announce it costs nothing. */
  receive(request: FastifyRequest, payload: Readable): Readable
}

export function createInboundBudget(limits: GatewayLimits): InboundBudget {
  const keyed = createShareBudget({ totalMax: limits.inboundBytesMax, shareMax: limits.inboundBytesPerKeyMax })
  const anonymous = createShareBudget({ totalMax: limits.inboundBytesAnonymousMax, shareMax: limits.inboundBytesPerAddressMax })
  return {
    reserve(request, reply, limit) {
      const max = limits[limit]
      const announced = Number(request.headers['content-length'] ?? max)
      if (announced > max) throw gatewayError('BODY_TOO_LARGE', { limit, max })
      const context = contextOf(request)
      context.bodyLimit = { limit, max }
      whenAnswered(request.raw, reply.raw, () => context.releaseBody())
      if (context.caller === undefined) return
      context.holdsBody.push(takeOf(keyed, context.caller.keyId, announced, ['inboundBytesMax', 'inboundBytesPerKeyMax']))
    },
    receive(request, payload) {
      const { caller, holdsBody } = contextOf(request)
      if (caller !== undefined) return payload
      const party = addressKey(request.ip)
      const count = (bytes: number): void => {
        holdsBody.push(takeOf(anonymous, party, bytes, ['inboundBytesAnonymousMax', 'inboundBytesPerAddressMax']))
      }
      return meter(payload, { count, receiveMs: limits.anonymousReceiveMs })
    },
  }
}

type LimitNames = readonly [total: keyof GatewayLimits, share: keyof GatewayLimits]

function takeOf(budget: ShareBudget, party: string, bytes: number, [total, share]: LimitNames): () => void {
  const taken = budget.take(party, bytes)
  if (taken === 'total') throw gatewayError('GATEWAY_BUSY', { limit: total })
  if (taken === 'share') throw gatewayError('RATE_LIMITED', { limit: share, retryAfterS: 1 })
  return taken
}

/** @param count throws for what is too much */
function meter(payload: Readable, { count, receiveMs }: { count: (bytes: number) => void; receiveMs: number }): Readable {
  const metered = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        count(chunk.length)
      } catch (error) {
        return done(error as Error)
      }
      done(null, chunk)
    },
  })
  const slow = setTimeout(() => metered.destroy(gatewayError('REQUEST_SLOW', { limit: 'anonymousReceiveMs', max: receiveMs })), receiveMs)
  metered.once('close', () => clearTimeout(slow))
  payload.once('error', (error) => metered.destroy(error))
  return payload.pipe(metered)
}
