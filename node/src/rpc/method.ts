import type { z } from 'zod'
import { invalidParams, limitExceeded, RpcError } from './errors.js'
import { faultOf } from './issue.js'
import type { JsonText } from './json-text.js'
import type { RpcLimits } from './limits.js'
import type { Subscriptions } from './subscriptions.js'

/** Who asks. */
export interface Session {
  /** Undefined on HTTP, where nothing can be pushed. */
  subscriptions: Subscriptions | undefined
  /** Runs after the answer to the current request has been handed to the socket. */
  afterReply: (run: () => void) => void
  /** Who asks: the address, IPv6 as its /64. What a client may hold is counted by it. */
  client: string
  /** Whether the connection is closed: nobody would read an answer. */
  isGone: () => boolean
  /** The header by which it says who asks: of the request, or of the upgrade of its connection. */
  authorization?: string | undefined
}

export interface Param<S extends z.ZodType = z.ZodType> {
  name: string
  schema: S
}

/** One method as the server runs it and as `rpc.discover` documents it. */
export interface Method {
  name: string
  summary: string
  params: readonly Param[]
  result: z.ZodType
  /** @param args parsed, one for each of `params` */
  run(args: unknown[], session: Session): unknown
}

type Arguments<P extends readonly Param[]> = { -readonly [K in keyof P]: z.output<P[K]['schema']> }

interface Definition<P extends readonly Param[], R extends z.ZodType> {
  name: string
  summary: string
  params: P
  result: R
  /** A long result may come as JSON in words; `result` describes it all the same. */
  handler: (args: Arguments<P>, session: Session) => z.input<R> | JsonText | Promise<z.input<R> | JsonText>
}

export function param<S extends z.ZodType>(name: string, schema: S): Param<S> {
  return { name, schema }
}

/** Parameters by position; the types of the handler follow from the schemas. */
export function defineMethod<const P extends readonly Param[], R extends z.ZodType>(
  definition: Definition<P, R>,
): Method {
  const { name, summary, params, result, handler } = definition
  return { name, summary, params, result, run: (args, session) => handler(args as Arguments<P>, session) }
}

/** @throws RPC_METHOD_NOT_FOUND */
export function methodNamed(methods: ReadonlyMap<string, Method>, name: string): Method {
  const method = methods.get(name)
  if (method) return method
  throw new RpcError('RPC_METHOD_NOT_FOUND', `the method ${name} does not exist or is not available here`)
}

export function methodTable(...groups: Method[][]): ReadonlyMap<string, Method> {
  return new Map(groups.flat().map((method) => [method.name, method]))
}

export const isOptional = ({ schema }: Param): boolean => schema.safeParse(undefined).success

/**
 * Checks parameters against the method's schemas; `null` stands for an optional one left out.
 * @throws RPC_INVALID_PARAMS, or RPC_LIMIT_EXCEEDED for what is only too large, naming the position, the name and the path
 */
export function parseParams(method: Method, given: unknown, limits: Pick<RpcLimits, 'paramValuesMax'>): unknown[] {
  const list = given ?? []
  if (!Array.isArray(list)) throw invalidParams('params: must be an array, by position')
  if (list.length > method.params.length) {
    throw invalidParams(
      `too many arguments: ${method.name} takes at most ${method.params.length}, not ${list.length}`,
      {
        argument: method.params.length,
      },
    )
  }
  let valuesLeft = limits.paramValuesMax
  return method.params.map((one, position) => {
    valuesLeft -= countValues(list[position], { one, position, path: [] }, { valuesLeft, limits })
    return parseParam(one, position, list[position])
  })
}

interface Place {
  one: Param
  position: number
  path: readonly string[]
}

/**
 * Before any schema looks at a value: each costs a schema some microseconds of the thread. A key that reaches for a
 * prototype is a field that no schema sees, since copying an object drops it.
 */
function countValues(
  value: unknown,
  place: Place,
  bound: { valuesLeft: number; limits: Pick<RpcLimits, 'paramValuesMax'> },
): number {
  if (typeof value !== 'object' || value === null) return 1
  const keys = Object.keys(value)
  let count = 1 + keys.length
  if (count > bound.valuesLeft) {
    const { paramValuesMax } = bound.limits
    throw limitExceeded('paramValuesMax', `${where(place)}: the request's arguments hold more than ${paramValuesMax} values`)
  }
  for (const key of keys) {
    const path = [...place.path, key]
    if (key === '__proto__') throw invalidParams(`${where({ ...place, path })}: unknown field`, detailsOf({ ...place, path }))
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object') {
      count += countValues(inner, { ...place, path }, { ...bound, valuesLeft: bound.valuesLeft - count }) - 1
    }
  }
  return count
}

function parseParam(one: Param, position: number, value: unknown): unknown {
  const parsed = one.schema.safeParse(value ?? undefined)
  if (parsed.success) return parsed.data
  if (value === undefined || value === null) {
    throw invalidParams(`missing value for required argument ${position} (${one.name})`, {
      argument: position,
      name: one.name,
    })
  }
  throw faultyParam({ one, position }, parsed.error)
}

/** @param of the parameter that its schema refuses */
export function faultyParam({ one, position }: Omit<Place, 'path'>, error: z.core.$ZodError): RpcError {
  const { path, message, limit } = faultOf(error)
  const place = { one, position, path }
  if (limit !== undefined) return limitExceeded(limit, `${where(place)}: ${message}`)
  return invalidParams(`${where(place)}: ${message}`, detailsOf(place))
}

const pathOf = ({ one, path }: Place): string => [one.name, ...path].join('.')

const where = (place: Place): string => `invalid argument ${place.position} (${pathOf(place)})`

const detailsOf = (place: Place): Record<string, unknown> => ({
  argument: place.position,
  name: place.one.name,
  path: pathOf(place),
})
