import type { z } from 'zod'
import type { RpcLimits } from './limits.js'

/** What is wrong with a value, and where in it. */
export interface Fault {
  readonly path: readonly string[]
  readonly message: string
  /** The limit that was met, when the value is only too large. */
  readonly limit?: keyof RpcLimits
}

/** The first issue in words for the client; of a union, the limit that one of its forms met. */
export function faultOf({ issues: [first] }: z.core.$ZodError): Fault {
  if (!first) return { path: [], message: 'invalid' }
  const path = first.path.map(String)
  switch (first.code) {
    case 'unrecognized_keys':
      return { path: [...path, first.keys[0] ?? ''], message: 'unknown field' }
    case 'invalid_key':
      return { path, message: first.issues[0]?.message ?? 'bad key' }
    case 'invalid_union': {
      const limited = first.errors.flat().find((issue) => limitOf(issue) !== undefined)
      return limited ? { ...limited, path: [...path, ...limited.path.map(String)], limit: limitOf(limited)! } : { path, message: first.message }
    }
    default: {
      const limit = limitOf(first)
      return { path, message: first.message, ...(limit !== undefined && { limit }) }
    }
  }
}

function limitOf(issue: z.core.$ZodIssue): keyof RpcLimits | undefined {
  return issue.code === 'custom' ? (issue.params?.limit as keyof RpcLimits | undefined) : undefined
}
