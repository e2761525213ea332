import { NO_LIMIT, type OrganisationStatus } from '@songhua/sdk/governance/codes'
import type { Governance } from '@songhua/sdk/governance'
import type { Organisation, RegisteredNode } from '@songhua/sdk/governance/model'
import { DOOR_WORDS, MOTION_KIND_WORDS, NODE_KIND_WORDS, ORGANISATION_KIND_WORDS, ROLE_WORDS } from '@songhua/sdk/governance/words'
import { CITIES } from '../cities.js'
import type { CliContext } from '../context.js'
import type { Language } from '../messages.js'
import type { Shape } from './field-types.js'
import type { Text } from './texts.js'

export const ORGANISATION_STATES: Readonly<Record<OrganisationStatus, Text>> = {
  active: { en: 'active', zh: '有效' },
  suspended: { en: 'suspended', zh: '已暂停' },
}
const NO_LIMIT_TEXT: Text = { en: 'no limit', zh: '不限' }
const NOTHING = '–'

export function cityName(code: string, language: Language): string {
  return CITIES.find((city) => city.code === code)?.[language] ?? code
}

export const nodeName = ({ kind, city, acCode }: Pick<RegisteredNode, 'kind' | 'city' | 'acCode'>, language: Language): string =>
  [NODE_KIND_WORDS[kind][language], cityName(city, language), ...(acCode === undefined ? [] : [acCode])].join(' ')

export const organisationName = ({ nameZh, nameEn }: Pick<Organisation, 'nameZh' | 'nameEn'>, language: Language): string =>
  language === 'zh' ? nameZh : nameEn

/** No word is in two of them. */
const WORDS: Readonly<Record<string, Text>> = { ...ROLE_WORDS, ...ORGANISATION_KIND_WORDS, ...NODE_KIND_WORDS, ...MOTION_KIND_WORDS, ...DOOR_WORDS }

/** A word of the chain's enumerations: in Chinese what it is called, and the word itself, which flags and files take. */
export function wordName(word: string, language: Language): string {
  const name = language === 'zh' && Object.hasOwn(WORDS, word) ? WORDS[word]!.zh : word
  return name === word ? word : `${name} (${word})`
}

export const wordNames = (words: readonly string[], language: Language): string => words.map((word) => wordName(word, language)).join(', ')

/** `1,000,000`, or that there is no limit. */
export const quotaName = (quota: bigint, language: Language): string =>
  quota === NO_LIMIT ? NO_LIMIT_TEXT[language] : quota.toLocaleString('en-US')

/** What organisations, nodes and accounts are called; what nobody knows is shown as it is. */
export interface Directory {
  readonly organisation: (uscc: string) => string
  readonly node: (address: string) => string
  readonly account: (address: string) => string
}

export async function readDirectory({ language }: CliContext, governance: Governance): Promise<Directory> {
  const [organisations, nodes] = await Promise.all([governance.organisations(), governance.nodes()])
  const names = new Map(organisations.map((one) => [one.uscc, organisationName(one, language)]))
  const nodeNames = new Map<string, string>(nodes.map((one) => [one.address, nodeName(one, language)]))
  const administrators = new Map<string, string>(organisations.map((one) => [one.administrator, one.uscc]))
  const named = (name: string | undefined, id: string): string => (name === undefined ? id : `${name} (${id})`)
  return {
    organisation: (uscc) => named(names.get(uscc), uscc),
    node: (address) => named(nodeNames.get(address), address),
    account: (address) => named(names.get(administrators.get(address) ?? ''), address),
  }
}

/** A field's value as people read it. */
export function showValue({ language }: Pick<CliContext, 'language'>, { shape, value }: { shape: Shape; value: unknown }, directory: Directory): string {
  const list = (values: unknown, name: (one: string) => string): string => (values as string[]).map(name).join(', ') || NOTHING
  switch (shape) {
    case 'organisation':
      return directory.organisation(String(value))
    case 'account':
      return directory.account(String(value))
    case 'accounts':
      return list(value, directory.account)
    case 'node':
      return directory.node(String(value))
    case 'nodes':
      return list(value, directory.node)
    case 'words':
      return wordNames([value].flat().map(String), language) || NOTHING
    case 'quota':
      return quotaName(value as bigint, language)
    case 'levels':
      return Object.entries(value as object).map(([door, level]) => `${door}=${String(level)}`).join(', ')
    case 'city':
      return `${cityName(String(value), language)} (${String(value)})`
    case 'number':
    case 'text':
      return String(value)
    default:
      return shape satisfies never
  }
}

/** JSON for scripts: quantities of 64 bits as decimal strings, what is undefined absent. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? one.toString() : one))
}
