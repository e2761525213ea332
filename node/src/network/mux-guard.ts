import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import type { Clock } from '../base/clock.js'
import { createTokenBucket } from '../base/token-bucket.js'
import { networkError } from './errors.js'
import type { NetworkLimits } from './limits.js'

/** yamux v0: version, type, flags (2), stream id (4), length (4). */
const HEADER_BYTES = 12
const TYPE_DATA = 0
const TYPE_PING = 2
const FLAG_SYN = 1

export type MuxLimits = Pick<
  NetworkLimits,
  'muxFrameBytesMax' | 'muxFramesPerSecond' | 'muxFramesBurst' | 'muxStreamsMax' | 'muxPingsMax'
>

/** Reads along with the multiplexer, which itself has no bound on what one frame announces and how many come. */
export interface MuxInspector {
  /** @throws CodedError `MUX_FRAME_TOO_LARGE`, `MUX_FLOOD`, `STREAM_FLOOD` */
  read(chunk: Uint8Array): void
}

/** @param limits counts of one connection, from its first byte to its last, but for the rate of frames */
export function createMuxInspector(limits: MuxLimits, clock: Pick<Clock, 'now'>): MuxInspector {
  const rate = { perSecond: limits.muxFramesPerSecond, burst: limits.muxFramesBurst }
  const frames = createTokenBucket(rate, clock.now())
  const header = new Uint8Array(HEADER_BYTES)
  let headerBytes = 0
  let bodyBytes = 0
  let streams = 0
  let pings = 0

  const take = (): void => {
    headerBytes = 0
    const type = header[1]
    const length = new DataView(header.buffer).getUint32(8)
    if (!frames.take(clock.now())) throw flood(`more than ${limits.muxFramesPerSecond} frames a second`)
    if (type === TYPE_PING && ++pings > limits.muxPingsMax) throw flood(`more than ${limits.muxPingsMax} pings`)
    if ((header[3]! & FLAG_SYN) !== 0 && type !== TYPE_PING && ++streams > limits.muxStreamsMax) {
      throw networkError('STREAM_FLOOD', `more than ${limits.muxStreamsMax} streams were opened on one connection`)
    }
    if (type !== TYPE_DATA) return
    if (length > limits.muxFrameBytesMax) {
      const message = `a multiplexer frame of ${length} bytes was announced; at most ${limits.muxFrameBytesMax} are taken`
      throw networkError('MUX_FRAME_TOO_LARGE', message, { details: { length } })
    }
    bodyBytes = length
  }

  return {
    read(chunk) {
      for (let at = 0; at < chunk.length; ) {
        if (bodyBytes > 0) {
          const part = Math.min(bodyBytes, chunk.length - at)
          bodyBytes -= part
          at += part
        } else {
          header[headerBytes++] = chunk[at++]!
          if (headerBytes === HEADER_BYTES) take()
        }
      }
    },
  }
}

const flood = (what: string): Error => networkError('MUX_FLOOD', `the multiplexer was flooded: ${what}`)

/**
 * The multiplexer with a guard before it: a breach ends the connection before the multiplexer has seen it.
 * The guard listens first, so that it can keep an event from who listens after it.
 */
export function guardMuxer(inner: StreamMuxerFactory, limits: MuxLimits, clock: Pick<Clock, 'now'>): StreamMuxerFactory {
  return {
    protocol: inner.protocol,
    createStreamMuxer(stream: MessageStream) {
      const inspector = createMuxInspector(limits, clock)
      stream.addEventListener('message', (event) => {
        try {
          inspector.read(event.data.subarray())
        } catch (error) {
          event.stopImmediatePropagation()
          stream.abort(error as Error)
        }
      })
      return inner.createStreamMuxer(stream)
    },
  }
}
