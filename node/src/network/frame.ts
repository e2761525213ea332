import { networkError } from './errors.js'

/** A frame on the wire: payload length as four big-endian bytes, then the payload, never empty. */
export const FRAME_HEADER_BYTES = 4

const INITIAL_BYTES = 4096
/** A buffer that grew beyond this is given back when it is empty. */
const KEPT_BYTES_MAX = 256 * 1024

export interface FrameReader {
  push(chunk: Uint8Array): void
  /** The next whole payload (a copy of its own), or undefined until more bytes come. */
  next(): Uint8Array | undefined
  /** Whether `next` would answer a payload. Throws like `next`. */
  hasNext(): boolean
  /** Whether a frame has begun and not ended. */
  isPartial(): boolean
  bufferedBytes(): number
}

export function writeFrameHeader(target: Uint8Array, offset: number, payloadBytes: number): void {
  new DataView(target.buffer, target.byteOffset).setUint32(offset, payloadBytes)
}

/**
 * Cuts a byte stream into frames. Memory follows the bytes that came, not the length that was promised.
 * @throws CodedError `FRAME_TOO_LARGE`, `FRAME_EMPTY`
 */
export function createFrameReader(payloadBytesMax: number): FrameReader {
  let buffer = new Uint8Array(INITIAL_BYTES)
  let start = 0
  let end = 0

  const makeRoom = (bytes: number): void => {
    if (buffer.length - end >= bytes) return
    const held = end - start
    const target = held + bytes <= buffer.length ? buffer : new Uint8Array(Math.max(buffer.length * 2, held + bytes))
    if (target === buffer) buffer.copyWithin(0, start, end)
    else target.set(buffer.subarray(start, end))
    buffer = target
    start = 0
    end = held
  }

  const payloadLength = (): number | undefined => {
    if (end - start < FRAME_HEADER_BYTES) return undefined
    const length = new DataView(buffer.buffer, buffer.byteOffset).getUint32(start)
    if (length === 0) throw networkError('FRAME_EMPTY', 'a frame of length 0 was received')
    if (length <= payloadBytesMax) return length
    const message = `a frame of ${length} bytes was announced; at most ${payloadBytesMax} are taken`
    throw networkError('FRAME_TOO_LARGE', message, { details: { length, payloadBytesMax } })
  }

  const hasNext = (): boolean => {
    const length = payloadLength()
    return length !== undefined && end - start >= FRAME_HEADER_BYTES + length
  }

  return {
    push(chunk) {
      makeRoom(chunk.length)
      buffer.set(chunk, end)
      end += chunk.length
    },
    hasNext,
    next() {
      if (!hasNext()) return undefined
      const from = start + FRAME_HEADER_BYTES
      start = from + payloadLength()!
      const payload = buffer.slice(from, start)
      if (start === end) {
        start = end = 0
        if (buffer.length > KEPT_BYTES_MAX) buffer = new Uint8Array(INITIAL_BYTES)
      }
      return payload
    },
    isPartial: () => end > start,
    bufferedBytes: () => end - start,
  }
}
