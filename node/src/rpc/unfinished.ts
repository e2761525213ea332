import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Clock } from '../base/clock.js'

/** The longest header of a masked control frame, bytes (RFC 6455 §5.2). */
const CONTROL_HEADER_BYTES = 6

export interface UnfinishedPorts {
  readonly socket: WebSocket
  /** Under the WebSocket. */
  readonly stream: Socket
  readonly clock: Clock
  /** How long one message may take from its first byte to its last, ms. */
  readonly receiveMs: number
  readonly onGrown: () => void
  readonly onSlow: () => void
}

/** The message that a client has begun and not ended: `ws` holds its bytes, and says nothing of it. */
export interface Unfinished {
  /** A little less than what is held: what follows the end of a message in one read is not counted. */
  readonly bytes: number
}

export function watchUnfinished({ socket, stream, clock, receiveMs, onGrown, onSlow }: UnfinishedPorts): Unfinished {
  let countedFrom = stream.bytesRead
  let cancel: (() => void) | undefined
  const bytes = (): number => Math.max(0, stream.bytesRead - countedFrom)
  const isControl = (data: Buffer): void => {
    countedFrom += CONTROL_HEADER_BYTES + data.length
  }
  const end = (): void => {
    cancel?.()
    cancel = undefined
    countedFrom = stream.bytesRead
  }
  socket.on('message', end)
  socket.on('ping', isControl)
  socket.on('pong', isControl)
  socket.once('close', end)
  // After the listener of `ws`, which came first: whatever it has understood of the bytes is known by now.
  stream.on('data', () => {
    if (bytes() === 0) return
    cancel ??= clock.after(receiveMs, onSlow)
    onGrown()
  })
  return {
    get bytes() {
      return bytes()
    },
  }
}
