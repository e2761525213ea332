import fc from 'fast-check'

/** Values that stand where another is expected. */
const STRANGE: readonly unknown[] = [
  null, true, false, 0, -0, -1, 1.5, 1e21, 1e-9, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 64, -(2 ** 63), Number.MAX_VALUE,
  '', '0x', '0x0', '0x00', '0x1', '0X1', '0xg', '0x'.padEnd(42, 'f'), '0x'.padEnd(66, 'f'), '0x'.padEnd(68, 'f'), '-1', '1e5', 'NaN',
  'latest', 'pending', '\u0000', '\ud800', '😀'.repeat(40), '%00%ff', '../../etc/passwd', '2026-02-30', '9'.repeat(400), 'x'.repeat(5_000),
  [], [[]], [null], {}, { length: 20 }, { toString: 1, valueOf: 1, toJSON: 1, then: 1 }, { constructor: { prototype: { polluted: true } } },
  JSON.parse('{"__proto__":{"polluted":true}}'),
]

export const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...STRANGE),
  fc.jsonValue({ maxDepth: 3, noUnicodeString: false }),
  fc.integer({ min: 1, max: 600 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown),
)

const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '0', '-1', 'x', 'then', 'toJSON']

interface Edit {
  readonly path: readonly number[]
  readonly kind: 'replace' | 'remove' | 'add' | 'rename'
  readonly key: string
  readonly value: unknown
}

const edit: fc.Arbitrary<Edit> = fc.record({
  path: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('replace' as const, 'replace' as const, 'remove' as const, 'add' as const, 'rename' as const),
  key: fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 8 })),
  value: strange,
})

type Entry = readonly [key: string, value: unknown]

/** Own properties, one named `__proto__` too, as `JSON.parse` makes them. */
const toObject = (entries: readonly Entry[]): unknown => Object.fromEntries(entries)

function editEntries(entries: readonly Entry[], index: number, change: Edit): Entry[] {
  const { kind, key, value } = change
  if (kind === 'add') return [...entries, [key, value]]
  return entries.flatMap((entry, at): Entry[] => {
    if (at !== index) return [entry]
    return kind === 'remove' ? [] : [[kind === 'rename' ? key : entry[0], kind === 'rename' ? entry[1] : value]]
  })
}

function editValue(value: unknown, path: readonly number[], change: Edit): unknown {
  const [first, ...rest] = path
  if (typeof value !== 'object' || value === null || first === undefined) return change.value
  const entries: readonly Entry[] = Object.entries(value)
  const index = entries.length === 0 ? 0 : first % entries.length
  const isDeeper = rest.length > 0 && typeof entries[index]?.[1] === 'object' && entries[index][1] !== null
  const edited = isDeeper
    ? entries.map((entry, at): Entry => (at === index ? [entry[0], editValue(entry[1], rest, change)] : entry))
    : editEntries(entries, index, change)
  return Array.isArray(value) ? edited.map((entry) => entry[1]) : toObject(edited)
}

/** A good value with one to three of its parts replaced, removed, added or renamed. */
export function jsonEdited(good: unknown): fc.Arbitrary<unknown> {
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) =>
    edits.reduce<unknown>((value, change) => editValue(value, change.path, change), structuredClone(good)))
}

const snippet = fc.oneof(
  fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '\u0000', '1e999', '-', '//', 'null', '"a":1,', '[[[[', '\ufeff', '"__proto__":{},'),
  fc.string({ maxLength: 4 }),
)

/** The text of a good value with characters cut out and put in, so that most are no JSON, and some have a key twice. */
export function textEdited(text: string): fc.Arbitrary<string> {
  const cuts = fc.array(fc.tuple(fc.nat(text.length), fc.nat(12), snippet), { minLength: 1, maxLength: 3 })
  return cuts.map((all) => all.reduce((edited, [at, length, put]) => edited.slice(0, at) + put + edited.slice(at + length), text))
}

/** What comes of a file: edited values, edited texts, anything at all. */
export function jsonTexts(good: unknown): fc.Arbitrary<string> {
  return fc.oneof(
    jsonEdited(good).map((value) => JSON.stringify(value) ?? 'undefined'),
    textEdited(JSON.stringify(good)),
    strange.map((value) => JSON.stringify(value) ?? ''),
  )
}
