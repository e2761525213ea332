/** The TypeScript type of the values that a schema written `as const` accepts; rules beyond types are checked later. */

interface TypeOfName {
  string: string
  number: number
  integer: number
  boolean: boolean
  null: null
  object: Readonly<Record<string, unknown>>
  array: readonly unknown[]
}

type Flatten<T> = { [K in keyof T]: T[K] }

type RequiredKeys<S> = S extends { required: readonly (infer K)[] } ? K : never

type ObjectOf<P, R> = Flatten<
  { readonly [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> } & {
    readonly [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]>
  }
>

/** Fields that only a pattern names: EPCIS extensions, `prefix:name`. */
type Extensions<S> = S extends { patternProperties: object }
  ? { readonly [key: `${string}:${string}`]: unknown }
  : unknown

export type FromSchema<S> = S extends { const: infer C }
  ? C
  : S extends { enum: readonly (infer E)[] }
    ? E
    : S extends { properties: infer P }
      ? ObjectOf<P, RequiredKeys<S>> & Extensions<S>
      : S extends { items: infer I }
        ? readonly FromSchema<I>[]
        : S extends { type: infer T extends keyof TypeOfName }
          ? TypeOfName[T]
          : unknown
