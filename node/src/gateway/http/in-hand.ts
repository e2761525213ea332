import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { whenAnswered } from '../../base/when-answered.js'

interface Exchange {
  readonly request: IncomingMessage
  readonly answer: ServerResponse
}

const newest = new WeakMap<Socket, Exchange>()

/** The last request that a connection has begun, answered or not. */
export const newestOn = (socket: Socket): Exchange | undefined => newest.get(socket)

/** Counts the requests of each connection that are not answered yet. */
export interface Pipelines {
  /** False for one more than there may be. */
  enter(request: FastifyRequest, reply: FastifyReply): boolean
}

export function createPipelines({ requestsPerConnectionMax }: { readonly requestsPerConnectionMax: number }): Pipelines {
  const counts = new WeakMap<Socket, number>()
  return {
    enter(request, reply) {
      const { socket } = request.raw
      const count = (counts.get(socket) ?? 0) + 1
      if (socket.destroyed || count > requestsPerConnectionMax) return false
      counts.set(socket, count)
      newest.set(socket, { request: request.raw, answer: reply.raw })
      whenAnswered(request.raw, reply.raw, () => counts.set(socket, counts.get(socket)! - 1))
      return true
    },
  }
}
