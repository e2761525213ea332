import type { FastifyRequest } from 'fastify'
import type { Caller } from '../model.js'

/** As refusals tell it. */
export interface NamedLimit {
  readonly limit: string
  readonly max: number
}

/** What is known of a request beside what Fastify knows. */
export interface RequestContext {
  caller?: Caller
  /** Of the values of its JSON, where the route has fewer than any body may. */
  valuesLimit?: NamedLimit
  /** Of its bytes. */
  bodyLimit?: NamedLimit
  bodyBytes: Uint8Array
  /** What gives back the room that the body takes. */
  readonly holdsBody: (() => void)[]
  /** In memory beside the pieces of a streamed answer. */
  answerBytes: number
  releaseBody(): void
}

const contexts = new WeakMap<FastifyRequest, RequestContext>()
const NO_BYTES = new Uint8Array()

export function contextOf(request: FastifyRequest): RequestContext {
  const known = contexts.get(request)
  if (known !== undefined) return known
  const context: RequestContext = {
    bodyBytes: NO_BYTES,
    holdsBody: [],
    answerBytes: 0,
    releaseBody() {
      context.bodyBytes = NO_BYTES
      for (const release of context.holdsBody.splice(0)) release()
    },
  }
  contexts.set(request, context)
  return context
}
