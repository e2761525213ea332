import { FRAME_HEADER_BYTES, writeFrameHeader } from './frame.js'
import type { StreamLimits } from './limits.js'

interface Queued {
  readonly payload: Uint8Array
  readonly kind: number
}

/** A frame of which the first `offset` bytes, header included, are written. */
interface Writing {
  readonly payload: Uint8Array
  readonly offset: number
}

/** Copies as much of a frame into `chunk` from `at` on as fits. A header is never cut: the caller sees to its room. */
function writePart(
  chunk: Uint8Array,
  at: number,
  { payload, offset }: Writing,
): { chunkBytes: number; payloadBytes: number; rest: Writing | undefined } {
  const headerBytes = offset === 0 ? FRAME_HEADER_BYTES : 0
  if (headerBytes > 0) writeFrameHeader(chunk, at, payload.length)
  const from = offset + headerBytes - FRAME_HEADER_BYTES
  const part = payload.subarray(from, from + chunk.length - at - headerBytes)
  chunk.set(part, at + headerBytes)
  const isWhole = from + part.length === payload.length
  const rest = isWhole ? undefined : { payload, offset: offset + headerBytes + part.length }
  return { chunkBytes: headerBytes + part.length, payloadBytes: part.length, rest }
}

/** Frames that wait to be written, bounded by count and bytes. */
export interface SendQueue {
  /** False: the queue is full and refuses. */
  push(payload: Uint8Array, kind: number): boolean
  /** The next bytes of the wire, many small frames together or a piece of a large one; undefined when empty. */
  take(bytesMax: number): Uint8Array | undefined
  count(): number
  bytes(): number
  dropped(): number
}

export function createSendQueue(limits: StreamLimits): SendQueue {
  let waiting: Queued[] = []
  let bytes = 0
  let dropped = 0
  /** The frame being written: no longer in `waiting`, so that it can never be dropped halfway. */
  let current: Writing | undefined

  const dropOldest = (kind: number): boolean => {
    const same = waiting.findIndex((entry) => entry.kind === kind)
    const [victim] = waiting.splice(Math.max(0, same), 1)
    if (victim === undefined) return false
    bytes -= victim.payload.length
    dropped += 1
    return true
  }

  const hasRoom = (payload: Uint8Array): boolean =>
    waiting.length < limits.queueCountMax && bytes + payload.length <= limits.queueBytesMax

  return {
    push(payload, kind) {
      while (!hasRoom(payload)) {
        if (limits.whenFull === 'refuse' || !dropOldest(kind)) {
          dropped += 1
          return false
        }
      }
      waiting.push({ payload, kind })
      bytes += payload.length
      return true
    },
    take(bytesMax) {
      if (current === undefined && waiting.length === 0) return undefined
      const size = Math.min(bytesMax, bytes + (waiting.length + 1) * FRAME_HEADER_BYTES)
      const chunk = new Uint8Array(size)
      let at = 0
      let taken = 0
      // A header is never cut: a piece ends early when fewer bytes than a header remain in it.
      while (at + FRAME_HEADER_BYTES < size) {
        if (current === undefined) {
          const next = waiting[taken]
          if (next === undefined) break
          taken += 1
          current = { payload: next.payload, offset: 0 }
        }
        const written = writePart(chunk, at, current)
        at += written.chunkBytes
        bytes -= written.payloadBytes
        current = written.rest
      }
      if (taken > 0) waiting = waiting.slice(taken)
      return chunk.subarray(0, at)
    },
    count: () => waiting.length + (current === undefined ? 0 : 1),
    bytes: () => bytes,
    dropped: () => dropped,
  }
}
