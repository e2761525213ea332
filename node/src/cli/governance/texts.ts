import type { CliContext } from '../context.js'
import type { Language } from '../messages.js'

/** One text in both languages; `{name}` is filled in. */
export type Text = Readonly<Record<Language, string>>
export type TextValues = Readonly<Record<string, string | number>>

export function fillText(text: string, values: TextValues): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** The texts of one file, by their key, in the language of the context. */
export function createTeller<const T extends Readonly<Record<string, Text>>>(
  texts: T,
): (context: Pick<CliContext, 'language'>, key: keyof T, values?: TextValues) => string {
  return ({ language }, key, values = {}) => fillText(texts[key]![language], values)
}
