import { CodedError } from '@songhua/sdk/protocol/errors'
import { type SentError, errorToSent, sentToError } from './sent-error.js'

/** One end of a line between two processes or threads; what it carries must survive the structured clone. */
export interface RemoteLine {
  send(message: RemoteMessage): void
  onMessage(listener: (message: RemoteMessage) => void): void
}

export type RemoteMessage =
  | { kind: 'call'; id: number; name: string; args: unknown[] }
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'error'; id: number; error: SentError }

export type RemoteErrorCode = 'REMOTE_FAILED' | 'REMOTE_CLOSED'

/** Functions that the other side may call; arguments and results must survive the structured clone. */
export type RemoteHandlers = Readonly<Record<string, (...args: never[]) => unknown>>

export interface Remote {
  /** @throws CodedError of the other side, `REMOTE_FAILED` for a bug there, `REMOTE_CLOSED` */
  call<T>(name: string, ...args: unknown[]): Promise<T>
  /** Rejects what waits for an answer, and every later call. */
  close(reason: string): void
}

/** Calls in both directions over one line. */
export function createRemote(line: RemoteLine, handlers: RemoteHandlers): Remote {
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  let lastId = 0
  let closed: CodedError<RemoteErrorCode> | undefined

  const answer = (name: string, args: unknown[]): unknown => {
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined
    if (handler === undefined) throw new RangeError(`no handler of ${name}`)
    return handler(...(args as never[]))
  }
  const serve = ({ id, name, args }: RemoteMessage & { kind: 'call' }): void => {
    new Promise((resolve) => resolve(answer(name, args))).then(
      (result) => line.send({ kind: 'result', id, result }),
      (error: unknown) => line.send({ kind: 'error', id, error: errorToSent(error) }),
    )
  }
  line.onMessage((message) => {
    if (message.kind === 'call') return serve(message)
    const waiter = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.kind === 'result') waiter?.resolve(message.result as never)
    else waiter?.reject(sentToError(message.error, { code: 'REMOTE_FAILED', message: 'the other side failed' }))
  })

  return {
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (closed !== undefined) return reject(closed)
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        line.send({ kind: 'call', id, name, args })
      }),
    close(reason) {
      closed ??= new CodedError<RemoteErrorCode>('REMOTE_CLOSED', reason)
      for (const { reject } of waiting.values()) reject(closed)
      waiting.clear()
    },
  }
}
