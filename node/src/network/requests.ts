import { utf8ToBytes } from '@songhua/sdk/protocol/bytes'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import type { Clock } from '../base/clock.js'
import { networkError } from './errors.js'

/** Frames of the blocks channel: a kind byte, for requests and answers a four-byte id, then the body. */
const KIND = { message: 0, request: 1, answer: 2, refusal: 3 } as const
const ID_END = 5

export type RequestHandler = (body: Uint8Array) => Promise<Uint8Array>

export interface RequestPorts {
  readonly clock: Clock
  /** False when the peer's queue is full. */
  send(frame: Uint8Array): boolean
  queuedBytes(): number
  onMessage(body: Uint8Array): void
  readonly handle: RequestHandler
  count(name: string): void
}

/** Questions and answers with one peer over one stream, any number at once up to the limit. */
export interface Requests {
  /** @throws CodedError `REQUEST_TIMEOUT`, `REQUEST_REFUSED`, `REQUEST_TOO_MANY`, `PEER_DISCONNECTED` */
  ask(body: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  /** One-way. */
  tell(body: Uint8Array): boolean
  /** @throws CodedError `MESSAGE_MALFORMED` */
  onFrame(frame: Uint8Array): void
  /** Fails what is open. */
  stop(): void
}

interface Open {
  resolve(body: Uint8Array): void
  reject(error: Error): void
}

function frameOf(kind: number, id: number | undefined, body: Uint8Array): Uint8Array {
  const at = id === undefined ? 1 : ID_END
  const frame = new Uint8Array(at + body.length)
  frame[0] = kind
  if (id !== undefined) new DataView(frame.buffer).setUint32(1, id)
  frame.set(body, at)
  return frame
}

/** While so much of earlier answers waits for a slow reader, new requests are refused before any block is read. */
const UNREAD_ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** Answers a request; coded reasons of a refusal travel, other errors' text might tell a stranger of this machine. */
function createServing(inFlightMax: number, ports: RequestPorts): (id: number, body: Uint8Array) => Promise<void> {
  let serving = 0
  return async (id, body) => {
    serving += 1
    try {
      if (serving > inFlightMax) throw networkError('REQUEST_TOO_MANY', `more than ${inFlightMax} requests at once`)
      const isUnread = ports.queuedBytes() > UNREAD_ANSWER_BYTES_MAX
      if (isUnread) throw networkError('REQUEST_TOO_MANY', 'earlier answers are not read yet')
      if (!ports.send(frameOf(KIND.answer, id, await ports.handle(body)))) ports.count('answers_dropped')
    } catch (error) {
      ports.count('requests_refused')
      const reason = isCodedError(error) ? `${error.code}: ${error.message}` : 'internal error'
      ports.send(frameOf(KIND.refusal, id, utf8ToBytes(reason)))
    } finally {
      serving -= 1
    }
  }
}

export function createRequests(inFlightMax: number, ports: RequestPorts): Requests {
  const open = new Map<number, Open>()
  const serve = createServing(inFlightMax, ports)
  let lastId = 0
  let stopped = false

  const settle = (id: number, answer: (request: Open) => void): void => {
    if (id === 0 || id > lastId) {
      throw networkError('MESSAGE_MALFORMED', `an answer to request ${id}, which was never made`)
    }
    const request = open.get(id)
    if (request === undefined) ports.count('answers_late')
    else answer(request)
  }

  return {
    ask(body, timeoutMs) {
      if (stopped) return Promise.reject(networkError('PEER_DISCONNECTED', 'the peer is gone'))
      if (open.size >= inFlightMax) {
        return Promise.reject(networkError('REQUEST_TOO_MANY', `${inFlightMax} requests to this peer are open already`))
      }
      const id = ++lastId
      return new Promise<Uint8Array>((resolve, reject) => {
        const cancel = ports.clock.after(timeoutMs, () => {
          open.delete(id)
          reject(networkError('REQUEST_TIMEOUT', `no answer within ${timeoutMs} ms`))
        })
        const end = (): void => {
          cancel()
          open.delete(id)
        }
        open.set(id, { resolve: (answer) => (end(), resolve(answer)), reject: (error) => (end(), reject(error)) })
        if (!ports.send(frameOf(KIND.request, id, body))) {
          open.get(id)?.reject(networkError('REQUEST_TOO_MANY', 'the queue to this peer is full'))
        }
      })
    },
    tell: (body) => ports.send(frameOf(KIND.message, undefined, body)),
    onFrame(frame) {
      const kind = frame[0]
      if (kind === KIND.message) return ports.onMessage(frame.subarray(1))
      if (frame.length < ID_END) throw networkError('MESSAGE_MALFORMED', `a blocks frame of ${frame.length} bytes`)
      const id = new DataView(frame.buffer, frame.byteOffset).getUint32(1)
      const body = frame.subarray(ID_END)
      if (kind === KIND.request) void serve(id, body)
      else if (kind === KIND.answer) settle(id, (request) => request.resolve(body))
      else if (kind === KIND.refusal) {
        const reason = new TextDecoder().decode(body.subarray(0, 512))
        settle(id, (request) => request.reject(networkError('REQUEST_REFUSED', `the peer refused: ${reason}`)))
      } else throw networkError('MESSAGE_MALFORMED', `a blocks frame of unknown kind ${kind}`)
    },
    stop() {
      stopped = true
      for (const request of [...open.values()]) request.reject(networkError('PEER_DISCONNECTED', 'the peer is gone'))
    },
  }
}
