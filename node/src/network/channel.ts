import { messageOf, isCodedError } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import type { GoodbyeCode } from './errors.js'
import { createFrameReader } from './frame.js'
import { type NetworkLimits, type StreamLimits, WRITE_CHUNK_BYTES } from './limits.js'
import { createSendQueue } from './send-queue.js'
import { createTokenBucket } from '../base/token-bucket.js'
import type { Wire } from './transport.js'

export interface FrameChannelPorts {
  readonly clock: Clock
  onFrame(payload: Uint8Array): void
  /** The peer broke a rule of the stream; the connection is to be ended. */
  onFault(code: GoodbyeCode, message: string): void
  count(name: string, amount?: number): void
}

/** Frames over one kept-open stream, bounded both ways. */
export interface FrameChannel {
  /** Takes in what has come and what comes. */
  start(): void
  /** False: the queue is full and the frame was refused. `kind` groups frames of which the oldest may be let go. */
  send(payload: Uint8Array, kind?: number): boolean
  /** Writes now what would be written at the end of this tick. */
  flush(): void
  queuedBytes(): number
  stop(): void
}

export interface FrameChannelOptions {
  readonly name: string
  readonly wire: Wire
  readonly stream: StreamLimits
  readonly limits: Pick<NetworkLimits, 'frameMs' | 'stallMs' | 'stallBytesMin'>
}

export function createFrameChannel(options: FrameChannelOptions, ports: FrameChannelPorts): FrameChannel {
  const reader = createReading(options, ports)
  const writer = createWriting(options, ports)
  return {
    start: () => reader.start(),
    send: (payload, kind) => writer.send(payload, kind),
    flush: () => writer.flush(),
    queuedBytes: () => writer.queuedBytes(),
    stop() {
      reader.stop()
      writer.stop()
    },
  }
}

/** Frames and bytes a second; the frame that goes beyond the bytes is still taken, and the next one waits for it. */
function createFrameRate(stream: StreamLimits, clock: Clock): { waitMs(): number; spend(payloadBytes: number): void } {
  const frames = createTokenBucket({ perSecond: stream.framesPerSecond, burst: stream.framesBurst }, clock.now())
  const bytes = createTokenBucket({ perSecond: stream.bytesPerSecond, burst: stream.bytesBurst }, clock.now())
  return {
    waitMs: () => Math.max(frames.waitMs(clock.now()), bytes.waitMs(clock.now())),
    spend(payloadBytes) {
      frames.spend(clock.now(), 1)
      bytes.spend(clock.now(), payloadBytes)
    },
  }
}

function createReading({ name, wire, stream, limits }: FrameChannelOptions, ports: FrameChannelPorts) {
  const { clock } = ports
  const frames = createFrameReader(stream.frameBytesMax)
  const rate = createFrameRate(stream, clock)
  let stopped = false
  let cancelResume: (() => void) | undefined
  let cancelDeadline: (() => void) | undefined

  const watchPartial = (): void => {
    if (!frames.isPartial() || cancelResume !== undefined) {
      cancelDeadline?.()
      cancelDeadline = undefined
    } else {
      cancelDeadline ??= clock.after(limits.frameMs, () => {
        ports.onFault('FRAME_TIMEOUT', `a frame on ${name} was begun and not ended within ${limits.frameMs} ms`)
      })
    }
  }

  const slowDown = (waitMs: number): void => {
    ports.count('frames_delayed')
    ports.count(`frames_delayed_${name}`)
    wire.pause()
    cancelResume = clock.after(waitMs, () => {
      cancelResume = undefined
      if (stopped) return
      deliver()
      if (cancelResume === undefined) wire.resume()
    })
  }

  const deliver = (): void => {
    try {
      while (!stopped && cancelResume === undefined && frames.hasNext()) {
        const waitMs = rate.waitMs()
        if (waitMs > 0) slowDown(waitMs)
        else {
          // Another frame, another deadline.
          cancelDeadline?.()
          cancelDeadline = undefined
          const payload = frames.next()!
          rate.spend(payload.length)
          ports.onFrame(payload)
        }
      }
      watchPartial()
    } catch (error) {
      const code = isCodedError(error) ? (error.code as GoodbyeCode) : 'MESSAGE_MALFORMED'
      ports.onFault(code, `${name}: ${messageOf(error)}`)
    }
  }

  return {
    start(): void {
      wire.onData((chunk) => {
        if (stopped) return
        ports.count('bytes_in', chunk.length)
        frames.push(chunk)
        deliver()
      })
    },
    stop(): void {
      stopped = true
      cancelResume?.()
      cancelDeadline?.()
      cancelDeadline = undefined
    },
  }
}

function createWriting({ name, wire, stream, limits }: FrameChannelOptions, ports: FrameChannelPorts) {
  const queue = createSendQueue(stream)
  let stopped = false
  let scheduled = false
  let cancelStall: (() => void) | undefined
  let takenBytes = 0

  /** From the moment that something waits: a reader of a byte now and then is as slow as one that reads nothing. */
  const watchStall = (): void => {
    if (cancelStall !== undefined) return
    takenBytes = 0
    cancelStall = ports.clock.after(limits.stallMs, () => {
      cancelStall = undefined
      if (queue.count() === 0) return
      if (takenBytes >= limits.stallBytesMin) return watchStall()
      const waiting = `${queue.count()} frames of ${queue.bytes()} bytes wait`
      ports.onFault('SLOW_READER', `the peer took ${takenBytes} bytes on ${name} in ${limits.stallMs} ms; ${waiting}`)
    })
  }

  const endStall = (): void => {
    cancelStall?.()
    cancelStall = undefined
  }

  const flush = (): void => {
    scheduled = false
    while (!stopped && wire.isWritable()) {
      const chunk = queue.take(WRITE_CHUNK_BYTES)
      if (chunk === undefined) return endStall()
      takenBytes += chunk.length
      ports.count('bytes_out', chunk.length)
      try {
        wire.send(chunk)
      } catch {
        // The stream has ended; its close event tells the session, which ends the connection.
        stopped = true
      }
    }
    if (!stopped) watchStall()
  }

  wire.onDrain(flush)

  return {
    send(payload: Uint8Array, kind = 0): boolean {
      if (stopped || payload.length === 0 || payload.length > stream.frameBytesMax) return false
      const before = queue.dropped()
      const taken = queue.push(payload, kind)
      if (queue.dropped() > before) ports.count('frames_dropped', queue.dropped() - before)
      // Small frames of one tick leave in one piece: the cost is in each send, not in its bytes.
      if (taken && !scheduled) {
        scheduled = true
        queueMicrotask(flush)
      }
      return taken
    },
    flush,
    queuedBytes: () => queue.bytes(),
    stop(): void {
      stopped = true
      endStall()
    },
  }
}
