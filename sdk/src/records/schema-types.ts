/** The shape of a schema, and of what is said of a field that breaks it. */

export type JsonTypeName = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null'

export interface Bilingual {
  readonly zh: string
  readonly en: string
}

export interface JsonSchema {
  readonly $schema?: string
  readonly $id?: string
  readonly $comment?: string
  /** The field's name in Chinese. */
  readonly title?: string
  readonly description?: string
  readonly type?: JsonTypeName | readonly JsonTypeName[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly minProperties?: number
  readonly allOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly not?: JsonSchema
  readonly if?: JsonSchema
  readonly then?: JsonSchema
  readonly else?: JsonSchema
  /** The field's name in English. */
  readonly 'x-en'?: string
  /** Said when `anyOf`, `not`, `pattern` or `const` fails. */
  readonly 'x-message'?: Bilingual
  /** Pairs of fields: the first is not later than the second. */
  readonly 'x-dateOrder'?: readonly (readonly [string, string])[]
  /** `field` lies at least `min` and at most `max` calendar months after `from`. */
  readonly 'x-monthsAfter'?: readonly MonthsAfter[]
  /** A date or time not after the moment of validation. */
  readonly 'x-notFuture'?: boolean
}

export interface MonthsAfter {
  readonly from: string
  readonly field: string
  readonly min?: number
  readonly max?: number
}

export type ViolationCode =
  | 'REQUIRED'
  | 'TYPE'
  | 'VALUE'
  | 'LENGTH'
  | 'PATTERN'
  | 'FORMAT'
  | 'RANGE'
  | 'ITEMS'
  | 'UNKNOWN_FIELD'
  | 'COMBINATION'
  | 'DATE_ORDER'
  | 'FUTURE_DATE'
  | 'TOO_DEEP'
  | 'TOO_MANY_VALUES'
  | 'PERSONAL_DATA'
  | 'SUBJECT'
  | 'RETENTION'
  | 'COLUMN'
  /** Stands last: there are more than are told. */
  | 'MORE'

/** One failing field. */
export interface Violation extends Bilingual {
  /** JSON pointer, RFC 6901; '' is the whole. */
  readonly path: string
  readonly code: ViolationCode
}
