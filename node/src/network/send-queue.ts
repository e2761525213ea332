import { FRAME_HEADER_BYTES, writeFrameHeader } from './frame.js'
import type { StreamLimits } from './limits.js'

interface Queued {
  readonly payload: Uint8Array
  readonly kind: number
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
  let current: { payload: Uint8Array; offset: number } | undefined

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

  /** Copies from `current` into `chunk` at `at`; the answer is where it stopped. `offset` counts the header too. */
  const copyCurrent = (chunk: Uint8Array, at: number): number => {
    const { payload, offset } = current!
    let position = at
    let from = offset
    if (from === 0) {
      writeFrameHeader(chunk, position, payload.length)
      from = FRAME_HEADER_BYTES
      position += FRAME_HEADER_BYTES
    }
    const part = payload.subarray(from - FRAME_HEADER_BYTES, from - FRAME_HEADER_BYTES + chunk.length - position)
    chunk.set(part, position)
    bytes -= part.length
    from += part.length
    current = from === payload.length + FRAME_HEADER_BYTES ? undefined : { payload, offset: from }
    return position + part.length
  }

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
        at = copyCurrent(chunk, at)
      }
      if (taken > 0) waiting = waiting.slice(taken)
      return chunk.subarray(0, at)
    },
    count: () => waiting.length + (current === undefined ? 0 : 1),
    bytes: () => bytes,
    dropped: () => dropped,
  }
}
