import { z } from 'zod'
import { faultOf, type Fault } from './issue.js'
import type { RpcLimits } from './limits.js'

/** How many there may be. */
export interface Bound {
  readonly max: number
  /** What is counted, in the plural. */
  readonly what: string
  /** The name of the maximum; without one a surplus is a plain fault of form. */
  readonly limit?: keyof RpcLimits
}

/** As `rpc.discover` shows a schema. */
export function schemaToJson(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' })
  return json
}

/**
 * A list whose length is looked at before its elements, and whose elements are read up to the first fault: zod's own reads
 * all, makes an issue of each fault, some 6 µs, and looks at the length last.
 */
export function boundedList<S extends z.ZodType>(element: S, bound: Bound, rule: string) {
  return z
    .custom<unknown[]>(Array.isArray, { error: rule, abort: true })
    .meta({ type: 'array', items: schemaToJson(element), maxItems: bound.max })
    .transform((given, context): z.output<S>[] => {
      if (given.length > bound.max) return refuse(context, surplus(bound))
      const list: z.output<S>[] = []
      for (const [at, value] of given.entries()) {
        const parsed = element.safeParse(value)
        if (!parsed.success) return refuse(context, within(String(at), parsed.error))
        list.push(parsed.data)
      }
      return list
    })
}

/** An object as a map, bounded and read as {@link boundedList} does. */
export function boundedMap<K extends z.ZodType, V extends z.ZodType>(key: K, value: V, bound: Bound) {
  return z
    .custom<Record<string, unknown>>(isPlainObject, { error: 'must be an object', abort: true })
    .meta({ type: 'object', propertyNames: schemaToJson(key), additionalProperties: schemaToJson(value) })
    .transform((given, context): Map<z.output<K>, z.output<V>> => {
      const names = Object.keys(given)
      if (names.length > bound.max) return refuse(context, surplus(bound))
      const map = new Map<z.output<K>, z.output<V>>()
      for (const name of names) {
        const [parsedKey, parsed] = [key.safeParse(name), value.safeParse(given[name])]
        if (!parsedKey.success) return refuse(context, within(name, parsedKey.error))
        if (!parsed.success) return refuse(context, within(name, parsed.error))
        map.set(parsedKey.data, parsed.data)
      }
      return map
    })
}

const isPlainObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

const surplus = ({ max, what, limit }: Bound): Fault => ({
  path: [],
  message: `must have at most ${max} ${what}`,
  ...(limit !== undefined && { limit }),
})

function within(name: string, error: z.core.$ZodError): Fault {
  const fault = faultOf(error)
  return { ...fault, path: [name, ...fault.path] }
}

/** Tells zod of a fault. */
export function refuse(context: z.RefinementCtx, { path, message, limit }: Fault): never {
  context.addIssue({ code: 'custom', path: [...path], message, params: { limit } })
  return z.NEVER
}
