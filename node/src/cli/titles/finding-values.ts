import type { Finding } from '../../app/finding.js'
import type { Language } from '../messages.js'
import { titledMessage } from './error-text.js'
import { SILENCE_PHRASES, phraseOf } from './phrases.js'

/** The values of a finding, those that are sentences in the language of the user. */
export function valuesIn(language: Language, values: Finding['values']): Finding['values'] {
  if (language === 'en') return values
  const said = Object.entries(values).map(([name, value]) => [name, sentenceIn(language, { name, value, code: values.code })] as const)
  return Object.fromEntries(said)
}

interface Value {
  readonly name: string
  readonly value: string | number
  /** Of the error whose message it is. */
  readonly code: string | number | undefined
}

function sentenceIn(language: Language, { name, value, code }: Value): string | number {
  if (name === 'message' && code !== undefined) return titledMessage(language, String(code), String(value))
  if (name === 'reason') return phraseOf(SILENCE_PHRASES, String(value)) ?? value
  return value
}
