import type { z } from 'zod'
import { invalidParams, RpcError } from './errors.js'
import type { Subscriptions } from './subscriptions.js'

/** Who asks. */
export interface Session {
  /** Undefined on HTTP, where nothing can be pushed. */
  subscriptions: Subscriptions | undefined
  /** Runs after the answer to the current request has been handed to the socket. */
  afterReply: (run: () => void) => void
  /** Who asks: the address, IPv6 as its /64. What a client may hold is counted by it. */
  client: string
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
  handler: (args: Arguments<P>, session: Session) => z.input<R> | Promise<z.input<R>>
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
 * @throws RPC_INVALID_PARAMS naming the position, the name and the path of what is wrong
 */
export function parseParams(method: Method, given: unknown): unknown[] {
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
  return method.params.map((one, position) => parseParam(one, position, list[position]))
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
  const issue = deepest(parsed.error.issues)
  const path = [one.name, ...issue.path].join('.')
  throw invalidParams(`invalid argument ${position} (${path}): ${issue.message}`, {
    argument: position,
    name: one.name,
    path,
  })
}

interface Issue {
  path: string[]
  message: string
}

function deepest(issues: z.core.$ZodIssue[]): Issue {
  const [first] = issues
  if (!first) return { path: [], message: 'invalid' }
  const path = first.path.map(String)
  switch (first.code) {
    case 'unrecognized_keys':
      return { path: [...path, first.keys[0] ?? ''], message: 'unknown field' }
    case 'invalid_key':
      return { path, message: first.issues[0]?.message ?? 'bad key' }
    default:
      return { path, message: first.message }
  }
}
