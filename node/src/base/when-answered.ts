import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

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
export function whenAnswered({ socket }: IncomingMessage, answer: ServerResponse, release: () => void): void {
  if (socket.destroyed) return release()
  const releases = heldBy(socket)
  const once = (): void => {
    if (releases.delete(once)) release()
  }
  releases.add(once)
  answer.once('close', once)
}
