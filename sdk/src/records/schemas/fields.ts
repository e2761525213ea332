/** Fields that many schemas share. Each call gives plain JSON; the literal types serve `FromSchema`. */

const named = <T extends string>(title: string, en: string, type: T) => ({ type, title, 'x-en': en }) as const

export const TEXT_CHARACTERS_MAX = 200
export const LONG_TEXT_CHARACTERS_MAX = 20_000

export const text = (title: string, en: string, maxLength = TEXT_CHARACTERS_MAX) =>
  ({ ...named(title, en, 'string'), minLength: 1, maxLength }) as const
export const longText = (title: string, en: string) => text(title, en, LONG_TEXT_CHARACTERS_MAX)
export const formatted = (title: string, en: string, format: string) =>
  ({ ...named(title, en, 'string'), maxLength: 2048, format }) as const
export const date = (title: string, en: string) => formatted(title, en, 'date')
export const pastDate = (title: string, en: string) => ({ ...date(title, en), 'x-notFuture': true }) as const
export const time = (title: string, en: string) => formatted(title, en, 'date-time')
export const pastTime = (title: string, en: string) => ({ ...time(title, en), 'x-notFuture': true }) as const
export const uscc = (title: string, en: string) => formatted(title, en, 'uscc')
export const choice = <const E extends readonly string[]>(title: string, en: string, choices: E) =>
  ({ title, 'x-en': en, enum: choices }) as const
export const amount = (title: string, en: string) => ({ ...named(title, en, 'number'), minimum: 0 }) as const
export const count = (title: string, en: string) => ({ ...named(title, en, 'integer'), minimum: 0 }) as const
export const flag = (title: string, en: string) => named(title, en, 'boolean')
export const listOf = <const I>(title: string, en: string, items: I) =>
  ({ ...named(title, en, 'array'), minItems: 1, maxItems: 1000, items }) as const

export const sha256Hex = {
  type: 'string', title: 'SHA-256 摘要', 'x-en': 'SHA-256 digest', pattern: '^[0-9a-f]{64}$',
  'x-message': { zh: 'SHA-256 摘要应为 64 位小写十六进制', en: 'SHA-256 digest must be 64 lower-case hexadecimal digits' },
} as const
export const sm3Hex = {
  type: 'string', title: 'SM3 摘要', 'x-en': 'SM3 digest', pattern: '^[0-9a-f]{64}$',
  'x-message': { zh: 'SM3 摘要应为 64 位小写十六进制', en: 'SM3 digest must be 64 lower-case hexadecimal digits' },
} as const

/** Whom a decision concerns. */
export const PERSON_TYPES = ['法人及非法人组织', '个体工商户', '自然人'] as const
