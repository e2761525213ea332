import { parseArgs } from 'node:util'
import { CodedError } from '@songhua/sdk/protocol/errors'

/** A flag of a command of this repository; numbers are checked against their bounds, both included. */
export interface NumberFlag {
  min: number
  max: number
  default?: number
  /** Whole numbers only. */
  isInteger?: boolean
}

export interface FlagTable<N extends string, T extends string, S extends string = never> {
  numbers: Record<N, NumberFlag>
  texts: Record<T, string>
  /** Without a value, beside `--json` and `--help`. */
  switches?: readonly S[]
}

export type Flags<N extends string, T extends string, S extends string = never> = Record<N, number> &
  Record<T, string> &
  Record<S | 'json' | 'help', boolean>

export type FlagErrorCode = 'FLAG_UNKNOWN' | 'FLAG_BAD_VALUE' | 'FLAG_MISSING'

/** @throws CodedError `FLAG_UNKNOWN`, `FLAG_BAD_VALUE`, `FLAG_MISSING`, each naming the flag */
export function readFlags<N extends string, T extends string, S extends string = never>(
  argv: readonly string[],
  table: FlagTable<N, T, S>,
): Flags<N, T, S> {
  const switchNames = [...(table.switches ?? []), 'json', 'help']
  const given = parse(argv, { texts: [...Object.keys(table.numbers), ...Object.keys(table.texts)], switches: switchNames })
  const numbers = Object.entries<NumberFlag>(table.numbers).map(([name, flag]) => [name, numberOf(name, flag, given)] as const)
  const texts = Object.entries<string>(table.texts).map(([name, or]) => [name, given[name] ?? or] as const)
  const switches = switchNames.map((name) => [name, given[name] === true] as const)
  return Object.fromEntries<unknown>([...numbers, ...texts, ...switches]) as Flags<N, T, S>
}

type Given = Record<string, string | boolean | undefined>

function parse(argv: readonly string[], { texts, switches }: { texts: readonly string[]; switches: readonly string[] }): Given {
  const options = (names: readonly string[], type: 'string' | 'boolean') => names.map((name) => [name, { type }] as const)
  const all = Object.fromEntries([...options(texts, 'string'), ...options(switches, 'boolean')])
  try {
    return parseArgs({ args: [...argv], options: all, strict: true }).values
  } catch (error) {
    const known = Object.keys(all).map((name) => `--${name}`)
    const message = `${error instanceof Error ? error.message : String(error)}. Known flags: ${known.join(', ')}`
    throw new CodedError<FlagErrorCode>('FLAG_UNKNOWN', message, { cause: error })
  }
}

function numberOf(name: string, flag: NumberFlag, given: Given): number {
  const text = given[name]
  if (text === undefined) {
    if (flag.default !== undefined || given.help === true) return flag.default ?? 0
    throw new CodedError<FlagErrorCode>('FLAG_MISSING', `--${name} is missing: give a number from ${flag.min} to ${flag.max}`)
  }
  const value = /^\d+(\.\d+)?$/.test(String(text)) ? Number(text) : NaN
  if (value >= flag.min && value <= flag.max && (!flag.isInteger || Number.isInteger(value))) return value
  const kind = flag.isInteger ? 'a whole number' : 'a number'
  const message = `--${name} must be ${kind} from ${flag.min} to ${flag.max}, not ${JSON.stringify(text)}`
  throw new CodedError<FlagErrorCode>('FLAG_BAD_VALUE', message, { details: { flag: `--${name}`, value: text } })
}
