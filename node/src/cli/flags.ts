import { type Command, Option } from 'commander'
import { NODE_OPTIONS, type OptionSpec } from '../app/option-table.js'
import { type OptionKey, type OptionValues, textToOption } from '../app/options.js'
import { type CliContext, cliError } from './context.js'

const PLACEHOLDERS: Record<OptionSpec['type'], string> = {
  text: '<text>',
  path: '<file>',
  host: '<host>',
  port: '<port>',
  integer: '<number>',
  boolean: '',
  choice: '<choice>',
  endpoints: '<address,…>',
  peers: '<multiaddr,…>',
  origins: '<origin,…>',
  hosts: '<host,…>',
  networks: '<network,…>',
}

/** Adds a flag for each option of the table but those left out. */
export function addNodeFlags(command: Command, context: CliContext, without: readonly OptionKey[] = []): void {
  for (const spec of NODE_OPTIONS) {
    if (!without.includes(spec.key)) command.addOption(flagOf(spec, context))
  }
}

function flagOf(spec: OptionSpec, context: CliContext): Option {
  const option = new Option(`${spec.flag} ${spec.placeholder ?? PLACEHOLDERS[spec.type]}`.trim(), spec.help[context.language])
  if (spec.choices !== undefined) option.choices(spec.choices)
  if (spec.type !== 'boolean') {
    option.argParser((text: string, previous: unknown) => {
      const value = textToOption(spec, text)
      return Array.isArray(value) && Array.isArray(previous)
        ? [...(previous as string[]), ...(value as string[])]
        : value
    })
  }
  const shown = Array.isArray(spec.default) ? spec.default.join(',') : String(spec.default)
  // Only shown: a default that commander put in would hide what the configuration file says.
  if (shown !== '' && spec.type !== 'boolean') option.defaultValueDescription = unitShown(spec) === '' ? shown : `${shown} ${unitShown(spec)}`
  return option
}

/** Signs that are read in any language. */
const unitShown = ({ unit = '' }: OptionSpec): string => (['ms', 's', 'MB'].includes(unit) ? unit : '')

/** @returns the options that stand on the command line, by key, but those left out */
export function flagsToOptions(
  flags: Record<string, unknown>,
  without: readonly OptionKey[] = [],
): Partial<OptionValues> {
  const given = NODE_OPTIONS.filter(({ key }) => !without.includes(key)).flatMap((spec) => {
    const value = flags[new Option(spec.flag).attributeName()]
    return value === undefined ? [] : [[spec.key, value] as const]
  })
  return Object.fromEntries(given)
}

/** A parser of whole numbers for commander. @throws CLI_USAGE naming the flag */
export function integerFlag(context: CliContext, flag: string, [min, max]: [number, number]): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (value >= min && value <= max) return value
    throw cliError(context, 'CLI_USAGE', ['badInteger', { flag, min, max, value: JSON.stringify(text) }])
  }
}

/** A parser of http addresses for commander. @throws CLI_USAGE naming the flag */
export function urlFlag(context: CliContext, flag: string): (text: string) => string {
  return (text) => {
    if (/^https?:\/\//.test(text) && URL.canParse(text)) return text
    throw cliError(context, 'CLI_USAGE', ['badUrl', { flag, value: JSON.stringify(text) }])
  }
}

/** A block of examples under a command's help: each a command line and what it does. */
export function exampleText(
  context: CliContext,
  examples: readonly (readonly [string, { en: string; zh: string }])[],
): string {
  const lines = examples.map(([line, what]) => `  ${line}\n      ${what[context.language]}`)
  return `\n${context.t('examples')}\n${lines.join('\n')}`
}
