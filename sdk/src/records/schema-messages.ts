import { shorten } from './json-value.js'
import type { Format } from './schema-formats.js'
import type { Bilingual, JsonSchema, JsonTypeName, MonthsAfter } from './schema-types.js'

/** What a failing field is told, in Chinese and English. */

const TYPE_NAMES: Record<JsonTypeName, Bilingual> = {
  string: { zh: '文本', en: 'text' },
  number: { zh: '数字', en: 'a number' },
  integer: { zh: '整数', en: 'a whole number' },
  boolean: { zh: '布尔值', en: 'true or false' },
  object: { zh: '对象', en: 'an object' },
  array: { zh: '数组', en: 'a list' },
  null: { zh: '空值', en: 'null' },
}

export const describeType = (type: JsonTypeName): Bilingual => TYPE_NAMES[type]

/** A field's name in both languages, with its code; the record itself when it has none. */
export function labelOf(schema: JsonSchema | undefined, key: string | Bilingual): Bilingual {
  if (typeof key !== 'string') return schema?.title === undefined ? key : labelOf(schema, key.en)
  const { title, 'x-en': en } = schema ?? {}
  const name = shorten(key)
  if (name === '') return { zh: title ?? '记录', en: en ?? 'the record' }
  return { zh: title === undefined ? name : `${title}（${name}）`, en: en === undefined ? name : `${name} (${en})` }
}

interface Bounds {
  min: number
  max: number
}

function boundsText({ min, max }: Bounds): Bilingual {
  if (max === Infinity) return { zh: `至少 ${min}`, en: `at least ${min}` }
  if (min === 0) return { zh: `至多 ${max}`, en: `at most ${max}` }
  return min === max ? { zh: `${min}`, en: `${min}` } : { zh: `${min} 至 ${max}`, en: `${min} to ${max}` }
}

const shown = (values: readonly unknown[]): string =>
  values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' | ')

function rangeText(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  const bounds: [string, number | undefined][] = [
    ['≥', minimum], ['>', exclusiveMinimum], ['≤', maximum], ['<', exclusiveMaximum],
  ]
  return bounds.flatMap(([sign, bound]) => (bound === undefined ? [] : [`${sign} ${bound}`])).join(', ')
}

export const messages = {
  required: (field: Bilingual): Bilingual => ({ zh: `${field.zh}必填`, en: `${field.en} is required` }),
  unknown: (field: Bilingual): Bilingual => ({
    zh: `${field.zh}不是该模式的字段`,
    en: `${field.en} is not a field of this schema`,
  }),
  type: (field: Bilingual, types: readonly Bilingual[]): Bilingual => ({
    zh: `${field.zh}应为${types.map(({ zh }) => zh).join('或')}`,
    en: `${field.en} must be ${types.map(({ en }) => en).join(' or ')}`,
  }),
  oneOf: (field: Bilingual, values: readonly unknown[]): Bilingual => ({
    zh: `${field.zh}应为：${shown(values)}`,
    en: `${field.en} must be: ${shown(values)}`,
  }),
  length: (field: Bilingual, bounds: Bounds): Bilingual => ({
    zh: `${field.zh}应为 ${boundsText(bounds).zh} 个字符`,
    en: `${field.en} must have ${boundsText(bounds).en} characters`,
  }),
  pattern: (field: Bilingual, pattern: string): Bilingual => ({
    zh: `${field.zh}应符合 ${pattern}`,
    en: `${field.en} must match ${pattern}`,
  }),
  format: (field: Bilingual, format: Format): Bilingual => ({
    zh: `${field.zh}应为${format.zh}`,
    en: `${field.en} must be ${format.en}`,
  }),
  range: (field: Bilingual, schema: JsonSchema): Bilingual => ({
    zh: `${field.zh}应 ${rangeText(schema)}`,
    en: `${field.en} must be ${rangeText(schema)}`,
  }),
  items: (field: Bilingual, bounds: Bounds): Bilingual => ({
    zh: `${field.zh}应有 ${boundsText(bounds).zh} 项`,
    en: `${field.en} must have ${boundsText(bounds).en} entries`,
  }),
  unique: (field: Bilingual): Bilingual => ({ zh: `${field.zh}有重复项`, en: `${field.en} has an entry twice` }),
  entry: (field: Bilingual, index: number): Bilingual => ({
    zh: `${field.zh}第 ${index + 1} 项`,
    en: `${field.en} entry ${index + 1}`,
  }),
  future: (field: Bilingual): Bilingual => ({ zh: `${field.zh}不得晚于现在`, en: `${field.en} must not be in the future` }),
  dateOrder: (first: Bilingual, second: Bilingual): Bilingual => ({
    zh: `${second.zh}不得早于${first.zh}`,
    en: `${second.en} must not be before ${first.en}`,
  }),
  months: (first: Bilingual, second: Bilingual, { min, max }: MonthsAfter): Bilingual => {
    const bounds = boundsText({ min: min ?? 0, max: max ?? Infinity })
    return {
      zh: `${second.zh}距${first.zh}应为${bounds.zh} 个月`,
      en: `${second.en} must be ${bounds.en} months after ${first.en}`,
    }
  },
  anyOf: (field: Bilingual, choices: readonly JsonSchema[]): Bilingual => {
    const named = choices.map(({ required }) => (required ?? []).join(' + ')).filter((text) => text !== '')
    if (named.length === 0) return { zh: `${field.zh}不符合任何一种允许的形式`, en: `${field.en} has none of the forms allowed` }
    return {
      zh: `${field.zh}至少需要其一：${named.join('；')}`,
      en: `${field.en} needs at least one of: ${named.join('; ')}`,
    }
  },
  not: (field: Bilingual): Bilingual => ({ zh: `${field.zh}的这种组合不允许`, en: `${field.en} may not be so combined` }),
  tooDeep: (levels: number): Bilingual => ({
    zh: `嵌套超过 ${levels} 层`,
    en: `nested deeper than ${levels} levels`,
  }),
  tooManyValues: (max: number): Bilingual => ({
    zh: `值过多：至多 ${max} 个（对象的成员与列表的项）`,
    en: `holds too many values: at most ${max}, members of objects and entries of lists`,
  }),
  more: (max: number): Bilingual => ({
    zh: `还有更多问题；只列出前 ${max} 个`,
    en: `there is more; only the first ${max} are told`,
  }),
  columnUnknown: (name: string): Bilingual => ({
    zh: `该模式没有字段“${shorten(name)}”；请用字段名、字段中文名或列映射`,
    en: `the schema has no field "${shorten(name)}"; name the field, its title, or map the column`,
  }),
  columnAmbiguous: (paths: readonly string[]): Bilingual => ({
    zh: `名称对应多个字段：${paths.join('、')}；请用列映射指明`,
    en: `the name stands for several fields: ${paths.join(', ')}; map the column to one`,
  }),
  columnTwice: (pointer: string, other: string): Bilingual => ({
    zh: `字段 ${pointer} 已由列“${shorten(other)}”填写`,
    en: `the field ${pointer} is filled by column "${shorten(other)}" already`,
  }),
  columnMissing: (): Bilingual => ({ zh: '列映射中有该列，但表中没有', en: 'is in the mapping, but not in the table' }),
  personal: (field: Bilingual, kind: Bilingual): Bilingual => ({
    zh: `${field.zh}含有${kind.zh}；个人标识只能放在加盐的载荷内`,
    en: `${field.en} holds ${kind.en}; personal identifiers belong in the salted payload only`,
  }),
}
