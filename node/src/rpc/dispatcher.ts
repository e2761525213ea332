import { countMembers, scanJson } from '../base/json-scan.js'
import type { Logger } from '../base/logger.js'
import { limitNamed, type Refusals } from '../base/refusals.js'
import { isCodedError } from '@songhua/sdk/protocol/errors'
import { errorToJsonRpc, internalError, type JsonRpcError } from './error-map.js'
import { limitExceeded, RpcError } from './errors.js'
import { JsonText } from './json-text.js'
import type { RpcLimits } from './limits.js'
import { methodNamed, parseParams, type Method, type Session } from './method.js'
import { takeTurn } from './turn.js'

/** From the bytes of a JSON-RPC 2.0 request or batch to the text of its response. */
export interface Dispatcher {
  /**
   * Never rejects.
   * @param session whose requests wait behind one another for the thread, see {@link takeTurn}
   * @returns undefined when nothing is to be answered: notifications only
   */
  handle(body: Uint8Array, session: Session): Promise<string | undefined>
  /** The text of an answer to what is not even read. */
  refuse(error: unknown): string
  stats(): DispatcherStats
}

export interface DispatcherStats {
  requestsInFlight: number
  requestsTotal: number
  errorsTotal: number
}

export interface DispatcherOptions {
  methods: ReadonlyMap<string, Method>
  limits: RpcLimits
  logger: Logger
  refusals: Refusals
  /** Whether who asks may call it at all; throws when not. Undefined: everybody may. */
  admit: ((method: Method, session: Session) => void) | undefined
}

type RequestId = string | number | null

interface Request {
  id: RequestId | undefined
  method: string
  params: unknown
}

const METHOD_CHARACTERS_MAX = 128

export function errorResponse(id: RequestId, error: JsonRpcError): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`
}

/** @param error undefined for what nobody foresaw */
export function countRefusal(refusals: Refusals, error: unknown): void {
  if (isCodedError(error)) refusals.count(error.code, limitNamed(error.details))
  else refusals.count('RPC_INTERNAL')
}

export function createDispatcher({ methods, limits, logger, refusals, admit }: DispatcherOptions): Dispatcher {
  const stats: DispatcherStats = { requestsInFlight: 0, requestsTotal: 0, errorsTotal: 0 }
  /** Answers of batches that are not whole yet. */
  const held = { bytes: 0 }

  function refuse(id: RequestId, error: unknown): string {
    stats.errorsTotal++
    const mapped = errorToJsonRpc(error)
    countRefusal(refusals, mapped && error)
    if (!mapped) logger.error('a request failed inside the node', { error })
    return errorResponse(id, mapped ?? internalError)
  }

  async function resultOf({ method: name, params }: Request, session: Session): Promise<string> {
    if (stats.requestsInFlight >= limits.requestsInFlightMax) {
      throw limitExceeded(
        'requestsInFlightMax',
        `the node is answering ${limits.requestsInFlightMax} requests; try again`,
      )
    }
    stats.requestsInFlight++
    stats.requestsTotal++
    try {
      const method = methodNamed(methods, name)
      admit?.(method, session)
      const given = await method.run(parseParams(method, params, limits), session)
      const result = given instanceof JsonText ? given.text : JSON.stringify(given ?? null)
      if (result.length <= limits.responseBytesMax) return result
      throw limitExceeded('responseBytesMax', `the response of ${name} is longer than ${limits.responseBytesMax} bytes`)
    } finally {
      stats.requestsInFlight--
    }
  }

  async function answer(given: unknown, session: Session): Promise<string | undefined> {
    let id: RequestId = null
    try {
      id = requestId(given)
      const request = parseRequest(given)
      const result = await resultOf(request, session)
      return request.id === undefined ? undefined : `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
    } catch (error) {
      const response = refuse(id, error)
      return isNotification(given) ? undefined : response
    }
  }

  return {
    stats: () => ({ ...stats }),
    refuse: (error) => refuse(null, error),
    async handle(body, session) {
      try {
        await takeTurn(session, session.client)
        const parsed = parseJson(body, limits)
        if (!Array.isArray(parsed)) return await answer(parsed, session)
        return await answerBatch(parsed, {
          limits,
          held,
          refuse,
          turn: () => takeTurn(session, session.client),
          answer: (item) => answer(item, session),
        })
      } catch (error) {
        return refuse(null, error)
      }
    },
  }
}

interface BatchPorts {
  limits: RpcLimits
  held: { bytes: number }
  turn: () => Promise<void>
  answer: (given: unknown) => Promise<string | undefined>
  refuse: (id: RequestId, error: unknown) => string
}

/**
 * Items start in order and run several at a time, so that transactions sent together share one sync of the
 * journal. Once an answer has not fitted, items that have not started are refused unrun.
 */
async function answerBatch(batch: unknown[], ports: BatchPorts): Promise<string | undefined> {
  const { limits, held, turn, answer, refuse } = ports
  if (batch.length === 0) throw new RpcError('RPC_INVALID_REQUEST', 'the batch is empty')
  if (batch.length > limits.batchItemsMax) {
    throw limitExceeded(
      'batchItemsMax',
      `the batch has ${batch.length} requests; at most ${limits.batchItemsMax} are answered`,
    )
  }
  const answers: (string | undefined)[] = new Array<undefined>(batch.length).fill(undefined)
  let next = 0
  let length = 0
  let isFull = false
  const overflow = (given: unknown): string | undefined => {
    if (isNotification(given)) return undefined
    const isAlone = held.bytes <= limits.outboundBytesMax - limits.responseBytesMax
    const message = isAlone
      ? `the batch's responses are longer than ${limits.responseBytesMax} bytes; send the rest in another batch`
      : 'the node is answering too many batches at a time; send the rest again'
    return refuse(idOrNull(given), limitExceeded(isAlone ? 'responseBytesMax' : 'outboundBytesMax', message))
  }
  const work = async (): Promise<void> => {
    for (let at = next++; at < batch.length; at = next++) {
      await turn()
      const text = isFull ? overflow(batch[at]) : await answer(batch[at])
      const bytes = text?.length ?? 0
      const fits = length + bytes <= limits.responseBytesMax && held.bytes + bytes <= limits.outboundBytesMax
      isFull ||= !fits
      answers[at] = fits ? text : overflow(batch[at])
      length += fits ? bytes : 0
      held.bytes += fits ? bytes : 0
    }
  }
  await Promise.all(Array.from({ length: Math.min(limits.batchConcurrencyMax, batch.length) }, work))
  held.bytes -= length
  const told = answers.filter((text) => text !== undefined)
  return told.length === 0 ? undefined : `[${told.join(',')}]`
}

function parseJson(body: Uint8Array, limits: RpcLimits): unknown {
  const { depth, members, values } = scanJson(body)
  if (depth > limits.jsonDepthMax) {
    throw limitExceeded('jsonDepthMax', `the JSON is nested ${depth} deep; at most ${limits.jsonDepthMax} are read`)
  }
  if (values > limits.jsonValuesMax) {
    throw limitExceeded('jsonValuesMax', `the JSON holds ${values} values; at most ${limits.jsonValuesMax} are read`)
  }
  if (members > limits.jsonMembersMax) {
    throw limitExceeded('jsonMembersMax', `the JSON holds ${members} members; at most ${limits.jsonMembersMax} are read`)
  }
  const parsed = readJson(body)
  // Two readers could take different ones, and a proxy that checks requests is a reader.
  if (countMembers(parsed) < members) throw new RpcError('RPC_INVALID_REQUEST', 'an object of the JSON has the same key twice')
  return parsed
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new RpcError('RPC_PARSE_ERROR', `parse error: ${cause instanceof Error ? cause.message : 'not JSON'}`, {
      cause,
    })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A request without an id is run and not answered; what is no request at all is answered. */
function isNotification(given: unknown): boolean {
  return isObject(given) && !('id' in given) && typeof given.method === 'string'
}

function idOrNull(given: unknown): RequestId {
  const id = isObject(given) ? given.id : null
  return typeof id === 'string' || Number.isFinite(id) ? (id as RequestId) : null
}

function requestId(given: unknown): RequestId {
  if (!isObject(given)) throw new RpcError('RPC_INVALID_REQUEST', 'the request must be a JSON object')
  const { id } = given
  // A number beyond the range of doubles is read as Infinity, which no answer could repeat.
  if (id === undefined || id === null || typeof id === 'string' || Number.isFinite(id)) return (id as RequestId) ?? null
  throw new RpcError('RPC_INVALID_REQUEST', 'id: must be a string, a finite number or null')
}

function parseRequest(given: unknown): Request {
  const { jsonrpc, id, method, params } = given as Record<string, unknown>
  if (jsonrpc !== '2.0') throw new RpcError('RPC_INVALID_REQUEST', 'jsonrpc: must be "2.0"')
  if (typeof method !== 'string' || method === '' || method.length > METHOD_CHARACTERS_MAX) {
    throw new RpcError('RPC_INVALID_REQUEST', `method: must be a string of 1 to ${METHOD_CHARACTERS_MAX} characters`)
  }
  return { id: id as RequestId | undefined, method, params }
}
