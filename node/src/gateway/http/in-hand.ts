import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What the unanswered requests of a connection hold. */
const held = new WeakMap<Socket, Set<() => void>>()

function heldBy(socket: Socket): Set<() => void> {
  const known = held.get(socket)
  if (known !== undefined) return known
  const releases = new Set<() => void>()
  held.set(socket, releases)
  socket.once('close', () => {
    for (const release of [...releases]) release()
  })
  return releases
}

/**
 * Calls `release` once: when the answer has left or will never leave. Of a pipelined answer that waits behind another,
 * Node says nothing when the connection closes; only its socket does.
 */
export function whenAnswered(request: FastifyRequest, reply: FastifyReply, release: () => void): void {
  const { socket } = request.raw
  if (socket.destroyed) return release()
  const releases = heldBy(socket)
  const once = (): void => {
    if (releases.delete(once)) release()
  }
  releases.add(once)
  reply.raw.once('close', once)
}

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
      whenAnswered(request, reply, () => counts.set(socket, counts.get(socket)! - 1))
      return true
    },
  }
}
