import type { Socket } from 'node:net'

/** What happens at this moment to bytes on their way from one node to another. */
export interface PathState {
  /** Nothing arrives; what is sent waits, as it does in TCP when packets are lost. */
  isHeld: boolean
  delayMs: number
}

/** Held and delayed bytes that one direction of one connection keeps before its sender has to wait. */
const QUEUE_BYTES_MAX = 1024 * 1024

type Item = { dueMs: number } & ({ chunk: Buffer } | { ending: 'end' | 'reset' })

/**
 * Ends a connection as a lost one ends. A socket that is still writing or shutting down is closed without ceremony:
 * `resetAndDestroy` would wait for the writes, and of one in shutdown libuv's refusal (UV_EINVAL of uv_tcp_close_reset)
 * leaves a handle behind that spins until the process ends.
 */
export function reset(socket: Socket): void {
  const isQuiet = !socket.connecting && !socket.writableEnded && socket.writableLength === 0
  if (isQuiet && !socket.destroyed) socket.resetAndDestroy()
  else socket.destroy()
}

/** One direction of a connection: bytes in their order, and after them how the connection ended. */
export class Pipe {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #path: () => PathState
  readonly #queue: Item[] = []
  #queuedBytes = 0
  #timer: NodeJS.Timeout | undefined
  #isSevered = false

  constructor(source: Socket, sink: Socket, path: () => PathState) {
    this.#source = source
    this.#sink = sink
    this.#path = path
    source.on('data', (chunk: Buffer) => this.#enqueue({ chunk }, chunk.length))
    source.on('end', () => this.#enqueue({ ending: 'end' }, 0))
    source.on('close', (hadError) => (hadError || !source.readableEnded ? this.#enqueue({ ending: 'reset' }, 0) : undefined))
    sink.on('drain', () => this.pump())
  }

  /** From now on what comes is swallowed, and the other side is told nothing. */
  sever(): void {
    this.#isSevered = true
    this.#queue.length = 0
    clearTimeout(this.#timer)
    this.#source.resume()
  }

  #enqueue(item: { chunk: Buffer } | { ending: 'end' | 'reset' }, bytes: number): void {
    if (this.#isSevered) return
    this.#queue.push({ dueMs: performance.now() + this.#path().delayMs, ...item })
    this.#queuedBytes += bytes
    if (this.#queuedBytes > QUEUE_BYTES_MAX) this.#source.pause()
    this.pump()
  }

  /** Delivers what is due; called again when the path has changed. */
  pump(): void {
    clearTimeout(this.#timer)
    if (this.#path().isHeld || this.#sink.writableNeedDrain) return
    const nowMs = performance.now()
    while (this.#queue.length > 0 && this.#queue[0]!.dueMs <= nowMs && !this.#sink.writableNeedDrain) this.#deliver(this.#queue.shift()!)
    if (this.#queuedBytes <= QUEUE_BYTES_MAX / 2) this.#source.resume()
    const next = this.#queue[0]
    if (next !== undefined && !this.#sink.writableNeedDrain) this.#timer = setTimeout(() => this.pump(), Math.max(1, next.dueMs - nowMs))
  }

  #deliver(item: Item): void {
    if ('chunk' in item) {
      this.#queuedBytes -= item.chunk.length
      if (this.#sink.writable) this.#sink.write(item.chunk)
    } else if (item.ending === 'end') this.#sink.end()
    else reset(this.#sink)
  }
}
