import type { Socket } from 'node:net'
import type { Logger } from '../../base/logger.js'
import { limitNamed, type Refusals } from '../../base/refusals.js'
import { GATEWAY_ERRORS, type GatewayError, gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import { errorToBody } from './error-reply.js'
import { newestOn } from './in-hand.js'

export interface BrokenPorts {
  readonly limits: GatewayLimits
  readonly logger: Logger
  readonly refusals: Refusals
}

/** What Node refuses before there is a request: no route, no language, but a code and the limit that was met. */
export function answerBroken(reason: Error & { code?: string }, socket: Socket, { limits, logger, refusals }: BrokenPorts): void {
  // It has been told, and has not gone: Node comes back to it with every check.
  if (socket.writableEnded) return void socket.destroy()
  logger.debug('an HTTP connection broke the protocol', { reason: reason.message })
  const error = brokenError(reason.code, socket, limits)
  refusals.count(error.code, limitNamed(error.details))
  // Within an answer that has begun, there is no place for another.
  const answer = newestOn(socket)?.answer
  if (!socket.writable || (answer?.headersSent === true && !answer.writableFinished)) return void socket.destroy()
  const body = JSON.stringify({ error: errorToBody(error, 'en') })
  const head = [
    `HTTP/1.1 ${GATEWAY_ERRORS[error.code].status} ${STATUS_TEXTS[error.code] ?? 'Bad Request'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const STATUS_TEXTS: Partial<Record<GatewayError['code'], string>> = {
  HEADERS_TOO_LARGE: 'Request Header Fields Too Large',
  REQUEST_SLOW: 'Request Timeout',
}

function brokenError(code: string | undefined, socket: Socket, limits: GatewayLimits): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW') return gatewayError('HEADERS_TOO_LARGE', { limit: 'headerBytesMax', max: limits.headerBytesMax })
  if (code !== 'ERR_HTTP_REQUEST_TIMEOUT') return gatewayError('HTTP_BROKEN')
  // Node says the same of both: a request that is known has had its headers.
  const limit = newestOn(socket)?.request.complete === false ? 'requestReceiveMs' : 'headersReceiveMs'
  return gatewayError('REQUEST_SLOW', { limit, max: limits[limit] })
}
