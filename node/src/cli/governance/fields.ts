import { CodedError } from '@songhua/sdk/protocol/errors'
import type { CliContext } from '../context.js'
import { type FieldType, FieldProblem } from './field-types.js'
import { type Text, createTeller } from './texts.js'

/** A field of a form: what may stand in it, and what holds when nothing does. */
export interface Field<T> {
  readonly type: FieldType<T>
  readonly isOptional?: boolean
  /** Of a field that is left out. */
  readonly preset?: T
}

/** The fields of a form, by their names in JSON files. */
export type FieldsOf<T> = { readonly [K in keyof Required<T>]: Field<Exclude<T[K], undefined>> }

/** Where values were written, and what the clerk called them there. */
export interface FieldSource {
  readonly values: Readonly<Record<string, unknown>>
  /** What a field is called there: `--name-zh`, or `form.json: organisation.nameZh`. */
  readonly pathOf: (name: string) => string
}

const TEXTS = {
  missing: { en: 'is missing', zh: '缺失' },
  unknown: { en: 'is not known here; known are {known}', zh: '在此无效；可用字段：{known}' },
  notObject: { en: 'must be an object', zh: '应为对象' },
} as const
const tell = createTeller(TEXTS)

/** Names of JSON fields whose flag would be another's. */
const OTHER_FLAGS: Readonly<Record<string, string>> = { version: '--protocol-version' }

/** `nameZh` is given by `--name-zh`. */
export const flagOf = (name: string): string =>
  OTHER_FLAGS[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** Under which name commander keeps a flag's value. */
const attributeOf = (name: string): string => (name === 'version' ? 'protocolVersion' : name)

/** The fields of `names` that stand on the command line. */
export function flagSource(flags: Readonly<Record<string, unknown>>, names: readonly string[]): FieldSource {
  const given = names.flatMap((name) => {
    const value = flags[attributeOf(name)]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { values: Object.fromEntries(given), pathOf: flagOf }
}

/** An object of a JSON file. @param path of the object within the file, empty for the whole */
export function fileSource(context: CliContext, { json, file, path = '' }: { json: unknown; file: string; path?: string }): FieldSource {
  const place = (name: string): string => `${file}: ${[path, name].filter((part) => part !== '').join('.')}`
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw badFields(context, [[place('(file)'), TEXTS.notObject]])
  return { values: json as Record<string, unknown>, pathOf: place }
}

export type Problems = [path: string, text: Text][]

/** The refusal of fields, each by its name and in a line of its own. */
export function badFields({ language }: CliContext, problems: Problems): CodedError {
  const lines = problems.map(([path, text]) => `${path} ${text[language]}`)
  return new CodedError('CLI_FIELD', lines.join('\n'), { details: { fields: problems.map(([path]) => path) } })
}

/**
 * Reads a form. A field stands in the first source that has it; one that is missing is named as the first source would.
 * @throws CodedError `CLI_FIELD` with a line for each field at fault, named as it was written
 */
export function readForm<T>(context: CliContext, fields: FieldsOf<T>, sources: readonly [FieldSource, ...FieldSource[]]): T {
  const problems: Problems = unknownFields(Object.keys(fields), sources)
  const read = Object.entries<Field<unknown>>(fields).flatMap(([name, field]) => {
    const source = sources.find(({ values }) => values[name] !== undefined)
    if (source === undefined) {
      if (field.preset !== undefined) return [[name, field.preset] as const]
      if (!field.isOptional) problems.push([sources[0].pathOf(name), TEXTS.missing])
      return []
    }
    try {
      return [[name, field.type.parse(source.values[name])] as const]
    } catch (error) {
      if (!(error instanceof FieldProblem)) throw error
      problems.push([source.pathOf(name), error.text])
      return []
    }
  })
  if (problems.length > 0) throw badFields(context, problems)
  return Object.fromEntries(read) as T
}

function unknownFields(known: readonly string[], sources: readonly FieldSource[]): Problems {
  return sources.flatMap(({ values, pathOf }) =>
    Object.keys(values).filter((name) => !known.includes(name)).map((name): [string, Text] => {
      const shown = known.map((one) => (pathOf === flagOf ? flagOf(one) : one)).join(', ')
      const value = { known: shown === '' ? '–' : shown }
      return [pathOf(name), { en: tell({ language: 'en' }, 'unknown', value), zh: tell({ language: 'zh' }, 'unknown', value) }]
    }),
  )
}
