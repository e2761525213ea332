import type { Fault } from '../../app/fault.js'
import type { CliContext } from '../context.js'
import { codeOf } from '../exit-codes.js'
import type { Language } from '../messages.js'
import { titleOf } from './code-titles.js'

/** Paths, addresses and quoted values: Chinese in them is not the message's own. */
const VALUES = /"[^"]*"|[^\s"：，；（）]*[/\\][^\s"：，；（）]*/gu
const HAN = /\p{Script=Han}/u

const isChinese = (message: string): boolean => HAN.test(message.replace(VALUES, ''))

/** In Chinese, a message of the layers below is given the title of its code; one that is Chinese already stays as it is. */
export function titledMessage(language: Language, code: string | undefined, message: string): string {
  if (language !== 'zh' || code === undefined || isChinese(message)) return message
  const title = titleOf(code)
  return title === undefined ? message : message === '' ? title : `${title}。${message}`
}

/** What is wrong with a part of a node, as the messages of the catalogue take it. */
export const titledFault = ({ language }: Pick<CliContext, 'language'>, { code, message }: Fault): { code: string; message: string } =>
  ({ code, message: titledMessage(language, code, message) })

/** The message of whatever was thrown, without the stack that some libraries put there. */
export const messageWithoutStack = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\n\s+at .*/g, '')

/** How the program says what it ended with. */
export function errorLine({ language, t }: Pick<CliContext, 'language' | 't'>, error: unknown): string {
  const code = codeOf(error)
  const text = titledMessage(language, code, messageWithoutStack(error))
  if (language === 'zh') return `songhua: ${[t('error'), ...(code === undefined ? [] : [code]), text].join('：')}`
  return `songhua: ${t('error')}${code === undefined ? '' : ` ${code}`}: ${text}`
}
